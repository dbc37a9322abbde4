"""Deadlines in words: local instants, what is left, kinds of days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from cpor.domain.calendar import DayUnit, end_of_day, local_date, zone_info
from cpor.domain.calendar_explain import Day, DayKind
from cpor.domain.vocabulary import Instant

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTES_PER_DAY = 1440

UNITS: Mapping[DayUnit, tuple[str, str]] = {
    DayUnit.BUSINESS_DAYS: ("business day", "business days"),
    DayUnit.CALENDAR_DAYS: ("calendar day", "calendar days"),
}
#: How they are counted, in words (D18).
COUNTING: Mapping[DayUnit, str] = {
    DayUnit.BUSINESS_DAYS: "Monday to Friday less public holidays; day 0 not, the last day whole (D18)",
    DayUnit.CALENDAR_DAYS: "every day; day 0 not, the last day whole (D18)",
}


@dataclass(frozen=True, slots=True)
class Look:
    """How a kind of day is shown: in words, by a mark in a picture (a counted day shows its number), and coloured.

    `style` is for a terminal; `fill` and `ink` are colours of a picture. All say the same: none is needed to read it.
    """

    words: str
    mark: str
    style: str
    fill: str
    ink: str


LOOKS: Mapping[DayKind, Look] = {
    DayKind.TRIGGER: Look("day 0: it started", "start", "bold cyan", "#cfe8f7", "#0b4f77"),
    DayKind.BUSINESS_DAY: Look("business day", "", "green", "#d5efd8", "#14532d"),
    DayKind.CALENDAR_DAY: Look("calendar day", "", "green", "#d5efd8", "#14532d"),
    DayKind.SATURDAY: Look("Saturday", "·", "bright_black", "#ececec", "#5f6368"),
    DayKind.SUNDAY: Look("Sunday", "·", "bright_black", "#ececec", "#5f6368"),
    DayKind.PUBLIC_HOLIDAY: Look("public holiday", "hol", "magenta", "#f2d9f0", "#701a5e"),
    DayKind.PAUSED: Look("paused", "pause", "yellow", "#fdeebf", "#6b4e00"),
    DayKind.RESUMED: Look("day 0 again: it went on", "again", "bold cyan", "#cfe8f7", "#0b4f77"),
    DayKind.RUN_OUT: Look("after its end", "over", "red", "#f8d7d4", "#8c1d18"),
}


def local_moment(at: Instant, zone: str) -> datetime:
    """Raises UnknownZone, and OverflowError outside the years 1-9999."""
    return (_EPOCH + timedelta(milliseconds=at)).astimezone(zone_info(zone))


def moment_text(at: Instant, zone: str) -> str:
    """`Mon 2024-03-25 09:12:33 +01:00`."""
    return f"{local_moment(at, zone):%a %Y-%m-%d %H:%M:%S} {offset_text(at, zone)}"


def offset_text(at: Instant, zone: str) -> str:
    """`+01:00`."""
    offset = local_moment(at, zone).strftime("%z")
    return f"{offset[:3]}:{offset[3:5]}"


def day_text(day: date) -> str:
    """`Fri 2026-03-20`."""
    return f"{day:%a %Y-%m-%d}"


def due_text(due: Instant, zone: str) -> str:
    """A due instant as the end of a day: `Fri 2026-03-20 24:00`; should zone data have moved, what it is now."""
    last = local_date(Instant(due - 1), zone)
    if end_of_day(last, zone) == due:
        return f"{day_text(last)} 24:00"
    return f"{local_moment(due, zone):%a %Y-%m-%d %H:%M}"


def days_text(number: int, unit: DayUnit) -> str:
    """`14 business days`, `1 calendar day`."""
    return f"{number} {UNITS[unit][number != 1]}"


def day_words(day: Day) -> str:
    """What a day is, with a holiday's name, also where it changes nothing, and a length that is not 24 hours."""
    look = LOOKS[day.kind]
    words = f"{look.words} {day.number}" if day.number is not None else look.words
    named = f"{words}: {day.holiday}" if day.kind is DayKind.PUBLIC_HOLIDAY else words
    if day.holiday and day.kind is not DayKind.PUBLIC_HOLIDAY:
        named += f" ({day.holiday})"
    return named if day.minutes == MINUTES_PER_DAY else f"{named}, {hours_text(day.minutes)}: the clocks change"


def hours_text(minutes: int) -> str:
    """`23 h`, `23.5 h`."""
    return f"{minutes / 60:g} h"


def mark_of(day: Day, last: bool) -> str:
    """What stands under a date in a picture; the last day's in brackets."""
    mark = str(day.number) if day.number is not None else LOOKS[day.kind].mark
    return f"[{mark}]" if last else mark
