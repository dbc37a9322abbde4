"""Associations that are over: their subscription has ended, or the last day of an import is past (T19, D16, D23)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from cpor.domain.calendar import local_date
from cpor.domain.directory import read_subscription
from cpor.domain.facts import over_since
from cpor.domain.reference import Subscription
from cpor.domain.vocabulary import Instant, Status
from cpor.ops.book import Claim
from cpor.ops.instance import Instance
from cpor.ops.reading import newest_rows
from cpor.runtime.topics import Topic


@dataclass(frozen=True, slots=True)
class End:
    """An association that is over; `on` is its last day."""

    claim: Claim
    on: date


def read_subscriptions(instance: Instance) -> dict[str, Subscription]:
    rows = newest_rows(instance.transport, Topic.SUBSCRIPTIONS)
    return {key.decode(): read_subscription(row.value) for key, row in rows.items() if row.value}


def ends(claims: Iterable[Claim], subscriptions: Mapping[str, Subscription], now: int) -> Iterator[End]:
    """Those that are over at `now`, by the day it is where each claim's location is."""
    for claim in claims:
        on = _over_since(claim, subscriptions, local_date(Instant(now), claim.state.origin.zone))
        if on is not None:
            yield End(claim, on)


def _over_since(claim: Claim, subscriptions: Mapping[str, Subscription], today: date) -> date | None:
    """The last day of what the claim holds; None while it lasts, and where it holds no subscription."""
    state = claim.state
    if state.status != Status.APPROVED or not state.units or state.form.subscription_id is None:
        return None
    return over_since(state.origin.ends_on, subscriptions.get(state.form.subscription_id), today)
