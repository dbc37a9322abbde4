"""Under which field a fact about a claim's surroundings is told, and what of it is shown (D11, D22, D27)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cpor.domain import commands as cmd
from cpor.domain.deciding.checks import fact_errors, filled_in
from cpor.domain.deciding.desk import Desk
from cpor.domain.knowledge import Facts
from cpor.domain.result import Refused
from cpor.domain.vocabulary import Code, Edition, PartnerStatus
from tests.unit.domain.claims import CUSTOMER, SUBSCRIPTION, UNDER_P2020, World, document, partner, usage_form
from tests.unit.domain.rules.editions import advisor, drafted, filing


def test_a_suspended_partner_is_told_under_the_partner() -> None:
    world = World()
    claim = world.under_review()
    suspended = replace(partner("P-1"), status=PartnerStatus.SUSPENDED)
    desk = Desk(claim, world.command("c", cmd.ApproveClaim()), Facts(suspended, CUSTOMER, {}, {}))
    assert [(each.field, each.code) for each in fact_errors(desk, claim)] == [("partner_id", Code.PARTNER_SUSPENDED)]


def test_a_partner_of_whom_nothing_is_known_is_no_partner() -> None:
    world = World()
    claim = world.under_review()
    desk = Desk(claim, world.command("c", cmd.ApproveClaim()), Facts(None, CUSTOMER, {}, {}))
    assert [(each.field, each.code) for each in fact_errors(desk, claim)] == [("partner_id", Code.PARTNER_UNKNOWN)]


@pytest.mark.rule("D11", edition="P2020")
def test_2020_a_subscription_that_the_partner_named_itself_is_named_back_to_it() -> None:
    world = World(UNDER_P2020)
    drafted(world, advisor(Edition.P2020))
    world.subscriptions = {}
    no = world.give("c", cmd.SubmitClaim(acknowledgements=()))
    assert isinstance(no, Refused)
    assert no.code == Code.SUBSCRIPTION_UNKNOWN
    assert SUBSCRIPTION in no.detail


def test_a_unit_claimed_twice_is_told_under_the_workloads_and_an_old_proof_under_the_documents() -> None:
    world = World()
    world.filed("a")
    no = world.give("b", filing(Edition.P2023, usage_form(), document(2)))
    assert isinstance(no, Refused)
    assert [(each.field, each.code) for each in no.errors] == [("workloads", Code.ALREADY_CLAIMED)]
    other = World()
    other.rejected("a")
    no = other.give("b", filing(Edition.P2023, usage_form(), document(1)))
    assert isinstance(no, Refused)
    assert [(each.field, each.code) for each in no.errors] == [("documents", Code.POE_NOT_UPDATED)]


@pytest.mark.rule("D11", edition="P2020")
def test_2020_a_claim_is_judged_with_the_only_subscription_it_can_mean() -> None:
    world = World(UNDER_P2020)
    claim = drafted(world, advisor(Edition.P2020, subscription_id=None))
    desk = Desk(claim, world.command("c", cmd.SubmitClaim()), world.facts())
    whole = filled_in(desk, claim)
    assert (claim.form.subscription_id, whole.form.subscription_id) == (None, SUBSCRIPTION)
    assert whole == replace(claim, form=replace(claim.form, subscription_id=SUBSCRIPTION))
