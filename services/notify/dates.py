"""Deadlines in words (D28)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from babel.dates import format_date

from cpor.domain.calendar import local_date, zone_info
from cpor.domain.vocabulary import Instant

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Deadline:
    """`day`: the last whole local day in `zone`, the clock's; `until`: the instant with its offset there; `elsewhere`:
    the same instant in the recipient's zone, where that is known and shows another time.
    """

    last_day: date
    zone: str
    until: str
    elsewhere: str | None

    def day(self, language: str) -> str:
        return day_text(self.last_day, language)


def deadline(due: Instant, zone: str, recipient_zone: str | None = None) -> Deadline:
    """`due` in ms is the first instant that is too late (D18). Raises UnknownZone."""
    there = _local(due, zone)
    elsewhere = None
    if recipient_zone is not None and recipient_zone != zone:
        here = _local(due, recipient_zone)
        elsewhere = None if here.utcoffset() == there.utcoffset() else f"{_exact(here)}, {recipient_zone}"
    return Deadline(local_date(Instant(due - 1), zone), zone, _exact(there), elsewhere)


def day_text(day: date, language: str) -> str:
    """`Friday, March 22, 2024`, as the language says it."""
    return str(format_date(day, format="full", locale=language.replace("-", "_")))


def _local(at: Instant, zone: str) -> datetime:
    return (_EPOCH + timedelta(milliseconds=at)).astimezone(zone_info(zone))


def _exact(moment: datetime) -> str:
    """`2024-03-23 00:00 (UTC+01:00)`; a deadline lies on a whole minute."""
    offset = moment.strftime("%z")
    return f"{moment:%Y-%m-%d %H:%M} (UTC{offset[:3]}:{offset[3:5]})"
