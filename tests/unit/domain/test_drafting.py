"""Where a claim begins, and what an edit is asked (D1, D6, D20, D22, T4)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cpor.domain import commands as cmd
from cpor.domain.calendar import business_calendar
from cpor.domain.decide import decide
from cpor.domain.knowledge import Facts
from cpor.domain.model import CustomerContact, FormData, TechnicalContact
from cpor.domain.result import Accepted, Refused
from cpor.domain.vocabulary import Code, CommandName, Edition, LocationId, Status, TenantId, parse_instant
from tests.unit.domain.claims import (
    CUSTOMER,
    EXAMPLES,
    SUBSCRIPTION,
    UNDER_P2020,
    World,
    in_status,
    partner,
    sales_form,
    usage_form,
)

CONTACT = CustomerContact("Ken Abe", "CFO", "ken@contoso.example", "ja")


def workloads(*names: str) -> cmd.EditClaim:
    return cmd.EditClaim(form=FormData(workloads=names), given=("workloads",))


def test_a_draft_for_a_location_that_the_partner_does_not_have_is_refused_as_that() -> None:
    no = World().give("c", cmd.CreateClaim(form=usage_form(location_id=LocationId("9999999"))))
    assert isinstance(no, Refused)
    assert [(each.field, each.code) for each in no.errors] == [("location_id", Code.LOCATION_UNKNOWN)]


@pytest.mark.rule("D1", edition="both")
@pytest.mark.parametrize(("zone", "edition"), [("Pacific/Kiritimati", Edition.P2023), ("Europe/Berlin", Edition.P2020)])
def test_the_edition_is_that_of_the_day_at_the_location_not_at_the_partners_seat(zone: str, edition: Edition) -> None:
    here = partner("P-1")
    there = replace(here, locations=tuple(replace(each, timezone=zone) for each in here.locations))
    command = World(parse_instant("2023-10-09T12:00:00Z")).command("c", cmd.CreateClaim(form=usage_form()))
    made = decide(None, command, Facts(there, CUSTOMER, {}, {}))
    assert isinstance(made, Accepted)
    assert made.events[0].policy == edition


def test_a_draft_has_the_calendar_of_its_location() -> None:
    world = in_status(Status.DRAFT)
    assert world.claim("c").origin.calendar == business_calendar("DE", "BY", "Europe/Berlin").name


@pytest.mark.rule("D20")
def test_while_the_wait_of_an_approval_runs_not_even_the_customers_contact_can_be_edited() -> None:
    edit = cmd.EditClaim(form=FormData(customer_contact=CONTACT), given=("customer_contact",))
    no = in_status(Status.APPROVED).give("c", edit)
    assert isinstance(no, Refused)
    assert (no.code, [each.field for each in no.errors]) == (Code.EDIT_NOT_ALLOWED, ["customer_contact"])


@pytest.mark.rule("D27")
def test_a_workload_of_ones_own_is_asked_about_at_the_resubmission_not_at_the_edit_before_it() -> None:
    world = World()
    world.filed("a", form=usage_form("exchange"), doc=3)
    world.asked("c")
    world.must("c", workloads("teams", "exchange"))
    no = world.give("c", EXAMPLES[CommandName.RESUBMIT])
    assert isinstance(no, Refused)
    assert Code.ALREADY_CLAIMED in {each.code for each in no.errors}


@pytest.mark.rule("D6", edition="both")
@pytest.mark.parametrize("status", [Status.DRAFT, Status.PARTNER_ACTION_REQUIRED])
def test_an_edit_is_told_all_that_is_wrong_with_it_at_once(status: Status) -> None:
    world = in_status(status)
    form = FormData(
        tenant_id=TenantId("5a0e1d7a-5b1c-4c7e-9a51-0d7d1a2b3c4d"),
        location_id=LocationId("9999999"),
        workloads=("teams", "sales"),
        customer_contact=replace(CONTACT, email="nobody"),
    )
    no = world.give("c", cmd.EditClaim(form=form, given=("tenant_id", "location_id", "workloads", "customer_contact")))
    assert isinstance(no, Refused)
    assert [(each.field, each.code) for each in no.errors] == [
        ("tenant_id", Code.EDIT_NOT_ALLOWED),
        ("location_id", Code.LOCATION_UNKNOWN),
        ("workloads[1]", Code.WORKLOAD_NOT_IN_AREA),
        ("customer_contact.email", Code.INVALID_FIELDS),
    ]


@pytest.mark.rule("R34", edition="both")
def test_the_last_workload_stays_whatever_else_is_wrong_with_an_edit() -> None:
    form = FormData(workloads=(), location_id=LocationId("9999999"))
    no = in_status(Status.DRAFT).give("c", cmd.EditClaim(form=form, given=("workloads", "location_id")))
    assert isinstance(no, Refused)
    assert {(each.field, each.code) for each in no.errors} == {
        ("workloads", Code.LAST_WORKLOAD),
        ("location_id", Code.LOCATION_UNKNOWN),
    }


@pytest.mark.rule("D6", "D31", edition="P2020")
def test_2020_an_opt_out_in_an_edit_of_a_draft_is_not_offered_as_in_a_create() -> None:
    world = in_status(Status.DRAFT, UNDER_P2020)
    no = world.give("c", cmd.EditClaim(form=FormData(incentive_opt_out=True), given=("incentive_opt_out",)))
    assert isinstance(no, Refused)
    assert no.code == Code.OPT_OUT_NOT_OFFERED


@pytest.mark.rule("D6")
def test_since_2023_a_technical_contact_in_an_edit_of_a_draft_is_not_asked_for_as_in_a_create() -> None:
    contact = TechnicalContact("Ken Abe", "ken@contoso.example")
    edit = cmd.EditClaim(form=FormData(technical_contact=contact), given=("technical_contact",))
    no = in_status(Status.DRAFT).give("c", edit)
    assert isinstance(no, Refused)
    assert no.code == Code.INVALID_FIELDS
    assert no.detail == "technical_contact is not asked for this claim."


@pytest.mark.rule("D6", "D11", edition="P2020")
def test_2020_a_form_that_still_names_no_subscription_changes_nothing_about_the_one_filled_in() -> None:
    world = World(UNDER_P2020)
    contact = TechnicalContact("Ken Abe", "ken@contoso.example")
    world.under_review("c", form=replace(sales_form(), subscription_id=None, technical_contact=contact))
    world.must("c", EXAMPLES[CommandName.REVIEW_REQUEST_INFORMATION])
    again = FormData(subscription_id=None, workloads=("sales", "power_bi"))
    claim = world.must("c", cmd.EditClaim(form=again, given=("subscription_id", "workloads")))
    assert (claim.form.subscription_id, claim.form.workloads) == (SUBSCRIPTION, ("sales", "power_bi"))


def test_a_subscription_that_the_partner_named_is_not_taken_away_after_submission() -> None:
    world = World()
    world.under_review("c", form=sales_form())
    world.must("c", EXAMPLES[CommandName.REVIEW_REQUEST_INFORMATION])
    no = world.give("c", cmd.EditClaim(form=FormData(subscription_id=None), given=("subscription_id",)))
    assert isinstance(no, Refused)
    assert no.detail == "subscription_id cannot be changed while the claim is partner_action_required."
