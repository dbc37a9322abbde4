"""Deadlines' processor: claim events in; what time brings, out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from cpor.domain import ids, wire
from cpor.domain.vocabulary import EventName, TenantId
from cpor.runtime.errors import Reject
from cpor.runtime.processor import Context, Observer, Processor, StateTable, Timer
from cpor.runtime.record import Record
from cpor.runtime.topics import Topic
from schemas.envelope import TYPE
from services.deadlines.claim import Running, Seen, Watched, after, source_of, timers_of
from services.deadlines.rungs import Rung
from services.deadlines.telling import tell

CLAIMS = "watched"
#: Whose positions say which of a partner's messages were admitted or refused.
INTAKE = "cpor.intake"

#: Why a record is dead-lettered.
MALFORMED = "malformed_event"
WRONG_PARTITION = "wrong_partition"


def decode(value: bytes) -> Watched:
    row: Watched = wire.decode(Watched, value)
    return row


class Deadlines(Processor):
    """Follows every clock of `cpor.claims.events`; `partitions` is N of contract §1, `grace_ms` that of D19."""

    service = "deadlines"
    slots_topic = Topic.DEADLINES_SLOTS
    state_tables = (StateTable(CLAIMS, Topic.DEADLINES_STATE, wire.encode, decode),)
    timers_topic = Topic.DEADLINES_TIMERS

    def __init__(self, partitions: int, grace_ms: int) -> None:
        self._partitions = partitions
        self._grace_ms = grace_ms

    def sources(self, all_topics: Iterable[str]) -> list[str]:
        return [Topic.CLAIM_EVENTS]

    def process(self, context: Context, record: Record) -> None:
        tenant, seen = self._read(record)
        key = seen.claim_id.encode()
        row: Watched | None = context.get(CLAIMS, key)
        fresh = after(row, seen, tenant)
        if fresh == row:
            return
        if fresh is None:
            context.delete(CLAIMS, key)
        else:
            context.put(CLAIMS, key, fresh)
        _set_timers(context, seen, row, fresh)

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


def _set_timers(context: Context, seen: Seen, row: Watched | None, fresh: Watched | None) -> None:
    """Whatever differs between the timers of both rows."""
    before, now = timers_of(seen.claim_id, row), timers_of(seen.claim_id, fresh)
    for clock, started_by, rung in [each for each in before if each not in now]:
        context.cancel_timer(seen.claim_id, clock, started_by, rung)
    for identity, timer in now.items():
        if identity not in before:
            context.set_timer(timer)


def _overtaken(running: Running, timer: Timer, now: int) -> bool:
    """A reminder that comes when its clock has ended, or the next one has come, is of no use to anybody.

    It only decides whether we still remind: the one place where it matters how late we are.
    """
    later = (each.at for each in running.left if each.at > timer.due)
    return timer.rung != Rung.END and any(at <= now for at in later)
