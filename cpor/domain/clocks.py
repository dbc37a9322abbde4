"""Which clocks a status starts and stops (domain §2.3, §2.2): table and arithmetic, no policy of its own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from cpor.domain.calendar import BusinessCalendar, business_calendar
from cpor.domain.model import ClaimState, ClockPause, ClockStart, RunningClock
from cpor.domain.policy import ClockRule, Policy
from cpor.domain.vocabulary import Clock, Instant, Status

#: The clock that runs while a claim is in a status. Rejected is not here: its window depends on the reasons (D7).
STATUS_CLOCK: dict[Status, Clock] = {
    Status.SUBMITTED: Clock.REVIEW_START,
    Status.UNDER_REVIEW: Clock.REVIEW_DECISION,
    Status.PARTNER_ACTION_REQUIRED: Clock.PARTNER_ANSWER,
    Status.APPROVED: Clock.CONSENT_WAIT,
    Status.DISPUTED: Clock.DISPUTE_ANSWER,
}

#: Who says how long a clock runs, how it counts, and what its end does.
CLOCK_SOURCES: dict[Clock, str] = {
    Clock.REVIEW_START: "T3, T10, D5, D18",
    Clock.REVIEW_DECISION: "T5, D5, D18",
    Clock.OVERALL_DECISION: "D5, D18",
    Clock.PARTNER_ANSWER: "T6, T9, R33, D15, D18, D19",
    Clock.DISPUTE_ANSWER: "T15, R40, D18",
    Clock.DISPUTE_WINDOW: "T8, T17, R39, D7, D18",
    Clock.CONSENT_WAIT: "T7, T12, D4, D18, D20",
}

#: Where the first decision is still to come: `overall_decision` survives a change to one of these (D5).
UNDECIDED = (Status.SUBMITTED, Status.UNDER_REVIEW, Status.PARTNER_ACTION_REQUIRED)


@dataclass(frozen=True, slots=True)
class ClockChanges:
    started: tuple[ClockStart, ...] = ()
    stopped: tuple[Clock, ...] = ()
    paused: tuple[ClockPause, ...] = ()


@lru_cache(maxsize=8192)
def calendar_of(name: str, zone: str) -> BusinessCalendar:
    """The calendar a claim was created with (D1), by the name it keeps: `DE-BY/holidays-0.108`."""
    country, _, region = name.partition("/")[0].partition("-")
    return business_calendar(country, region or None, zone)


@dataclass(frozen=True, slots=True)
class Timekeeper:
    """Starts clocks of one edition in one calendar."""

    policy: Policy
    calendar: BusinessCalendar

    def start(self, clock: Clock, at: Instant) -> ClockStart:
        rule = self.policy.clocks[clock]
        return self._start(clock, rule.budget, rule, at)

    def resume(self, clock: RunningClock, at: Instant) -> ClockStart:
        """D5: resuming counts as starting with what was left."""
        rule = self.policy.clocks[clock.clock]
        left = int((clock.remaining or "0").removesuffix(rule.unit))
        return self._start(clock.clock, left, rule, at)

    def pause(self, clock: RunningClock, at: Instant) -> ClockPause:
        """D5: a pause freezes the whole days left."""
        unit = self.policy.clocks[clock.clock].unit
        return ClockPause(clock.clock, f"{self.calendar.days_left(at, clock.due, unit)}{unit.value}")

    def first_submission(self, at: Instant) -> tuple[ClockStart, ...]:
        """T3: the queue's clock, and P2020's overall one, which never starts again."""
        overall = (Clock.OVERALL_DECISION,) if Clock.OVERALL_DECISION in self.policy.clocks else ()
        return tuple(self.start(each, at) for each in (Clock.REVIEW_START, *overall))

    def entering(self, claim: ClaimState, status: Status, at: Instant, window: bool) -> ClockChanges:
        """What a change to `status` does to the clocks; `window`: this rejection may be disputed (D7)."""
        overall = claim.clock(Clock.OVERALL_DECISION)
        kept = Clock.OVERALL_DECISION if status in UNDECIDED else None
        stopped = tuple(each.clock for each in claim.clocks if each.clock != kept)
        started = self._entered(claim, status, at, window)
        if not overall or not kept:
            return ClockChanges(started, stopped)
        if status in self.policy.clocks[Clock.OVERALL_DECISION].paused_in:
            return ClockChanges(started, stopped, self._frozen(overall, at))
        resumed = (self.resume(overall, at),) if overall.remaining is not None else ()
        return ClockChanges((*started, *resumed), stopped)

    def _frozen(self, overall: RunningClock, at: Instant) -> tuple[ClockPause, ...]:
        """A clock that has run out is told once: with nothing left to freeze, it would run out again (D5)."""
        return () if overall.due <= at else (self.pause(overall, at),)

    def _entered(self, claim: ClaimState, status: Status, at: Instant, window: bool) -> tuple[ClockStart, ...]:
        if status == Status.SUBMITTED and claim.submitted_at is None:
            return self.first_submission(at)
        if status == Status.APPROVED and claim.origin.legacy:
            return ()  # D23: its customer is not asked
        clock = Clock.DISPUTE_WINDOW if window else STATUS_CLOCK.get(status)
        return (self.start(clock, at),) if clock else ()

    def _start(self, clock: Clock, budget: int, rule: ClockRule, at: Instant) -> ClockStart:
        due = self.calendar.due(at, budget, rule.unit)
        return ClockStart(clock, at, f"{budget}{rule.unit.value}", self.calendar.name, due)
