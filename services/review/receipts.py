"""The one receipt for a partner's command (contract §3, Receipt)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from cpor.domain import ids
from cpor.domain.model import ClaimState
from cpor.domain.refusal import FieldError
from cpor.domain.result import Accepted, Refused
from cpor.domain.vocabulary import Clock, Code, CommandName, Instant, Outcome, Status, instant_text
from cpor.runtime.processor import Context
from cpor.runtime.topics import receipts_topic
from schemas.envelope import headers
from schemas.receipts import RECEIPT, problem, receipt_value
from services.review.inbox import Message
from services.review.tables import SOURCE

PARTITION = 0


class _Answer(NamedTuple):
    outcome: Outcome
    code: Code
    detail: str
    errors: tuple[FieldError, ...] = ()
    warnings: tuple[FieldError, ...] = ()


def accepted(context: Context, message: Message, granted: Accepted) -> None:
    """`status` and `due` are those after the command."""
    state = granted.states[message.command.context.claim_id]
    said = _Answer(Outcome.ACCEPTED, Code.ACCEPTED, _told(message, granted, state), warnings=granted.warnings)
    _send(context, message, state, said)


def rejected(context: Context, message: Message, state: ClaimState | None, no: Refused) -> None:
    """`state` is that of the claim, unchanged; None where it does not exist."""
    _send(context, message, state, _Answer(Outcome.REJECTED, no.code, no.detail, errors=no.errors))


def _told(message: Message, granted: Accepted, state: ClaimState) -> str:
    name = message.command.name
    if name == CommandName.POE_RESERVE:
        return "Accepted; send the file to the upload address, then attach it."
    if not granted.events:
        return "Accepted; nothing was changed by it."
    if name == CommandName.COMMENT and state.status == Status.PARTNER_ACTION_REQUIRED:
        return _still_asked(state)
    return _DETAILS[state.status]


def _still_asked(state: ClaimState) -> str:
    """D15: a comment alone never stops the clock, and the receipt says so."""
    clock = state.clock(Clock.PARTNER_ANSWER)
    until = "" if clock is None else f" before {instant_text(clock.due)}"
    return f"Accepted; a comment alone does not answer the request: resubmit the claim{until}."


def _send(context: Context, message: Message, state: ClaimState | None, said: _Answer) -> None:
    about = message.command.context
    # The receipt answers the partner's record: its id is made of that record's place, its cause is that message.
    told = headers(
        RECEIPT,
        ids.name_id(about.origin),
        SOURCE,
        Instant(context.now),
        about.claim_id,
        causation=about.message_id,
        extra=message.passed_on,
    )
    key = (about.claim_ref or "").encode()
    value = _value(message, state, said, context.now)
    context.emit(receipts_topic(about.partner_id or ""), PARTITION, key, value, told)


def _value(message: Message, state: ClaimState | None, said: _Answer, now: int) -> bytes:
    about = message.command.context
    return receipt_value(
        message_id=about.message_id or "",
        claim_ref=about.claim_ref,
        claim_id=about.claim_id,
        outcome=said.outcome,
        code=said.code,
        detail=said.detail,
        received_at=about.received_at,
        decided_at=now,
        status=None if state is None else state.status,
        errors=_problems(said.errors),
        warnings=_problems(said.warnings),
        due=[(each.clock, each.due) for each in state.due(about.now)] if state is not None and state.clocks else (),
        upload=message.upload if said.outcome == Outcome.ACCEPTED else None,
        document_id=message.document_id,
    )


def _problems(errors: Iterable[FieldError]) -> list[dict[str, Any]]:
    return [problem(each.field, each.code, each.detail) for each in errors]


_DETAILS: dict[Status, str] = {status: f"Accepted; the claim is {status.value}." for status in Status}
