"""What consent says: outcomes to review's inbox, and for information what it asked and was told (contract §4, §5)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, NamedTuple

from cpor.domain import ids
from cpor.domain.calendar import local_date
from cpor.domain.policy import policy
from cpor.domain.vocabulary import (
    ClaimId,
    CommandName,
    ConsentOutcome,
    EventName,
    Instant,
    Status,
    SuspensionReason,
)
from cpor.runtime.processor import Context
from cpor.runtime.topics import Topic
from schemas.base import Message, write
from schemas.consent import (
    AGREED,
    COMPLETED,
    DECLINED,
    DISMISSED,
    HELD,
    IGNORED,
    REQUESTED,
    SUSPENDED,
    Agreed,
    Completed,
    Declined,
    Dismissed,
    Held,
    Ignored,
    OfConsent,
    Requested,
    Suspended,
)
from schemas.envelope import Header, headers, origin_headers
from schemas.inside import ConsentOutcomeFound
from services.consent.answers import Effect, Given, Unchanged, Verdict
from services.consent.case import Case, Seen
from services.consent.tokens import About, Tokens

SOURCE = "/services/consent"


class Cause(NamedTuple):
    """What a message follows from: its id is `message_id`, ids derive from `id`."""

    id: str
    claim_id: ClaimId
    key: bytes
    at: Instant
    message_id: str
    correlation: str
    traceparent: str | None = None


def requested(context: Context, cause: Cause, case: Case, tokens: Tokens) -> None:
    """A notice with its link is to go out."""
    assert case.request is not None, "an event asked for it"
    days = policy(case.policy).consent.link_days
    last_day = local_date(cause.at, "UTC") + timedelta(days=days)
    token = tokens.make(About(case.tenant_id, cause.claim_id, case.request.id, case.recipient, last_day))
    _inform(context, cause, case, REQUESTED, Requested, notice=case.request.notice, token=token)


def confirmed(context: Context, cause: Cause, case: Case, seen: Seen) -> None:
    """What review made of an outcome: told when it is so, for review may have known better."""
    if seen.name == EventName.CONSENT_COMPLETED:
        _inform(context, cause, case, COMPLETED, Completed)
    else:
        _inform(context, cause, case, SUSPENDED, Suspended, reason=seen.suspended_for)


_MODELS: dict[Effect, tuple[str, type[OfConsent]]] = {
    Effect.DECLINED: (DECLINED, Declined),
    Effect.AGREED: (AGREED, Agreed),
    Effect.HELD: (HELD, Held),
    Effect.IGNORED: (IGNORED, Ignored),
}


def answered(context: Context, cause: Cause, case: Case | None, said: Given, verdict: Verdict) -> None:
    """What became of an answer, whatever it was: nothing is silent."""
    ce_type, model = _MODELS[verdict.effect]
    own: dict[str, Any] = {}
    if verdict.effect == Effect.IGNORED:
        own["reason"] = str(verdict.reason)
    if verdict.effect == Effect.DECLINED and said.evidence is not None:
        own["evidence"] = said.evidence
    if verdict.effect == Effect.HELD:
        own["answer"] = said.answer
    if said.releases is not None:
        own["response_id"] = said.releases
    _inform(context, cause, case, ce_type, model, **own)


def unchanged(context: Context, cause: Cause, case: Case | None, reason: Unchanged) -> None:
    """What an operator found is about nothing."""
    _inform(context, cause, case, IGNORED, Ignored, reason=str(reason))


def dismissed(context: Context, cause: Cause, case: Case, response_id: str) -> None:
    _inform(context, cause, case, DISMISSED, Dismissed, response_id=response_id)


def _inform(
    context: Context, cause: Cause, case: Case | None, ce_type: str, model: type[OfConsent], **own: Any
) -> None:
    if case is not None and case.approval is not None:
        own["approval"] = case.approval
    told = model(claim_id=cause.claim_id, at=cause.at, **own)
    _send(context, Topic.CONSENT_EVENTS, cause, ce_type, told)


def outcome_of_wait(
    context: Context, cause: Cause, case: Case, found: ConsentOutcome, reason: SuspensionReason | None = None
) -> None:
    """To review's inbox: what this wait came to, or why it has to stand still. No message stands behind it."""
    assert case.wait is not None, "it runs"
    named: dict[str, Any] = {"started_by": case.wait.started_by}
    if reason is not None:
        named["reason"] = reason
    _outcome(context, cause, found, case.approval, named, ())


def outcome_of_answer(context: Context, cause: Cause, case: Case, said: Given, verdict: Verdict) -> None:
    """With the customer's own receive time, which review judges by (D19).

    A no names no approval: it is about the association, and must not be lost to an approval that came since (D9).
    """
    found, origin = ConsentOutcome(verdict.effect.value), origin_headers(said.origin, verdict.received_at)
    if found == ConsentOutcome.DECLINED:
        _outcome(context, cause, found, None, {"in_time": True}, origin)
    else:
        _outcome(context, cause, found, case.approval if case.status == Status.APPROVED else None, {}, origin)


def _outcome(
    context: Context,
    cause: Cause,
    found: ConsentOutcome,
    approval: int | None,
    named: dict[str, Any],
    origin: Iterable[Header],
) -> None:
    """Review decides."""
    if approval is not None:
        named["approval"] = approval
    told = ConsentOutcomeFound(claim_id=cause.claim_id, outcome=found, **named)
    _send(context, Topic.CLAIM_COMMANDS, cause, CommandName.CONSENT_OUTCOME, told, origin)


def _send(
    context: Context, topic: Topic, cause: Cause, ce_type: str, told: Message, extra: Iterable[Header] = ()
) -> None:
    spoken = headers(
        ce_type,
        ids.derived_id(cause.id, ce_type),
        SOURCE,
        cause.at,
        cause.claim_id,
        cause.message_id,
        cause.correlation,
        traceparent=cause.traceparent,
        extra=extra,
    )
    context.emit(topic, context.partition, cause.key, write(told), spoken)
