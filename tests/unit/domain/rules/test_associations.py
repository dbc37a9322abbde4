"""What an association gives, to whom, and how it ends, in either edition (R48 to R51, T13, T18 to T20, D16 to D29)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from cpor.domain import commands as cmd
from cpor.domain.deciding.competing import COMPETITION_COMMENT
from cpor.domain.events import AssociationEnded, CompetitionFlagged, IncentiveResult, Rejected
from cpor.domain.handoff import ApprovedClaim, Ended, HandoffType, Revoked, handoffs
from cpor.domain.model import FormData, Reason
from cpor.domain.result import Ignored
from cpor.domain.vocabulary import (
    AssociationEndReason,
    Clock,
    Code,
    CommandName,
    ConsentOutcome,
    Edition,
    Incentive,
    IncentiveReason,
    PartnerRole,
    RejectionReason,
    RevocationReason,
    Status,
)
from tests.unit.domain.claims import (
    EXAMPLES,
    INTUNE,
    SALES,
    SALES_UNIT,
    TEAMS,
    document,
)
from tests.unit.domain.rules.editions import (
    IN_BOTH,
    advisor,
    codes,
    handed,
    is_2020,
    record,
    standing,
    usage,
    world_of,
)

LAST_DAY = date(2024, 6, 30)
END = cmd.EndSubscription(ends_on=LAST_DAY)


# -- usage data (R48) -------------------------------------------------------------------------------------------------


@IN_BOTH
@pytest.mark.rule("R48", edition="both")
def test_usage_may_be_seen_once_official_and_of_the_associated_workload_only(edition: Edition) -> None:
    world = world_of(edition)
    world.approved("c", form=usage(edition, "teams"))
    waiting = record(world, TEAMS)
    assert waiting is not None
    assert waiting.official_from is None
    other = world_of(edition)
    other.official("c", form=usage(edition, "teams"))
    seen = record(other, TEAMS)
    assert seen is not None
    assert (seen.official_from, seen.products) == (other.now, ("teams",))
    assert record(other, INTUNE) is None


@IN_BOTH
@pytest.mark.rule("R48", edition="both")
def test_of_a_subscription_only_what_official_claims_name_may_be_seen(edition: Edition) -> None:
    """The subscription sells Power BI too; a second claim that names it is not official yet."""
    world = world_of(edition)
    world.official("c", form=advisor(edition))
    wider = advisor(edition, PartnerRole.USAGE_RECOGNITION, workloads=("sales", "power_bi"))
    world.approved("d", form=wider, doc=2)
    seen = record(world, SALES_UNIT)
    assert seen is not None
    assert (seen.products, SALES.products) == (("sales",), ("sales", "power_bi"))


@IN_BOTH
@pytest.mark.rule("R48", edition="both")
def test_what_may_be_seen_ends_with_the_association(edition: Edition) -> None:
    world = world_of(edition)
    world.official("c", form=advisor(edition))
    world.must("c", END)
    assert record(world, SALES_UNIT) is None


# -- assessment and results (R49, R50, D29) ---------------------------------------------------------------------------


@IN_BOTH
@pytest.mark.parametrize("role", PartnerRole)
@pytest.mark.rule("R50", edition="both")
def test_unpaid_roles_are_never_assessed_for_payment_and_still_count(edition: Edition, role: PartnerRole) -> None:
    """Usage recognition was paid in 2020."""
    usual = role is PartnerRole.USE_OR_CONSUME
    world = world_of(edition)
    world.official("c", form=usage(edition) if usual else advisor(edition, role))
    (message,) = handoffs(world.log[-1], world.claim("c"))
    assert isinstance(message.data, ApprovedClaim)
    unpaid = {PartnerRole.INFLUENCED_REVENUE} | (set() if is_2020(edition) else {PartnerRole.USAGE_RECOGNITION})
    expected = (Incentive.NONE, IncentiveReason.ROLE_NOT_INCENTIVIZED) if role in unpaid else (Incentive.ASSESS, None)
    assert (message.type, message.data.incentive, message.data.incentive_reason) == (HandoffType.ELIGIBLE, *expected)


@pytest.mark.rule("R50")
def test_since_2023_a_claim_that_opted_out_is_never_assessed_for_payment_and_still_counts() -> None:
    world = world_of(Edition.P2023)
    world.official("c", form=usage(Edition.P2023, incentive_opt_out=True))
    (message,) = handoffs(world.log[-1], world.claim("c"))
    assert isinstance(message.data, ApprovedClaim)
    assert (message.data.incentive, message.data.incentive_reason) == (Incentive.NONE, IncentiveReason.OPTED_OUT)
    assert len(message.data.units) == 2


@IN_BOTH
@pytest.mark.parametrize("name", [CommandName.ELIGIBILITY_RESULT, CommandName.EARNING])
@pytest.mark.rule("D29", "R49", edition="both")
def test_results_are_kept_as_they_came_and_change_no_claim(edition: Edition, name: CommandName) -> None:
    world = standing(edition, Status.APPROVED)
    before = world.claim("c")
    after = world.must("c", EXAMPLES[name])
    event = world.log[-1]
    assert isinstance(event, IncentiveResult)
    sent = EXAMPLES[name]
    for field in ("outcome", "reason", "engagement", "partner_role", "amount", "currency", "period"):
        assert getattr(event, field) == getattr(sent, field, None)
    assert after == replace(before, sequence=before.sequence + 1, results=after.results)


@IN_BOTH
@pytest.mark.rule("D29", edition="both")
def test_a_result_of_a_claim_that_has_ended_since_is_still_taken(edition: Edition) -> None:
    world = standing(edition, Status.APPROVED)
    world.must("c", EXAMPLES[CommandName.CONSENT_OUTCOME])
    world.must("c", EXAMPLES[CommandName.EARNING])
    assert isinstance(world.log[-1], IncentiveResult)


# -- proof for what is approved (T18, D16) ----------------------------------------------------------------------------


@IN_BOTH
@pytest.mark.rule("T18", "D16", edition="both")
def test_newer_proof_may_be_added_to_an_approved_claim_and_changes_nothing_else(edition: Edition) -> None:
    world = standing(edition, Status.APPROVED)
    before = world.claim("c")
    world.must("c", EXAMPLES[CommandName.POE_RESERVE])
    claim = world.must("c", document(9))
    assert (claim.status, claim.units, claim.clocks) == (before.status, before.units, before.clocks)
    assert [each.document_id for each in claim.documents][-1] == document(9).document_id
    assert codes(world.give("c", EXAMPLES[CommandName.POE_REMOVE])) == {Code.ILLEGAL_TRANSITION}


# -- the subscription ends (T19, D16) ---------------------------------------------------------------------------------


@IN_BOTH
@pytest.mark.rule("T19", "D16", edition="both")
def test_with_its_subscription_the_association_ends_and_nothing_is_revoked(edition: Edition) -> None:
    world = world_of(edition)
    world.official("c", form=advisor(edition))
    claim = world.must("c", END)
    event = world.log[-1]
    assert isinstance(event, AssociationEnded)
    assert (claim.status, claim.units, event.reason) == (
        Status.APPROVED,
        (),
        AssociationEndReason.SUBSCRIPTION_ENDED,
    )
    messages = handoffs(event, claim)
    assert [each.type for each in messages] == [HandoffType.APPROVED_ENDED, HandoffType.ELIGIBLE_ENDED]
    for each in messages:
        assert isinstance(each.data, Ended)
        assert (each.data.units, each.data.ends_on) == ((SALES_UNIT,), LAST_DAY)
    assert isinstance(world.give("c", END), Ignored)


@IN_BOTH
@pytest.mark.rule("T19", edition="both")
def test_a_subscription_that_ends_during_the_wait_is_never_handed_off(edition: Edition) -> None:
    world = world_of(edition)
    claim = world.approved("c", form=advisor(edition))
    assert claim.approval is not None
    assert world.must("c", END).clocks == ()
    world.pass_days(8)
    passed = cmd.RecordConsent(outcome=ConsentOutcome.COMPLETED, approval=claim.approval.sequence)
    assert isinstance(world.give("c", passed), Ignored)
    assert handed(world) == [HandoffType.APPROVED, HandoffType.APPROVED_ENDED]


@IN_BOTH
@pytest.mark.rule("T19", edition="both")
def test_who_renews_under_a_new_id_claims_anew(edition: Edition) -> None:
    world = world_of(edition)
    world.official("c", form=advisor(edition))
    world.must("c", END)
    assert world.approved("d", form=advisor(edition), doc=2).units == (SALES_UNIT,)


# -- two partners (D17, T20) ------------------------------------------------------------------------------------------


@IN_BOTH
@pytest.mark.rule("D17", edition="both")
def test_competing_claims_are_flagged_on_both_sides_by_the_system_and_name_nobody(edition: Edition) -> None:
    world = world_of(edition)
    first = world.approved("a", "P-1", usage(edition, "teams", "intune"))
    second = world.filed("b", "P-2", usage(edition, "teams", "exchange"), doc=2)
    flags = [each for each in world.log if isinstance(each, CompetitionFlagged)]
    assert {each.claim_id for each in flags} == {first.claim_id, second.claim_id}
    for each in flags:
        assert (each.units, each.actor.kind, each.comment) == ((TEAMS,), "system", COMPETITION_COMMENT)
    assert not any(name in COMPETITION_COMMENT for name in ("P-1", "P-2"))


@IN_BOTH
@pytest.mark.rule("D17", edition="both")
def test_an_incumbent_loses_what_was_contested_and_keeps_the_rest(edition: Edition) -> None:
    world = world_of(edition)
    incumbent = world.official("a", "P-1", usage(edition, "teams", "intune"))
    world.under_review("b", "P-2", usage(edition, "teams"), doc=2)
    unnamed = world.give("b", cmd.ApproveClaim(), "P-2")
    assert codes(unnamed) == {Code.INCUMBENTS_NOT_NAMED}
    world.must("b", cmd.ApproveClaim(displaces=(incumbent.claim_id,)), "P-2")
    kept = world.claim("a", "P-1")
    assert (kept.status, kept.units) == (Status.APPROVED, (INTUNE,))
    (ended,) = [each for each in world.log if isinstance(each, AssociationEnded)]
    assert (ended.units, ended.reason) == ((TEAMS,), AssociationEndReason.DISPLACED)
    revoked = handoffs(ended, kept)
    assert [each.type for each in revoked] == [HandoffType.APPROVED_REVOKED, HandoffType.ELIGIBLE_REVOKED]
    for each in revoked:
        assert isinstance(each.data, Revoked)
        assert (each.data.units, each.data.reason) == ((TEAMS,), RevocationReason.DISPLACED)


@IN_BOTH
@pytest.mark.rule("D17", "T20", edition="both")
def test_who_loses_its_last_unit_is_rejected_by_the_system_and_may_dispute(edition: Edition) -> None:
    world = world_of(edition)
    incumbent = world.approved("a", "P-1", usage(edition, "teams"))
    world.approved("b", "P-2", usage(edition, "teams"), doc=2, displaces=(incumbent.claim_id,))
    lost = world.claim("a", "P-1")
    event = next(each for each in world.log if isinstance(each, Rejected))
    assert (lost.status, lost.reasons, lost.units) == (
        Status.REJECTED,
        (Reason(RejectionReason.INSUFFICIENT_POE),),
        (),
    )
    assert (event.actor.kind, event.disputable) == ("system", True)
    assert [each.clock for each in lost.clocks] == [Clock.DISPUTE_WINDOW]
    assert world.must("a", EXAMPLES[CommandName.DISPUTE]).status == Status.DISPUTED


@pytest.mark.rule("T20")
def test_since_2023_who_is_displaced_after_its_one_dispute_has_no_window() -> None:
    world = standing(Edition.P2023, Status.DISPUTED)
    incumbent = world.must("c", cmd.ApproveClaim())
    world.approved("b", "P-2", doc=2, displaces=(incumbent.claim_id,))
    assert (world.claim("c").status, world.claim("c").clocks) == (Status.REJECTED, ())
    assert codes(world.give("c", EXAMPLES[CommandName.DISPUTE])) == {Code.DISPUTE_SPENT}


@IN_BOTH
@pytest.mark.rule("D17", edition="both")
def test_a_challenger_that_loses_is_rejected_and_the_incumbent_stays(edition: Edition) -> None:
    world = world_of(edition)
    incumbent = world.approved("a", "P-1", usage(edition, "teams"))
    world.under_review("b", "P-2", usage(edition, "teams"), doc=2)
    loser = world.must("b", cmd.RejectClaim(reasons=(Reason("insufficient_poe"),)), "P-2")
    assert (loser.status, world.claim("a", "P-1").units) == (Status.REJECTED, incumbent.units)


@pytest.mark.parametrize("name", [CommandName.ELIGIBILITY_RESULT, CommandName.EARNING])
@pytest.mark.rule("D29")
def test_a_result_that_the_incentive_systems_send_twice_counts_once(name: CommandName) -> None:
    world = world_of(Edition.P2023)
    world.official("c", form=usage(Edition.P2023))
    world.must("c", EXAMPLES[name], message_id="told")
    assert isinstance(world.give("c", EXAMPLES[name], message_id="told"), Ignored)
    world.must("c", EXAMPLES[name], message_id="told anew")
    assert len([each for each in world.log if isinstance(each, IncentiveResult)]) == 2


# -- disassociating (R51, T13) -----------------------------------------------------------------------------------------


@pytest.mark.rule("R51", "T13")
def test_since_2023_disassociating_ends_what_was_official_for_good() -> None:
    world = world_of(Edition.P2023)
    world.official("c", form=usage(Edition.P2023))
    assert codes(world.give("c", cmd.DisassociateCustomer(reason="\t "))) == {Code.REASON_REQUIRED}
    claim = world.must("c", cmd.DisassociateCustomer(reason="We parted."))
    assert (claim.status, claim.units) == (Status.REJECTED_FINAL, ())
    assert handed(world)[-2:] == [HandoffType.APPROVED_REVOKED, HandoffType.ELIGIBLE_REVOKED]
    edit = cmd.EditClaim(form=FormData(workloads=("teams",)), given=("workloads",))
    assert codes(world.give("c", edit)) == {Code.ILLEGAL_TRANSITION}
