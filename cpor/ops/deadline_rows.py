"""The clocks that run, of all claims, each with what `cpor.deadlines.events` tells of it (contract §5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cpor.domain.calendar import DayUnit
from cpor.domain.clocks import calendar_of
from cpor.domain.model import RunningClock
from cpor.domain.policy import policy
from cpor.domain.vocabulary import Instant, instant_text
from cpor.ops import screen
from cpor.ops.book import CLOSING, Claim
from cpor.ops.deadline_words import due_text, local_moment, offset_text
from cpor.ops.queue import FAR
from cpor.runtime.record import Record
from schemas import envelope
from schemas.base import read
from schemas.deadlines import MISSED, REMINDER, DeadlineEvent

#: Rungs of a reminder (contract §5): half of the time is over; one business day is left before the last.
RUNGS: Mapping[int, str] = {0: "half time", 1: "last day"}
#: Claim, clock, and the event that started it.
Key = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Told:
    """What was said of a clock: its rung, its end being 9, and when, in ms."""

    rung: int
    at: int
    missed: bool


@dataclass(frozen=True, slots=True)
class Row:
    claim: Claim
    clock: RunningClock
    told: tuple[Told, ...] = ()

    @property
    def zone(self) -> str:
        return self.claim.state.origin.zone

    @property
    def unit(self) -> DayUnit:
        return policy(self.claim.state.policy).clocks[self.clock.clock].unit

    @property
    def due(self) -> int | None:
        """None while the clock stands still (D5)."""
        return None if self.clock.remaining else self.clock.due

    def is_overdue(self, now: int) -> bool:
        return self.due is not None and self.due <= now

    def days_left(self, now: int) -> int:
        """Whole days of the clock's unit; of a paused one those that were frozen."""
        if self.clock.remaining:
            return int(self.clock.remaining.removesuffix(self.unit))
        return calendar_of(self.clock.calendar, self.zone).days_left(Instant(now), self.clock.due, self.unit)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Filters; None means any. `due_before` in ms."""

    clocks: tuple[str, ...] | None = None
    due_before: int | None = None
    overdue: bool = False
    partner: str | None = None

    def passes(self, row: Row, now: int) -> bool:
        named = self.clocks is None or row.clock.clock in self.clocks
        soon = self.due_before is None or (row.due is not None and row.due < self.due_before)
        ours = self.partner in (None, row.claim.state.partner_id)
        return named and soon and ours and (not self.overdue or row.is_overdue(now))


def told_of(records: Iterable[Record]) -> dict[Key, list[Told]]:
    """What was said of each clock, in order."""
    found: dict[Key, list[Told]] = {}
    for record in records:
        kind = record.header(envelope.TYPE)
        if kind in (REMINDER, MISSED) and record.value is not None:
            event = read(DeadlineEvent, record.value)
            told = Told(event.rung, event.fired_at, kind == MISSED)
            found.setdefault((event.claim_id, event.clock, event.started_by), []).append(told)
    return found


def rows_of(claims: Iterable[Claim], told: Mapping[Key, Sequence[Told]], wanted: Wanted, now: int) -> list[Row]:
    """The clocks that run or stand still, the soonest due first."""
    rows = (
        Row(claim, clock, tuple(told.get((claim.claim_id, clock.clock, clock.started_by), ())))
        for claim in claims
        for clock in claim.state.clocks
        if not (clock.clock in CLOSING and clock.due <= now)
    )
    passed = [row for row in rows if wanted.passes(row, now)]
    return sorted(passed, key=lambda row: (row.due or FAR, row.claim.claim_id, row.clock.clock))


def row_json(row: Row, now: int) -> dict[str, Any]:
    state, clock = row.claim.state, row.clock
    return {
        "claim_id": state.claim_id,
        "claim_ref": state.claim_ref,
        "partner_id": state.partner_id,
        "status": state.status,
        "clock": clock.clock,
        "started_by": clock.started_by,
        "started": instant_text(clock.starts_at),
        "budget": clock.budget,
        "calendar": clock.calendar,
        "zone": row.zone,
        "due": None if row.due is None else instant_text(row.due),
        "due_local": None if row.due is None else local_moment(Instant(row.due), row.zone).isoformat(),
        "paused": clock.remaining is not None,
        "days_left": row.days_left(now),
        "unit": row.unit,
        "overdue": row.is_overdue(now),
        "reminders": [{"rung": t.rung, "name": RUNGS.get(t.rung, ""), "at": _at(t)} for t in row.told if not t.missed],
        "missed_at": next((_at(each) for each in row.told if each.missed), None),
    }


def _at(told: Told) -> str:
    return instant_text(told.at)


def due_words(row: Row) -> tuple[str, str] | None:
    """`2026-03-20 24:00 +01:00` and `2026-03-20 23:00 UTC`."""
    if row.due is None:
        return None
    due = Instant(row.due)
    local = due_text(due, row.zone).partition(" ")[2]
    return f"{local} {offset_text(due, row.zone)}", f"{screen.moment(due)} UTC"


def left_words(row: Row, now: int) -> str:
    """`13 bd`, `7 h`, `overdue 2 d`, `paused, 6 bd`."""
    left = row.days_left(now)
    if row.due is None:
        return f"paused, {left} {row.unit}"
    if row.due <= now:
        return f"overdue {screen.age(now - row.due)}"
    return f"{left} {row.unit}" if left else screen.age(row.due - now) or ""


def told_words(row: Row) -> str:
    """`half time`, `missed`, one a line; empty for nothing said so far."""
    return "\n".join("missed" if each.missed else RUNGS.get(each.rung, str(each.rung)) for each in row.told)
