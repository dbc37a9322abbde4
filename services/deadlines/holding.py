"""The subscription that an approved claim holds, and when its end is looked for (T19, D16, D23).

An end moves with each renewal. So it is looked up again when its day is over, and whenever there is news of the
subscription; review is told once, and once more only where it went on in between.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from cpor.domain.calendar import end_of_day, local_date
from cpor.domain.facts import last_day, over_since
from cpor.domain.reference import Subscription
from cpor.domain.vocabulary import Instant, InstantField, SubscriptionId

#: The timer's name. It is no clock of a claim (domain §2.3): nobody has to do anything in time.
ASSOCIATION_END = "association_end"


@dataclass(frozen=True, slots=True)
class Held:
    """`since`: the sequence of the event that gave it."""

    since: int
    subscription_id: SubscriptionId
    #: The last day of an imported association.
    imported: date | None = None
    #: When to look whether it is over; None where only news of the subscription can tell.
    look_at: InstantField | None = None
    #: The last day that review was told of.
    told: date | None = None
    #: How often it went on after review had been told.
    renewed: int = 0


def over(held: Held, known: Subscription | None, zone: str, at: Instant) -> date | None:
    """The last day of what is over at `at`; None while it lasts."""
    return over_since(held.imported, known, local_date(at, zone))


def after_news(held: Held, known: Subscription | None, zone: str, at: Instant) -> Held:
    """It was given, or its subscription is another now: what is over is looked at at once."""
    if over(held, known, zone, at) is None:
        return lasting(held, known, zone)
    return replace(held, look_at=at if held.told is None else None)


def lasting(held: Held, known: Subscription | None, zone: str) -> Held:
    """It is not over: looked at again when its last day, as known now, has passed."""
    day = last_day(held.imported, known)
    renewed = held.renewed + (held.told is not None)
    return replace(held, look_at=None if day is None else end_of_day(day, zone), told=None, renewed=renewed)
