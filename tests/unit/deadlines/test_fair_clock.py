"""Time-outs: fair to whoever answered in time, and each told at most once (T9, D19, D5)."""

from __future__ import annotations

import pytest

from cpor.domain.vocabulary import Clock, CommandName, Edition, Status, parse_instant
from cpor.runtime.clock import ManualClock
from cpor.runtime.store.engine import MemoryEngines
from cpor.runtime.topics import Topic
from tests.unit.deadlines.stage import GRACE, SLOW, Crash, Stage, short
from tests.unit.domain.rules.editions import IN_BOTH

IN_2020 = parse_instant("2023-03-06T08:00:00Z")
FAULT_POINTS = ("send", "send_positions", "commit", "committed")


def asked(edition: Edition = Edition.P2023) -> tuple[Stage, int]:
    """A claim whose partner has to answer, and the instant at which it is too late."""
    stage = Stage() if edition is Edition.P2023 else Stage(clock=ManualClock(IN_2020))
    if edition is Edition.P2023:
        stage.asked()
    else:
        stage.submitted_2020()
        stage.review("c", CommandName.REVIEW_START)
        missing = [{"code": "missing_products"}]
        stage.review("c", CommandName.REVIEW_REQUEST_INFORMATION, reasons=missing, comment="Which?")
    stage.arrive()
    stage.intake_reads()
    return stage, stage.clock_of(Clock.PARTNER_ANSWER).due


@IN_BOTH
@pytest.mark.rule("T9", "R33", edition="both")
def test_a_partner_that_never_answers_is_rejected_once_and_not_before_the_grace_has_passed(
    edition: Edition,
) -> None:
    stage, due = asked(edition)
    stage.pass_to(due + GRACE - 1)
    assert stage.expiries() == []
    assert stage.claim().status == Status.PARTNER_ACTION_REQUIRED
    stage.pass_to(due + GRACE)
    stage.run()
    stage.pass_days(30)
    stage.run()
    assert len(stage.expiries()) == 1
    assert stage.claim().status == Status.REJECTED
    assert [reason.code for reason in stage.claim().reasons] == ["no_partner_response"]
    stage.audit()


@IN_BOTH
@pytest.mark.rule("D19", "R33", edition="both")
def test_an_answer_on_the_topic_wins_although_intake_was_stopped_across_the_due_instant(
    edition: Edition,
) -> None:
    stage, due = asked(edition)
    stage.clock.tick(due - 1_000 - stage.clock.now())
    behind = stage.arrive()
    received = stage.clock.now()
    stage.pass_to(due + 3_600_000)
    assert stage.expiries() == []
    assert stage.partner("c", CommandName.COMMENT, {"text": "Teams and Intune"}).outcome == "accepted"
    answer = stage.partner("c", CommandName.EDIT, {"workloads": ["teams"]})
    assert answer.outcome == "accepted"
    resubmitted = stage.partner("c", CommandName.RESUBMIT, received_at=received)
    assert resubmitted.outcome == "accepted"
    stage.intake_reads(behind)
    stage.run()
    assert stage.claim().status == Status.SUBMITTED
    assert stage.expiries() == []


@IN_BOTH
@pytest.mark.rule("D19", edition="both")
def test_an_answer_that_intake_admitted_and_deadlines_has_not_seen_wins_by_its_place_in_the_inbox(
    edition: Edition,
) -> None:
    """Review stands still: the answer and the expiry both lie in its inbox when it goes on."""
    stage, due = asked(edition)
    stage.clock.tick(due - 1_000 - stage.clock.now())
    stage.admit("c", CommandName.EDIT, {"workloads": ["teams"]})
    stage.admit("c", CommandName.RESUBMIT)
    stage.clock.tick(GRACE + 2_000)
    stage.intake_reads()
    while stage.deadlines.step():
        pass
    assert len(stage.expiries()) == 1
    stage.run()
    assert stage.claim().status == Status.SUBMITTED
    stage.audit()


@IN_BOTH
@pytest.mark.rule("D19", "R39", edition="both")
def test_a_window_is_not_told_to_be_closed_while_a_dispute_that_came_in_time_is_still_to_be_read(
    edition: Edition,
) -> None:
    stage, _ = asked(edition)
    stage.partner("c", CommandName.RESUBMIT, {"comment": "These."})
    stage.review("c", CommandName.REVIEW_START)
    stage.review("c", CommandName.REVIEW_REJECT, reasons=[{"code": "insufficient_poe"}], comment="Too thin")
    stage.run()
    due = stage.clock_of(Clock.DISPUTE_WINDOW).due
    stage.clock.tick(due - 1_000 - stage.clock.now())
    behind, received = stage.arrive(), stage.clock.now()
    stage.pass_to(due + 3_600_000)
    closed = ("missed", "dispute_window", 9)
    assert closed not in stage.told()
    words = {"justification": "It says all on page 4."}
    assert stage.partner("c", CommandName.DISPUTE, words, received_at=received).outcome == "accepted"
    stage.intake_reads(behind)
    stage.run()
    assert (stage.claim().status, closed in stage.told()) == (Status.DISPUTED, False)


def test_without_an_answer_a_stopped_intake_delays_the_expiry_and_then_there_is_exactly_one() -> None:
    stage, due = asked()
    stage.clock.tick(due - 1_000 - stage.clock.now())
    behind = stage.arrive()  # of another claim, say
    stage.pass_to(due + 3_600_000)
    assert stage.expiries() == []
    stage.intake_reads(behind)
    stage.run()
    stage.run()
    assert len(stage.expiries()) == 1
    assert stage.claim().status == Status.REJECTED


def test_what_came_after_the_grace_does_not_have_to_be_read() -> None:
    stage, due = asked()
    stage.clock.tick(due + GRACE - stage.clock.now())
    stage.arrive()
    stage.run()
    assert len(stage.expiries()) == 1


def test_a_parked_claim_s_time_out_stands_still_and_goes_on_when_it_is_unparked() -> None:
    stage, due = asked()
    stage.inside("c", CommandName.PARK, letter_id="l-1")
    stage.pass_to(due + GRACE)
    assert stage.expiries() == []
    stage.inside("c", CommandName.UNPARK, letter_id="l-1")
    stage.run()
    assert len(stage.expiries()) == 1
    assert stage.claim().status == Status.REJECTED


@pytest.mark.rule("T9")
def test_a_second_request_has_a_whole_window_of_its_own() -> None:
    stage, first = asked()
    stage.clock.tick(86_400_000)
    stage.partner("c", CommandName.EDIT, {"workloads": ["teams"]})
    stage.partner("c", CommandName.RESUBMIT)
    stage.review("c", CommandName.REVIEW_START)
    reasons = [{"code": "missing_products"}]
    stage.review("c", CommandName.REVIEW_REQUEST_INFORMATION, reasons=reasons, comment="And?")
    second = stage.clock_of(Clock.PARTNER_ANSWER).due
    assert second > first
    stage.pass_to(first + GRACE)
    stage.run()
    assert stage.expiries() == []
    stage.pass_to(second + GRACE)
    stage.run()
    assert [each["due"] for each in stage.expiries()] != []
    assert stage.claim().status == Status.REJECTED


@pytest.mark.parametrize("emptied", [False, True], ids=["store kept", "store lost"])
@pytest.mark.parametrize("point", FAULT_POINTS)
def test_an_expiry_is_sent_once_wherever_the_worker_dies(point: str, emptied: bool) -> None:
    stage, due = asked()
    stage.clock.tick(due + GRACE - stage.clock.now())
    stage.crash_at(point)
    with pytest.raises(Crash):
        stage.deadlines.step()
    stage.unharmed()
    if emptied:
        stage.rows = MemoryEngines()
    stage.deadlines = stage.fresh_deadlines()
    stage.run()
    stage.run()
    assert len(stage.expiries()) == 1
    assert stage.claim().status == Status.REJECTED
    kinds = [short(each) for each in stage.broker.records(Topic.DEADLINE_EVENTS)]
    assert kinds.count("reminder") <= 2


def test_a_worker_that_was_away_tells_nothing_that_it_has_not_read_up_to() -> None:
    """The partner answered, and the review began, while nobody followed; the backlog is read record by record."""
    stage, due = asked()
    stage.limits, stage.stopped = SLOW, True
    stage.partner("c", CommandName.EDIT, {"workloads": ["teams"]})
    stage.partner("c", CommandName.RESUBMIT)
    stage.review("c", CommandName.REVIEW_START)
    stage.clock.tick(due + GRACE - stage.clock.now())
    stage.stopped, stage.deadlines = False, stage.fresh_deadlines()
    stage.run()
    assert stage.expiries() == []
    assert stage.told() == [("missed", "review_decision", 9)], "which runs still"
