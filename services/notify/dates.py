"""When time runs out, as a mail tells it (D28)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from cpor.domain.calendar import local_date, local_moment
from cpor.domain.vocabulary import Instant

_BUSINESS_DAYS = "bd"


@dataclass(frozen=True, slots=True)
class Deadline:
    """`last_day`: the last whole local day in `zone`, the clock's; `until`: the instant with its offset there; `here`:
    the same instant in `here_zone`, the recipient's, where that is known and shows another time. `business_days`: how
    many were given, None where they were calendar days or it is not known.
    """

    due: Instant
    last_day: date
    zone: str
    until: datetime
    here: datetime | None = None
    here_zone: str | None = None
    business_days: int | None = None


def deadline(due: Instant, zone: str, recipient_zone: str | None = None, budget: str = "") -> Deadline:
    """`due` in ms is the first instant that is too late (D18); `budget` as in events: `14bd`, `30d`.

    Raises UnknownZone.
    """
    there = local_moment(due, zone)
    days = budget.removesuffix(_BUSINESS_DAYS)
    business_days = int(days) if days != budget else None
    here = None if recipient_zone is None else local_moment(due, recipient_zone)
    if here is None or here.utcoffset() == there.utcoffset():
        here, recipient_zone = None, None
    last_day = local_date(Instant(due - 1), zone)
    return Deadline(due, last_day, zone, there, here, recipient_zone, business_days)
