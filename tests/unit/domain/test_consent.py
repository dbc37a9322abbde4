"""What the customer says or does not say (T11, T11b, T12, D4, D9, D13, D20)."""

from __future__ import annotations

import pytest

from cpor.domain import commands as cmd
from cpor.domain.events import ConsentCompleted, Edited
from cpor.domain.handoff import ApprovedClaim, HandoffType, handoffs
from cpor.domain.model import ClaimState, ConsentStage, CustomerContact, FormData, Reason
from cpor.domain.result import Ignored, Refused
from cpor.domain.vocabulary import (
    Clock,
    Code,
    CommandName,
    ConsentOutcome,
    Incentive,
    IncentiveReason,
    PartnerRole,
    RejectionReason,
    Status,
    SuspensionReason,
)
from tests.unit.domain.claims import EXAMPLES, UNDER_P2020, World, in_status, sales_form, usage_form

DECLINE = EXAMPLES[CommandName.CONSENT_OUTCOME]


def outcome(claim: ClaimState, what: ConsentOutcome, reason: SuspensionReason | None = None) -> cmd.RecordConsent:
    assert claim.approval is not None
    return cmd.RecordConsent(outcome=what, approval=claim.approval.sequence, reason=reason)


def test_silence_is_consent_seven_days_after_the_approval() -> None:
    world = World()
    claim = world.approved()
    world.pass_days(6.9)
    assert isinstance(world.give("c", outcome(claim, ConsentOutcome.COMPLETED)), Ignored)
    world.pass_days(1.1)
    claim = world.must("c", outcome(claim, ConsentOutcome.COMPLETED))
    assert (claim.status, claim.consent.stage) == (Status.APPROVED, ConsentStage.COMPLETED)
    assert claim.due() == ()


def test_the_hand_off_goes_out_once_and_names_its_approval() -> None:
    world = World()
    claim = world.official()
    again = world.give("c", outcome(claim, ConsentOutcome.COMPLETED))
    assert isinstance(again, Ignored)
    completed = [event for event in world.log if isinstance(event, ConsentCompleted)]
    (message,) = handoffs(completed[0], claim)
    assert message.type == HandoffType.ELIGIBLE
    assert isinstance(message.data, ApprovedClaim)
    assert (message.data.approval, message.data.incentive) == (completed[0].approval, Incentive.ASSESS)
    assert message.data.consent_completed_at == completed[0].at


@pytest.mark.parametrize(
    ("form", "incentive", "reason"),
    [
        (usage_form("teams"), Incentive.ASSESS, None),
        (usage_form("teams", incentive_opt_out=True), Incentive.NONE, IncentiveReason.OPTED_OUT),
        (sales_form(), Incentive.ASSESS, None),
        (sales_form(PartnerRole.USAGE_RECOGNITION), Incentive.NONE, IncentiveReason.ROLE_NOT_INCENTIVIZED),
        (sales_form(PartnerRole.INFLUENCED_REVENUE), Incentive.NONE, IncentiveReason.ROLE_NOT_INCENTIVIZED),
    ],
)
def test_only_payable_roles_that_did_not_opt_out_are_assessed(
    form: FormData, incentive: Incentive, reason: IncentiveReason | None
) -> None:
    approval = World().approved("c", "P-1", form).approval
    assert approval is not None
    assert (approval.incentive, approval.incentive_reason) == (incentive, reason)


def test_the_customer_may_decline_after_the_hand_off_under_p2023() -> None:
    world = World()
    world.official()
    world.pass_days(300)
    claim = world.must("c", DECLINE)
    assert (claim.status, claim.units) == (Status.REJECTED, ())
    types = [each.type for each in handoffs(world.log[-1], claim)]
    assert types == [HandoffType.APPROVED_REVOKED, HandoffType.ELIGIBLE_REVOKED]


def test_a_declined_claim_cannot_be_disputed_and_starts_no_window() -> None:
    world = World()
    world.approved()
    assert world.must("c", DECLINE).due() == ()
    decision = world.give("c", EXAMPLES[CommandName.DISPUTE])
    assert isinstance(decision, Refused)
    assert decision.code == Code.NOT_DISPUTABLE


def test_a_no_to_a_rejected_claim_closes_its_dispute_window() -> None:
    world = in_status(Status.REJECTED)
    claim = world.must("c", DECLINE)
    assert {reason.code for reason in claim.reasons} == {"insufficient_poe", "customer_declined"}
    assert claim.due() == ()
    decision = world.give("c", EXAMPLES[CommandName.DISPUTE])
    assert isinstance(decision, Refused)
    assert decision.code == Code.NOT_DISPUTABLE
    assert isinstance(world.give("c", DECLINE), Ignored)


@pytest.mark.parametrize("what", list(ConsentOutcome))
def test_whatever_names_an_older_approval_is_ignored(what: ConsentOutcome) -> None:
    world = World()
    world.disputed()
    world.must("c", cmd.ApproveClaim())
    before = world.claim("c")
    stale = cmd.RecordConsent(outcome=what, approval=2)
    assert isinstance(world.give("c", stale), Ignored)
    assert world.claim("c") == before


def test_a_completion_that_arrives_after_the_disassociation_is_ignored() -> None:
    world = World()
    claim = world.approved()
    world.must("c", EXAMPLES[CommandName.DISASSOCIATE])
    world.pass_days(8)
    assert isinstance(world.give("c", outcome(claim, ConsentOutcome.COMPLETED)), Ignored)


def test_a_bounced_notice_suspends_the_wait_until_a_new_one_restarts_it() -> None:
    world = World()
    claim = world.approved()
    bounced = outcome(claim, ConsentOutcome.SUSPENDED, SuspensionReason.NOTICE_BOUNCED)
    claim = world.must("c", bounced)
    assert (claim.consent.stage, claim.due()) == (ConsentStage.SUSPENDED, ())
    world.pass_days(10)
    assert isinstance(world.give("c", outcome(claim, ConsentOutcome.COMPLETED)), Ignored)
    contact = CustomerContact("Ken Abe", "CFO", "ken@contoso.example", "ja")
    claim = world.must("c", cmd.EditClaim(form=FormData(customer_contact=contact), given=("customer_contact",)))
    edited = world.log[-1]
    assert isinstance(edited, Edited)
    assert edited.customer_notice
    assert edited.changes[0].before is None
    assert edited.personal is not None
    assert edited.personal.customer_contact == contact
    (due,) = claim.due()
    assert due.clock == Clock.CONSENT_WAIT
    assert due.due > world.now
    world.pass_days(8)
    assert world.must("c", outcome(claim, ConsentOutcome.COMPLETED)).consent.stage == ConsentStage.COMPLETED


def test_nothing_but_the_customer_contact_can_be_edited_while_consent_is_suspended() -> None:
    world = World()
    world.must("c", outcome(world.approved(), ConsentOutcome.SUSPENDED))
    decision = world.give("c", EXAMPLES[CommandName.EDIT])
    assert isinstance(decision, Refused)
    assert decision.code == Code.EDIT_NOT_ALLOWED


def test_an_operator_sends_the_notice_again_and_the_wait_restarts() -> None:
    world = World()
    first = world.approved().due()[0].due
    world.pass_days(3)
    claim = world.must("c", cmd.ResendNotice())
    assert claim.due()[0].due > first
    official = World()
    official.official()
    decision = official.give("c", cmd.ResendNotice())
    assert isinstance(decision, Refused)
    assert decision.code == Code.ILLEGAL_TRANSITION


def test_an_agreement_ends_a_suspension_and_keeps_the_end_of_the_wait() -> None:
    world = World()
    claim = world.approved()
    due = claim.due()[0].due
    world.must("c", outcome(claim, ConsentOutcome.SUSPENDED))
    claim = world.must("c", outcome(claim, ConsentOutcome.AGREED))
    assert claim.consent.stage == ConsentStage.WAITING
    assert claim.due()[0].due == due
    assert world.must("c", DECLINE).status == Status.REJECTED


def test_an_early_no_under_p2020_is_kept_and_applied_with_the_approval() -> None:
    world = World(UNDER_P2020)
    form = usage_form("teams")
    claim = world.under_review("c", "P-1", form)
    assert claim.policy == "P2020"
    claim = world.must("c", DECLINE)
    assert (claim.status, claim.consent.declined_early) == (Status.UNDER_REVIEW, True)
    claim = world.must("c", cmd.ApproveClaim())
    assert claim.status == Status.REJECTED
    assert claim.has_reason(RejectionReason.CUSTOMER_DECLINED)
    assert [(event.NAME.value, event.actor.kind.value) for event in world.log[-2:]] == [
        ("approved", "reviewer"),
        ("rejected", "system"),
    ]


def test_an_approval_that_an_early_no_undoes_at_once_displaces_nobody() -> None:
    world = World(UNDER_P2020)
    incumbent = world.approved("a", "P-2", usage_form("teams"), doc=2)
    world.under_review("c", "P-1", usage_form("teams", "exchange"))
    world.must("c", DECLINE)
    claim = world.must("c", cmd.ApproveClaim(displaces=(incumbent.claim_id,)))
    assert claim.status == Status.REJECTED
    assert claim.has_reason(RejectionReason.CUSTOMER_DECLINED)
    kept = world.claim("a", "P-2")
    assert (kept.status, kept.units) == (Status.APPROVED, incumbent.units)


def test_under_p2020_the_customer_may_decline_to_the_end_of_day_seven() -> None:
    for days, declined in ((6.5, True), (8.0, False)):
        world = World(UNDER_P2020)
        world.approved("c", "P-1", usage_form("teams"))
        world.pass_days(days)
        decision = world.give("c", DECLINE)
        assert isinstance(decision, Ignored) is not declined


def test_an_answer_counts_from_when_it_was_received_not_from_when_it_is_decided() -> None:
    world = World(UNDER_P2020)
    world.approved("c", "P-1", usage_form("teams"))
    received = world.pass_days(6.5).now
    world.pass_days(5)
    assert world.must("c", DECLINE, received_at=received).status == Status.REJECTED


def test_a_reviewer_may_not_use_the_reasons_of_the_system() -> None:
    world = in_status(Status.UNDER_REVIEW)
    for reason in ("customer_declined", "no_partner_response", "partner_request", "disassociated", "nonsense"):
        decision = world.give("c", cmd.RejectClaim(reasons=(Reason(reason),), comment="x"))
        assert isinstance(decision, Refused)
        assert decision.code == Code.REASON_NOT_ALLOWED
