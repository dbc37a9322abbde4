"""Reviewer and partner talk: comments, requests, answers, in either edition (R31 to R36, R43, T9, D15, D26)."""

from __future__ import annotations

from typing import Any

import pytest

from cpor.domain import commands as cmd
from cpor.domain.commands import CommandData
from cpor.domain.events import Edited, InformationRequested, Rejected
from cpor.domain.model import FormData, Reason
from cpor.domain.result import Accepted, Ignored
from cpor.domain.vocabulary import (
    ActorKind,
    Clock,
    Code,
    CommandName,
    Edition,
    InformationReason,
    Instant,
    PartnerRole,
    RejectionReason,
    SolutionArea,
    Status,
    TenantId,
    instant_text,
)
from tests.unit.domain.claims import EXAMPLES, World, answer_expiry, document
from tests.unit.domain.rules.editions import (
    IN_BOTH,
    codes,
    drafted,
    edit,
    is_2020,
    refusal,
    rules_of,
    standing,
    usage,
    world_of,
)

ASK = CommandName.REVIEW_REQUEST_INFORMATION
ANSWER = cmd.ResubmitClaim(comment="Done")
ASKED = Status.PARTNER_ACTION_REQUIRED
TALKED = (Status.SUBMITTED, Status.UNDER_REVIEW, ASKED, Status.DISPUTED, Status.REJECTED, Status.APPROVED)


def at_its_end(world: World) -> cmd.ExpireDeadline:
    """The world's time is the first instant at which the answer is late."""
    expired = answer_expiry(world)
    world.now = expired.due
    return expired


# -- comments (R31, D26) ----------------------------------------------------------------------------------------------


@IN_BOTH
@pytest.mark.parametrize("status", TALKED)
@pytest.mark.rule("R31", "D26", edition="both")
def test_both_sides_write_into_one_thread_that_changes_no_status(edition: Edition, status: Status) -> None:
    world = standing(edition, status)
    before = len(world.claim("c").comments)
    world.must("c", cmd.AddComment(text="How long will it take?"))
    claim = world.must("c", cmd.AddReviewComment(text="Until Friday."))
    said = [(each.actor.kind, each.text) for each in claim.comments[before:]]
    assert said == [(ActorKind.PARTNER, "How long will it take?"), (ActorKind.REVIEWER, "Until Friday.")]
    assert claim.status == status


@IN_BOTH
@pytest.mark.rule("D26", edition="both")
def test_a_draft_can_be_commented_on_by_its_partner_and_is_not_the_reviewers_yet(edition: Edition) -> None:
    world = standing(edition, Status.DRAFT)
    assert world.must("c", cmd.AddComment(text="To do: the date")).comment_count == 1
    assert codes(world.give("c", cmd.AddReviewComment(text="Hello"))) == {Code.ILLEGAL_TRANSITION}


@IN_BOTH
@pytest.mark.parametrize("name", [CommandName.COMMENT, CommandName.REVIEW_COMMENT])
@pytest.mark.rule("D26", edition="both")
def test_comments_close_with_the_dispute_window(edition: Edition, name: CommandName) -> None:
    world = standing(edition, Status.REJECTED)
    due = world.claim("c").due()[0].due
    assert isinstance(world.give("c", EXAMPLES[name], received_at=Instant(due - 1)), Accepted)
    assert codes(world.give("c", EXAMPLES[name], received_at=due)) == {Code.WINDOW_CLOSED}


@IN_BOTH
@pytest.mark.rule("D26", edition="both")
def test_there_is_nothing_to_say_where_there_is_no_way_on(edition: Edition) -> None:
    withdrawn = standing(edition, Status.SUBMITTED)
    withdrawn.must("c", EXAMPLES[CommandName.WITHDRAW])
    assert codes(withdrawn.give("c", EXAMPLES[CommandName.COMMENT])) == {Code.WINDOW_CLOSED}
    cancelled = standing(edition, Status.CANCELLED)
    assert codes(cancelled.give("c", EXAMPLES[CommandName.COMMENT])) == {Code.ILLEGAL_TRANSITION}


@pytest.mark.rule("D26")
def test_since_2023_comments_end_with_the_final_rejection_and_with_a_rejection_after_the_one_dispute() -> None:
    final = standing(Edition.P2023, Status.REJECTED_FINAL)
    assert codes(final.give("c", EXAMPLES[CommandName.COMMENT])) == {Code.ILLEGAL_TRANSITION}
    displaced = standing(Edition.P2023, Status.DISPUTED)
    incumbent = displaced.must("c", cmd.ApproveClaim())
    displaced.approved("rival", "P-2", displaces=(incumbent.claim_id,))
    assert codes(displaced.give("c", EXAMPLES[CommandName.COMMENT])) == {Code.WINDOW_CLOSED}


# -- requests (R32, R34) ----------------------------------------------------------------------------------------------


@IN_BOTH
@pytest.mark.parametrize("reason", InformationReason)
@pytest.mark.rule("R32", edition="both")
def test_a_request_moves_the_claim_to_the_partner_and_says_why(edition: Edition, reason: InformationReason) -> None:
    world = standing(edition, Status.UNDER_REVIEW)
    ask = cmd.RequestInformation(reasons=(Reason(reason, ("teams",)),), comment="Please add it.")
    claim = world.must("c", ask)
    event = world.log[-1]
    assert isinstance(event, InformationRequested)
    assert (claim.status, claim.reasons) == (ASKED, (Reason(reason, ("teams",)),))
    assert (event.reasons, event.comment, claim.comments[-1].text) == (ask.reasons, ask.comment, ask.comment)


@IN_BOTH
@pytest.mark.rule("R32", edition="both")
def test_several_reasons_can_be_named_at_once_and_none_is_none(edition: Edition) -> None:
    world = standing(edition, Status.UNDER_REVIEW)
    assert codes(world.give("c", cmd.RequestInformation(reasons=(), comment="?"))) == {Code.REASON_REQUIRED}
    several = (Reason("missing_products"), Reason("missing_or_old_dates"))
    assert world.must("c", cmd.RequestInformation(reasons=several, comment="Two things.")).reasons == several


@IN_BOTH
@pytest.mark.rule("R34", edition="both")
def test_a_reviewer_names_workloads_to_remove_and_the_partner_removes_them(edition: Edition) -> None:
    world = standing(edition, Status.UNDER_REVIEW)
    ask = cmd.RequestInformation(
        reasons=(Reason("missing_products"),), comment="No proof.", remove_workloads=("intune",)
    )
    assert world.must("c", ask).remove_workloads == ("intune",)
    world.must("c", edit(workloads=("teams",)))
    world.must("c", cmd.ResubmitClaim())
    world.must("c", cmd.StartReview())
    claim = world.must("c", cmd.ApproveClaim())
    assert [each.rpartition("/")[2] for each in claim.units] == ["teams"]


@IN_BOTH
@pytest.mark.rule("R34", "D15", edition="both")
def test_not_all_workloads_can_be_asked_away_nor_the_last_one_go(edition: Edition) -> None:
    world = standing(edition, Status.UNDER_REVIEW)
    every = cmd.RequestInformation(
        reasons=(Reason("missing_products"),), comment="None.", remove_workloads=("teams", "intune")
    )
    assert codes(world.give("c", every)) == {Code.LAST_WORKLOAD}
    world.must("c", EXAMPLES[ASK])
    assert codes(world.give("c", edit(workloads=()))) == {Code.LAST_WORKLOAD}


@IN_BOTH
@pytest.mark.rule("R34", edition="both")
def test_a_workload_that_the_claim_does_not_name_is_neither_asked_away_nor_a_reasons(edition: Edition) -> None:
    """A slip of the pen would leave the partner with a request that nobody can answer."""
    world = standing(edition, Status.UNDER_REVIEW)
    slip = (Reason("missing_products", ("tems",)),)
    for data in (
        cmd.RequestInformation(reasons=(Reason("missing_products"),), comment="x", remove_workloads=("tems",)),
        cmd.RequestInformation(reasons=slip, comment="x"),
        cmd.RejectClaim(reasons=slip, comment="x"),
    ):
        no = refusal(world.give("c", data))
        assert (no.code, "tems" in no.detail) == (Code.INVALID_FIELDS, True)
    assert world.claim("c").status == Status.UNDER_REVIEW


# -- editing (R35) ----------------------------------------------------------------------------------------------------


@IN_BOTH
@pytest.mark.parametrize("status", [Status.DRAFT, Status.SUBMITTED, ASKED])
@pytest.mark.parametrize(
    "changes",
    [
        {"tenant_id": TenantId("9f0e1d7a-5b1c-4c7e-9a51-0d7d1a2b3c4d")},
        {"solution_area": SolutionArea.BUSINESS_APPLICATIONS},
        {"partner_role": PartnerRole.USAGE_RECOGNITION},
    ],
)
@pytest.mark.rule("R35", edition="both")
def test_tenant_area_and_role_are_never_edited(edition: Edition, status: Status, changes: dict[str, Any]) -> None:
    world = standing(edition, status)
    before = world.claim("c")
    where_nothing_is = status is Status.SUBMITTED and not is_2020(edition)
    code = Code.ILLEGAL_TRANSITION if where_nothing_is else Code.EDIT_NOT_ALLOWED
    assert codes(world.give("c", edit(**changes))) == {code}
    assert world.claim("c") == before


@IN_BOTH
@pytest.mark.parametrize("status", Status)
@pytest.mark.rule("R35", edition="both")
def test_where_a_claim_may_be_edited_is_what_its_edition_says(edition: Edition, status: Status) -> None:
    if status is Status.REJECTED_FINAL and is_2020(edition):
        assert rules_of(edition).editable(status) == ()
        return
    world = standing(edition, status)
    open_in = {Status.DRAFT, ASKED} | ({Status.SUBMITTED} if is_2020(edition) else set())
    decision = world.give("c", edit(workloads=("teams", "exchange")))
    assert isinstance(decision, Accepted) is (status in open_in)


# -- answering (R33, T9, D15) -----------------------------------------------------------------------------------------


@IN_BOTH
@pytest.mark.rule("R33", "T9", edition="both")
def test_the_partner_has_5_business_days_in_2020_and_14_since_2023(edition: Edition) -> None:
    due = standing(edition, ASKED).claim("c").clock(Clock.PARTNER_ANSWER)
    assert due is not None
    ends = {Edition.P2020: "2023-03-13T23:00:00.000Z", Edition.P2023: "2024-03-22T23:00:00.000Z"}
    assert (instant_text(due.due), due.budget) == (ends[edition], "5bd" if is_2020(edition) else "14bd")


@IN_BOTH
@pytest.mark.rule("R33", "T9", edition="both")
def test_who_does_not_answer_in_time_is_rejected_by_the_system_and_may_dispute(edition: Edition) -> None:
    world = standing(edition, ASKED)
    expired = at_its_end(world)
    claim = world.must("c", expired)
    event = world.log[-1]
    assert isinstance(event, Rejected)
    assert (claim.status, claim.reasons) == (Status.REJECTED, (Reason(RejectionReason.NO_PARTNER_RESPONSE),))
    assert (event.actor.kind, event.disputable) == (ActorKind.SYSTEM, True)
    assert [each.clock for each in claim.due()] == [Clock.DISPUTE_WINDOW]
    assert codes(world.give("c", ANSWER)) == {Code.ILLEGAL_TRANSITION}
    assert world.must("c", EXAMPLES[CommandName.DISPUTE]).status == Status.DISPUTED


@IN_BOTH
@pytest.mark.rule("R33", "T9", edition="both")
def test_nothing_is_rejected_before_the_time_is_over_or_after_an_answer(edition: Edition) -> None:
    world = standing(edition, ASKED)
    expired = at_its_end(world)
    world.now = Instant(expired.due - 1)
    assert isinstance(world.give("c", expired), Ignored)
    assert world.must("c", ANSWER).status == Status.SUBMITTED
    world.now = expired.due
    assert isinstance(world.give("c", expired), Ignored)
    assert world.claim("c").status == Status.SUBMITTED


@IN_BOTH
@pytest.mark.rule("T9", edition="both")
def test_the_end_of_an_earlier_request_does_not_touch_a_later_one(edition: Edition) -> None:
    world = standing(edition, ASKED)
    stale = answer_expiry(world)
    world.pass_days(1).must("c", ANSWER)
    world.must("c", cmd.StartReview())
    second = world.must("c", EXAMPLES[ASK]).clock(Clock.PARTNER_ANSWER)
    assert second is not None
    assert second.due > stale.due
    world.now = stale.due
    assert isinstance(world.give("c", stale), Ignored)
    assert world.claim("c").status == ASKED


@IN_BOTH
@pytest.mark.rule("D15", edition="both")
def test_an_answer_needs_an_edit_a_document_or_a_comment_since_the_request(edition: Edition) -> None:
    given: list[CommandData] = [edit(workloads=("teams",)), document(9), cmd.AddComment(text="As discussed")]
    for data in given:
        world = standing(edition, ASKED)
        assert codes(world.give("c", cmd.ResubmitClaim())) == {Code.NOTHING_PROVIDED}
        world.must("c", data)
        assert world.must("c", cmd.ResubmitClaim()).status == Status.SUBMITTED
    again = standing(edition, ASKED)
    again.must("c", document(9))
    again.must("c", cmd.ResubmitClaim())
    again.must("c", cmd.StartReview())
    again.must("c", EXAMPLES[ASK])
    assert codes(again.give("c", cmd.ResubmitClaim())) == {Code.NOTHING_PROVIDED}


@IN_BOTH
@pytest.mark.rule("D15", edition="both")
def test_what_a_reviewer_says_is_no_answer_and_a_comment_alone_stops_no_clock(edition: Edition) -> None:
    world = standing(edition, ASKED)
    before = world.claim("c").clock(Clock.PARTNER_ANSWER)
    world.must("c", cmd.AddReviewComment(text="Well?"))
    assert codes(world.give("c", cmd.ResubmitClaim())) == {Code.NOTHING_PROVIDED}
    claim = world.must("c", cmd.AddComment(text="We are on it."))
    assert (claim.status, claim.clock(Clock.PARTNER_ANSWER)) == (ASKED, before)
    assert world.must("c", at_its_end(world)).status == Status.REJECTED


@IN_BOTH
@pytest.mark.rule("D15", edition="both")
def test_a_resubmission_starts_the_queue_anew_and_asks_for_no_acknowledgement_again(edition: Edition) -> None:
    world = standing(edition, ASKED)
    given = world.claim("c").acknowledgements
    claim = world.pass_days(3).must("c", ANSWER)
    queue = claim.clock(Clock.REVIEW_START)
    assert queue is not None
    assert (claim.status, queue.starts_at, queue.budget) == (Status.SUBMITTED, world.now, "5bd")
    assert (claim.clock(Clock.PARTNER_ANSWER), claim.acknowledgements) == (None, given)


@IN_BOTH
@pytest.mark.rule("D15", edition="both")
def test_a_decision_is_about_the_whole_claim(edition: Edition) -> None:
    """Reasons may name workloads; what is decided is the claim with all of them."""
    world = standing(edition, Status.UNDER_REVIEW)
    partly = cmd.RejectClaim(reasons=(Reason("missing_products", ("intune",)),), comment="Intune is not shown.")
    claim = world.must("c", partly)
    assert (claim.status, claim.units) == (Status.REJECTED, ())
    assert claim.form.workloads == ("teams", "intune")


# -- what is still insufficient (R36) ---------------------------------------------------------------------------------


@IN_BOTH
@pytest.mark.rule("R36", edition="both")
def test_what_is_still_insufficient_after_the_answer_is_rejected(edition: Edition) -> None:
    world = standing(edition, ASKED)
    world.must("c", ANSWER)
    world.must("c", cmd.StartReview())
    claim = world.must("c", EXAMPLES[CommandName.REVIEW_REJECT])
    assert (claim.status, claim.has_reason(RejectionReason.INSUFFICIENT_POE)) == (Status.REJECTED, True)
    assert claim.units == ()


@IN_BOTH
@pytest.mark.rule("R36", edition="both")
def test_insufficient_proof_cannot_be_approved_instead(edition: Edition) -> None:
    world = world_of(edition)
    drafted(world, usage(edition, "teams"))
    world.must("c", cmd.EditClaim(form=FormData(workloads=("teams", "intune")), given=("workloads",)))
    world.must("c", cmd.SubmitClaim(acknowledgements=rules_of(edition).submission.acknowledgements))
    world.must("c", cmd.StartReview())
    assert codes(world.give("c", cmd.ApproveClaim())) == {Code.WORKLOAD_NOT_COVERED}
    assert world.must("c", EXAMPLES[CommandName.REVIEW_REJECT]).status == Status.REJECTED


# -- history (R43) ----------------------------------------------------------------------------------------------------


@IN_BOTH
@pytest.mark.rule("R43", edition="both")
def test_every_step_of_both_sides_leaves_an_event_with_who_when_and_what(edition: Edition) -> None:
    world = standing(edition, ASKED)
    steps: list[CommandData] = [
        cmd.AddComment(text="On it"),
        edit(workloads=("teams",)),
        document(9),
        ANSWER,
        cmd.StartReview(),
    ]
    for number, step in enumerate(steps):
        world.pass_days(0.1)
        before = world.claim("c").sequence
        world.must("c", step)
        event = world.log[-1]
        assert (event.sequence, event.at) == (before + 1, world.now)
        assert event.actor.kind == (ActorKind.REVIEWER if number == len(steps) - 1 else ActorKind.PARTNER)
    edited = next(each for each in world.log if isinstance(each, Edited))
    assert [(each.field, each.before, each.after) for each in edited.changes] == [
        ("workloads", ("teams", "intune"), ("teams",))
    ]
    sequences = [each.sequence for each in world.events[world.claim("c").claim_id]]
    assert sequences == list(range(1, len(sequences) + 1))
