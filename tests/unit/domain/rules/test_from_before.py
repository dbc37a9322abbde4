"""Associations from before the scheme: what their import gives, and what becomes of it (D23), in either edition."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from cpor.domain import commands as cmd
from cpor.domain.events import AssociationEnded
from cpor.domain.handoff import HandoffType, handoffs
from cpor.domain.vocabulary import (
    AssociationEndReason,
    Code,
    CommandName,
    Edition,
    Incentive,
    PartnerId,
    PartnerRole,
    RejectionReason,
    Status,
)
from tests.unit.domain.claims import EXAMPLES, LOCATION, SALES_UNIT, SUBSCRIPTION, TENANT, World, document
from tests.unit.domain.rules.editions import IN_BOTH, advisor, codes, handed, is_2020, record, world_of

LAST_DAY = date(2024, 6, 30)
END = cmd.EndSubscription(ends_on=LAST_DAY)


def legacy(world: World, by: str = "P-1", role: PartnerRole = PartnerRole.USAGE_RECOGNITION) -> None:
    data = cmd.ImportLegacy(
        partner_id=PartnerId(by),
        location_id=LOCATION,
        tenant_id=TENANT,
        subscription_id=SUBSCRIPTION,
        partner_role=role,
        ends_on=LAST_DAY,
    )
    world.must("old", data, by)


@IN_BOTH
@pytest.mark.rule("D23", edition="both")
def test_an_imported_association_needs_no_proof_asks_nobody_and_hands_nothing_off(edition: Edition) -> None:
    world = world_of(edition)
    legacy(world)
    claim = world.claim("old")
    assert (claim.status, claim.origin.legacy, claim.documents, claim.clocks) == (Status.APPROVED, True, (), ())
    held = record(world, SALES_UNIT)
    assert held is not None
    assert held.ends_on == LAST_DAY
    world.must("old", END)
    assert (world.claim("old").units, handed(world)) == ((), [])


@IN_BOTH
@pytest.mark.rule("D23", edition="both")
def test_the_same_partners_new_claim_competes_with_nothing_and_replaces_the_record(edition: Edition) -> None:
    world = world_of(edition)
    legacy(world)
    claim = world.approved("new", form=advisor(edition))
    (ended,) = [each for each in world.log if isinstance(each, AssociationEnded)]
    assert (claim.competes_with, claim.units) == ((), (SALES_UNIT,))
    assert (ended.reason, world.claim("old").status) == (AssociationEndReason.REASSOCIATED, Status.APPROVED)
    assert handed(world) == [HandoffType.APPROVED]


@IN_BOTH
@pytest.mark.rule("D17", "D23", "T16a", edition="both")
def test_an_imported_association_that_wins_its_dispute_stands_as_it_stood_and_asks_nobody(edition: Edition) -> None:
    world = world_of(edition)
    legacy(world)
    old = world.claim("old").claim_id
    rival = world.approved("b", "P-2", advisor(edition), doc=2, displaces=(old,))
    world.must("old", document(9, "sales", "power_bi"))
    world.must("old", EXAMPLES[CommandName.DISPUTE])
    claim = world.must("old", cmd.ApproveClaim(displaces=(rival.claim_id,)))
    assert (claim.status, claim.clocks, claim.approval and claim.approval.incentive) == (
        Status.APPROVED,
        (),
        Incentive.NONE,
    )
    held = record(world, SALES_UNIT)
    assert held is not None
    assert (held.partner_id, held.official_from, held.ends_on) == ("P-1", world.now, LAST_DAY)
    assert not any(handoffs(event, claim) for event in world.events[old])


@pytest.mark.rule("D9", "D23", edition="P2020")
def test_2020_an_approval_that_an_early_no_undoes_leaves_the_partner_what_it_had_before() -> None:
    world = world_of(Edition.P2020)
    legacy(world)
    world.under_review("new", form=advisor(Edition.P2020))
    world.must("new", EXAMPLES[CommandName.CONSENT_OUTCOME])
    claim = world.must("new", cmd.ApproveClaim())
    assert (claim.status, claim.has_reason(RejectionReason.CUSTOMER_DECLINED)) == (Status.REJECTED, True)
    assert (world.claim("old").status, world.claim("old").units) == (Status.APPROVED, (SALES_UNIT,))


@IN_BOTH
@pytest.mark.rule("D23", edition="both")
def test_what_another_partner_holds_cannot_be_imported_and_what_was_imported_is_an_incumbent(edition: Edition) -> None:
    world = world_of(edition)
    legacy(world, "P-2")
    world.under_review("new", form=advisor(edition))
    assert codes(world.give("new", cmd.ApproveClaim())) == {Code.INCUMBENTS_NOT_NAMED}
    held = world_of(edition)
    held.approved("c", form=advisor(edition))
    data = EXAMPLES[CommandName.OPS_IMPORT_LEGACY]
    assert isinstance(data, cmd.ImportLegacy)
    again = held.give("old", replace(data, partner_id=PartnerId("P-2")), "P-2")
    assert codes(again) == {Code.ALREADY_CLAIMED}


@IN_BOTH
@pytest.mark.rule("D10", "D23", edition="both")
def test_what_the_partner_holds_by_a_claim_is_not_imported_behind_it(edition: Edition) -> None:
    """It would outlive the customer's no to the claim; in another role it is another association."""
    world = world_of(edition)
    world.approved("c", form=advisor(edition))
    data = EXAMPLES[CommandName.OPS_IMPORT_LEGACY]
    assert isinstance(data, cmd.ImportLegacy)
    again = world.give("old", replace(data, partner_role=PartnerRole.BUILD_INTENT_ADVISOR))
    assert codes(again) == {Code.ALREADY_CLAIMED}
    world.must("old", data)
    world.must("c", EXAMPLES[CommandName.CONSENT_OUTCOME])
    assert codes(world.give("twice", data)) == {Code.ALREADY_CLAIMED}


@IN_BOTH
@pytest.mark.rule("D23", "D8", edition="both")
def test_an_imported_association_is_given_up_as_its_edition_has_it(edition: Edition) -> None:
    world = world_of(edition)
    legacy(world)
    name = CommandName.WITHDRAW if is_2020(edition) else CommandName.DISASSOCIATE
    assert world.must("old", EXAMPLES[name]).units == ()
    assert handed(world) == []
