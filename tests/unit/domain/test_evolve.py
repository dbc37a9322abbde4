"""What each event leaves in a claim's state (contract §5)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cpor.domain import commands as cmd
from cpor.domain.events import Drafted
from cpor.domain.model import Approval, ConsentStage, CustomerContact, FormData, Provided
from cpor.domain.vocabulary import (
    CommandName,
    ConsentOutcome,
    Edition,
    Incentive,
    IncentiveReason,
    Instant,
    Status,
    SuspensionReason,
)
from tests.unit.domain.claims import (
    ACKNOWLEDGED,
    ADMIN,
    EXAMPLES,
    MONDAY,
    SUBSCRIPTION,
    UNDER_P2020,
    World,
    consent_said,
    document,
    in_status,
    sales_form,
    usage_form,
)
from tests.unit.domain.rules.editions import advisor, drafted, filing, submission

DECLINE = EXAMPLES[CommandName.CONSENT_OUTCOME]


def test_a_draft_begins_with_its_first_event() -> None:
    world = World()
    claim = world.must("c", cmd.CreateClaim(form=usage_form()))
    drafted = world.log[0]
    assert isinstance(drafted, Drafted)
    assert (claim.sequence, claim.last_blocking_sequence, claim.entered_by) == (1, 1, 1)
    assert (claim.origin.created_at, claim.origin.created_by) == (world.now, ADMIN)
    assert (claim.origin.zone, claim.origin.source) == ("Europe/Berlin", drafted.source)
    assert (claim.submitted_at, claim.submitted_by, claim.comments, claim.comment_count) == (None, None, (), 0)


def test_a_filed_claim_has_all_that_three_steps_would_have_left() -> None:
    world = World()
    claim = world.must("c", replace(filing(Edition.P2023, usage_form()), comment="All is attached"))
    assert (claim.sequence, claim.entered_by, claim.acknowledgements) == (1, 1, ACKNOWLEDGED)
    assert (claim.submitted_at, claim.submitted_by) == (world.now, ADMIN)
    assert [(each.sequence, each.text) for each in claim.comments] == [(1, "All is attached")]
    assert claim.comment_count == 1


def test_a_submitted_draft_keeps_who_submitted_it_and_what_was_acknowledged() -> None:
    world = in_status(Status.DRAFT)
    claim = world.pass_days(1).must("c", cmd.SubmitClaim(acknowledgements=ACKNOWLEDGED))
    assert (claim.submitted_at, claim.submitted_by) == (world.now, ADMIN)
    assert (claim.acknowledgements, claim.entered_by) == (ACKNOWLEDGED, claim.sequence)


def test_a_legacy_association_is_official_from_its_first_event() -> None:
    world = World()
    claim = world.must("old", EXAMPLES[CommandName.OPS_IMPORT_LEGACY])
    now = world.now
    assert (claim.sequence, claim.last_blocking_sequence, claim.entered_by) == (1, 1, 1)
    assert claim.approval == Approval(1, now, Incentive.NONE, IncentiveReason.LEGACY, completed_at=now)
    assert (claim.consent.stage, claim.decided_at) == (ConsentStage.COMPLETED, now)
    assert (claim.origin.legacy, claim.origin.created_by) == (True, None)


@pytest.mark.rule("D15")
def test_each_thing_that_the_partner_provides_to_a_request_is_counted_once() -> None:
    world = in_status(Status.PARTNER_ACTION_REQUIRED)
    assert world.must("c", document(2)).provided == Provided((), 1, 0)
    assert world.must("c", EXAMPLES[CommandName.POE_AMEND]).provided == Provided((), 2, 0)
    assert world.must("c", cmd.RemoveDocument(document_id=document(2).document_id)).provided == Provided((), 3, 0)
    assert world.must("c", cmd.AddComment(text="See the new page")).provided == Provided((), 3, 1)
    assert world.must("c", cmd.AddComment(text="And the last one")).provided == Provided((), 3, 2)
    assert world.must("c", EXAMPLES[CommandName.EDIT]).provided == Provided(("workloads",), 3, 2)
    assert world.must("c", cmd.ResubmitClaim()).provided == Provided()


@pytest.mark.rule("D15")
def test_removing_a_document_is_an_answer_to_a_request() -> None:
    world = in_status(Status.PARTNER_ACTION_REQUIRED)
    assert world.must("c", EXAMPLES[CommandName.POE_REMOVE]).provided == Provided((), 1, 0)


@pytest.mark.parametrize("begins", [MONDAY, UNDER_P2020])
def test_a_dispute_is_counted_and_its_justification_is_a_comment(begins: Instant) -> None:
    world = in_status(Status.REJECTED, begins)
    claim = world.must("c", cmd.DisputeRejection(justification="Page two has the date"))
    assert (claim.disputes, claim.dispute_spent) == (1, begins == MONDAY)
    assert (claim.comments[-1].text, claim.comments[-1].sequence) == ("Page two has the date", claim.sequence)


def test_an_approvals_comment_is_one_of_the_claims_and_the_approval_is_dated() -> None:
    world = in_status(Status.UNDER_REVIEW)
    before = world.claim("c").comment_count
    claim = world.pass_days(1).must("c", cmd.ApproveClaim(comment="Well proven"))
    assert (claim.comments[-1].text, claim.comment_count) == ("Well proven", before + 1)
    assert claim.approval == Approval(claim.sequence, world.now, Incentive.ASSESS, None)
    assert (claim.decided_at, claim.reasons) == (world.now, ())


def test_an_answer_of_the_customer_is_dated() -> None:
    world = World()
    world.approved()
    assert world.must("c", consent_said(world, ConsentOutcome.AGREED)).consent.agreed_at == world.now


def test_a_new_notice_forgets_why_the_wait_was_suspended() -> None:
    world = World()
    world.approved()
    world.must("c", consent_said(world, ConsentOutcome.SUSPENDED, SuspensionReason.NOTICE_BOUNCED))
    contact = CustomerContact("Ken Abe", "CFO", "ken@contoso.example", "ja")
    edit = cmd.EditClaim(form=FormData(customer_contact=contact), given=("customer_contact",))
    consent = world.must("c", edit).consent
    assert (consent.stage, consent.suspended) == (ConsentStage.WAITING, None)


@pytest.mark.parametrize("suspended", [True, False])
def test_a_declined_approval_awaits_nothing_more(suspended: bool) -> None:
    world = World()
    world.approved()
    if suspended:
        world.must("c", consent_said(world, ConsentOutcome.SUSPENDED, SuspensionReason.NOTICE_BOUNCED))
    claim = world.must("c", DECLINE)
    assert (claim.consent.stage, claim.consent.due, claim.consent.suspended) == (ConsentStage.NONE, None, None)
    assert (claim.units, claim.decided_at) == ((), world.now)


def test_a_claim_that_loses_some_of_its_units_goes_on_waiting_for_the_rest() -> None:
    world = World()
    before = world.approved("a", "P-2", usage_form("teams", "intune"), doc=2)
    world.under_review("c", "P-1", usage_form("teams"))
    world.must("c", cmd.ApproveClaim(displaces=(before.claim_id,)))
    after = world.claim("a", "P-2")
    assert (after.units, after.consent, after.due()) == (before.units[1:], before.consent, before.due())


def test_a_subscription_that_ends_before_the_customers_silence_is_over_ends_the_wait() -> None:
    world = World()
    world.approved(form=sales_form())
    claim = world.must("c", EXAMPLES[CommandName.OPS_END_SUBSCRIPTION])
    assert (claim.status, claim.units, claim.due()) == (Status.APPROVED, (), ())
    assert (claim.consent.stage, claim.consent.due) == (ConsentStage.NONE, None)


def test_a_subscription_that_ends_after_the_hand_off_leaves_the_consent_completed() -> None:
    world = World()
    world.official(form=sales_form())
    claim = world.must("c", EXAMPLES[CommandName.OPS_END_SUBSCRIPTION])
    assert (claim.units, claim.consent.stage) == ((), ConsentStage.COMPLETED)


@pytest.mark.rule("D11", edition="P2020")
def test_2020_the_subscription_that_a_submission_found_becomes_the_forms_and_is_marked_as_found() -> None:
    world = World(UNDER_P2020)
    filed = world.filed("a", form=advisor(Edition.P2020, subscription_id=None))
    assert (filed.form.subscription_id, filed.subscription_filled_in) == (SUBSCRIPTION, True)
    other = World(UNDER_P2020)
    draft = drafted(other, advisor(Edition.P2020, subscription_id=None))
    submitted = other.must("c", submission(Edition.P2020))
    assert submitted.form == replace(draft.form, subscription_id=SUBSCRIPTION)
    assert submitted.subscription_filled_in
