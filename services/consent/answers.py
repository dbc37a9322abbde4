"""Judging a customer's answer: what it changes, or why it changes nothing (D4, D9, D19, D20)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from cpor.domain.model import ConsentStage
from cpor.domain.policy import policy
from cpor.domain.vocabulary import ConsentOutcome, Instant, InstantField, Status, TenantId
from schemas.consent import Answer, AnswerChannel, Response
from schemas.envelope import Envelope, passed_traceparent
from services.consent.case import Case


@dataclass(frozen=True, slots=True)
class Given:
    """An answer as it lies on its topic; it waits as a timer's data until the claim's events are known."""

    tenant_id: TenantId
    origin: str
    message_id: str
    correlation: str
    appended_at: InstantField
    answer: Answer
    channel: AnswerChannel
    token_id: str | None = None
    operator: str | None = None
    answered_at: InstantField | None = None
    evidence: str | None = None
    traceparent: str | None = None


def given(tenant: TenantId, origin: str, appended_at: Instant, said: Response, envelope: Envelope) -> Given:
    message_id = envelope.id or origin
    return Given(
        tenant,
        origin,
        message_id,
        envelope.correlation or message_id,
        appended_at,
        said.answer,
        said.channel,
        said.token_id,
        said.operator,
        said.answered_at,
        said.evidence,
        passed_traceparent(envelope),
    )


class Effect(StrEnum):
    DECLINED = ConsentOutcome.DECLINED.value
    AGREED = ConsentOutcome.AGREED.value
    HELD = "held"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`received_at`: when the answer counts from (D19)."""

    effect: Effect
    received_at: Instant
    reason: str = ""


def received_at(case: Case | None, said: Given) -> Instant:
    """When the broker took it; by phone or mail when the operator says it came, never later than that (D19).

    Without the operator's word, the release of an answer that was held counts from when that one came (D20).
    """
    if said.channel == AnswerChannel.PAGE or said.operator is None:
        return Instant(said.appended_at)
    held = case.held if case is not None else None
    came = said.answered_at if said.answered_at is not None else held
    return Instant(said.appended_at if came is None else min(came, said.appended_at))


def judge(case: Case | None, said: Given) -> Verdict:
    """Deterministic: of the row and the answer alone."""
    at = received_at(case, said)
    if case is None:
        return Verdict(Effect.IGNORED, at, "there is no such claim")
    reason = next((why for applies, why in NOTHING_CHANGES if applies(case, said, at)), None)
    if reason is not None:
        return Verdict(Effect.IGNORED, at, reason)
    if _unchecked(said):
        return Verdict(Effect.HELD, at)
    return Verdict(Effect.DECLINED if said.answer == Answer.DECLINE else Effect.AGREED, at)


def _unchecked(said: Given) -> bool:
    """By phone or mail, and nobody has put a name to it: an operator has to look first."""
    return said.channel != AnswerChannel.PAGE and said.operator is None


def _void(case: Case, said: Given, at: Instant) -> bool:
    return said.channel == AnswerChannel.PAGE and said.token_id not in case.tokens


def _too_late(case: Case, said: Given, at: Instant) -> bool:
    """D4: P2020's seven days are hard, and stand still while the wait is suspended."""
    limited = policy(case.policy).consent.decline_days is not None
    if not limited or said.answer != Answer.DECLINE or case.status != Status.APPROVED:
        return False
    return case.stage != ConsentStage.SUSPENDED and case.wait is not None and at >= case.wait.due


def _agrees_again(case: Case, said: Given, at: Instant) -> bool:
    agrees = said.answer == Answer.AGREE and not _unchecked(said)
    return agrees and (case.agreed or case.legacy) and case.stage != ConsentStage.SUSPENDED


Rule = Callable[[Case, Given, Instant], bool]

#: In order; the first that applies is the reason that is told.
NOTHING_CHANGES: tuple[tuple[Rule, str], ...] = (
    (lambda case, said, at: case.tenant_id != said.tenant_id, "the claim is another customer's"),
    (lambda case, said, at: case.status == Status.DRAFT, "the claim has not been submitted"),
    (lambda case, said, at: case.status in (Status.CANCELLED, Status.REJECTED_FINAL), "the claim is over"),
    (_void, "the link does not count, or no longer: it was sent to a contact that was replaced, or is not ours"),
    (lambda case, said, at: case.declined, "the customer has declined before"),
    (_too_late, "the days to decline were over when the answer was received"),
    (_agrees_again, "the customer has agreed before, or nothing is asked"),
    (lambda case, said, at: _unchecked(said) and case.held is not None, "an answer is being checked already"),
)
