"""The guards of what ends a claim or its wait: clocks, rejection, dispute, withdrawal (T8 to T17, D14 to D25)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cpor.domain import commands as cmd
from cpor.domain.decide import record_refusal, refusal_event
from cpor.domain.events import CommandRefused, Rejected, UnknownClaimRefused
from cpor.domain.model import Reason
from cpor.domain.result import Accepted, Held, Ignored
from cpor.domain.vocabulary import (
    Clock,
    Code,
    CommandName,
    Instant,
    RejectionReason,
    Status,
    WithdrawReason,
    instant_text,
)
from tests.unit.domain.claims import (
    ACKNOWLEDGED,
    EXAMPLES,
    UNDER_P2020,
    World,
    answer_expiry,
    document,
    in_status,
    usage_form,
)
from tests.unit.domain.rules.editions import refusal

# --- Clocks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "clock", "due"),
    [
        (Status.SUBMITTED, Clock.REVIEW_START, "2024-03-11T23:00:00.000Z"),  # 5 business days after Monday, 4 March
        (Status.UNDER_REVIEW, Clock.REVIEW_DECISION, "2024-03-22T23:00:00.000Z"),
        (Status.PARTNER_ACTION_REQUIRED, Clock.PARTNER_ANSWER, "2024-03-22T23:00:00.000Z"),
        (Status.APPROVED, Clock.CONSENT_WAIT, "2024-03-11T23:00:00.000Z"),
        (Status.REJECTED, Clock.DISPUTE_WINDOW, "2024-04-03T22:00:00.000Z"),  # summer time by then
        (Status.DISPUTED, Clock.DISPUTE_ANSWER, "2024-03-11T23:00:00.000Z"),
    ],
)
def test_each_status_runs_its_own_clock_and_no_other(status: Status, clock: Clock, due: str) -> None:
    running = in_status(status).claim("c").due()
    assert [(each.clock, instant_text(each.due)) for each in running] == [(clock, due)]


@pytest.mark.parametrize("status", [Status.DRAFT, Status.CANCELLED, Status.REJECTED_FINAL])
def test_where_nothing_is_awaited_no_clock_runs(status: Status) -> None:
    assert in_status(status).claim("c").clocks == ()


def test_the_overall_clock_of_p2020_stands_still_while_the_partner_has_the_claim() -> None:
    world = World(UNDER_P2020)  # Monday, 6 March
    first = world.under_review("c", "P-1", usage_form("teams")).clock(Clock.OVERALL_DECISION)
    assert first is not None
    world.pass_days(2)
    paused = world.must("c", EXAMPLES[CommandName.REVIEW_REQUEST_INFORMATION]).clock(Clock.OVERALL_DECISION)
    assert paused is not None
    assert paused.remaining == "8bd"
    assert Clock.OVERALL_DECISION not in [due.clock for due in world.claim("c").due()]
    world.pass_days(5)
    resumed = world.must("c", cmd.ResubmitClaim(comment="Done")).clock(Clock.OVERALL_DECISION)
    assert resumed is not None
    assert (resumed.remaining, resumed.budget) == (None, "8bd")
    assert resumed.due == first.due + 3 * 86_400_000  # Thursday, Friday and Monday did not count
    world.must("c", cmd.StartReview())
    assert world.must("c", EXAMPLES[CommandName.REVIEW_REJECT]).clock(Clock.OVERALL_DECISION) is None


def test_an_unanswered_request_is_rejected_when_its_clock_has_run_out() -> None:
    world = in_status(Status.PARTNER_ACTION_REQUIRED)
    expired = answer_expiry(world)
    assert isinstance(world.give("c", expired), Ignored)
    world.pass_days(21)
    claim = world.must("c", expired)
    assert claim.has_reason(RejectionReason.NO_PARTNER_RESPONSE)
    assert [due.clock for due in claim.due()] == [Clock.DISPUTE_WINDOW]


def test_an_expiry_whose_clock_no_longer_runs_is_ignored() -> None:
    world = in_status(Status.PARTNER_ACTION_REQUIRED)
    stale = answer_expiry(world)
    world.must("c", cmd.ResubmitClaim(comment="In time"))
    world.must("c", cmd.StartReview())
    world.must("c", EXAMPLES[CommandName.REVIEW_REQUEST_INFORMATION])
    world.pass_days(60)
    assert isinstance(world.give("c", stale), Ignored)
    assert world.claim("c").status == Status.PARTNER_ACTION_REQUIRED


def test_an_answer_is_in_time_by_when_it_was_received() -> None:
    world = in_status(Status.PARTNER_ACTION_REQUIRED)
    due = answer_expiry(world).due
    world.pass_days(40)
    answer = cmd.ResubmitClaim(comment="Done")
    assert refusal(world.give("c", answer, received_at=due)).code == Code.WINDOW_CLOSED
    assert world.must("c", answer, received_at=Instant(due - 1)).status == Status.SUBMITTED


def test_a_parked_claim_keeps_its_time_out_for_later() -> None:
    world = in_status(Status.PARTNER_ACTION_REQUIRED)
    expired = answer_expiry(world)
    world.must("c", EXAMPLES[CommandName.PARK])
    world.pass_days(30)
    assert isinstance(world.give("c", expired), Held)
    world.must("c", EXAMPLES[CommandName.UNPARK])
    assert world.must("c", expired).status == Status.REJECTED


def test_a_claim_stays_parked_until_the_last_of_its_letters_is_dealt_with() -> None:
    """The second letter may be the partner's answer, received in time: no time-out may overtake it (D19)."""
    world = in_status(Status.PARTNER_ACTION_REQUIRED)
    expired = answer_expiry(world)
    world.must("c", cmd.ParkClaim(letter_id="of-review"))
    world.must("c", cmd.ParkClaim(letter_id="of-intake"))
    assert isinstance(world.give("c", cmd.ParkClaim(letter_id="of-intake")), Ignored)
    assert world.must("c", cmd.UnparkClaim(letters=("of-review",))).parked
    assert isinstance(world.give("c", cmd.UnparkClaim(letters=("of-review",))), Ignored)
    world.pass_days(30)
    assert isinstance(world.give("c", expired), Held)
    assert not world.must("c", cmd.UnparkClaim(letters=("of-intake",))).parked
    assert world.must("c", expired).status == Status.REJECTED


# --- Rejection, dispute, withdrawal ------------------------------------------------------------------------------


def test_a_dispute_is_possible_to_the_end_of_day_thirty() -> None:
    due = in_status(Status.REJECTED).claim("c").due()[0].due
    for received, legal in ((due - 1, True), (due, False)):
        world = in_status(Status.REJECTED).pass_days(40)
        decision = world.give("c", EXAMPLES[CommandName.DISPUTE], received_at=Instant(received))
        assert isinstance(decision, Accepted) is legal
        if not legal:
            assert refusal(decision).code == Code.WINDOW_CLOSED


def test_after_the_window_neither_documents_nor_comments_are_taken() -> None:
    world = in_status(Status.REJECTED).pass_days(31)
    for name in (CommandName.POE_RESERVE, CommandName.POE_ATTACH, CommandName.COMMENT, CommandName.REVIEW_COMMENT):
        assert refusal(world.give("c", EXAMPLES[name])).code == Code.WINDOW_CLOSED


def test_a_dispute_says_something_or_shows_something_new() -> None:
    world = in_status(Status.REJECTED)
    assert refusal(world.give("c", cmd.DisputeRejection(justification="  "))).code == Code.DISPUTE_EMPTY
    old = cmd.DisputeRejection(document_ids=(document(1).document_id,))
    assert refusal(world.give("c", old)).code == Code.DOCUMENT_UNKNOWN
    world.must("c", document(8))
    claim = world.must("c", cmd.DisputeRejection(document_ids=(document(8).document_id,)))
    assert (claim.status, claim.dispute_spent) == (Status.DISPUTED, True)


def test_the_one_dispute_of_p2023_is_spent_for_the_claims_life() -> None:
    world = in_status(Status.DISPUTED)
    claim = world.must("c", cmd.ApproveClaim())
    rival = world.approved("b", "P-2", displaces=(claim.claim_id,))
    assert rival.status == Status.APPROVED
    assert refusal(world.give("c", EXAMPLES[CommandName.DISPUTE])).code == Code.DISPUTE_SPENT


def test_p2020_allows_one_dispute_after_the_other() -> None:
    world = World(UNDER_P2020)
    world.under_review("c", "P-1", usage_form("teams"))
    for _ in range(3):
        world.must("c", EXAMPLES[CommandName.REVIEW_REJECT])
        assert world.must("c", EXAMPLES[CommandName.DISPUTE]).dispute_spent is False
    claim = world.must("c", EXAMPLES[CommandName.REVIEW_REJECT])
    assert claim.status == Status.REJECTED
    assert claim.has_reason(RejectionReason.DISPUTE_UNSUCCESSFUL)


def test_a_lost_dispute_is_final_and_says_so() -> None:
    claim = in_status(Status.REJECTED_FINAL).claim("c")
    assert [reason.code for reason in claim.reasons] == ["insufficient_poe", "dispute_unsuccessful"]


@pytest.mark.parametrize("reason", list(WithdrawReason))
def test_a_withdrawal_is_granted_at_once_and_cannot_be_disputed(reason: WithdrawReason) -> None:
    world = in_status(Status.SUBMITTED)
    claim = world.must("c", cmd.WithdrawClaim(reason=reason, text="Because"))
    event = world.log[-1]
    assert isinstance(event, Rejected)
    assert (event.withdraw_reason, event.disputable) == (reason, False)
    assert claim.due() == ()
    assert refusal(world.give("c", EXAMPLES[CommandName.DISPUTE])).code == Code.NOT_DISPUTABLE


def test_words_that_were_asked_for_must_be_there() -> None:
    empty = cmd.WithdrawClaim(reason=WithdrawReason.OTHER, text=" ")
    assert refusal(in_status(Status.SUBMITTED).give("c", empty)).code == Code.REASON_REQUIRED
    blank = cmd.DisassociateCustomer(reason="  ")
    assert refusal(in_status(Status.APPROVED).give("c", blank)).code == Code.REASON_REQUIRED
    world = in_status(Status.UNDER_REVIEW)
    assert refusal(world.give("c", cmd.RejectClaim(reasons=()))).code == Code.REASON_REQUIRED
    assert refusal(world.give("c", cmd.RejectClaim(reasons=(Reason("other"),)))).code == Code.REASON_REQUIRED
    ask = cmd.RequestInformation(reasons=(Reason("insufficient_poe"),), comment="x")
    assert refusal(world.give("c", ask)).code == Code.REASON_NOT_ALLOWED


def test_approval_refuses_workloads_that_no_document_covers() -> None:
    world = World()
    data = cmd.FileClaim(form=usage_form(), documents=(document(1, "teams"),), acknowledgements=ACKNOWLEDGED)
    world.must("c", data)
    world.must("c", cmd.StartReview())
    no = refusal(world.give("c", cmd.ApproveClaim()))
    assert no.code == Code.WORKLOAD_NOT_COVERED
    assert "intune" in no.detail


def test_two_reviewers_cannot_both_decide() -> None:
    world = in_status(Status.UNDER_REVIEW)
    seen = world.claim("c").sequence
    world.must("c", EXAMPLES[CommandName.COMMENT])
    world.must("c", EXAMPLES[CommandName.REVIEW_REQUEST_INFORMATION], expected_sequence=seen)
    world.must("c", cmd.ResubmitClaim(comment="Done"))
    world.must("c", cmd.StartReview())
    assert refusal(world.give("c", cmd.ApproveClaim(), expected_sequence=seen)).code == Code.STALE_SEQUENCE


def test_a_refused_reviewers_command_leaves_an_event_and_nothing_else() -> None:
    world = in_status(Status.SUBMITTED)
    command = world.command("c", cmd.ApproveClaim())
    no = refusal(world.give("c", cmd.ApproveClaim()))
    before = world.claim("c")
    kept = record_refusal(before, command, no)
    (event,) = kept.events
    assert isinstance(event, CommandRefused)
    assert (event.code, event.sequence, event.command) == (no.code, before.sequence + 1, CommandName.REVIEW_APPROVE)
    assert kept.states[before.claim_id] == replace(before, sequence=before.sequence + 1)
    unknown = refusal_event(None, command, no)
    assert isinstance(unknown, UnknownClaimRefused)
    assert unknown.sequence == 0
