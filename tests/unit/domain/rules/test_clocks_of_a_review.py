"""The clocks of queue, decision and answer, and what they do (T5, T6, D5), in either edition."""

from __future__ import annotations

import pytest

from cpor.domain import commands as cmd
from cpor.domain.model import Reason, RunningClock
from cpor.domain.result import Ignored
from cpor.domain.vocabulary import (
    MS_PER_DAY,
    Clock,
    Code,
    CommandName,
    Edition,
    Instant,
    Status,
    instant_text,
)
from tests.unit.domain.claims import EXAMPLES, World
from tests.unit.domain.rules.editions import IN_BOTH, codes, usage, world_of

ASK = EXAMPLES[CommandName.REVIEW_REQUEST_INFORMATION]
DECISIONS = (CommandName.REVIEW_APPROVE, CommandName.REVIEW_REJECT, CommandName.WITHDRAW)
#: The first instant after the last whole day, in UTC: Munich is an hour ahead, from the last Sunday of March on two.
DECISION_DUE = {Edition.P2020: "2023-03-13T23:00:00.000Z", Edition.P2023: "2024-03-22T23:00:00.000Z"}
BUDGET = {Edition.P2020: "5bd", Edition.P2023: "14bd"}


def clock_of(world: World, clock: Clock) -> RunningClock:
    found = world.claim("c").clock(clock)
    assert found is not None
    return found


def reviewed(edition: Edition) -> World:
    world = world_of(edition)
    world.under_review("c", form=usage(edition))
    return world


@IN_BOTH
@pytest.mark.rule("T5", "D5", edition="both")
def test_a_review_that_starts_stops_the_queues_clock_and_starts_that_of_the_decision(edition: Edition) -> None:
    world = reviewed(edition)
    running = clock_of(world, Clock.REVIEW_DECISION)
    assert (running.budget, instant_text(running.due)) == (BUDGET[edition], DECISION_DUE[edition])
    assert world.claim("c").clock(Clock.REVIEW_START) is None


@IN_BOTH
@pytest.mark.rule("T6", edition="both")
def test_a_request_names_its_reasons_and_starts_the_partners_clock(edition: Edition) -> None:
    world = reviewed(edition)
    claim = world.must("c", ASK)
    assert (claim.status, [each.code for each in claim.reasons]) == (
        Status.PARTNER_ACTION_REQUIRED,
        ["missing_products"],
    )
    running = clock_of(world, Clock.PARTNER_ANSWER)
    assert (running.budget, instant_text(running.due)) == (BUDGET[edition], DECISION_DUE[edition])
    assert claim.clock(Clock.REVIEW_DECISION) is None
    assert claim.comments[-1].text == "Which products?"


@IN_BOTH
@pytest.mark.rule("T6", edition="both")
def test_a_request_needs_a_reason_of_its_own_vocabulary_and_words(edition: Edition) -> None:
    for reasons, comment, code in (
        ((), "Why?", Code.REASON_REQUIRED),
        ((Reason("insufficient_poe"),), "Why?", Code.REASON_NOT_ALLOWED),
        ((Reason("missing_products"),), " ", Code.INVALID_FIELDS),
    ):
        ask = cmd.RequestInformation(reasons=reasons, comment=comment)
        assert codes(reviewed(edition).give("c", ask)) == {code}


@IN_BOTH
@pytest.mark.parametrize("name", [CommandName.REVIEW_REQUEST_INFORMATION, CommandName.REVIEW_APPROVE])
@pytest.mark.rule("T5", edition="both")
def test_nothing_is_asked_or_decided_before_a_review_has_started(edition: Edition, name: CommandName) -> None:
    world = world_of(edition)
    world.filed("c", form=usage(edition))
    assert codes(world.give("c", EXAMPLES[name])) == {Code.ILLEGAL_TRANSITION}


@IN_BOTH
@pytest.mark.parametrize("clock", [Clock.REVIEW_START, Clock.REVIEW_DECISION, Clock.OVERALL_DECISION])
@pytest.mark.rule("D5", edition="both")
def test_no_clock_of_the_reviewers_ever_changes_a_claim(edition: Edition, clock: Clock) -> None:
    world = world_of(edition)
    world.filed("c", form=usage(edition))
    if clock is Clock.REVIEW_DECISION:
        world.must("c", cmd.StartReview())
    running = world.claim("c").clock(clock)
    assert (running is None) is (edition is Edition.P2023 and clock is Clock.OVERALL_DECISION)
    world.pass_days(300)
    before = world.claim("c")
    expired = cmd.ExpireDeadline(clock=clock, started_by=before.sequence, due=Instant(0))
    assert isinstance(world.give("c", expired), Ignored)
    assert world.claim("c") == before


# -- P2020's overall clock (D5) ---------------------------------------------------------------------------------------


@pytest.mark.rule("D5", edition="P2020")
def test_2020_the_overall_clock_counts_ten_business_days_without_those_the_partner_takes() -> None:
    world = reviewed(Edition.P2020)  # Monday, 6 March
    overall = clock_of(world, Clock.OVERALL_DECISION)
    assert (overall.budget, instant_text(overall.due)) == ("10bd", "2023-03-20T23:00:00.000Z")
    world.pass_days(2).must("c", ASK)
    assert clock_of(world, Clock.OVERALL_DECISION).remaining == "8bd"
    world.pass_days(5).must("c", cmd.ResubmitClaim(comment="Done"))
    resumed = clock_of(world, Clock.OVERALL_DECISION)
    assert (resumed.remaining, instant_text(resumed.due)) == (None, "2023-03-23T23:00:00.000Z")


@pytest.mark.rule("D5", edition="P2020")
def test_2020_on_its_last_day_the_overall_clock_can_still_be_paused_and_has_that_day_left() -> None:
    world = reviewed(Edition.P2020)
    overall = clock_of(world, Clock.OVERALL_DECISION)
    world.now = Instant(overall.due - 1)
    world.must("c", ASK)
    assert clock_of(world, Clock.OVERALL_DECISION).remaining == "0bd"
    world.pass_days(1).must("c", cmd.ResubmitClaim(comment="Done"))
    assert clock_of(world, Clock.OVERALL_DECISION).due == overall.due + MS_PER_DAY


@pytest.mark.rule("D5", edition="P2020")
def test_2020_an_overall_clock_that_has_run_out_is_neither_paused_nor_started_again() -> None:
    world = reviewed(Edition.P2020)
    overall = clock_of(world, Clock.OVERALL_DECISION)
    world.now = overall.due
    world.must("c", ASK)
    assert clock_of(world, Clock.OVERALL_DECISION) == overall
    world.pass_days(3).must("c", cmd.ResubmitClaim(comment="Done"))
    assert clock_of(world, Clock.OVERALL_DECISION) == overall


@pytest.mark.rule("D5", edition="P2020")
@pytest.mark.parametrize(
    "decision",
    [CommandName.REVIEW_APPROVE, CommandName.REVIEW_REJECT, CommandName.WITHDRAW],
    ids=lambda each: each.name,
)
def test_2020_the_first_decision_ends_the_overall_clock_for_the_claims_life(decision: CommandName) -> None:
    world = reviewed(Edition.P2020)
    assert world.must("c", EXAMPLES[decision]).clock(Clock.OVERALL_DECISION) is None
    if decision is CommandName.REVIEW_REJECT:
        assert world.must("c", EXAMPLES[CommandName.DISPUTE]).clock(Clock.OVERALL_DECISION) is None


@pytest.mark.rule("D5")
def test_since_2023_there_is_no_overall_clock() -> None:
    world = reviewed(Edition.P2023)
    world.must("c", ASK)
    world.must("c", cmd.ResubmitClaim(comment="Done"))
    assert all(each.clock is not Clock.OVERALL_DECISION for each in world.claim("c").clocks)
