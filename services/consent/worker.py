"""Consent's processor: claim events, answers and deliveries in; requests, outcomes and information out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from cpor.domain import wire
from cpor.domain.ids import event_id
from cpor.domain.model import ConsentStage
from cpor.domain.vocabulary import ClaimId, ConsentOutcome, EventName, Instant, SuspensionReason, TenantId
from cpor.runtime.processor import Context, Observer, Processor, StateTable, Timer
from cpor.runtime.record import Record
from cpor.runtime.topics import Topic
from schemas.consent import Finding, Notice
from services.consent import reading, telling
from services.consent.answers import Effect, Found, Given, Unchanged, held_of, judge, released
from services.consent.case import (
    ANSWER,
    CHECK,
    Case,
    after,
    asks,
    holding,
    knows,
    noes_alone,
    timer_of,
    told,
    without,
)
from services.consent.telling import Cause
from services.consent.tokens import Tokens

CASES = "cases"
SOURCES = (Topic.CLAIM_EVENTS, Topic.CONSENT_RESPONSES, Topic.DELIVERIES)

_CONFIRMED = (EventName.CONSENT_COMPLETED, EventName.CONSENT_SUSPENDED)


def decode(value: bytes) -> Case:
    case: Case = wire.decode(Case, value)
    return case


class Consent(Processor):
    """Follows the consent of every claim; `partitions` is N of contract §1, `grace_ms` that of D19."""

    service = "consent"
    slots_topic = Topic.CONSENT_SLOTS
    state_tables = (StateTable(CASES, Topic.CONSENT_STATE, wire.encode, decode),)
    timers_topic = Topic.CONSENT_TIMERS

    def __init__(self, partitions: int, grace_ms: int, tokens: Tokens) -> None:
        self._partitions = partitions
        self._grace_ms = grace_ms
        self._tokens = tokens

    def sources(self, all_topics: Iterable[str]) -> list[str]:
        return list(SOURCES)

    def process(self, context: Context, record: Record) -> None:
        tenant = reading.tenant_of(record, self._partitions)
        if record.topic == Topic.CLAIM_EVENTS:
            self._follow(context, record, tenant)
        elif record.topic == Topic.CONSENT_RESPONSES:
            _keep(context, record, tenant)
        else:
            _deliver(context, record)

    def gate(self, due: Sequence[Timer], look: Observer) -> Sequence[Timer]:
        """D19: an answer is judged when all events before it are known, and silence when all is that came in time."""
        return [timer for timer in due if self._may_fire(timer, look)]

    def _may_fire(self, timer: Timer, look: Observer) -> bool:
        if timer.clock in (ANSWER, CHECK):
            return look.have_read(Topic.CLAIM_EVENTS, timer.due)
        grace = self._grace_ms
        return look.is_past(timer.due, grace) and all(look.have_read(each, timer.due, grace) for each in SOURCES)

    def fire(self, context: Context, timer: Timer) -> None:
        case: Case | None = context.get(CASES, timer.claim.encode())
        if timer.clock == ANSWER:
            _judge(context, ClaimId(timer.claim), case, wire.decode(Given, timer.data))
        elif timer.clock == CHECK:
            _check(context, ClaimId(timer.claim), case, wire.decode(Found, timer.data))
        elif case is not None and timer == timer_of(ClaimId(timer.claim), case):
            _pass(context, timer, case)

    def _follow(self, context: Context, record: Record, tenant: TenantId) -> None:
        """One claim event."""
        seen, cause = reading.claim_event(record)
        before: Case | None = context.get(CASES, seen.claim_id.encode())
        case = after(before, seen, tenant)
        if case is None:
            return
        if case != before:
            _put(context, cause.claim_id, before, case)
        if seen.name in _CONFIRMED:
            telling.confirmed(context, cause, case, seen)
        if asks(case, seen) is not None:
            telling.requested(context, cause, case, self._tokens)
        if case.held is not None and case.stage == ConsentStage.WAITING:
            _suspend(context, cause, case, SuspensionReason.ANSWER_HELD)


def _keep(context: Context, record: Record, tenant: TenantId) -> None:
    """An answer waits until the claim's events up to it are read: it is judged by what its sender could know."""
    claim, said = reading.answer(record, tenant)
    what = ANSWER if isinstance(said, Given) else CHECK
    context.set_timer(Timer(record.appended_at, claim, what, record.offset, data=wire.encode(said)))


def _check(context: Context, claim: ClaimId, case: Case | None, found: Found) -> None:
    """D20: released, an answer counts from when it came; of one that was dismissed nothing is left but the wait that
    stands still, until the customer gets a new notice.
    """
    ours = case if case is not None and case.tenant_id == found.tenant_id else None
    held = next((each for each in ours.checks if each.id == found.response_id), None) if ours is not None else None
    cause = _cause_of(claim, found, Instant(found.appended_at))
    if ours is None or held is None:
        telling.unchanged(context, cause, ours, Unchanged.NOT_HELD)
        return
    rest = without(ours, held)
    _put(context, claim, ours, rest)
    if found.finding == Finding.DISMISSED:
        telling.dismissed(context, cause, rest, held.id)
    else:
        _judge(context, claim, rest, released(held, found), settles=False)


def _judge(context: Context, claim: ClaimId, case: Case | None, said: Given, *, settles: bool = True) -> None:
    """`settles`: the customer's own word, or an operator's for it, makes the check of earlier ones needless; a yes
    never that of a no (D9).
    """
    verdict = judge(case, said)
    cause = _cause_of(claim, said, verdict.received_at)
    telling.answered(context, cause, case, said, verdict)
    if case is None or verdict.effect == Effect.IGNORED:
        return
    if verdict.effect == Effect.HELD:
        held = holding(case, held_of(said, verdict))
        _put(context, claim, case, held)
        if held.stage == ConsentStage.WAITING:
            _suspend(context, cause, held, SuspensionReason.ANSWER_HELD)
        return
    telling.outcome_of_answer(context, cause, case, said, verdict)
    declined = verdict.effect == Effect.DECLINED
    heard = not declined and said.appended_at >= (case.asked_at or 0)
    fresh = replace(case, declined=declined, agreed=case.agreed or heard)
    if declined:
        fresh = replace(fresh, held=None, checks=())
    elif settles:
        fresh = noes_alone(fresh)
    _put(context, claim, case, told(fresh) if declined else fresh)


def _cause_of(claim: ClaimId, said: Given | Found, at: Instant) -> Cause:
    """Ids derive from the answer's place, which is its own: two operators' tools may give the same `ce_id`."""
    key = said.tenant_id.encode()
    return Cause(said.origin, claim, key, at, said.message_id, said.correlation, said.traceparent)


def _deliver(context: Context, record: Record) -> None:
    """D20: what became of the newest notice; what became of an older one no longer matters."""
    found = reading.delivery(record)
    case: Case | None = None if found is None else context.get(CASES, found[0].claim_id.encode())
    if found is None or case is None or case.request is None or case.request.id != found[0].cause:
        return
    mail, arrived = found
    if case.request.bounced or (case.request.delivered and arrived):
        return
    told_at = Instant(record.appended_at) if arrived else None
    request = replace(case.request, delivered=arrived, bounced=not arrived, delivered_at=told_at)
    fresh = replace(case, request=request)
    claim = ClaimId(mail.claim_id)
    _put(context, claim, case, fresh)
    if not arrived and request.notice == Notice.APPROVED and fresh.stage == ConsentStage.WAITING:
        cause = Cause(record.origin, claim, record.key or b"", Instant(record.appended_at), mail.mail_id, request.id)
        _suspend(context, cause, fresh, SuspensionReason.NOTICE_BOUNCED)


def _pass(context: Context, timer: Timer, case: Case) -> None:
    """The seven days are over: silence is consent, if the customer was told (D4, D20)."""
    claim = ClaimId(timer.claim)
    started = event_id(claim, timer.started_by)
    cause = Cause(started, claim, case.tenant_id.encode(), Instant(timer.due), started, started)
    if case.held is not None:
        _suspend(context, cause, case, SuspensionReason.ANSWER_HELD)
    elif knows(case):
        telling.outcome_of_wait(context, cause, case, ConsentOutcome.COMPLETED)
        _put(context, claim, case, told(case))
    else:
        _suspend(context, cause, case, SuspensionReason.NOT_DELIVERED)


def _suspend(context: Context, cause: Cause, case: Case, reason: SuspensionReason) -> None:
    """Asks review to stop the wait; it tells of it when it is so."""
    if case.wait is None or case.wait.told:
        return
    telling.outcome_of_wait(context, cause, case, ConsentOutcome.SUSPENDED, reason)
    _put(context, cause.claim_id, case, told(case))


def _put(context: Context, claim: ClaimId, before: Case | None, case: Case) -> None:
    """The row, and with it the timer that follows from it."""
    context.put(CASES, claim.encode(), case)
    old, new = timer_of(claim, before), timer_of(claim, case)
    if old is not None and old != new:
        context.cancel_timer(old.claim, old.clock, old.started_by, old.rung)
    if new is not None and new != old:
        context.set_timer(new)
