"""How a deadline came about: every local day from the trigger to the last, and why it counts or not (D18, D5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from cpor.domain.calendar import BusinessCalendar, DayUnit, add_days, end_of_day
from cpor.domain.vocabulary import Instant

_MS_PER_MINUTE = 60_000
_SATURDAY, _SUNDAY = 5, 6


class DayKind(StrEnum):
    """What a day is to a clock."""

    TRIGGER = "trigger"
    BUSINESS_DAY = "business_day"
    CALENDAR_DAY = "calendar_day"
    SATURDAY = "saturday"
    SUNDAY = "sunday"
    PUBLIC_HOLIDAY = "public_holiday"
    PAUSED = "paused"
    RESUMED = "resumed"
    RUN_OUT = "run_out"


#: The days a budget is spent on.
COUNTED = (DayKind.BUSINESS_DAY, DayKind.CALENDAR_DAY)

Fits = Callable[[BusinessCalendar, date, DayUnit], bool]
#: What a day is while a clock runs: the first row that fits. A holiday on a weekend is that weekend's day.
_RULES: tuple[tuple[DayKind, Fits], ...] = (
    (DayKind.CALENDAR_DAY, lambda calendar, day, unit: unit is DayUnit.CALENDAR_DAYS),  # D4, R39: each one counts
    (DayKind.SATURDAY, lambda calendar, day, unit: day.weekday() == _SATURDAY),  # D18
    (DayKind.SUNDAY, lambda calendar, day, unit: day.weekday() == _SUNDAY),  # D18
    (DayKind.PUBLIC_HOLIDAY, lambda calendar, day, unit: calendar.holiday(day) is not None),  # D18
    (DayKind.BUSINESS_DAY, lambda calendar, day, unit: True),  # D18
)


@dataclass(frozen=True, slots=True)
class Leg:
    """A clock from its start, or a resumption, to its end or a pause (D5).

    `days` is the budget it had then, `due` what was stored for it, `left` the whole days that the pause froze; instants
    in ms.
    """

    starts_at: Instant
    days: int
    due: Instant
    paused_at: Instant | None = None
    left: int | None = None


@dataclass(frozen=True, slots=True)
class Day:
    """A local date: its place among those that count (from 1), a public holiday's name, its length in minutes."""

    day: date
    kind: DayKind
    number: int | None
    holiday: str | None
    minutes: int


def explain(
    calendar: BusinessCalendar, legs: Sequence[Leg], unit: DayUnit, until: Instant | None = None
) -> tuple[Day, ...]:
    """Every local date from day 0 to the last whole one before the stored due instant, each once.

    A clock that stands still is told up to `until`, if that is given. Which days count is asked of `calendar`; where
    its holidays are no longer those by which the due instant was reckoned, the numbers do not end with the budget.
    """
    return tuple(_numbered(calendar, _plan(calendar, legs, until), unit))


def _plan(calendar: BusinessCalendar, legs: Sequence[Leg], until: Instant | None) -> dict[date, DayKind | None]:
    """Each date with what the clock makes of it; None where the calendar is to say it."""
    plan: dict[date, DayKind | None] = {}
    for number, leg in enumerate(legs):
        plan.setdefault(calendar.day_of(leg.starts_at), DayKind.RESUMED if number else DayKind.TRIGGER)
        stood = _stood_until(calendar, legs[number + 1 :], until)
        for day, kind in _after_the_start(calendar, leg, stood):
            plan.setdefault(day, kind)
    return plan


def _stood_until(calendar: BusinessCalendar, later: Sequence[Leg], until: Instant | None) -> date | None:
    """The last day of standing still; the one it went on is day 0 of what was left."""
    if later:
        return add_days(calendar.day_of(later[0].starts_at), -1)
    return None if until is None else calendar.day_of(until)


def _after_the_start(
    calendar: BusinessCalendar, leg: Leg, stood_until: date | None
) -> Iterator[tuple[date, DayKind | None]]:
    """A leg's days after its first one, and those of the pause that ended it."""
    first, last = calendar.day_of(leg.starts_at), calendar.last_day(leg.due)
    if leg.paused_at is None:
        yield from ((day, None) for day in _days(first, last))
        return
    paused = calendar.day_of(leg.paused_at)
    yield from ((day, None if day <= last else DayKind.RUN_OUT) for day in _days(first, paused))
    if stood_until is not None:
        yield from ((day, DayKind.PAUSED) for day in _days(paused, stood_until))


def _days(after: date, last: date) -> Iterator[date]:
    """The dates after one, up to and with another."""
    return map(date.fromordinal, range(after.toordinal() + 1, last.toordinal() + 1))


def _numbered(calendar: BusinessCalendar, plan: dict[date, DayKind | None], unit: DayUnit) -> Iterator[Day]:
    number = 0
    for day, told in plan.items():
        kind = told or next(kind for kind, fits in _RULES if fits(calendar, day, unit))
        number += kind in COUNTED
        counted = number if kind in COUNTED else None
        yield Day(day, kind, counted, calendar.holiday(day), _minutes(calendar, day))


def _minutes(calendar: BusinessCalendar, day: date) -> int:
    """How long a local day is: 1,380 or 1,500 where summer time begins or ends."""
    began = end_of_day(add_days(day, -1), calendar.zone)
    return (end_of_day(day, calendar.zone) - began) // _MS_PER_MINUTE
