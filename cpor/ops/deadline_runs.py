"""The clocks of a claim as its events tell them: when each started, stood still, went on, and stopped (D5, D18)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from cpor.domain.calendar import BusinessCalendar, DayUnit
from cpor.domain.calendar_explain import Day, Leg, explain
from cpor.domain.clocks import CLOCK_SOURCES, calendar_of
from cpor.domain.model import ClockPause, ClockStart
from cpor.domain.vocabulary import Clock, Instant, InstantField
from cpor.domain.wire import decode
from cpor.runtime.record import Record


@dataclass(frozen=True, slots=True)
class ClockEvent:
    """What of a claim event concerns clocks."""

    sequence: int
    at: InstantField
    clocks_started: tuple[ClockStart, ...] = ()
    clocks_stopped: tuple[Clock, ...] = ()
    clocks_paused: tuple[ClockPause, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """A clock from its start to its end, with the pauses in between; `calendar` is the name stored with it.

    `started_by` and `stopped_by` are sequences of events; of a clock that went on after a pause, the newest start.
    """

    clock: Clock
    started_by: int
    unit: DayUnit
    calendar: str
    legs: tuple[Leg, ...]
    stopped_by: int | None = None
    stopped_at: Instant | None = None

    @property
    def leg(self) -> Leg:
        """The newest: the one whose due instant holds."""
        return self.legs[-1]

    @property
    def paused(self) -> bool:
        return self.leg.paused_at is not None

    @property
    def due(self) -> Instant | None:
        """As stored; None while the clock stands still: its old one is void (D5)."""
        return None if self.paused else self.leg.due


@dataclass(frozen=True, slots=True)
class Explanation:
    """A run with its days. `due_today` is what today's calendar would make of the newest start; never what counts."""

    run: Run
    zone: str
    days: tuple[Day, ...]
    calendar_today: str
    due_today: Instant
    source: str

    @property
    def moved(self) -> bool:
        """Whether today's data would give another instant than the stored one."""
        return self.run.due is not None and self.due_today != self.run.due


def clock_events(records: Iterable[Record]) -> list[ClockEvent]:
    return [decode(ClockEvent, record.value or b"{}") for record in records]


def runs_of(events: Iterable[ClockEvent]) -> list[Run]:
    """Every run there was, the oldest first; those without `stopped_by` are running or paused."""
    runs: list[Run] = []
    for event in events:
        begun = {each.clock: each for each in event.clocks_started}
        pauses = {each.clock: each for each in event.clocks_paused}
        runs = [_after(run, event, begun, pauses) for run in runs]
        goes_on = {run.clock for run in runs if run.stopped_by is None}
        runs += [_run(each, event) for each in begun.values() if each.clock not in goes_on]
    return runs


def _after(run: Run, event: ClockEvent, begun: dict[Clock, ClockStart], pauses: dict[Clock, ClockPause]) -> Run:
    """A start of a clock that stands still goes on with it; of one that runs, it is a new run."""
    if run.stopped_by is not None:
        return run
    start = begun.get(run.clock)
    if start is not None and run.paused and run.clock not in event.clocks_stopped:
        return replace(run, started_by=event.sequence, calendar=start.calendar, legs=(*run.legs, _leg(start)))
    if start is not None or run.clock in event.clocks_stopped:
        return replace(run, stopped_by=event.sequence, stopped_at=event.at)
    pause = pauses.get(run.clock)
    return run if pause is None else replace(run, legs=(*run.legs[:-1], _stopped(run.leg, pause, event.at)))


def _run(start: ClockStart, event: ClockEvent) -> Run:
    return Run(start.clock, event.sequence, _length(start.budget)[1], start.calendar, (_leg(start),))


def _stopped(leg: Leg, pause: ClockPause, at: Instant) -> Leg:
    return replace(leg, paused_at=at, left=_length(pause.remaining)[0])


def _leg(start: ClockStart) -> Leg:
    return Leg(start.starts_at, _length(start.budget)[0], start.due)


def _length(budget: str) -> tuple[int, DayUnit]:
    """`14bd` as 14 business days, `7d` as 7 calendar days."""
    number = budget.rstrip("bd")
    return int(number), DayUnit(budget.removeprefix(number))


def explained(run: Run, zone: str, now: Instant) -> Explanation:
    """The run's days by today's calendar of the place it was reckoned for; nothing that is stored is reckoned anew."""
    calendar: BusinessCalendar = calendar_of(run.calendar, zone)
    until = now if run.stopped_at is None else run.stopped_at
    days = explain(calendar, run.legs, run.unit, until)
    due_today = calendar.due(run.leg.starts_at, run.leg.days, run.unit)
    return Explanation(run, zone, days, calendar.name, due_today, CLOCK_SOURCES[run.clock])


def chosen(runs: Sequence[Run], clock: str | None) -> list[Run]:
    """What is to be explained: all that run, or the newest run of one clock, also when it is over."""
    if clock is None:
        return [run for run in runs if run.stopped_by is None]
    return [run for run in runs if run.clock == clock][-1:]
