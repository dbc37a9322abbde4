"""Time and window of a claim that another claim's decision touches (D17, D18)."""

from __future__ import annotations

from dataclasses import replace

from cpor.domain import commands as cmd
from cpor.domain.calendar import DayUnit, business_calendar
from cpor.domain.vocabulary import Clock, Status
from tests.unit.domain.claims import World, usage_form


def test_a_displaced_claims_window_ends_with_the_day_where_that_claim_is() -> None:
    world = World()
    incumbent = world.approved("a", "P-2", usage_form("teams"), doc=2)
    far = business_calendar("NZ", None, "Pacific/Auckland")
    origin = replace(incumbent.origin, zone="Pacific/Auckland", calendar=far.name)
    world.states[incumbent.claim_id] = replace(incumbent, origin=origin)
    world.under_review("c", "P-1", usage_form("teams"))
    world.must("c", cmd.ApproveClaim(displaces=(incumbent.claim_id,)))
    displaced = world.claim("a", "P-2")
    window = displaced.clock(Clock.DISPUTE_WINDOW)
    assert displaced.status == Status.REJECTED
    assert window is not None
    assert window.calendar == far.name
    assert window.due == far.due(world.now, 30, DayUnit.CALENDAR_DAYS)
