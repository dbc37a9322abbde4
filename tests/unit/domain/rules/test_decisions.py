"""What reviewers decide and why, and how it is disputed (R36, R38 to R42, T7, T8, T15 to T17, D16, D21, D24, D25)."""

from __future__ import annotations

import pytest

from cpor.domain import commands as cmd
from cpor.domain.deciding.reviewing import SYSTEM_REASONS
from cpor.domain.events import Approved, Rejected, RejectedFinal
from cpor.domain.model import Reason
from cpor.domain.result import Ignored
from cpor.domain.vocabulary import (
    Clock,
    Code,
    CommandName,
    Edition,
    InformationReason,
    Instant,
    RejectionReason,
    Status,
)
from tests.unit.domain.claims import EXAMPLES, SUBSCRIPTION, TENANT, World, document
from tests.unit.domain.rules.editions import (
    IN_BOTH,
    advisor,
    codes,
    drafted,
    filing,
    is_2020,
    rules_of,
    standing,
    submission,
    usage,
    world_of,
)

#: What a reviewer may choose from (§1.6 and `other`).
REVIEWERS = {
    "insufficient_poe",
    "missing_customer_consent_on_poe",
    "missing_products",
    "poe_unavailable",
    "other",
}


def reject(*reasons: str, comment: str | None = "No") -> cmd.RejectClaim:
    return cmd.RejectClaim(reasons=tuple(Reason(each) for each in reasons), comment=comment)


# -- reasons (R38, D24) -----------------------------------------------------------------------------------------------


@IN_BOTH
@pytest.mark.rule("R38", edition="both")
def test_a_rejection_names_one_reason_or_more(edition: Edition) -> None:
    assert codes(standing(edition, Status.UNDER_REVIEW).give("c", reject())) == {Code.REASON_REQUIRED}
    several = ("insufficient_poe", "missing_products", "poe_unavailable")
    for reasons in (several[:1], several):
        claim = standing(edition, Status.UNDER_REVIEW).must("c", reject(*reasons))
        assert [each.code for each in claim.reasons] == list(reasons)


@IN_BOTH
@pytest.mark.parametrize("reason", RejectionReason)
@pytest.mark.rule("R38", "D24", edition="both")
def test_reviewers_choose_from_their_reasons_and_never_use_the_systems_own(
    edition: Edition, reason: RejectionReason
) -> None:
    world = standing(edition, Status.UNDER_REVIEW)
    if reason in REVIEWERS:
        assert world.must("c", reject(reason)).reasons == (Reason(reason),)
    else:
        assert reason in SYSTEM_REASONS
        assert codes(world.give("c", reject("insufficient_poe", reason))) == {Code.REASON_NOT_ALLOWED}
        assert world.claim("c").status == Status.UNDER_REVIEW


@IN_BOTH
@pytest.mark.parametrize("blank", ["", "  \n"])
@pytest.mark.rule("D24", edition="both")
def test_both_vocabularies_have_other_which_needs_a_comment(edition: Edition, blank: str) -> None:
    world = standing(edition, Status.UNDER_REVIEW)
    assert codes(world.give("c", reject("other", comment=blank))) == {Code.REASON_REQUIRED}
    assert codes(world.give("c", reject("other", comment=None))) == {Code.REASON_REQUIRED}
    ask = cmd.RequestInformation(reasons=(Reason("other"),), comment=blank)
    assert codes(world.give("c", ask)) == {Code.REASON_REQUIRED}
    asked = world.must("c", cmd.RequestInformation(reasons=(Reason("other"),), comment="The stamp?"))
    assert asked.reasons == (Reason("other"),)
    said = standing(edition, Status.UNDER_REVIEW).must("c", reject("other", comment="Wrong language"))
    assert said.comments[-1].text == "Wrong language"


@IN_BOTH
@pytest.mark.rule("D24", edition="both")
def test_the_two_vocabularies_are_not_mixed(edition: Edition) -> None:
    world = standing(edition, Status.UNDER_REVIEW)
    asking = {each.value for each in InformationReason}
    for foreign in asking - REVIEWERS:
        assert codes(world.give("c", reject(foreign))) == {Code.REASON_NOT_ALLOWED}
    for foreign in REVIEWERS - asking:
        ask = cmd.RequestInformation(reasons=(Reason(foreign),), comment="x")
        assert codes(world.give("c", ask)) == {Code.REASON_NOT_ALLOWED}


@IN_BOTH
@pytest.mark.rule("D24", "T16b", edition="both")
def test_a_lost_dispute_adds_its_own_reason(edition: Edition) -> None:
    world = standing(edition, Status.DISPUTED)
    assert codes(world.give("c", reject("dispute_unsuccessful"))) == {Code.REASON_NOT_ALLOWED}
    claim = world.must("c", reject("missing_products"))
    assert [each.code for each in claim.reasons] == ["missing_products", "dispute_unsuccessful"]


# -- approving (T7, T16a, D21) ----------------------------------------------------------------------------------------


@IN_BOTH
@pytest.mark.rule("T7", edition="both")
def test_an_approval_holds_the_units_and_starts_the_consent_wait(edition: Edition) -> None:
    world = standing(edition, Status.UNDER_REVIEW)
    claim = world.must("c", cmd.ApproveClaim())
    event = world.log[-1]
    assert isinstance(event, Approved)
    assert claim.units == event.units == tuple(f"{TENANT}/workload/{each}" for each in ("teams", "intune"))
    assert [each.clock for each in claim.due()] == [Clock.CONSENT_WAIT]
    business = world_of(edition).approved("b", form=advisor(edition))
    assert business.units == (f"{TENANT}/subscription/{SUBSCRIPTION}",)


@IN_BOTH
@pytest.mark.parametrize("status", [Status.UNDER_REVIEW, Status.DISPUTED])
@pytest.mark.rule("T7", "T16a", "D21", edition="both")
def test_a_workload_that_no_document_covers_is_not_approved(edition: Edition, status: Status) -> None:
    world = world_of(edition)
    drafted(world, usage(edition, "teams"))
    world.must("c", cmd.EditClaim(form=usage(edition, "teams", "intune"), given=("workloads",)))
    world.must("c", submission(edition))
    world.must("c", cmd.StartReview())
    if status is Status.DISPUTED:
        world.must("c", reject("insufficient_poe"))
        world.must("c", EXAMPLES[CommandName.DISPUTE])
    no = world.give("c", cmd.ApproveClaim())
    assert codes(no) == {Code.WORKLOAD_NOT_COVERED}
    assert "intune" in no.detail  # type: ignore[union-attr]
    assert world.claim("c").status == status


@IN_BOTH
@pytest.mark.parametrize("status", [Status.UNDER_REVIEW, Status.DISPUTED])
@pytest.mark.rule("T7", "T16a", edition="both")
def test_an_approval_over_another_partner_names_whom_it_displaces(edition: Edition, status: Status) -> None:
    """Also a disputed claim: the unit may have been given away meanwhile."""
    world = standing(edition, status)
    incumbent = world.approved("rival", "P-2", usage(edition, "teams"), doc=5)
    assert codes(world.give("c", cmd.ApproveClaim())) == {Code.INCUMBENTS_NOT_NAMED}
    claim = world.must("c", cmd.ApproveClaim(displaces=(incumbent.claim_id,)))
    assert claim.status == Status.APPROVED
    assert world.claim("rival", "P-2").units == ()


@IN_BOTH
@pytest.mark.parametrize("status", [Status.SUBMITTED, Status.PARTNER_ACTION_REQUIRED])
@pytest.mark.rule("T7", edition="both")
def test_only_what_is_under_review_or_disputed_is_approved(edition: Edition, status: Status) -> None:
    world = standing(edition, status)
    assert codes(world.give("c", cmd.ApproveClaim())) == {Code.ILLEGAL_TRANSITION}


@IN_BOTH
@pytest.mark.rule("T7", edition="both")
def test_two_reviewers_cannot_both_decide(edition: Edition) -> None:
    world = standing(edition, Status.UNDER_REVIEW)
    seen = world.claim("c").sequence
    world.must("c", reject("insufficient_poe"), expected_sequence=seen)
    world.must("c", EXAMPLES[CommandName.DISPUTE])
    assert codes(world.give("c", cmd.ApproveClaim(), expected_sequence=seen)) == {Code.STALE_SEQUENCE}


@IN_BOTH
@pytest.mark.rule("D21", edition="both")
def test_submission_refuses_neither_missing_coverage_nor_unknown_or_old_dates(edition: Edition) -> None:
    for given in (document(3, "teams"), document(3, customer_signed_on=None)):
        world = world_of(edition)
        assert world.must("c", filing(edition, usage(edition), given)).status == Status.SUBMITTED


# -- rejecting (T8) ---------------------------------------------------------------------------------------------------


@IN_BOTH
@pytest.mark.rule("T8", edition="both")
def test_a_rejection_stops_the_decisions_clock_and_opens_thirty_days(edition: Edition) -> None:
    world = standing(edition, Status.UNDER_REVIEW)
    claim = world.must("c", reject("insufficient_poe"))
    (due,) = claim.clocks
    event = world.log[-1]
    assert isinstance(event, Rejected)
    assert (due.clock, due.budget, event.disputable) == (Clock.DISPUTE_WINDOW, "30d", True)


@IN_BOTH
@pytest.mark.parametrize("status", [Status.SUBMITTED, Status.PARTNER_ACTION_REQUIRED, Status.APPROVED])
@pytest.mark.rule("T8", edition="both")
def test_only_what_is_under_review_or_disputed_is_rejected_by_a_reviewer(edition: Edition, status: Status) -> None:
    world = standing(edition, status)
    assert codes(world.give("c", reject("insufficient_poe"))) == {Code.ILLEGAL_TRANSITION}


# -- disputes that are decided (T16a, T16b, T16c, D16, R42) -----------------------------------------------------------


@IN_BOTH
@pytest.mark.rule("T16a", edition="both")
def test_a_dispute_that_is_won_is_an_approval_like_any_other(edition: Edition) -> None:
    world = standing(edition, Status.DISPUTED)
    claim = world.must("c", cmd.ApproveClaim())
    assert (claim.status, claim.reasons, len(claim.units)) == (Status.APPROVED, (), 2)
    assert [each.clock for each in claim.due()] == [Clock.CONSENT_WAIT]


@pytest.mark.rule("R42", "T16b")
def test_since_2023_a_dispute_that_is_lost_is_final() -> None:
    world = standing(Edition.P2023, Status.DISPUTED)
    claim = world.must("c", reject("insufficient_poe"))
    event = world.log[-1]
    assert isinstance(event, RejectedFinal)
    assert (claim.status, claim.clocks) == (Status.REJECTED_FINAL, ())
    before = world.claim("c")
    for name in (each for each in CommandName if each in EXAMPLES):
        if name in (CommandName.PARK, CommandName.UNPARK, CommandName.ELIGIBILITY_RESULT, CommandName.EARNING):
            continue
        world.give("c", EXAMPLES[name])
        assert world.claim("c") == before, name


@pytest.mark.rule("T16b", edition="P2020")
def test_2020_a_dispute_that_is_lost_is_a_rejection_with_a_new_window() -> None:
    world = standing(Edition.P2020, Status.DISPUTED).pass_days(3)
    claim = world.must("c", reject("insufficient_poe"))
    (window,) = claim.clocks
    assert (claim.status, window.clock, window.starts_at) == (Status.REJECTED, Clock.DISPUTE_WINDOW, world.now)


@IN_BOTH
@pytest.mark.rule("T16c", "D16", edition="both")
def test_nothing_is_asked_again_during_a_dispute(edition: Edition) -> None:
    world = standing(edition, Status.DISPUTED)
    ask = EXAMPLES[CommandName.REVIEW_REQUEST_INFORMATION]
    assert codes(world.give("c", ask)) == {Code.ILLEGAL_TRANSITION}
    assert world.claim("c").status == Status.DISPUTED


# -- disputing (R39 to R41, T15, T17, D25) ----------------------------------------------------------------------------


def window_of(world: World) -> Instant:
    (running,) = world.claim("c").due()
    assert running.clock is Clock.DISPUTE_WINDOW
    return running.due


@IN_BOTH
@pytest.mark.rule("R39", "T15", "T17", edition="both")
def test_a_rejection_is_disputed_to_the_end_of_day_thirty_and_no_longer(edition: Edition) -> None:
    dispute = EXAMPLES[CommandName.DISPUTE]
    world = standing(edition, Status.REJECTED)
    due = window_of(world)
    days = (due - world.now) / 86_400_000
    assert 30 < days < 31
    world.now = Instant(due + 1)
    late = world.claim("c")
    assert codes(world.give("c", dispute)) == {Code.WINDOW_CLOSED}
    assert world.claim("c") == late
    assert world.must("c", dispute, received_at=Instant(due - 1)).status == Status.DISPUTED


@IN_BOTH
@pytest.mark.rule("T17", edition="both")
def test_the_end_of_the_window_is_no_status(edition: Edition) -> None:
    world = standing(edition, Status.REJECTED)
    clock = world.claim("c").clock(Clock.DISPUTE_WINDOW)
    assert clock is not None
    world.now = clock.due
    over = cmd.ExpireDeadline(clock=clock.clock, started_by=clock.started_by, due=clock.due)
    assert isinstance(world.give("c", over), Ignored)
    assert world.claim("c").status == Status.REJECTED
    for name in (CommandName.POE_RESERVE, CommandName.POE_ATTACH):
        assert codes(world.give("c", EXAMPLES[name])) == {Code.WINDOW_CLOSED}


@IN_BOTH
@pytest.mark.rule("R39", edition="both")
def test_after_the_window_a_new_claim_needs_new_proof(edition: Edition) -> None:
    world = standing(edition, Status.REJECTED)
    world.now = Instant(window_of(world) + 1)
    assert codes(world.give("new", filing(edition, usage(edition)))) == {Code.POE_NOT_UPDATED}
    assert world.filed("new", form=usage(edition), doc=2).status == Status.SUBMITTED


@IN_BOTH
@pytest.mark.rule("R40", "T15", edition="both")
def test_a_dispute_says_why_or_shows_something_new_and_is_to_be_answered_within_five_business_days(
    edition: Edition,
) -> None:
    world = standing(edition, Status.REJECTED)
    assert codes(world.give("c", cmd.DisputeRejection())) == {Code.DISPUTE_EMPTY}
    claim = world.must("c", cmd.DisputeRejection(justification="Page 3 names both."))
    (running,) = [each for each in claim.clocks if each.clock is Clock.DISPUTE_ANSWER]
    assert (running.budget, running.starts_at) == ("5bd", world.now)
    documented = standing(edition, Status.REJECTED)
    documented.must("c", document(8))
    assert documented.must("c", cmd.DisputeRejection()).status == Status.DISPUTED
    world.now = running.due
    late = cmd.ExpireDeadline(clock=running.clock, started_by=running.started_by, due=running.due)
    assert isinstance(world.give("c", late), Ignored)
    assert world.must("c", cmd.ApproveClaim()).status == Status.APPROVED


@IN_BOTH
@pytest.mark.parametrize("status", [each for each in Status if each is not Status.REJECTED])
@pytest.mark.rule("T15", edition="both")
def test_nothing_but_a_rejection_is_disputed(edition: Edition, status: Status) -> None:
    if status is Status.REJECTED_FINAL and is_2020(edition):
        assert rules_of(edition).dispute.lost_status == Status.REJECTED
        return
    world = standing(edition, status)
    assert codes(world.give("c", EXAMPLES[CommandName.DISPUTE])) == {Code.ILLEGAL_TRANSITION}


@pytest.mark.rule("R41", "D25")
def test_since_2023_a_claim_is_disputed_once_in_its_life() -> None:
    """The one dispute was won; the claim is rejected again when a rival displaces it."""
    world = standing(Edition.P2023, Status.DISPUTED)
    incumbent = world.must("c", cmd.ApproveClaim())
    world.approved("rival", "P-2", displaces=(incumbent.claim_id,))
    claim = world.claim("c")
    assert (claim.status, claim.clocks) == (Status.REJECTED, ())
    assert codes(world.give("c", EXAMPLES[CommandName.DISPUTE])) == {Code.DISPUTE_SPENT}
    assert codes(world.give("c", document(9))) == {Code.DISPUTE_SPENT}


@pytest.mark.rule("D25", "T15", edition="P2020")
def test_2020_each_rejection_can_be_disputed_and_has_its_own_thirty_days() -> None:
    world = standing(Edition.P2020, Status.REJECTED)
    ends = []
    for _ in range(4):
        ends.append(window_of(world))
        world.pass_days(20)
        world.must("c", EXAMPLES[CommandName.DISPUTE])
        world.must("c", reject("insufficient_poe"))
    assert len(set(ends)) == 4
    assert window_of(world) > world.now
