"""What the events of services and operators say (D23, D29)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from cpor.domain import commands as cmd
from cpor.domain.calendar import business_calendar
from cpor.domain.events import IncentiveResult, LegacyImported
from cpor.domain.result import Refused
from cpor.domain.vocabulary import (
    Code,
    EligibilityOutcome,
    IncentiveResultKind,
    LocationId,
    PartnerId,
    PartnerRole,
    TenantId,
)
from tests.unit.domain.claims import LOCATION, SALES, SUBSCRIPTION, TENANT, World

LEGACY = cmd.ImportLegacy(
    partner_id=PartnerId("P-1"),
    location_id=LOCATION,
    tenant_id=TENANT,
    subscription_id=SUBSCRIPTION,
    partner_role=PartnerRole.USAGE_RECOGNITION,
)


def last(world: World) -> Any:
    return world.log[-1]


def test_a_result_of_eligibility_is_kept_with_its_reason() -> None:
    world = World()
    world.approved()
    world.must("c", cmd.RecordEligibility(outcome=EligibilityOutcome.INELIGIBLE, reason="No agreement"))
    assert isinstance(last(world), IncentiveResult)
    assert (last(world).kind, last(world).outcome) == (IncentiveResultKind.ELIGIBILITY, EligibilityOutcome.INELIGIBLE)
    assert last(world).reason == "No agreement"


def test_an_earning_is_kept_as_it_was_sent() -> None:
    world = World()
    world.approved()
    sent = cmd.RecordEarning(
        engagement="modern_work_security_usage",
        partner_role="use_or_consume",
        subscription_id=SUBSCRIPTION,
        amount="12.50",
        currency="EUR",
        period="2024-03",
    )
    world.must("c", sent)
    assert last(world).kind == IncentiveResultKind.EARNING
    kept = (last(world).engagement, last(world).partner_role, last(world).subscription_id)
    assert kept == ("modern_work_security_usage", "use_or_consume", SUBSCRIPTION)
    assert (last(world).amount, last(world).currency, last(world).period) == ("12.50", "EUR", "2024-03")


def test_a_legacy_association_for_a_location_that_the_partner_does_not_have_is_refused_as_that() -> None:
    no = World().give("old", replace(LEGACY, location_id=LocationId("9999999")))
    assert isinstance(no, Refused)
    assert no.code == Code.LOCATION_UNKNOWN
    assert "9999999" in no.detail


@pytest.mark.rule("D22", "D23")
def test_a_subscription_of_another_customer_cannot_be_imported() -> None:
    world = World()
    other = TenantId("9f0e1d7a-5b1c-4c7e-9a51-0d7d1a2b3c4d")
    world.subscriptions = {SUBSCRIPTION: replace(SALES, tenant_id=other)}
    no = world.give("old", LEGACY)
    assert isinstance(no, Refused)
    assert no.code == Code.SUBSCRIPTION_OTHER_TENANT
    assert other not in no.detail


def test_a_legacy_association_without_an_end_of_its_own_ends_with_its_subscription() -> None:
    world = World()
    world.subscriptions = {SUBSCRIPTION: replace(SALES, ends_on=date(2024, 9, 30))}
    world.must("old", LEGACY)
    assert isinstance(last(world), LegacyImported)
    assert last(world).ends_on == date(2024, 9, 30)
    assert last(world).form.workloads == SALES.products
    own = World()
    own.must("old", replace(LEGACY, ends_on=date(2024, 6, 30)))
    assert last(own).ends_on == date(2024, 6, 30)


def test_a_legacy_association_has_the_calendar_of_its_location() -> None:
    world = World()
    world.must("old", LEGACY)
    assert last(world).calendar == business_calendar("DE", "BY", "Europe/Berlin").name
