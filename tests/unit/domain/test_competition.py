"""Two partners, one unit (R20, R21, D10, D17, D23, D27, T20)."""

from __future__ import annotations

from datetime import date

import pytest

from cpor.domain import commands as cmd
from cpor.domain.associations import TwoHolders, associations_after
from cpor.domain.deciding.competing import COMPETITION_COMMENT
from cpor.domain.events import AssociationEnded, CompetitionFlagged, Rejected
from cpor.domain.handoff import HandoffType, Revoked, handoffs
from cpor.domain.model import FormData, Reason
from cpor.domain.result import Ignored, Refused
from cpor.domain.units import touched
from cpor.domain.vocabulary import (
    AssociationEndReason,
    Clock,
    Code,
    CommandName,
    PartnerId,
    PartnerRole,
    RejectionReason,
    RevocationReason,
    Status,
    UnitId,
)
from tests.unit.domain.claims import (
    EXAMPLES,
    INTUNE,
    LOCATION,
    SALES_UNIT,
    SUBSCRIPTION,
    TEAMS,
    TENANT,
    UNDER_P2020,
    World,
    document,
    sales_form,
    usage_form,
)


def holders(world: World, unit: UnitId) -> list[str]:
    return sorted(claim.claim_id for claim in world.states.values() if unit in claim.units)


def test_a_second_claim_is_flagged_on_both_sides_and_never_refused() -> None:
    world = World()
    first, second = world.filed("a", "P-1"), world.filed("b", "P-2", usage_form("teams", "exchange"))
    first = world.claim("a", "P-1")
    assert first.competes_with == (second.claim_id,)
    assert second.competes_with == (first.claim_id,)
    flags = [event for event in world.log if isinstance(event, CompetitionFlagged)]
    assert [flag.units for flag in flags] == [(TEAMS,), (TEAMS,)]
    assert first.comments[-1].text == COMPETITION_COMMENT
    assert "P-2" not in COMPETITION_COMMENT


def test_a_flag_does_not_make_a_reviewers_view_stale() -> None:
    world = World()
    seen = world.under_review("a", "P-1").sequence
    world.filed("b", "P-2")
    assert world.must("a", cmd.ApproveClaim(), expected_sequence=seen).status == Status.APPROVED


def test_claims_of_one_partner_on_one_subscription_do_not_compete() -> None:
    world = World()
    world.approved("a", "P-1", sales_form())
    second = world.approved("b", "P-1", sales_form(PartnerRole.USAGE_RECOGNITION), doc=2)
    assert second.status == Status.APPROVED
    assert second.competes_with == ()
    assert len(holders(world, SALES_UNIT)) == 2
    record = associations_after(SALES_UNIT, world.states.values())
    assert record is not None
    assert {claim.partner_role for claim in record.claims} == {
        PartnerRole.BUILD_INTENT_ADVISOR,
        PartnerRole.USAGE_RECOGNITION,
    }


def test_the_three_business_roles_share_one_unit_between_partners() -> None:
    world = World()
    world.approved("a", "P-1", sales_form())
    world.under_review("b", "P-2", sales_form(PartnerRole.INFLUENCED_REVENUE))
    decision = world.give("b", cmd.ApproveClaim(), "P-2")
    assert isinstance(decision, Refused)
    assert decision.code == Code.INCUMBENTS_NOT_NAMED


def test_an_approval_over_an_incumbent_must_name_it() -> None:
    world = World()
    incumbent = world.approved("a", "P-1")
    world.under_review("b", "P-2")
    decision = world.give("b", cmd.ApproveClaim(), "P-2")
    assert isinstance(decision, Refused)
    assert decision.code == Code.INCUMBENTS_NOT_NAMED
    assert incumbent.claim_id in decision.detail
    assert holders(world, TEAMS) == [incumbent.claim_id]


def test_displacement_ends_the_incumbent_on_the_contested_units_only() -> None:
    world = World()
    incumbent = world.approved("a", "P-1", usage_form("teams", "intune"))
    winner = world.approved("b", "P-2", usage_form("teams"), displaces=(incumbent.claim_id,))
    incumbent = world.claim("a", "P-1")
    assert incumbent.status == Status.APPROVED
    assert incumbent.units == (INTUNE,)
    assert incumbent.clock(Clock.CONSENT_WAIT) is not None
    assert holders(world, TEAMS) == [winner.claim_id]
    ended = next(event for event in world.log if isinstance(event, AssociationEnded))
    assert (ended.units, ended.reason) == ((TEAMS,), AssociationEndReason.DISPLACED)


def test_an_incumbent_without_units_is_rejected_and_may_dispute() -> None:
    world = World()
    incumbent = world.approved("a", "P-1", usage_form("teams"))
    world.approved("b", "P-2", usage_form("teams"), displaces=(incumbent.claim_id,))
    incumbent = world.claim("a", "P-1")
    assert incumbent.status == Status.REJECTED
    assert incumbent.has_reason(RejectionReason.INSUFFICIENT_POE)
    assert [due.clock for due in incumbent.due()] == [Clock.DISPUTE_WINDOW]
    assert world.must("a", EXAMPLES[CommandName.DISPUTE]).status == Status.DISPUTED


def test_a_displaced_claim_whose_dispute_is_spent_gets_no_window() -> None:
    world = World()
    world.disputed("c")
    incumbent = world.must("c", cmd.ApproveClaim())
    world.approved("b", "P-2", displaces=(incumbent.claim_id,))
    assert world.claim("c").status == Status.REJECTED
    assert world.claim("c").due() == ()
    decision = world.give("c", EXAMPLES[CommandName.DISPUTE])
    assert isinstance(decision, Refused)
    assert decision.code == Code.DISPUTE_SPENT


def test_at_no_moment_of_a_displacement_does_a_unit_have_two_holders() -> None:
    world = World()
    incumbent = world.approved("a", "P-1")
    world.approved("b", "P-2", displaces=(incumbent.claim_id,))
    names = [(event.claim_id == incumbent.claim_id, event.NAME.value) for event in world.log[-3:]]
    assert names == [(True, "association_ended"), (True, "rejected"), (False, "approved")]


def test_a_disputed_claim_finds_its_unit_taken_meanwhile() -> None:
    world = World()
    world.disputed("c")
    world.approved("b", "P-2")
    decision = world.give("c", cmd.ApproveClaim())
    assert isinstance(decision, Refused)
    assert decision.code == Code.INCUMBENTS_NOT_NAMED


def test_naming_who_no_longer_holds_the_unit_does_no_harm() -> None:
    world = World()
    incumbent = world.approved("a", "P-1")
    world.must("a", EXAMPLES[CommandName.DISASSOCIATE])
    winner = world.approved("b", "P-2", displaces=(incumbent.claim_id,))
    assert winner.status == Status.APPROVED
    assert world.claim("a", "P-1").status == Status.REJECTED_FINAL


def test_displacing_an_official_incumbent_revokes_both_hand_offs() -> None:
    world = World()
    incumbent = world.official("a", "P-1", usage_form("teams"))
    world.approved("b", "P-2", usage_form("teams"), displaces=(incumbent.claim_id,))
    ended = next(event for event in world.log if isinstance(event, AssociationEnded))
    messages = handoffs(ended, world.claim("a", "P-1"))
    assert [each.type for each in messages] == [HandoffType.APPROVED_REVOKED, HandoffType.ELIGIBLE_REVOKED]
    assert all(isinstance(each.data, Revoked) for each in messages)
    rejected = next(event for event in world.log if isinstance(event, Rejected))
    assert handoffs(rejected, world.claim("a", "P-1")) == ()


def test_the_same_role_and_unit_cannot_be_claimed_twice_by_one_partner() -> None:
    world = World()
    world.filed("a")
    form, doc = usage_form("intune", "exchange"), document(2, "intune", "exchange")
    decision = world.give("b", cmd.FileClaim(form=form, documents=(doc,), acknowledgements=_acks()))
    assert isinstance(decision, Refused)
    assert decision.code == Code.ALREADY_CLAIMED


def edit_workloads(*workloads: str) -> cmd.EditClaim:
    return cmd.EditClaim(form=FormData(workloads=workloads), given=("workloads",))


@pytest.mark.rule("T4", edition="P2020")
def test_a_workload_added_to_a_submitted_claim_of_2020_competes_like_one_that_was_submitted() -> None:
    """T4 has no resubmission: what T10 asks again must be asked with the edit."""
    world = World(UNDER_P2020)
    rival = world.filed("a", "P-2", usage_form("exchange"), doc=3)
    world.filed("c", "P-1", usage_form("teams"))
    claim = world.must("c", edit_workloads("teams", "exchange"))
    assert claim.competes_with == (rival.claim_id,)
    assert world.claim("a", "P-2").competes_with == (claim.claim_id,)


@pytest.mark.rule("T4", edition="P2020")
def test_a_workload_added_to_a_submitted_claim_of_2020_cannot_be_one_of_the_partners_own() -> None:
    world = World(UNDER_P2020)
    world.filed("a", "P-1", usage_form("exchange"), doc=3)
    world.filed("c", "P-1", usage_form("teams"))
    decision = world.give("c", edit_workloads("teams", "exchange"))
    assert isinstance(decision, Refused)
    assert decision.code == Code.ALREADY_CLAIMED
    assert world.must("c", edit_workloads("teams", "sharepoint")).form.workloads == ("teams", "sharepoint")


def test_after_a_rejection_a_new_claim_needs_a_new_document() -> None:
    world = World()
    world.rejected("a")
    same = cmd.FileClaim(form=usage_form(), documents=(document(1),), acknowledgements=_acks())
    decision = world.give("b", same)
    assert isinstance(decision, Refused)
    assert decision.code == Code.POE_NOT_UPDATED
    assert world.filed("b", doc=2).status == Status.SUBMITTED


def legacy(world: World, by: str = "P-1", role: PartnerRole = PartnerRole.BUILD_INTENT_ADVISOR) -> None:
    data = cmd.ImportLegacy(
        partner_id=PartnerId(by),
        location_id=LOCATION,
        tenant_id=TENANT,
        subscription_id=SUBSCRIPTION,
        partner_role=role,
        ends_on=date(2024, 6, 30),
    )
    world.must("old", data, by)


def test_a_legacy_association_holds_its_unit_and_never_reaches_downstream() -> None:
    world = World()
    legacy(world)
    claim = world.claim("old")
    assert (claim.status, claim.units, claim.origin.legacy) == (Status.APPROVED, (SALES_UNIT,), True)
    record = associations_after(SALES_UNIT, world.states.values())
    assert record is not None
    assert record.ends_on == date(2024, 6, 30)
    assert record.products == ("power_bi", "sales")
    world.must("old", EXAMPLES[CommandName.DISASSOCIATE])
    assert [message for event in world.log for message in handoffs(event, world.claim("old"))] == []


def test_a_claim_of_the_same_partner_replaces_its_legacy_record_without_revoking() -> None:
    world = World()
    legacy(world)
    claim = world.approved("new", "P-1", sales_form())
    assert claim.units == (SALES_UNIT,)
    assert claim.competes_with == ()
    old = world.claim("old")
    assert (old.status, old.units) == (Status.APPROVED, ())
    ended = next(event for event in world.log if isinstance(event, AssociationEnded))
    assert ended.reason == AssociationEndReason.REASSOCIATED
    assert handoffs(ended, old) == ()


def test_a_legacy_association_of_another_partner_is_an_incumbent() -> None:
    world = World()
    legacy(world, "P-2")
    world.under_review("new", "P-1", sales_form())
    decision = world.give("new", cmd.ApproveClaim())
    assert isinstance(decision, Refused)
    assert decision.code == Code.INCUMBENTS_NOT_NAMED


def test_a_held_unit_cannot_be_imported_for_somebody_else() -> None:
    world = World()
    world.approved("a", "P-1", sales_form())
    data = cmd.ImportLegacy(
        partner_id=PartnerId("P-2"),
        location_id=LOCATION,
        tenant_id=TENANT,
        subscription_id=SUBSCRIPTION,
        partner_role=PartnerRole.USAGE_RECOGNITION,
    )
    decision = world.give("old", data, "P-2")
    assert isinstance(decision, Refused)
    assert decision.code == Code.ALREADY_CLAIMED


def test_the_end_of_a_subscription_closes_the_association_and_keeps_the_claim_approved() -> None:
    world = World()
    world.official("a", "P-1", sales_form())
    claim = world.must("a", cmd.EndSubscription(ends_on=date(2024, 6, 30)))
    assert (claim.status, claim.units) == (Status.APPROVED, ())
    types = [each.type for each in handoffs(world.log[-1], claim)]
    assert types == [HandoffType.APPROVED_ENDED, HandoffType.ELIGIBLE_ENDED]
    assert associations_after(SALES_UNIT, world.states.values()) is None


def test_workloads_have_no_subscription_that_could_end() -> None:
    """T19 is of Business Applications: a message meant for another claim must not take a partner's workloads."""
    world = World()
    claim = world.approved("a", "P-1", usage_form("teams"))
    assert isinstance(world.give("a", cmd.EndSubscription(ends_on=date(2024, 6, 30))), Ignored)
    assert world.claim("a").units == claim.units


def test_an_association_is_official_only_after_the_consent_wait() -> None:
    world = World()
    world.approved("a", "P-1", usage_form("teams"))
    record = associations_after(TEAMS, world.states.values())
    assert record is not None
    assert record.official_from is None
    assert record.products == ("teams",)
    other = World()
    claim = other.official("a", "P-1", usage_form("teams"))
    record = associations_after(TEAMS, other.states.values())
    assert record is not None
    assert claim.approval is not None
    assert record.official_from == claim.approval.completed_at


def test_two_holders_are_a_fault_that_is_raised_not_hidden() -> None:
    first, second = World(), World()
    first.approved("a", "P-1")
    second.approved("b", "P-2")
    with pytest.raises(TwoHolders):
        associations_after(TEAMS, [*first.states.values(), *second.states.values()])


def test_a_decline_revokes_what_was_given_and_only_that() -> None:
    world = World()
    claim = world.approved("a", "P-1", usage_form("teams"))
    world.must("a", EXAMPLES[CommandName.CONSENT_OUTCOME])
    (message,) = handoffs(world.log[-1], world.claim("a"))
    assert message.type == HandoffType.APPROVED_REVOKED
    assert isinstance(message.data, Revoked)
    assert (message.data.reason, message.data.units) == (RevocationReason.CUSTOMER_DECLINED, claim.units)


def test_a_claim_is_listed_under_what_it_asks_for_and_what_it_holds() -> None:
    world = World()
    assert touched(world.filed("a")) == (TEAMS, INTUNE)
    assert touched(world.approved("b", "P-2", sales_form())) == (SALES_UNIT,)


def test_a_rejected_challenger_leaves_the_incumbent_as_it_was() -> None:
    world = World()
    incumbent = world.approved("a", "P-1")
    world.under_review("b", "P-2")
    world.must("b", cmd.RejectClaim(reasons=(Reason("insufficient_poe"),)), "P-2")
    assert world.claim("a", "P-1").units == incumbent.units


def _acks() -> tuple[str, ...]:
    return EXAMPLES[CommandName.SUBMIT].acknowledgements  # type: ignore[union-attr]
