"""Deadlines' processor: claim events and news of subscriptions in; what time brings, out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from cpor.domain import directory, ids, wire
from cpor.domain.vocabulary import ClaimId, EventName, Instant, TenantId
from cpor.runtime.errors import Reject
from cpor.runtime.processor import Context, Index, Observer, Processor, ReferenceTable, StateTable, Timer
from cpor.runtime.record import Record
from cpor.runtime.references import readable
from cpor.runtime.topics import Topic
from schemas.envelope import TYPE
from services.deadlines.claim import Running, Seen, Watched, after, source_of, timers_of
from services.deadlines.holding import ASSOCIATION_END, after_news, lasting, over
from services.deadlines.rungs import Rung
from services.deadlines.telling import tell, tell_end

CLAIMS = "watched"
SUBSCRIPTIONS = "subscriptions"
BY_SUBSCRIPTION = "by_subscription"
#: Whose positions say which of a partner's messages were admitted or refused.
INTAKE = "cpor.intake"

#: Why a record is dead-lettered.
MALFORMED = "malformed_event"
WRONG_PARTITION = "wrong_partition"


def decode(value: bytes) -> Watched:
    row: Watched = wire.decode(Watched, value)
    return row


def _subscription_keys(key: bytes, row: Watched) -> Iterable[bytes]:
    return () if row.held is None else (row.held.subscription_id.encode(),)


_read_subscription = readable(SUBSCRIPTIONS, directory.read_subscription)


class Deadlines(Processor):
    """Follows every clock of `cpor.claims.events`, and the end of what claims hold; `partitions` is N of contract §1,
    `grace_ms` that of D19.

    Subscriptions are looked up as they stand, and each record of theirs is news besides: a renewal moves an end, and a
    state that is `ended` is one.
    """

    service = "deadlines"
    slots_topic = Topic.DEADLINES_SLOTS
    state_tables = (
        StateTable(
            CLAIMS,
            Topic.DEADLINES_STATE,
            wire.encode,
            decode,
            indexes=(Index(BY_SUBSCRIPTION, _subscription_keys),),
        ),
    )
    reference_tables = (ReferenceTable(SUBSCRIPTIONS, Topic.SUBSCRIPTIONS, _read_subscription),)
    timers_topic = Topic.DEADLINES_TIMERS

    def __init__(self, partitions: int, grace_ms: int) -> None:
        self._partitions = partitions
        self._grace_ms = grace_ms

    def sources(self, all_topics: Iterable[str]) -> list[str]:
        return [Topic.CLAIM_EVENTS, Topic.SUBSCRIPTIONS]

    def appears_later(self, topic: str) -> bool:
        """An instance from before read no news of subscriptions: the newest of each is news to it."""
        return topic == Topic.SUBSCRIPTIONS

    def process(self, context: Context, record: Record) -> None:
        if record.topic == Topic.SUBSCRIPTIONS:
            _hear_news(context, record)
            return
        tenant, seen = self._read(record)
        row: Watched | None = context.get(CLAIMS, seen.claim_id.encode())
        fresh = after(row, seen, tenant)
        if fresh is not None and fresh.held is not None and fresh.held != (row and row.held):
            known = context.get(SUBSCRIPTIONS, fresh.held.subscription_id.encode())
            at = Instant(record.appended_at)
            fresh = replace(fresh, held=after_news(fresh.held, known, fresh.zone, at))
        _keep(context, seen.claim_id, row, fresh)

    def gate(self, due: Sequence[Timer], look: Observer) -> Sequence[Timer]:
        """D19: an end is told when everything that may have stopped its clock in time has been read."""
        return [timer for timer in due if self._may_fire(timer, look)]

    def _may_fire(self, timer: Timer, look: Observer) -> bool:
        grace = self._grace_ms if timer.rung == Rung.END else 0
        if not look.is_past(timer.due, grace) or not look.have_read(Topic.CLAIM_EVENTS, timer.due, grace):
            return False
        source = source_of(timer)
        return source is None or look.has_read(INTAKE, source, timer.due, grace)

    def fire(self, context: Context, timer: Timer) -> None:
        """A timer whose clock no longer runs says nothing (domain §2.3)."""
        key = timer.claim.encode()
        row: Watched | None = context.get(CLAIMS, key)
        if timer.clock == ASSOCIATION_END:
            _look(context, row, timer)
            return
        running = None if row is None else row.running(timer.clock, timer.started_by)
        if row is None or running is None or all(each.rung != timer.rung for each in running.left):
            return
        context.put(CLAIMS, key, row.without(running, timer.rung))
        if not _overtaken(running, timer, context.now):
            tell(context, row, running, timer)

    def _read(self, record: Record) -> tuple[TenantId, Seen]:
        """Raises Reject: `malformed_event`, `wrong_partition`."""
        try:
            tenant = TenantId((record.key or b"").decode())
            seen: Seen = wire.decode(Seen, record.value or b"")
        except ValueError as fault:
            raise Reject(MALFORMED, "no claim event", record=record.origin) from fault
        if ids.tenant_partition(tenant, self._partitions) != record.partition:
            raise Reject(WRONG_PARTITION, "the key belongs to another partition", record=record.origin)
        return tenant, replace(seen, name=_name_of(record))


def _name_of(record: Record) -> EventName | None:
    try:
        return wire.event_name(record.header(TYPE) or "")
    except ValueError:
        return None


def _hear_news(context: Context, record: Record) -> None:
    """Each record of a subscription, in order: also of a renewal that the next has overtaken."""
    known = None if record.value is None else _read_subscription(record.value)
    for key, row in context.find(BY_SUBSCRIPTION, record.key or b""):
        held = after_news(row.held, known, row.zone, Instant(record.appended_at))
        _keep(context, ClaimId(key.decode()), row, replace(row, held=held))


def _look(context: Context, row: Watched | None, timer: Timer) -> None:
    """A last day has passed, or the subscription is said to have ended: is it so by what is known now?"""
    held = row.held if row is not None else None
    if row is None or held is None or held.since != timer.started_by:
        return
    known = context.get(SUBSCRIPTIONS, held.subscription_id.encode())
    on = over(held, known, row.zone, Instant(timer.due))
    if on is None:
        fresh = lasting(held, known, row.zone)
    else:
        tell_end(context, row, held, timer, on)
        fresh = replace(held, look_at=None, told=on)
    _keep(context, ClaimId(timer.claim), row, replace(row, held=fresh))


def _keep(context: Context, claim: ClaimId, row: Watched | None, fresh: Watched | None) -> None:
    """The row, and whatever differs between the timers of both."""
    if fresh == row:
        return
    if fresh is None:
        context.delete(CLAIMS, claim.encode())
    else:
        context.put(CLAIMS, claim.encode(), fresh)
    before, now = timers_of(claim, row), timers_of(claim, fresh)
    for identity in [each for each in before if each not in now]:
        context.cancel_timer(claim, *identity)
    for identity, timer in now.items():
        if before.get(identity) != timer:
            context.set_timer(timer)


def _overtaken(running: Running, timer: Timer, now: int) -> bool:
    """A reminder that comes when its clock has ended, or the next one has come, is of no use to anybody.

    It only decides whether we still remind: the one place where it matters how late we are.
    """
    later = (each.at for each in running.left if each.at > timer.due)
    return timer.rung != Rung.END and any(at <= now for at in later)
