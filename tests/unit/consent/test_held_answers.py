"""Answers that wait for a check: nobody put a name to them (D20)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cpor.domain.vocabulary import CommandName, Status, parse_instant
from cpor.runtime.topics import Topic
from services.consent.case import MOST_HELD
from tests.unit.consent.stage import GRACE, Stage, of_2020, stage_of

CONTACT = {"name": "Ken Abe", "title": "CTO", "email": "ken@contoso.example", "language": "ja"}


@pytest.mark.rule("D20")
def test_an_answer_that_nobody_put_a_name_to_is_held_and_suspends_the_wait() -> None:
    stage = Stage()
    due = stage.waiting()
    stage.answers("decline", "mail", operator=None)
    assert stage.told()[-2:] == ["held", "suspended: answer_held"]
    stage.pass_to(due + GRACE)
    assert stage_of(stage.claim()) == "suspended"


@pytest.mark.rule("D20", "D19", edition="P2020")
def test_2020_an_answer_that_was_held_counts_from_when_it_came_once_it_is_released() -> None:
    stage, due = of_2020()
    stage.clock.tick(due - 1_000 - stage.clock.now())
    came = stage.clock.now()
    stage.answers("decline", "mail", operator=None)
    stage.pass_to(due + 86_400_000)
    stage.answers("decline", "mail")
    received = [each.header("cpor_received_at") for each in stage.said(Topic.CLAIM_COMMANDS, "c")][-1]
    assert received is not None
    assert parse_instant(received) == came
    assert stage.claim().status == Status.REJECTED


def test_a_held_answer_that_was_taken_earlier_counts_from_when_the_operator_says() -> None:
    stage, due = of_2020()
    stage.answers("decline", "mail", operator=None)
    stage.pass_to(due + 86_400_000)
    stage.by_phone("decline", answered_at=due - 86_400_000)
    received = [each.header("cpor_received_at") for each in stage.said(Topic.CLAIM_COMMANDS, "c")][-1]
    assert received is not None
    assert parse_instant(received) == due - 86_400_000
    assert stage.claim().status == Status.REJECTED


def test_a_held_answer_that_turns_out_to_be_a_yes_ends_the_suspension_and_keeps_the_end_of_the_wait() -> None:
    stage = Stage()
    due = stage.waiting()
    stage.answers("agree", "mail", operator=None)
    assert stage_of(stage.claim()) == "suspended"
    stage.answers("agree", "mail")
    assert stage.due() == due
    stage.pass_to(due + GRACE)
    stage.run()
    assert stage.outcomes() == ["suspended", "agreed", "completed"]


def test_silence_about_a_held_answer_is_never_taken_for_consent() -> None:
    stage = Stage()
    due = stage.waiting()
    stage.stopped = True
    stage.clock.tick(due - 1 - stage.clock.now())
    stage.answers("decline", "mail", operator=None)
    stage.pass_to(due + 3_600_000)
    stage.goes_on()
    stage.run()
    assert stage.told()[-2:] == ["held", "suspended: answer_held"]
    assert stage.handed_off(Topic.ELIGIBLE) == []


def test_an_answer_held_before_the_approval_suspends_the_wait_as_soon_as_it_starts() -> None:
    stage = Stage()
    stage.file()
    stage.answers("decline", "mail", operator=None)
    assert stage.outcomes() == []
    stage.approves()
    assert stage.told()[-1] == "suspended: answer_held"


def test_a_new_notice_begins_anew_whatever_yes_was_held() -> None:
    stage = Stage()
    stage.waiting()
    stage.answers("agree", "mail", operator=None)
    stage.resend()
    stage.arrives()
    stage.pass_to(stage.due() + GRACE)
    stage.run()
    assert stage.outcomes() == ["suspended", "completed"]


def corrected_by_the_partner(stage: Stage) -> None:
    stage.partner("c", CommandName.EDIT, {"customer_contact": CONTACT})
    stage.run()


def corrected_by_an_operator(stage: Stage) -> None:
    stage.resend(customer_contact=CONTACT)


def sent_again(stage: Stage) -> None:
    stage.resend()


def agreed_by_page(stage: Stage) -> None:
    stage.answers("agree")


def agreed_by_phone_before(stage: Stage) -> None:
    """The yes came before the no that is held, and is entered after it."""
    stage.by_phone("agree", answered_at=stage.clock.now() - 3_600_000)


SINCE = (corrected_by_the_partner, corrected_by_an_operator, sent_again, agreed_by_page, agreed_by_phone_before)


@pytest.mark.rule("D9", "D20", edition="both")
@pytest.mark.parametrize("since", SINCE)
@pytest.mark.parametrize("begin", [Stage, lambda: of_2020()[0]], ids=["P2023", "P2020"])
def test_a_no_that_is_held_waits_for_its_check_whatever_comes_after_it(
    begin: Callable[[], Stage], since: Callable[[Stage], None]
) -> None:
    stage = begin()
    if not stage.requests():
        stage.waiting()
    stage.pass_days(1)
    answer = stage.doubtful("decline")
    since(stage)
    stage.arrives()
    stage.pass_days(20)
    stage.run()
    assert stage_of(stage.claim()) == "suspended"
    assert stage.handed_off(Topic.ELIGIBLE) == []
    stage.finds("released", answer)
    assert (stage.claim().status, stage.reasons()) == (Status.REJECTED, ["customer_declined"])


def test_a_no_that_was_held_and_dismissed_no_longer_stands_in_the_way_of_a_yes() -> None:
    stage = Stage()
    due = stage.waiting()
    answer = stage.doubtful("decline")
    stage.answers("agree")
    stage.finds("dismissed", answer)
    assert stage_of(stage.claim()) == "suspended"
    stage.by_phone("agree")
    stage.pass_to(due + GRACE)
    stage.run()
    assert stage_of(stage.claim()) == "completed"


def test_yeses_that_are_held_never_keep_out_a_no() -> None:
    stage = Stage()
    stage.waiting()
    for _ in range(MOST_HELD + 1):
        stage.doubtful("agree")
    assert stage.told()[-1] == "ignored: too many answers are being checked already"
    answer = stage.doubtful("decline")
    stage.finds("released", answer)
    assert stage.claim().status == Status.REJECTED
