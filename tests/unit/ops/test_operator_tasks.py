"""What operators have to see to: it is there when it should be, once, and gone when the claim has moved on (D20)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from cpor.domain import ids
from cpor.domain.vocabulary import ActorKind, Clock, CommandName, Instant, instant_text
from cpor.ops.book import Claim
from cpor.ops.errors import WrongUse
from cpor.ops.inbox import by_actor, to_inbox
from cpor.ops.operations import corrected
from cpor.ops.tasks import TOPICS, Task, TaskKind, task_json, tasks_of
from cpor.runtime.record import Output
from cpor.runtime.topics import Topic
from schemas import deadlines
from schemas.base import check
from schemas.envelope import headers
from schemas.inbox import INBOX_FROM_INSIDE
from tests.unit.consent.stage import GRACE, PARTITION, Stage
from tests.unit.review.pipeline import OPERATOR, TENANT, N, of

CONTACT = {"name": "Ken Abe", "title": "CTO", "email": "ken@contoso.example", "language": "ja"}


def open_tasks(stage: Stage) -> list[Task]:
    records = [each for topic in TOPICS for each in stage.broker.records(topic)]
    return tasks_of([Claim(stage.claim(), "Contoso")], records)


def kinds(stage: Stage) -> list[str]:
    return [each.kind.value for each in open_tasks(stage)]


def miss(stage: Stage, clock: Clock) -> None:
    """Deadlines tells that a clock was missed."""
    running = stage.claim().clock(clock)
    assert running is not None
    value = {"claim_id": of("c"), "clock": clock, "started_by": running.started_by, "rung": 9}
    times = {"due": instant_text(running.due), "fired_at": instant_text(Instant(running.due + GRACE))}
    name = ids.name_id(f"missed/{clock}/{running.started_by}")
    told = headers(deadlines.MISSED, name, "/services/deadlines", Instant(running.due), of("c"))
    there = Output(Topic.DEADLINE_EVENTS, PARTITION, TENANT.encode(), json.dumps(value | times).encode(), told)
    stage.broker.append(there)


def test_a_claim_with_which_all_is_well_is_no_task() -> None:
    stage = Stage()
    due = stage.waiting()
    assert open_tasks(stage) == []
    stage.pass_to(due + GRACE)
    stage.run()
    assert open_tasks(stage) == []


def test_a_bounced_first_notice_is_open_until_a_newer_notice_or_the_approval() -> None:
    stage = Stage()
    stage.asked()
    stage.bounces()
    (task,) = open_tasks(stage)
    assert (task.kind, task.why) == (TaskKind.FIRST_NOTICE_BOUNCED, "the first notice bounced: 550 no such user")
    stage.partner("c", CommandName.EDIT, {"customer_contact": CONTACT})
    stage.partner("c", CommandName.RESUBMIT)
    stage.run()
    assert open_tasks(stage) == []


def test_after_the_approval_the_first_notice_no_longer_matters() -> None:
    stage = Stage()
    stage.file()
    stage.bounces()
    stage.approves()
    stage.arrives()
    assert open_tasks(stage) == []


def test_a_suspended_wait_is_open_until_a_new_notice_goes_out() -> None:
    stage = Stage()
    stage.waiting(delivered=False)
    stage.bounces()
    (task,) = open_tasks(stage)
    assert (task.kind, task.why) == (TaskKind.WAIT_SUSPENDED, "the notice bounced")
    assert f"cpor ops resend-notice {of('c')}" in task.advice
    stage.resend(customer_contact=CONTACT)
    assert open_tasks(stage) == []


@pytest.mark.rule("D20")
def test_a_notice_that_comes_back_after_the_wait_is_open_until_the_customer_says_something() -> None:
    stage = Stage()
    stage.pass_to(stage.waiting() + GRACE)
    stage.run()
    assert open_tasks(stage) == []
    stage.bounces()
    (task,) = open_tasks(stage)
    assert (task.kind, task.why) == (TaskKind.LATE_BOUNCE, "the notice bounced after the wait: 550 no such user")
    stage.answers("agree", "phone")
    assert open_tasks(stage) == []


def test_a_wait_of_which_nobody_knows_whether_the_notice_arrived_is_open_too() -> None:
    stage = Stage()
    stage.pass_to(stage.waiting(delivered=False) + GRACE)
    stage.run()
    assert [each.why for each in open_tasks(stage)] == ["nothing shows that the notice arrived"]


@pytest.mark.parametrize("answer", ["decline", "agree"])
def test_a_held_answer_is_one_task_until_somebody_puts_a_name_to_it(answer: str) -> None:
    stage = Stage()
    stage.waiting()
    stage.answers(answer, "mail", operator=None)
    assert kinds(stage) == ["answer_held"]
    stage.answers(answer, "mail")
    assert open_tasks(stage) == []


def test_an_answer_held_before_the_approval_stays_open_over_it() -> None:
    stage = Stage()
    stage.file()
    stage.answers("decline", "mail", operator=None)
    assert kinds(stage) == ["answer_held"]
    stage.approves()
    assert kinds(stage) == ["answer_held"]


def test_a_new_notice_makes_a_held_yes_nobodys_task() -> None:
    stage = Stage()
    stage.waiting()
    stage.answers("agree", "mail", operator=None)
    stage.resend()
    assert open_tasks(stage) == []


@pytest.mark.rule("D9")
@pytest.mark.parametrize("since", [lambda stage: stage.resend(), lambda stage: stage.answers("agree")])
def test_a_held_no_stays_a_task_until_it_is_checked_whatever_comes_after_it(since: Callable[[Stage], None]) -> None:
    stage = Stage()
    stage.waiting()
    answer = stage.doubtful("decline")
    since(stage)
    assert kinds(stage) == ["answer_held"]
    stage.finds("dismissed", answer)
    assert kinds(stage) == ["wait_suspended"]


def test_a_missed_deadline_is_open_while_its_clock_runs_on() -> None:
    stage = Stage()
    stage.file()
    miss(stage, Clock.REVIEW_START)
    (task,) = open_tasks(stage)
    assert task.kind == TaskKind.DEADLINE_MISSED
    assert task.why.startswith("review_start ended at 2024-")
    stage.review("c", CommandName.REVIEW_START)
    assert open_tasks(stage) == []


def test_the_oldest_task_comes_first_and_a_machine_reads_all_of_it() -> None:
    stage = Stage()
    stage.file()
    miss(stage, Clock.REVIEW_START)
    stage.bounces()
    told = [task_json(each) for each in open_tasks(stage)]
    assert [each["task"] for each in told] == ["first_notice_bounced", "deadline_missed"]
    assert all(each["since"] and each["why"] and each["what"] and each["claim_id"] == of("c") for each in told)
    assert {each["customer"] for each in told} == {"Contoso"}


# -- sending a notice again --------------------------------------------------------------------------------------------


def test_what_is_not_given_of_a_contact_stays_as_it_is() -> None:
    stage = Stage()
    stage.waiting()
    before = stage.claim().personal.customer_contact
    assert before is not None
    assert corrected(stage.claim(), {}) is None
    contact = corrected(stage.claim(), {"email": "ken@contoso.example"})
    assert contact is not None
    assert contact["email"] == "ken@contoso.example"
    assert (contact["name"], contact["title"]) == (before.name, before.title)


def test_a_claim_without_a_contact_needs_all_of_one() -> None:
    stage = Stage()
    stage.waiting()
    state = stage.claim()
    imported = replace(state, personal=replace(state.personal, customer_contact=None))
    with pytest.raises(WrongUse, match="--name, --title"):
        corrected(imported, {"email": "ken@contoso.example"})


def test_an_operators_command_is_what_the_inbox_takes_and_restarts_the_wait() -> None:
    stage = Stage()
    first = stage.waiting(delivered=False)
    stage.bounces()
    stage.pass_days(2)
    contact: Any = corrected(stage.claim(), {"email": "ken@contoso.example"})
    data = by_actor(ActorKind.OPERATOR, "o-1", customer_contact=contact)
    name = CommandName.OPS_RESEND_NOTICE
    message, output = to_inbox(name, of("c"), TENANT, data, "/operators/o-1", stage.clock.now(), N)
    check(INBOX_FROM_INSIDE[name], output.value or b"")
    assert data["actor"] == OPERATOR
    stage.broker.append(output)
    stage.run()
    assert stage.due() > first
    answered = [each for each in stage.said(Topic.CLAIM_EVENTS, "c") if each.header("ce_causationid") == message]
    assert [each.header("ce_type") for each in answered] == ["cpor.claim.edited.v1"]
