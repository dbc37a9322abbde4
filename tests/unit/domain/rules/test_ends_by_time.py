"""What time says of an association is judged by the facts of the day (T19, D16, D23)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from cpor.domain import commands as cmd
from cpor.domain.calendar import end_of_day, local_date
from cpor.domain.events import AssociationEnded
from cpor.domain.facts import last_day, over_since
from cpor.domain.model import Actor
from cpor.domain.result import Accepted, Decision, Ignored
from cpor.domain.vocabulary import ActorKind, Edition, Instant, PartnerId, PartnerRole, Status, SubscriptionState
from tests.unit.domain.claims import LOCATION, SALES, SUBSCRIPTION, TENANT, World
from tests.unit.domain.rules.editions import IN_BOTH, advisor, world_of

BERLIN = "Europe/Berlin"
LAST_DAY = date(2024, 6, 30)
GRACE = SubscriptionState.GRACE
ENDED = SubscriptionState.ENDED


def by_time(world: World, ref: str, on: date) -> Decision:
    """The service says that it is over; an operator's word would stand for itself."""
    return world.give(ref, cmd.EndSubscription(ends_on=on), actor=Actor(ActorKind.SYSTEM, "deadlines"))


@IN_BOTH
@pytest.mark.rule("T19", "D16", edition="both")
def test_what_time_says_ends_nothing_that_has_been_renewed(edition: Edition) -> None:
    """A message that was on its way when the renewal came."""
    world = world_of(edition)
    world.official("c", form=advisor(edition))
    today = local_date(world.now, BERLIN)
    yesterday = today - timedelta(days=1)
    for renewed in (SALES, replace(SALES, ends_on=today), replace(SALES, state=GRACE, ends_on=yesterday)):
        world.subscriptions[SUBSCRIPTION] = renewed
        assert isinstance(by_time(world, "c", yesterday), Ignored)
    del world.subscriptions[SUBSCRIPTION]
    assert isinstance(by_time(world, "c", yesterday), Ignored)
    assert world.claim("c").units != ()


@IN_BOTH
@pytest.mark.rule("T19", "D16", edition="both")
def test_what_time_says_ends_what_is_over_with_the_day_it_names(edition: Edition) -> None:
    world = world_of(edition)
    world.official("c", form=advisor(edition))
    yesterday = local_date(world.now, BERLIN) - timedelta(days=1)
    world.subscriptions[SUBSCRIPTION] = replace(SALES, ends_on=yesterday)
    assert isinstance(by_time(world, "c", yesterday), Accepted)
    assert (world.claim("c").status, world.claim("c").units) == (Status.APPROVED, ())
    event = world.log[-1]
    assert isinstance(event, AssociationEnded)
    assert event.ends_on == yesterday
    assert isinstance(by_time(world, "c", yesterday), Ignored)


@IN_BOTH
@pytest.mark.rule("T19", "D23", edition="both")
def test_an_imported_association_ends_with_its_last_day_where_its_location_is(edition: Edition) -> None:
    """At midnight in Munich, though the subscription goes on."""
    world = world_of(edition)
    data = cmd.ImportLegacy(
        partner_id=PartnerId("P-1"),
        location_id=LOCATION,
        tenant_id=TENANT,
        subscription_id=SUBSCRIPTION,
        partner_role=PartnerRole.USAGE_RECOGNITION,
        ends_on=LAST_DAY,
    )
    world.must("old", data)
    world.now = Instant(end_of_day(LAST_DAY, BERLIN) - 1)
    assert isinstance(by_time(world, "old", LAST_DAY), Ignored)
    world.now = end_of_day(LAST_DAY, BERLIN)
    assert isinstance(by_time(world, "old", LAST_DAY), Accepted)
    assert world.claim("old").units == ()


@pytest.mark.rule("T19", "D23")
def test_an_association_is_over_by_whichever_end_comes_first() -> None:
    sold = replace(SALES, ends_on=date(2024, 5, 31))
    for today, over in ((31, None), (32, date(2024, 5, 31)), (70, date(2024, 5, 31))):
        day = date(2024, 5, 1) + timedelta(days=today - 1)
        assert over_since(None, sold, day) == over
        assert over_since(LAST_DAY, sold, day) == (LAST_DAY if day > LAST_DAY else over)
    assert last_day(LAST_DAY, sold) == date(2024, 5, 31)
    assert last_day(date(2024, 5, 1), sold) == date(2024, 5, 1)


@pytest.mark.rule("T19")
def test_time_alone_ends_nothing_whose_end_is_not_known() -> None:
    """Open-ended, not known at all, or in grace until the feed says more."""
    for known in (None, SALES, replace(SALES, state=GRACE, ends_on=date(2024, 1, 31))):
        assert last_day(None, known) is None
        assert over_since(None, known, LAST_DAY) is None
    assert over_since(None, replace(SALES, state=ENDED), LAST_DAY) == LAST_DAY
    assert over_since(None, replace(SALES, state=ENDED, ends_on=date(2030, 1, 1)), LAST_DAY) == LAST_DAY
