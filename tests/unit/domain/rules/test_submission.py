"""From a draft to the queue, and back there after a request: what is asked, and what it starts
(R23-R26, R28, R29, D1, D3, T3, T10).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cpor.domain import commands as cmd
from cpor.domain.events import Filed, Resubmitted, Submitted
from cpor.domain.model import Reason
from cpor.domain.result import Accepted
from cpor.domain.vocabulary import (
    Acknowledgement,
    Clock,
    Code,
    CommandName,
    Edition,
    Instant,
    PartnerRole,
    Status,
    instant_text,
    parse_instant,
)
from tests.unit.domain.claims import EXAMPLES, OTHER_LOCATION, World, document
from tests.unit.domain.rules.editions import (
    IN_BOTH,
    advisor,
    codes,
    drafted,
    edit,
    filing,
    is_2020,
    named,
    refusal,
    submission,
    usage,
    world_of,
)

ASKED = (CommandName.REVIEW_START, CommandName.REVIEW_REQUEST_INFORMATION)


def asked(edition: Edition) -> World:
    """A world whose claim `c` waits for the partner."""
    world = world_of(edition)
    world.filed("c", form=usage(edition))
    for name in ASKED:
        world.must("c", EXAMPLES[name])
    return world


# -- proof (R23-R26) --------------------------------------------------------------------------------------------------


@IN_BOTH
@pytest.mark.parametrize("role", PartnerRole)
@pytest.mark.rule("R23", "R24", "T3", edition="both")
def test_no_claim_of_any_role_is_submitted_without_proof(edition: Edition, role: PartnerRole) -> None:
    form = usage(edition) if role is PartnerRole.USE_OR_CONSUME else advisor(edition, role)
    world = world_of(edition)
    world.must("c", cmd.CreateClaim(form=form))
    assert codes(world.give("c", submission(edition))) == {Code.POE_MISSING}
    bulk = replace(filing(edition, form), documents=())
    assert codes(world.give("d", bulk)) == {Code.POE_MISSING}


@IN_BOTH
@pytest.mark.rule("R24", "T3", edition="both")
def test_a_draft_waits_for_its_proof_and_its_submission_however_long_that_takes(edition: Edition) -> None:
    world = world_of(edition)
    world.must("c", cmd.CreateClaim(form=usage(edition)))
    world.pass_days(400)
    assert world.must("c", document()).status == Status.DRAFT
    world.pass_days(400)
    assert world.claim("c").clocks == ()
    assert world.must("c", submission(edition)).status == Status.SUBMITTED
    assert world.claim("c").policy is edition


@IN_BOTH
@pytest.mark.rule("R24", edition="both")
def test_proof_that_was_removed_from_a_draft_counts_no_more(edition: Edition) -> None:
    world = world_of(edition)
    drafted(world, usage(edition))
    world.must("c", cmd.RemoveDocument(document_id=document(1).document_id))
    assert codes(world.give("c", submission(edition))) == {Code.POE_MISSING}


@IN_BOTH
@pytest.mark.rule("R25", edition="both")
def test_a_document_keeps_what_the_partner_says_of_it(edition: Edition) -> None:
    world = world_of(edition)
    (kept,) = drafted(world, usage(edition)).documents
    sent = document(1)
    for name in ("description", "customer_signed_on", "covers", "filename", "sha256", "size"):
        assert getattr(kept, name) == getattr(sent, name), name
    assert isinstance(world.give("c", EXAMPLES[CommandName.POE_RESERVE]), Accepted)
    amended = cmd.AmendDocument(document_id=sent.document_id, given=("description",), description="Statement of work")
    assert world.must("c", amended).documents[0].description == "Statement of work"


@IN_BOTH
@pytest.mark.rule("R26", edition="both")
def test_proof_that_leaves_out_a_workload_is_taken_and_not_approved(edition: Edition) -> None:
    world = world_of(edition)
    world.must("c", filing(edition, usage(edition), document(1, "teams")))
    world.must("c", cmd.StartReview())
    no = refusal(world.give("c", cmd.ApproveClaim()))
    assert (no.code, "intune" in no.detail) == (Code.WORKLOAD_NOT_COVERED, True)


@IN_BOTH
@pytest.mark.rule("R26", edition="both")
@pytest.mark.parametrize(
    "reason",
    [
        "missing_all_poe",
        "missing_customer_acknowledgment",
        "missing_or_old_dates",
        "missing_partner_solution_service",
        "missing_products",
    ],
)
def test_a_reviewer_can_ask_for_each_thing_a_proof_must_have(edition: Edition, reason: str) -> None:
    world = world_of(edition)
    world.under_review("c", form=usage(edition))
    ask = cmd.RequestInformation(reasons=(Reason(reason),), comment="Please add it.")
    assert [each.code for each in world.must("c", ask).reasons] == [reason]


# -- acknowledgements (R28) -------------------------------------------------------------------------------------------


@pytest.mark.rule("R28", "T3")
@pytest.mark.parametrize("missing", list(Acknowledgement))
def test_every_acknowledgement_is_given_at_submission(missing: Acknowledgement) -> None:
    world = world_of(Edition.P2023)
    drafted(world, usage(Edition.P2023))
    given = tuple(each for each in Acknowledgement if each != missing)
    assert codes(world.give("c", cmd.SubmitClaim(acknowledgements=given))) == {Code.ACKNOWLEDGEMENTS_INCOMPLETE}
    whole = tuple(reversed(Acknowledgement))
    assert world.must("c", cmd.SubmitClaim(acknowledgements=whole)).acknowledgements == whole


@pytest.mark.rule("R28")
def test_a_comment_with_the_submission_is_optional_and_kept() -> None:
    world = world_of(Edition.P2023)
    form = usage(Edition.P2023)
    assert world.must("c", filing(Edition.P2023, form)).comments == ()
    said = replace(filing(Edition.P2023, usage(Edition.P2023, "exchange")), comment="Signed by the new CIO")
    assert [each.text for each in world.must("d", said).comments] == ["Signed by the new CIO"]


@pytest.mark.rule("T3", "D31", edition="P2020")
def test_2020_knows_no_acknowledgements_and_takes_none() -> None:
    world = world_of(Edition.P2020)
    drafted(world, usage(Edition.P2020))
    given = cmd.SubmitClaim(acknowledgements=tuple(Acknowledgement))
    assert codes(world.give("c", given)) == {Code.ACKNOWLEDGEMENTS_INCOMPLETE}
    assert world.must("c", submission(Edition.P2020)).status == Status.SUBMITTED


# -- what a submission starts (R29, D3, T3) ---------------------------------------------------------------------------


@IN_BOTH
@pytest.mark.rule("R29", "D3", edition="both")
def test_the_customer_is_told_at_submission_since_2023_only(edition: Edition) -> None:
    world = world_of(edition)
    drafted(world, usage(edition))
    world.must("c", submission(edition))
    world.filed("d", form=usage(edition, "exchange"), doc=2)
    told = [each.customer_notice for each in world.log if isinstance(each, Submitted | Filed)]
    assert told == [not is_2020(edition)] * 2


@IN_BOTH
@pytest.mark.parametrize("bulk", [False, True], ids=["step by step", "at once"])
@pytest.mark.rule("T3", "D5", edition="both")
def test_a_submission_starts_the_queues_clock_and_in_2020_the_overall_one(edition: Edition, bulk: bool) -> None:
    world = world_of(edition)
    if bulk:
        world.filed("c", form=usage(edition))
    else:
        drafted(world, usage(edition))
        world.must("c", submission(edition))
    due = {each.clock: instant_text(each.due)[:10] for each in world.claim("c").due()}
    # The local day ends an hour earlier in UTC: 5 (and 10) business days after Monday.
    expected = {
        Edition.P2020: {Clock.REVIEW_START: "2023-03-13", Clock.OVERALL_DECISION: "2023-03-20"},
        Edition.P2023: {Clock.REVIEW_START: "2024-03-11"},
    }
    assert due == expected[edition]


@IN_BOTH
@pytest.mark.rule("T3", "R29", edition="both")
def test_a_submission_tells_everything_that_is_missing_at_once(edition: Edition) -> None:
    world = world_of(edition)
    world.must("c", cmd.CreateClaim(form=usage(edition)))
    world.customer = None
    wrong = cmd.SubmitClaim(acknowledgements=("information_is_accurate",))
    assert named(world.give("c", wrong)) == {
        ("acknowledgements", Code.ACKNOWLEDGEMENTS_INCOMPLETE),
        ("documents", Code.POE_MISSING),
        ("tenant_id", Code.TENANT_UNKNOWN),
    }
    assert world.claim("c").status == Status.DRAFT


@IN_BOTH
@pytest.mark.rule("T3", edition="both")
def test_a_claim_is_submitted_once(edition: Edition) -> None:
    world = world_of(edition)
    world.filed("c", form=usage(edition))
    assert codes(world.give("c", submission(edition))) == {Code.ILLEGAL_TRANSITION}


# -- resubmission (T10) -----------------------------------------------------------------------------------------------


@IN_BOTH
@pytest.mark.rule("T10", edition="both")
def test_a_resubmission_goes_back_to_the_queue_with_a_full_clock(edition: Edition) -> None:
    world = asked(edition)
    world.pass_days(1)
    claim = world.must("c", cmd.ResubmitClaim(comment="Done"))
    day = {Edition.P2020: "2023-03-14", Edition.P2023: "2024-03-12"}[edition]
    due = {each.clock: instant_text(each.due)[:10] for each in claim.due()}
    assert (claim.status, due[Clock.REVIEW_START]) == (Status.SUBMITTED, day)
    assert claim.clock(Clock.PARTNER_ANSWER) is None
    assert claim.reasons == ()


@IN_BOTH
@pytest.mark.rule("T10", edition="both")
def test_a_resubmission_is_checked_as_a_submission_is(edition: Edition) -> None:
    world = asked(edition)
    world.customer = None
    assert codes(world.give("c", cmd.ResubmitClaim(comment="Done"))) == {Code.TENANT_UNKNOWN}


@IN_BOTH
@pytest.mark.rule("T10", edition="both")
def test_a_resubmission_is_in_time_by_when_it_was_received(edition: Edition) -> None:
    world = asked(edition)
    clock = world.claim("c").clock(Clock.PARTNER_ANSWER)
    assert clock is not None
    world.pass_days(60)
    answer = cmd.ResubmitClaim(comment="Done")
    assert codes(world.give("c", answer, received_at=clock.due)) == {Code.WINDOW_CLOSED}
    assert world.must("c", answer, received_at=Instant(clock.due - 1)).status == Status.SUBMITTED


@IN_BOTH
@pytest.mark.rule("T10", edition="both")
def test_a_workload_that_comes_in_with_a_resubmission_competes_like_any_other(edition: Edition) -> None:
    world = asked(edition)
    rival = world.filed("r", "P-2", usage(edition, "exchange"), doc=3)
    world.must("c", edit(workloads=("teams", "exchange")))
    assert world.must("c", cmd.ResubmitClaim()).competes_with == (rival.claim_id,)


@IN_BOTH
@pytest.mark.parametrize("changes", [{"workloads": ("teams",)}, {"location_id": OTHER_LOCATION}])
@pytest.mark.rule("D3", "T10", edition="both")
def test_a_resubmission_that_concerns_the_customer_is_told_to_it_since_2023_only(
    edition: Edition, changes: dict[str, Any]
) -> None:
    world = asked(edition)
    world.must("c", edit(**changes))
    world.must("c", cmd.ResubmitClaim())
    event = next(each for each in world.log if isinstance(each, Resubmitted))
    assert event.customer_notice is not is_2020(edition)


# -- which edition (D1) -----------------------------------------------------------------------------------------------


@pytest.mark.rule("D1", edition="both")
@pytest.mark.parametrize(
    ("received", "edition"),
    [("2023-10-09T21:59:59.999Z", Edition.P2020), ("2023-10-09T22:00:00Z", Edition.P2023)],
)
def test_the_edition_of_the_day_of_receipt_stays_with_the_claim_for_life(received: str, edition: Edition) -> None:
    """Midnight of 10 October 2023 in Munich; decided a year later, and moved to another location meanwhile."""
    moment = parse_instant(received)
    world = World(Instant(moment + 365 * 86_400_000))
    form = advisor(edition)
    claim = world.must("c", cmd.CreateClaim(form=form), received_at=moment)
    begun = claim.origin
    assert (claim.policy, begun.zone) == (edition, "Europe/Berlin")
    world.must("c", document(1, "sales"))
    world.must("c", edit(location_id=OTHER_LOCATION))
    world.must("c", submission(edition))
    world.must("c", cmd.StartReview())
    claim = world.must("c", cmd.ApproveClaim())
    assert (claim.policy, claim.origin) == (edition, begun)
    assert {each.policy for each in world.log} == {edition}
