"""What deadlines keeps of a claim: the clocks that run, the rungs each of them has left, and what it holds.

One row of `cpor.deadlines.state`. Timers follow from the row alone (`timers_of`), so they can never disagree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from cpor.domain.ids import subscription_of
from cpor.domain.model import ClockPause, ClockStart
from cpor.domain.vocabulary import ClaimId, Clock, EventName, InstantField, Status, TenantId, UnitId
from cpor.runtime.processor import Timer
from cpor.runtime.record import TopicPartition
from cpor.runtime.topics import partner_of
from services.deadlines.holding import ASSOCIATION_END, Held
from services.deadlines.rungs import EXPIRING, REMINDED, Rung, steps

#: Nothing is awaited of such a claim any more.
OVER = (Status.CANCELLED, Status.REJECTED_FINAL)
#: Events that give a claim its units.
GIVING = (EventName.APPROVED, EventName.LEGACY_IMPORTED)

Identity = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class RungLeft:
    """A step of a clock that has not been told yet."""

    rung: int
    at: InstantField


@dataclass(frozen=True, slots=True)
class Running:
    """A clock that runs, named by the event that started it (domain §2.3)."""

    clock: Clock
    started_by: int
    due: InstantField
    left: tuple[RungLeft, ...]


@dataclass(frozen=True, slots=True)
class Watched:
    """`source`: topic and partition by which the claim's messages come, `-` between them (D19)."""

    tenant_id: TenantId
    zone: str
    source: str
    clocks: tuple[Running, ...] = ()
    #: The letters it is parked for: until the last is dealt with, its time-out waits.
    letters: tuple[str, ...] = ()
    #: None where it holds no subscription; absent in rows of claims that were approved before ends were watched.
    held: Held | None = None
    #: The last day of an imported association, which a new approval does not move (D23).
    imported: date | None = None

    def running(self, clock: str, started_by: int) -> Running | None:
        return next((each for each in self.clocks if (each.clock, each.started_by) == (clock, started_by)), None)

    def without(self, fired: Running, rung: int) -> Watched:
        """One rung fewer; a clock that has none left is forgotten."""
        left = tuple(each for each in fired.left if each.rung != rung)
        others = tuple(each for each in self.clocks if each is not fired)
        return replace(self, clocks=(*others, replace(fired, left=left)) if left else others)


@dataclass(frozen=True, slots=True)
class Seen:
    """What of a claim event concerns clocks and holdings; `name` is None for one that this version does not know."""

    claim_id: ClaimId
    sequence: int
    status: Status | None
    clocks_started: tuple[ClockStart, ...] = ()
    clocks_stopped: tuple[Clock, ...] = ()
    clocks_paused: tuple[ClockPause, ...] = ()
    zone: str | None = None
    source: str | None = None
    letter_id: str | None = None
    units: tuple[UnitId, ...] = ()
    ends_on: date | None = None
    name: EventName | None = None


def after(row: Watched | None, seen: Seen, tenant: TenantId) -> Watched | None:
    """The row after an event; None for a claim that is over, or whose beginning was never seen."""
    if row is None and seen.zone is not None and seen.source is not None:
        row = Watched(tenant, seen.zone, seen.source.rpartition("-")[0], imported=_imported(seen))
    if row is None or seen.status in OVER:
        return None
    started = tuple(each.clock for each in seen.clocks_started)
    ended = (*seen.clocks_stopped, *started, *(each.clock for each in seen.clocks_paused))
    kept = tuple(each for each in row.clocks if each.clock not in ended)
    begun = tuple(_begun(each, seen.sequence, row.zone) for each in seen.clocks_started)
    clocks = (*kept, *(each for each in begun if each.left))
    return replace(row, clocks=clocks, letters=_letters(row, seen), held=_held(row, seen))


def _imported(seen: Seen) -> date | None:
    return seen.ends_on if seen.name == EventName.LEGACY_IMPORTED else None


def _begun(started: ClockStart, sequence: int, zone: str) -> Running:
    left = tuple(RungLeft(step.rung, step.at) for step in steps(started, zone))
    return Running(started.clock, sequence, started.due, left)


def _letters(row: Watched, seen: Seen) -> tuple[str, ...]:
    if seen.letter_id is None:
        return row.letters
    others = tuple(each for each in row.letters if each != seen.letter_id)
    return (*others, seen.letter_id) if seen.name == EventName.PARKED else others


def _held(row: Watched, seen: Seen) -> Held | None:
    """It comes with an approval or an import, and goes with the status or the unit (D16, D17, D23)."""
    if seen.status not in (Status.APPROVED, None):
        return None
    named = next(filter(None, map(subscription_of, seen.units)), None)
    if named is not None and seen.name in GIVING:
        return Held(seen.sequence, named, row.imported)
    return None if named is not None and seen.name == EventName.ASSOCIATION_ENDED else row.held


def timers_of(claim: ClaimId, row: Watched | None) -> dict[Identity, Timer]:
    """Every timer that has to stand; a parked claim's time-out stands still (architecture §3)."""
    return {(t.clock, t.started_by, t.rung): t for t in _timers(claim, row)} if row is not None else {}


def _timers(claim: ClaimId, row: Watched) -> Iterator[Timer]:
    if row.held is not None and row.held.look_at is not None:
        yield Timer(row.held.look_at, claim, ASSOCIATION_END, row.held.since)
    for running in row.clocks:
        for left in running.left:
            ends = left.rung == Rung.END
            if not (ends and running.clock in EXPIRING and row.letters):
                data = row.source.encode() if ends and running.clock in REMINDED else b""
                yield Timer(left.at, claim, running.clock, running.started_by, left.rung, data)


def source_of(timer: Timer) -> TopicPartition | None:
    """Where an answer to this clock would lie; None for one that no partner answers, or a claim no partner sent."""
    topic, _, partition = timer.data.decode().rpartition("-")
    return TopicPartition(topic, int(partition)) if partner_of(topic) is not None else None
