"""When a clock speaks: one table of rungs, and the instants they fall on.

| clock | rung | when | what | source |
|---|---|---|---|---|
| partner_answer, dispute_window | 0 | half time | reminder | issue of the mail "deadline near" |
| partner_answer, dispute_window | 1 | one business day before the end | reminder | same |
| partner_answer | 9 | the end, fairly (D19) | expired, to review (T9) | §2.3 |
| dispute_window | 9 | the end, fairly (D19) | missed: the window is closed | §2.3, T17 |
| every other clock but consent_wait | 9 | the end | missed | §2.3, D5 |

`consent_wait` is consent's own (D4, D20).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from enum import IntEnum
from typing import NamedTuple

from cpor.domain.calendar import BusinessCalendar, end_of_day
from cpor.domain.clocks import calendar_of
from cpor.domain.model import ClockStart
from cpor.domain.vocabulary import Clock, Instant

#: Clocks whose end a partner can still do something about (D15, R39).
REMINDED = (Clock.PARTNER_ANSWER, Clock.DISPUTE_WINDOW)
#: The one clock of this service that changes a claim (T9).
EXPIRING = (Clock.PARTNER_ANSWER,)


class Rung(IntEnum):
    """A clock's steps; the numbers stand in timers and events and never change."""

    HALF_TIME = 0
    LAST_DAY = 1
    END = 9


class Step(NamedTuple):
    rung: Rung
    at: Instant


def steps(started: ClockStart, zone: str) -> Iterator[Step]:
    """The rungs of a clock in order of time; none for a clock that is another service's."""
    if started.clock == Clock.CONSENT_WAIT:
        return
    if started.clock in REMINDED:
        yield from _reminders(started, calendar_of(started.calendar, zone), zone)
    yield Step(Rung.END, started.due)


def _reminders(started: ClockStart, calendar: BusinessCalendar, zone: str) -> Iterator[Step]:
    """A reminder that would fall on its own start, or on the one before it, is left out."""
    half = Instant(started.starts_at + (started.due - started.starts_at) // 2)
    last = _day_before_the_end(started.due, calendar, zone)
    if started.starts_at < half < last:
        yield Step(Rung.HALF_TIME, half)
    if started.starts_at < last:
        yield Step(Rung.LAST_DAY, last)


def _day_before_the_end(due: Instant, calendar: BusinessCalendar, zone: str) -> Instant:
    """The end of the last business day before the clock's last day: one whole business day is left, or less."""
    day = calendar.last_day(due) - timedelta(days=1)
    while not calendar.is_business_day(day):
        day -= timedelta(days=1)
    return end_of_day(day, zone)
