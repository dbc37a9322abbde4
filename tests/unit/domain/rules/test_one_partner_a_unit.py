"""Many partners for a customer, one for each unit; claims that compete, and associations from before (R20-R22, D10)."""

from __future__ import annotations

from datetime import date

import pytest

from cpor.domain import commands as cmd
from cpor.domain.associations import associations_after
from cpor.domain.deciding.competing import COMPETITION_COMMENT
from cpor.domain.events import CompetitionFlagged
from cpor.domain.model import Reason
from cpor.domain.vocabulary import (
    Code,
    CommandName,
    Edition,
    PartnerId,
    PartnerRole,
    Status,
    UnitId,
)
from tests.unit.domain.claims import EXAMPLES, LOCATION, SALES_UNIT, SUBSCRIPTION, TEAMS, TENANT, World
from tests.unit.domain.rules.editions import BUSINESS_ROLES, IN_BOTH, advisor, codes, usage, world_of


def holders(world: World, unit: UnitId) -> set[str]:
    return {claim.partner_id for claim in world.states.values() if unit in claim.units}


def legacy(world: World, by: str = "P-1") -> None:
    data = cmd.ImportLegacy(
        partner_id=PartnerId(by),
        location_id=LOCATION,
        tenant_id=TENANT,
        subscription_id=SUBSCRIPTION,
        partner_role=PartnerRole.USAGE_RECOGNITION,
        ends_on=date(2024, 6, 30),
    )
    world.must("old", data, by)


@IN_BOTH
@pytest.mark.rule("R20", "D10", edition="both")
def test_a_customer_may_have_a_partner_for_each_workload_and_one_for_each_subscription(edition: Edition) -> None:
    world = world_of(edition)
    world.approved("a", "P-1", usage(edition, "teams"))
    world.approved("b", "P-2", usage(edition, "exchange"), doc=2)
    world.approved("c", "P-2", advisor(edition), doc=3)
    assert holders(world, TEAMS) == {"P-1"}
    assert holders(world, UnitId(f"{TENANT}/workload/exchange")) == {"P-2"}
    assert holders(world, SALES_UNIT) == {"P-2"}


@IN_BOTH
@pytest.mark.rule("R20", "R21", "D10", "D17", edition="both")
def test_a_workload_that_is_held_is_not_given_to_another_partner_besides(edition: Edition) -> None:
    world = world_of(edition)
    world.approved("a", "P-1", usage(edition, "teams"))
    world.under_review("b", "P-2", usage(edition, "teams", "exchange"), doc=2)
    assert codes(world.give("b", cmd.ApproveClaim(), "P-2")) == {Code.INCUMBENTS_NOT_NAMED}
    assert holders(world, TEAMS) == {"P-1"}


@IN_BOTH
@pytest.mark.parametrize("role", BUSINESS_ROLES)
@pytest.mark.rule("R20", "D10", edition="both")
def test_the_three_business_roles_together_leave_a_subscription_to_one_partner(
    edition: Edition, role: PartnerRole
) -> None:
    world = world_of(edition)
    incumbent = world.approved("a", "P-1", advisor(edition))
    world.under_review("b", "P-2", advisor(edition, role), doc=2)
    assert codes(world.give("b", cmd.ApproveClaim(), "P-2")) == {Code.INCUMBENTS_NOT_NAMED}
    world.must("b", cmd.ApproveClaim(displaces=(incumbent.claim_id,)), "P-2")
    assert holders(world, SALES_UNIT) == {"P-2"}


@IN_BOTH
@pytest.mark.rule("D10", edition="both")
def test_one_partner_may_hold_every_role_on_a_subscription_with_a_claim_for_each(edition: Edition) -> None:
    world = world_of(edition)
    for number, role in enumerate(BUSINESS_ROLES):
        assert world.approved(role, "P-1", advisor(edition, role), doc=number + 1).competes_with == ()
    record = associations_after(SALES_UNIT, world.states.values())
    assert record is not None
    assert {each.partner_role for each in record.claims} == set(BUSINESS_ROLES)


@IN_BOTH
@pytest.mark.rule("R21", "D17", edition="both")
def test_a_second_claim_is_taken_and_both_are_flagged_without_a_name(edition: Edition) -> None:
    world = world_of(edition)
    world.filed("a", "P-1", usage(edition, "teams"))
    second = world.filed("b", "P-2", usage(edition, "teams", "exchange"), doc=2)
    first = world.claim("a", "P-1")
    assert (first.status, second.status) == (Status.SUBMITTED, Status.SUBMITTED)
    assert (first.competes_with, second.competes_with) == ((second.claim_id,), (first.claim_id,))
    flags = [each for each in world.log if isinstance(each, CompetitionFlagged)]
    assert {each.units for each in flags} == {(TEAMS,)}
    for claim in (first, second):
        assert claim.comments[-1].text == COMPETITION_COMMENT
    assert "P-" not in COMPETITION_COMMENT


@IN_BOTH
@pytest.mark.rule("R21", edition="both")
def test_reviewers_may_question_both_partners_while_their_claims_compete(edition: Edition) -> None:
    world = world_of(edition)
    for ref, by, doc in (("a", "P-1", 1), ("b", "P-2", 2)):
        world.under_review(ref, by, usage(edition, "teams"), doc)
        claim = world.must(ref, EXAMPLES[CommandName.REVIEW_REQUEST_INFORMATION], by)
        assert claim.status == Status.PARTNER_ACTION_REQUIRED


@IN_BOTH
@pytest.mark.rule("R21", edition="both")
def test_of_two_claims_that_were_submitted_together_only_one_is_approved_as_it_stands(edition: Edition) -> None:
    world = world_of(edition)
    for ref, by, doc in (("a", "P-1", 1), ("b", "P-2", 2)):
        world.under_review(ref, by, usage(edition, "teams"), doc)
    world.must("b", cmd.ApproveClaim(), "P-2")
    assert codes(world.give("a", cmd.ApproveClaim(), "P-1")) == {Code.INCUMBENTS_NOT_NAMED}
    world.must("a", cmd.RejectClaim(reasons=(Reason("insufficient_poe"),)), "P-1")
    assert holders(world, TEAMS) == {"P-2"}


@IN_BOTH
@pytest.mark.rule("R22", "R20", "D23", "T19", edition="both")
def test_an_association_from_before_holds_its_subscription_to_its_last_day(edition: Edition) -> None:
    world = world_of(edition)
    legacy(world)
    assert (world.claim("old").status, holders(world, SALES_UNIT)) == (Status.APPROVED, {"P-1"})
    record = associations_after(SALES_UNIT, world.states.values())
    assert record is not None
    assert record.ends_on == date(2024, 6, 30)
    world.under_review("new", "P-2", advisor(edition), doc=2)
    assert codes(world.give("new", cmd.ApproveClaim(), "P-2")) == {Code.INCUMBENTS_NOT_NAMED}
    world.must("old", cmd.EndSubscription(ends_on=date(2024, 6, 30)))
    assert holders(world, SALES_UNIT) == set()
    world.must("new", cmd.ApproveClaim(), "P-2")


@IN_BOTH
@pytest.mark.rule("R22", "D23", edition="both")
def test_for_further_earnings_a_partner_associates_itself_anew(edition: Edition) -> None:
    world = world_of(edition)
    legacy(world)
    assert world.approved("new", "P-1", advisor(edition)).competes_with == ()
    assert world.claim("old").units == ()
    assert holders(world, SALES_UNIT) == {"P-1"}
