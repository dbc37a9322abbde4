"""Comments of both sides (R31, D26)."""

from __future__ import annotations

from cpor.domain.commands import AddComment, AddReviewComment
from cpor.domain.deciding.desk import Desk
from cpor.domain.events import Commented
from cpor.domain.policy import CommentRule
from cpor.domain.refusal import FieldError
from cpor.domain.result import Refused, refused_for
from cpor.domain.texts import check_text
from cpor.domain.vocabulary import Code, Status


def comment(desk: Desk, data: AddComment | AddReviewComment) -> Refused | None:
    """A comment never changes a status and never stops the partner's clock (D15)."""
    if refusal := thread_refusal(desk):
        return refusal
    if errors := text_errors(desk.policy.comments, data.text, "text"):
        return refused_for(errors)
    desk.record(Commented, text=data.text)
    return None


def thread_refusal(desk: Desk) -> Refused | None:
    claim = desk.claim
    if claim.status == Status.REJECTED and not desk.window_open():
        return Refused(Code.WINDOW_CLOSED, "Comments closed with the dispute window; a new claim is the way on.")
    return full_refusal(desk)


def full_refusal(desk: Desk) -> Refused | None:
    limit = desk.policy.comments.max_per_claim
    if desk.claim.comment_count < limit:
        return None
    return Refused(Code.TOO_MANY_COMMENTS, f"A claim holds at most {limit} comments.")


def text_errors(rule: CommentRule, text: str, field: str) -> tuple[FieldError, ...]:
    return tuple(check_text(field, text, rule.max_length, multiline=True))


def optional_text_errors(rule: CommentRule, text: str | None, field: str) -> tuple[FieldError, ...]:
    return text_errors(rule, text, field) if text is not None else ()
