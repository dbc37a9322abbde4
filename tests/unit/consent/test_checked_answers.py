"""Answers by page that may be a program's: held, then released or dismissed by an operator (D20)."""

from __future__ import annotations

import pytest

from cpor.domain.vocabulary import CommandName, Status, parse_instant
from cpor.runtime.topics import Topic
from tests.unit.consent.stage import GRACE, Crash, Stage, of_2020, stage_of
from tests.unit.review.pipeline import OTHER_TENANT

DAY = 86_400_000


def received(stage: Stage) -> int:
    """When the newest outcome that review was told counts from."""
    found = [each.header("cpor_received_at") for each in stage.said(Topic.CLAIM_COMMANDS, "c")][-1]
    assert found is not None
    return parse_instant(found)


@pytest.mark.rule("D20")
@pytest.mark.parametrize("doubt", ["no_visit", "too_soon"])
def test_an_answer_with_a_doubt_is_held_and_suspends_the_wait(doubt: str) -> None:
    stage = Stage()
    due = stage.waiting()
    stage.doubtful("decline", doubt)
    assert stage.told()[-2:] == ["held", "suspended: answer_held"]
    stage.pass_to(due + GRACE)
    assert stage_of(stage.claim()) == "suspended"
    assert stage.claim().status == Status.APPROVED


@pytest.mark.rule("D20", "D19", edition="P2020")
def test_2020_a_no_that_came_in_time_and_is_released_after_the_seventh_day_counts_from_when_it_came() -> None:
    stage, due = of_2020()
    stage.clock.tick(due - 1_000 - stage.clock.now())
    came = stage.clock.now()
    answer = stage.doubtful("decline")
    stage.pass_to(due + 3 * DAY)
    stage.finds("released", answer)
    assert received(stage) == came
    assert stage.claim().status == Status.REJECTED
    assert stage.reasons() == ["customer_declined"]


def test_a_no_that_is_released_keeps_its_evidence() -> None:
    stage = Stage()
    stage.waiting()
    stage.finds("released", stage.doubtful("decline", evidence="{}"))
    declined = stage.said(Topic.CONSENT_EVENTS, "c")[-1]
    assert declined.header("ce_type") == "cpor.consent.declined.v1"
    assert b'"evidence":"{}"' in (declined.value or b"")


def test_a_yes_that_is_released_ends_the_suspension_and_keeps_the_end_of_the_wait() -> None:
    stage = Stage()
    due = stage.waiting()
    stage.finds("released", stage.doubtful("agree"))
    assert stage.due() == due
    stage.pass_to(due + GRACE)
    stage.run()
    assert stage.outcomes() == ["suspended", "agreed", "completed"]


@pytest.mark.rule("D20")
def test_of_an_answer_that_is_dismissed_nothing_counts_and_a_new_notice_starts_the_wait_again() -> None:
    stage = Stage()
    due = stage.waiting()
    stage.finds("dismissed", stage.doubtful("decline"))
    assert stage.told()[-1] == "dismissed"
    stage.pass_to(due + GRACE)
    assert stage_of(stage.claim()) == "suspended"
    stage.resend()
    stage.arrives()
    assert stage_of(stage.claim()) == "waiting"
    stage.pass_to(stage.due() + GRACE)
    stage.run()
    assert stage.outcomes() == ["suspended", "completed"]
    assert stage.claim().status == Status.APPROVED


def test_an_answer_dismissed_before_the_approval_leaves_no_trace_on_the_wait() -> None:
    stage = Stage()
    stage.file()
    stage.finds("dismissed", stage.doubtful("decline"))
    stage.approves()
    stage.arrives()
    stage.pass_to(stage.due() + GRACE)
    stage.run()
    assert stage.outcomes() == ["completed"]


def test_a_release_that_comes_twice_counts_once() -> None:
    stage = Stage()
    stage.waiting()
    answer = stage.doubtful("decline")
    stage.finds("released", answer)
    stage.finds("released", answer)
    stage.finds("dismissed", answer)
    assert stage.outcomes() == ["suspended", "declined"]
    assert stage.told()[-2:] == ["ignored: no such answer is being checked"] * 2


def test_a_release_after_the_claim_is_over_says_so_and_changes_nothing() -> None:
    stage = Stage()
    stage.waiting()
    answer = stage.doubtful("agree")
    stage.partner("c", CommandName.DISASSOCIATE, {"reason": "The project is over."})
    stage.run()
    status = stage.claim().status
    stage.finds("released", answer)
    assert stage.told()[-1] == "ignored: the claim is over"
    assert stage.claim().status == status == Status.REJECTED_FINAL


def test_what_another_customer_s_operator_found_is_about_nothing() -> None:
    stage = Stage()
    stage.waiting()
    answer = stage.doubtful("decline")
    stage.finds("released", answer, tenant=OTHER_TENANT)
    assert stage.outcomes() == ["suspended"]
    stage.finds("released", answer)
    assert stage.claim().status == Status.REJECTED


def test_the_wait_stands_still_until_the_last_answer_is_checked() -> None:
    stage = Stage()
    stage.waiting()
    yes, no = stage.doubtful("agree"), stage.doubtful("decline")
    stage.finds("released", yes)
    assert stage_of(stage.claim()) == "suspended"
    assert stage.handed_off(Topic.ELIGIBLE) == []
    stage.finds("released", no)
    assert stage.claim().status == Status.REJECTED


def test_a_no_behind_a_yes_that_is_held_is_not_lost() -> None:
    stage = Stage()
    stage.waiting()
    stage.doubtful("agree")
    stage.answers("decline")
    assert stage.claim().status == Status.REJECTED


def test_the_customer_s_own_word_from_the_page_makes_the_check_needless() -> None:
    stage = Stage()
    due = stage.waiting()
    stage.doubtful("agree")
    stage.answers("agree")
    stage.pass_to(due + GRACE)
    stage.run()
    assert stage.outcomes() == ["suspended", "agreed", "completed"]


def test_a_doubtful_answer_by_a_link_that_was_replaced_is_not_even_held() -> None:
    stage = Stage()
    stage.waiting()
    stage.doubtful("decline", token_id="0c0c52fe-31d3-5a7c-9a8e-3f1c7a0b4d11")
    assert stage.told()[-1].startswith("ignored: the link does not count")


def test_what_is_held_is_bounded() -> None:
    stage = Stage()
    stage.waiting()
    for _ in range(11):
        stage.doubtful("decline")
    assert stage.told()[-1] == "ignored: too many answers are being checked already"
    assert stage.outcomes() == ["suspended"]


def test_an_answer_by_phone_does_not_count_from_when_a_program_answered_by_page() -> None:
    stage = Stage()
    stage.waiting()
    stage.doubtful("decline")
    stage.clock.tick(DAY)
    called = stage.clock.now()
    stage.by_phone("decline")
    assert received(stage) >= called


@pytest.mark.parametrize("point", ["send", "commit", "committed"])
@pytest.mark.parametrize("finding", ["released", "dismissed"])
def test_a_crash_while_a_finding_is_taken_in_changes_nothing_of_what_comes_of_it(point: str, finding: str) -> None:
    stage = Stage()
    stage.waiting()
    answer = stage.doubtful("decline")
    stage.crash_at(point)
    with pytest.raises(Crash):
        stage.finds(finding, answer)
    stage.restart(store_lost=True)
    stage.run()
    assert stage.told()[-1] == ("declined" if finding == "released" else "dismissed")
    assert stage.outcomes() == ["suspended", "declined"][: 2 if finding == "released" else 1]


def test_a_finding_that_is_read_together_with_its_answer_is_judged_after_it() -> None:
    stage = Stage()
    stage.waiting()
    stage.stopped = True
    answer = stage.doubtful("decline")
    stage.finds("released", answer)
    stage.goes_on()
    assert stage.outcomes() == ["suspended", "declined"]
    assert stage.claim().status == Status.REJECTED
