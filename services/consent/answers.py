"""Judging a customer's answer: what it changes, or why it changes nothing (D4, D9, D19, D20)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from cpor.domain.model import ConsentStage
from cpor.domain.policy import policy
from cpor.domain.vocabulary import ConsentOutcome, Instant, InstantField, Status, TenantId
from schemas.consent import Answer, AnswerChannel, Checked, Doubt, Finding, Response
from schemas.envelope import Envelope, passed_traceparent
from services.consent.case import MOST_HELD, Case, HeldAnswer, link_counted, noes_alone


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
    doubts: tuple[Doubt, ...] = ()
    #: The answer that was held, where this is its release.
    releases: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What an operator found about an answer that was held, as it lies on the answers' topic."""

    tenant_id: TenantId
    origin: str
    message_id: str
    correlation: str
    appended_at: InstantField
    response_id: str
    finding: Finding
    operator: str
    traceparent: str | None = None


def found(tenant: TenantId, origin: str, appended_at: Instant, said: Checked, envelope: Envelope) -> Found:
    message_id = envelope.id or origin
    return Found(
        tenant,
        origin,
        message_id,
        envelope.correlation or message_id,
        appended_at,
        said.response_id,
        said.finding,
        said.operator,
        passed_traceparent(envelope),
    )


def released(held: HeldAnswer, checked: Found) -> Given:
    """The answer under the operator's name; it counts from when it came (D20)."""
    about = (checked.tenant_id, checked.origin, checked.message_id, checked.correlation, held.received_at)
    made = Given(*about, held.answer, held.channel, held.token_id, checked.operator, None, held.evidence)
    return replace(made, traceparent=checked.traceparent, releases=held.id)


def held_of(said: Given, verdict: Verdict) -> HeldAnswer:
    told = said.message_id, said.answer, said.channel, verdict.received_at
    return HeldAnswer(*told, said.token_id, said.evidence, said.doubts)


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
        said.operator if said.channel != AnswerChannel.PAGE else None,
        said.answered_at,
        said.evidence,
        passed_traceparent(envelope),
        said.doubts,
    )


class Effect(StrEnum):
    DECLINED = ConsentOutcome.DECLINED.value
    AGREED = ConsentOutcome.AGREED.value
    HELD = "held"
    IGNORED = "ignored"


class Unchanged(StrEnum):
    """Why an answer changes nothing, as it is told."""

    UNKNOWN = "there is no such claim"
    ANOTHERS = "the claim is another customer's"
    NOT_SUBMITTED = "the claim has not been submitted"
    OVER = "the claim is over"
    VOID = "the link does not count, or no longer: it was sent to a contact that was replaced, or is not ours"
    DECLINED = "the customer has declined before"
    TOO_LATE = "the days to decline were over when the answer was received"
    AGREED = "the customer has agreed before, or nothing is asked"
    TOO_MANY = "too many answers are being checked already"
    NOT_HELD = "no such answer is being checked"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`received_at`: when the answer counts from (D19)."""

    effect: Effect
    received_at: Instant
    reason: Unchanged | None = None


def received_at(case: Case | None, said: Given) -> Instant:
    """When the broker took it; by phone or mail when the operator says it came, never later than that (D19).

    Without the operator's word, the release of an answer that was held counts from when that one came (D20).
    """
    if said.channel == AnswerChannel.PAGE or said.operator is None:
        return Instant(said.appended_at)
    came = said.answered_at if said.answered_at is not None else _held_since(case)
    return Instant(said.appended_at if came is None else min(came, said.appended_at))


def _held_since(case: Case | None) -> int | None:
    """Since when an answer by phone or mail is being checked; an earlier version did not note which answer it was."""
    if case is None or not case.checks:
        return None if case is None else case.held
    return min((each.received_at for each in case.checks if each.channel != AnswerChannel.PAGE), default=None)


def judge(case: Case | None, said: Given) -> Verdict:
    """Deterministic: of the row and the answer alone."""
    at = received_at(case, said)
    if case is None:
        return Verdict(Effect.IGNORED, at, Unchanged.UNKNOWN)
    reason = next((why for applies, why in NOTHING_CHANGES if applies(case, said, at)), None)
    if reason is not None:
        return Verdict(Effect.IGNORED, at, reason)
    if _unchecked(said):
        return Verdict(Effect.HELD, at)
    return Verdict(Effect.DECLINED if said.answer == Answer.DECLINE else Effect.AGREED, at)


def _unchecked(said: Given) -> bool:
    """By phone or mail, or by page with doubts, and nobody has put a name to it: an operator has to look first."""
    return said.operator is None and (said.channel != AnswerChannel.PAGE or bool(said.doubts))


def _void(case: Case, said: Given, at: Instant) -> bool:
    """Of what an operator released the link counted when the answer came."""
    if said.channel != AnswerChannel.PAGE or said.operator is not None:
        return False
    return not link_counted(case, said.token_id, Instant(said.appended_at))


def _too_late(case: Case, said: Given, at: Instant) -> bool:
    """D4: P2020's seven days are hard, and stand still while the wait is suspended. Of what an operator released it was
    judged when it came; and before the approval was known no answer is late (D9).
    """
    limited = policy(case.policy).consent.decline_days is not None and said.releases is None
    if not limited or said.answer != Answer.DECLINE or case.status != Status.APPROVED:
        return False
    if said.appended_at < (case.asked_at or 0):
        return False
    return case.stage != ConsentStage.SUSPENDED and case.wait is not None and at >= case.wait.due


def _too_many(case: Case, said: Given, at: Instant) -> bool:
    """Of its own kind: a yes that is being checked, however often it came, never keeps out a no."""
    return _unchecked(said) and sum(each.answer == said.answer for each in case.checks) >= MOST_HELD


def _agrees_again(case: Case, said: Given, at: Instant) -> bool:
    """A yes ends a suspension, but for that of a no that is being checked."""
    agrees = said.answer == Answer.AGREE and not _unchecked(said)
    ends_nothing = case.stage != ConsentStage.SUSPENDED or bool(noes_alone(case).checks)
    return agrees and (case.agreed or case.legacy) and ends_nothing


Rule = Callable[[Case, Given, Instant], bool]

#: In order; the first that applies is the reason that is told.
NOTHING_CHANGES: tuple[tuple[Rule, Unchanged], ...] = (
    (lambda case, said, at: case.tenant_id != said.tenant_id, Unchanged.ANOTHERS),
    (lambda case, said, at: case.status == Status.DRAFT, Unchanged.NOT_SUBMITTED),
    (lambda case, said, at: case.status in (Status.CANCELLED, Status.REJECTED_FINAL), Unchanged.OVER),
    (_void, Unchanged.VOID),
    (lambda case, said, at: case.declined, Unchanged.DECLINED),
    (_too_late, Unchanged.TOO_LATE),
    (_agrees_again, Unchanged.AGREED),
    (_too_many, Unchanged.TOO_MANY),
)
