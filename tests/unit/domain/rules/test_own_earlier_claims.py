"""A second claim of the same partner for the same role and unit, in either edition (D27)."""

from __future__ import annotations

import pytest

from cpor.domain.vocabulary import Code, Edition, Status
from tests.unit.domain.claims import document
from tests.unit.domain.rules.editions import IN_BOTH, codes, filing, standing, usage


@IN_BOTH
@pytest.mark.parametrize("status", [Status.SUBMITTED, Status.PARTNER_ACTION_REQUIRED, Status.APPROVED, Status.DISPUTED])
@pytest.mark.rule("D27", edition="both")
def test_the_same_role_and_unit_cannot_be_claimed_twice(edition: Edition, status: Status) -> None:
    world = standing(edition, status)
    second = filing(edition, usage(edition, "intune", "exchange"), document(2, "intune", "exchange"))
    assert codes(world.give("d", second)) == {Code.ALREADY_CLAIMED}
    elsewhere = filing(edition, usage(edition, "exchange"), document(2, "exchange"))
    assert world.must("d", elsewhere).status == Status.SUBMITTED


@IN_BOTH
@pytest.mark.rule("D27", edition="both")
def test_drafts_of_the_same_are_no_claim_yet(edition: Edition) -> None:
    world = standing(edition, Status.DRAFT)
    assert world.must("d", filing(edition, usage(edition))).status == Status.SUBMITTED


@IN_BOTH
@pytest.mark.rule("D27", edition="both")
def test_after_a_rejection_one_document_at_least_must_be_new(edition: Edition) -> None:
    world = standing(edition, Status.REJECTED)
    world.now = world.claim("c").due()[0].due
    assert codes(world.give("d", filing(edition, usage(edition)))) == {Code.POE_NOT_UPDATED}
    both = filing(edition, usage(edition), document(1), document(2))
    assert world.must("d", both).status == Status.SUBMITTED
