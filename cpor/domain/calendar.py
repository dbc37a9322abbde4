"""Business days, deadlines and local dates (D18, domain §2.3).

A deadline is named by days but stored as an instant: day 0 is the local date of the trigger, the
last day counts whole, so the instant is 24:00 local of that day. What is due at `d` is in time
while the receive time is < `d`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import cache, lru_cache
from importlib.metadata import version
from zoneinfo import ZoneInfo

import holidays

from cpor.domain.vocabulary import MS_PER_DAY, Instant, datetime_instant

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = _EPOCH.toordinal()
_LAST_ORDINAL = date.max.toordinal()
#: Python's dates end with the year 9999; deadlines beyond it stand at its last instant.
_LAST_INSTANT = Instant((_LAST_ORDINAL + 1 - _EPOCH_ORDINAL) * MS_PER_DAY - 1)
_FIRST_INSTANT = Instant((1 - _EPOCH_ORDINAL) * MS_PER_DAY)
_SATURDAY = 5
_HOLIDAYS_VERSION = version("holidays")
#: Deadlines kept per calendar: about ten years of days times the clocks of an edition.
_DUE_CACHE = 16_384


class DayUnit(StrEnum):
    """What a clock counts."""

    BUSINESS_DAYS = "bd"
    CALENDAR_DAYS = "d"


class UnknownZone(ValueError):
    """A time zone that this machine's zone data does not have."""


@cache
def zone_info(name: str) -> ZoneInfo:
    """The named zone; raises UnknownZone."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError) as error:
        raise UnknownZone(name[:64]) from error


def local_date(at: Instant, zone: str) -> date:
    """The calendar date that `at` falls on in `zone`; outside the years 1-9999 their first or last day."""
    return _local_date(at, zone_info(zone))


def local_moment(at: Instant, zone: str) -> datetime:
    """`at` on the clocks of `zone`, with its offset there. Raises UnknownZone."""
    return (_EPOCH + timedelta(milliseconds=at)).astimezone(zone_info(zone))


def end_of_day(day: date, zone: str) -> Instant:
    """24:00 local of `day`, as an instant: the first one that no longer belongs to it."""
    return _end_of_day(day.toordinal(), zone_info(zone))


class BusinessCalendar:
    """The days of a partner location: Monday to Friday less the public holidays of its place (D18).

    A region that is not known falls back to the country; a country that is not known leaves Monday
    to Friday, and `name` says so. The name also carries the version of the holiday data, for a
    later version may count another way.
    """

    __slots__ = ("_due", "_free", "country", "name", "region", "zone")

    def __init__(self, country: str, region: str | None, zone: str) -> None:
        """Raises UnknownZone."""
        self.country, self.region = _known_place(country, region)
        self.zone = zone
        self.name = _calendar_name(country, self.country, self.region)
        self._free: dict[int, Mapping[int, str]] = {}
        self._due: dict[tuple[int, int, DayUnit], Instant] = {}
        zone_info(zone)

    def due(self, start: Instant, days: int, unit: DayUnit) -> Instant:
        """The instant at which `days` days of `unit` after `start` are over: 24:00 local of the last."""
        key = (_local_date(start, zone_info(self.zone)).toordinal(), days, unit)
        known = self._due.get(key)
        return known if known is not None else self._remember(key)

    def days_left(self, at: Instant, due: Instant, unit: DayUnit) -> int:
        """Whole days of `unit` after the local date of `at`, up to the deadline's last day; never negative.

        It is what a pause freezes (D5): starting again with them on the same day gives the same deadline.
        """
        today, last = self.day_of(at).toordinal(), self.last_day(due).toordinal()
        if unit is DayUnit.CALENDAR_DAYS:
            return max(0, last - today)
        return sum(1 for ordinal in range(today + 1, last + 1) if self._counts(ordinal))

    def day_of(self, at: Instant) -> date:
        """The local date of `at`."""
        return _local_date(at, zone_info(self.zone))

    def last_day(self, due: Instant) -> date:
        """The last whole local day before a deadline, as mails name it (D28)."""
        return _local_date(Instant(due - 1), zone_info(self.zone))

    def is_business_day(self, day: date) -> bool:
        """Whether `day` counts (D18)."""
        return self._counts(day.toordinal())

    def holiday(self, day: date) -> str | None:
        """The English name of the public holiday on `day`, also where it falls on a weekend; None for none."""
        return self._holidays(day.toordinal()).get(day.toordinal())

    def _remember(self, key: tuple[int, int, DayUnit]) -> Instant:
        if len(self._due) >= _DUE_CACHE:
            self._due.clear()
        due = self._due[key] = _end_of_day(self._last_ordinal(*key), zone_info(self.zone))
        return due

    def _last_ordinal(self, first: int, days: int, unit: DayUnit) -> int:
        if unit is DayUnit.CALENDAR_DAYS:
            return min(first + days, _LAST_ORDINAL)
        ordinal, left = first, days
        while left > 0 and ordinal < _LAST_ORDINAL:
            ordinal += 1
            left -= self._counts(ordinal)
        return ordinal

    def _counts(self, ordinal: int) -> bool:
        return not _is_weekend(ordinal) and ordinal not in self._holidays(ordinal)

    def _holidays(self, ordinal: int) -> Mapping[int, str]:
        year = date.fromordinal(ordinal).year
        free = self._free.get(year)
        if free is None:
            free = self._free[year] = _public_holidays(self.country, self.region, year)
        return free


@lru_cache(maxsize=8192)
def business_calendar(country: str, region: str | None, zone: str) -> BusinessCalendar:
    """The calendar of a place; one and the same, with its memory, on every call. Raises UnknownZone."""
    return BusinessCalendar(country, region, zone)


def _local_date(at: Instant, zone: ZoneInfo) -> date:
    inside = min(max(at, _FIRST_INSTANT), _LAST_INSTANT)
    try:
        return datetime.fromtimestamp(inside / 1000, zone).date()
    except (OverflowError, ValueError):
        return date.min if inside < 0 else date.max


def _end_of_day(ordinal: int, zone: ZoneInfo) -> Instant:
    """24:00 is the next day's 00:00: the first of two midnights, or the change itself where it is skipped."""
    if ordinal >= _LAST_ORDINAL:
        return _LAST_INSTANT
    midnight = datetime.combine(date.fromordinal(ordinal + 1), datetime.min.time(), zone)
    try:
        return datetime_instant(midnight.astimezone(UTC))
    except OverflowError:
        return _LAST_INSTANT if ordinal > _EPOCH_ORDINAL else _FIRST_INSTANT


def _is_weekend(ordinal: int) -> bool:
    return (ordinal + 6) % 7 >= _SATURDAY  # ordinal 1 was a Monday


@cache
def _supported() -> Mapping[str, list[str]]:
    return holidays.list_supported_countries()


def place_fault(country: str, region: str | None) -> str | None:
    """What is wrong with a place, in a sentence; None where its holidays are known (D18).

    A region of a country whose holidays are the same everywhere is not judged.
    """
    regions = _supported().get(country)
    if regions is None:
        return f"{country} is no country whose public holidays are known."
    if region is None or not regions or region in regions:
        return None
    return f"{region} is no region of {country} whose public holidays are known; there are {', '.join(regions)}."


def _known_place(country: str, region: str | None) -> tuple[str | None, str | None]:
    known = country.upper()
    if known not in _supported():
        return None, None
    return known, region if region in _supported()[known] else None


def _calendar_name(asked: str, country: str | None, region: str | None) -> str:
    if country is None:
        return f"{_code(asked)}/weekdays-only"
    place = f"{country}-{region}" if region else country
    return f"{place}/holidays-{_HOLIDAYS_VERSION}"


def _code(asked: str) -> str:
    """What was given as a country, as it can stand in a name."""
    return "".join(c for c in asked.upper() if c.isalnum())[:8] or "ZZ"


@lru_cache(maxsize=4096)
def _public_holidays(country: str | None, region: str | None, year: int) -> Mapping[int, str]:
    """Ordinals of a year's public holidays and their English names; none for an unknown country."""
    if country is None:
        return {}
    days = holidays.country_holidays(country, subdiv=region, years=year, language="en_US")
    return {day.toordinal(): name for day, name in days.items()}


def add_days(day: date, days: int) -> date:
    """The date `days` days later; the years begin with 1 and end with 9999."""
    return date.fromordinal(min(max(day.toordinal() + days, 1), _LAST_ORDINAL))


def add_months(day: date, months: int) -> date:
    """The same day `months` months later, or that month's last day; the years end at 9999."""
    index = day.year * 12 + day.month - 1 + months
    if index > date.max.year * 12 + 11:
        return date.max
    first = date(index // 12, index % 12 + 1, 1)
    return first + timedelta(min(day.day, _month_length(first)) - 1)


def _month_length(first: date) -> int:
    if first.month == 12:
        return 31
    return (first.replace(month=first.month + 1) - first).days
