"""Cancelling, withdrawing, disassociating, disputing: who may end what, and what can be taken back (D7, D8, D12)."""

from __future__ import annotations

import pytest

from cpor.domain import commands as cmd
from cpor.domain.events import Rejected, RejectedFinal
from cpor.domain.handoff import HandoffType, handoffs
from cpor.domain.model import Reason
from cpor.domain.result import Accepted
from cpor.domain.vocabulary import (
    Clock,
    Code,
    CommandName,
    DocumentId,
    Edition,
    RejectionReason,
    RevocationReason,
    Status,
    WithdrawReason,
)
from tests.unit.domain.claims import EXAMPLES, World, document
from tests.unit.domain.rules.editions import IN_BOTH, codes, drafted, filing, is_2020, usage, world_of

DISPUTE = EXAMPLES[CommandName.DISPUTE]
OPEN: dict[Status, tuple[CommandName, ...]] = {
    Status.SUBMITTED: (),
    Status.UNDER_REVIEW: (CommandName.REVIEW_START,),
    Status.PARTNER_ACTION_REQUIRED: (CommandName.REVIEW_START, CommandName.REVIEW_REQUEST_INFORMATION),
}
REVIEWERS = ("insufficient_poe", "missing_customer_consent_on_poe", "missing_products", "poe_unavailable", "other")


def at(edition: Edition, *steps: CommandName) -> World:
    world = world_of(edition)
    world.filed("c", form=usage(edition))
    for name in steps:
        world.must("c", EXAMPLES[name])
    return world


def rejected(edition: Edition, *reasons: str) -> World:
    world = at(edition, CommandName.REVIEW_START)
    given = tuple(Reason(each) for each in reasons or ("insufficient_poe",))
    world.must("c", cmd.RejectClaim(reasons=given, comment="No"))
    return world


# -- what can be disputed (D7) ----------------------------------------------------------------------------------------


@IN_BOTH
@pytest.mark.parametrize("reason", REVIEWERS)
@pytest.mark.rule("D7", edition="both")
def test_a_reviewers_rejection_can_be_disputed_for_thirty_days(edition: Edition, reason: str) -> None:
    world = rejected(edition, reason)
    (due,) = world.claim("c").due()
    assert due.clock is Clock.DISPUTE_WINDOW
    assert world.must("c", DISPUTE).status == Status.DISPUTED


@IN_BOTH
@pytest.mark.rule("D7", edition="both")
def test_a_withdrawn_claim_opens_no_window_and_a_new_claim_is_the_way_on(edition: Edition) -> None:
    world = at(edition)
    claim = world.must("c", EXAMPLES[CommandName.WITHDRAW])
    event = world.log[-1]
    assert isinstance(event, Rejected)
    assert (event.disputable, claim.clocks) == (False, ())
    assert codes(world.give("c", DISPUTE)) == {Code.NOT_DISPUTABLE}
    assert world.filed("new", form=usage(edition), doc=2).status == Status.SUBMITTED


@IN_BOTH
@pytest.mark.rule("D7", edition="both")
def test_what_the_customer_declined_opens_no_window(edition: Edition) -> None:
    world = at(edition, CommandName.REVIEW_START, CommandName.REVIEW_APPROVE)
    claim = world.must("c", EXAMPLES[CommandName.CONSENT_OUTCOME])
    event = world.log[-1]
    assert isinstance(event, Rejected)
    assert (event.disputable, claim.clocks) == (False, ())
    assert codes(world.give("c", DISPUTE)) == {Code.NOT_DISPUTABLE}
    for name in (CommandName.POE_ATTACH, CommandName.POE_RESERVE):
        assert codes(world.give("c", EXAMPLES[name])) == {Code.NOT_DISPUTABLE}


# -- cancel, withdraw, disassociate (D8) ------------------------------------------------------------------------------


@IN_BOTH
@pytest.mark.rule("D8", edition="both")
def test_cancelling_ends_a_draft_for_good_and_frees_its_units(edition: Edition) -> None:
    world = world_of(edition)
    drafted(world, usage(edition))
    assert world.must("c", cmd.CancelClaim()).status == Status.CANCELLED
    for name in (CommandName.SUBMIT, CommandName.EDIT, CommandName.COMMENT, CommandName.CANCEL):
        assert codes(world.give("c", EXAMPLES[name])) == {Code.ILLEGAL_TRANSITION}
    assert world.filed("new", form=usage(edition)).status == Status.SUBMITTED
    assert codes(world.give("new", cmd.CancelClaim())) == {Code.ILLEGAL_TRANSITION}


@IN_BOTH
@pytest.mark.parametrize("status", OPEN)
@pytest.mark.rule("D8", edition="both")
def test_an_open_claim_is_withdrawn_without_a_reviewer(edition: Edition, status: Status) -> None:
    world = at(edition, *OPEN[status])
    withdrawal = cmd.WithdrawClaim(reason=WithdrawReason.WRONG_ROLE)
    claim = world.must("c", withdrawal)
    assert (claim.status, [each.code for each in claim.reasons]) == (
        Status.REJECTED,
        [RejectionReason.PARTNER_REQUEST],
    )
    event = world.log[-1]
    assert isinstance(event, Rejected)
    assert (event.withdraw_reason, event.actor.kind) == (WithdrawReason.WRONG_ROLE, "partner")


@pytest.mark.rule("D8", edition="P2020")
def test_2020_an_approved_claim_is_ended_by_withdrawing_it_and_the_approval_is_revoked() -> None:
    world = at(Edition.P2020, CommandName.REVIEW_START, CommandName.REVIEW_APPROVE)
    assert codes(world.give("c", EXAMPLES[CommandName.DISASSOCIATE])) == {Code.ILLEGAL_TRANSITION}
    claim = world.must("c", EXAMPLES[CommandName.WITHDRAW])
    assert (claim.status, claim.units, claim.clocks) == (Status.REJECTED, (), ())
    event = world.log[-1]
    assert isinstance(event, Rejected)
    assert event.revocation is RevocationReason.WITHDRAWN
    assert [each.type for each in handoffs(event, claim)] == [HandoffType.APPROVED_REVOKED]


@pytest.mark.rule("D8")
def test_since_2023_an_approved_claim_is_ended_by_disassociating_the_customer_with_a_reason() -> None:
    world = at(Edition.P2023, CommandName.REVIEW_START, CommandName.REVIEW_APPROVE)
    assert codes(world.give("c", EXAMPLES[CommandName.WITHDRAW])) == {Code.ILLEGAL_TRANSITION}
    assert codes(world.give("c", cmd.DisassociateCustomer(reason=" \n"))) == {Code.REASON_REQUIRED}
    claim = world.must("c", cmd.DisassociateCustomer(reason="We no longer work for them."))
    assert (claim.status, claim.units, claim.clocks) == (Status.REJECTED_FINAL, (), ())
    event = world.log[-1]
    assert isinstance(event, RejectedFinal)
    assert (event.reasons, event.comment) == (
        (Reason(RejectionReason.DISASSOCIATED),),
        "We no longer work for them.",
    )
    assert event.revocation is RevocationReason.DISASSOCIATED


@pytest.mark.rule("D8")
@pytest.mark.parametrize("steps", [*OPEN.values(), (CommandName.REVIEW_START, CommandName.REVIEW_REJECT)])
def test_only_an_approved_claim_can_be_disassociated(steps: tuple[CommandName, ...]) -> None:
    world = at(Edition.P2023, *steps)
    assert codes(world.give("c", EXAMPLES[CommandName.DISASSOCIATE])) == {Code.ILLEGAL_TRANSITION}


# -- what a dispute carries (D12) -------------------------------------------------------------------------------------


@IN_BOTH
@pytest.mark.rule("D12", edition="both")
def test_a_dispute_carries_words_a_new_document_or_both(edition: Edition) -> None:
    for words, number in (("Look again", None), (None, 8), ("Look again", 8)):
        world = rejected(edition)
        if number is not None:
            world.must("c", document(number))
        given = (document(number).document_id,) if number is not None else ()
        claim = world.must("c", cmd.DisputeRejection(justification=words, document_ids=given))
        assert claim.status == Status.DISPUTED


@IN_BOTH
@pytest.mark.parametrize("words", [None, "", " \n"])
@pytest.mark.rule("D12", edition="both")
def test_an_empty_dispute_is_refused_and_spends_nothing(edition: Edition, words: str | None) -> None:
    world = rejected(edition)
    assert codes(world.give("c", cmd.DisputeRejection(justification=words))) == {Code.DISPUTE_EMPTY}
    assert world.claim("c").disputes == 0
    assert world.must("c", DISPUTE).dispute_spent is not is_2020(edition)


@IN_BOTH
@pytest.mark.rule("D12", edition="both")
def test_a_justification_has_up_to_4000_characters(edition: Edition) -> None:
    longest = cmd.DisputeRejection(justification="x" * 4000)
    assert isinstance(rejected(edition).give("c", longest), Accepted)
    assert codes(rejected(edition).give("c", cmd.DisputeRejection(justification="x" * 4001))) == {Code.INVALID_FIELDS}


@IN_BOTH
@pytest.mark.rule("D12", edition="both")
def test_a_document_from_before_the_rejection_is_nothing_new(edition: Edition) -> None:
    old = cmd.DisputeRejection(document_ids=(document(1).document_id,))
    assert codes(rejected(edition).give("c", old)) == {Code.DOCUMENT_UNKNOWN}
    ghost = cmd.DisputeRejection(
        justification="Look", document_ids=(DocumentId("00000000-0000-5000-8000-000000000000"),)
    )
    assert codes(rejected(edition).give("c", ghost)) == {Code.DOCUMENT_UNKNOWN}


@IN_BOTH
@pytest.mark.parametrize("name", [CommandName.POE_RESERVE, CommandName.POE_ATTACH])
@pytest.mark.rule("D12", edition="both")
def test_documents_for_a_dispute_end_with_its_window(edition: Edition, name: CommandName) -> None:
    world = rejected(edition)
    due = world.claim("c").due()[0].due
    assert isinstance(world.give("c", EXAMPLES[name], received_at=due - 1), Accepted)
    late = rejected(edition)
    assert codes(late.give("c", EXAMPLES[name], received_at=due)) == {Code.WINDOW_CLOSED}


@IN_BOTH
@pytest.mark.rule("D7", "D8", edition="both")
def test_a_second_claim_after_a_withdrawal_needs_proof_that_is_new(edition: Edition) -> None:
    world = at(edition)
    world.must("c", EXAMPLES[CommandName.WITHDRAW])
    assert codes(world.give("new", filing(edition, usage(edition)))) == {Code.POE_NOT_UPDATED}
