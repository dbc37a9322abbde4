"""Whatever happens in whatever order, with workers dying on the way: what must hold of consent always holds."""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import Any

import pytest

from cpor.domain.events import Event
from cpor.domain.vocabulary import Clock, CommandName, Status, parse_instant
from cpor.runtime.clock import ManualClock
from cpor.runtime.record import Record
from cpor.runtime.topics import Topic
from schemas.mail import DELIVERED
from tests.unit.consent.stage import IN_2020, SLOW, Crash, Stage, short, stage_of

POINTS = ("send", "send_positions", "commit", "committed")
SEEDS = range(40)


def history(seed: int) -> Stage:
    """Thirty steps in the life of a claim."""
    chance = random.Random(seed)
    stage = Stage(clock=ManualClock(IN_2020), limits=SLOW) if seed % 2 else Stage(limits=SLOW)
    stage.broker.random.seed(seed)
    if seed % 2:
        stage.submitted_2020()
    else:
        stage.file()
    for _ in range(30):
        try:
            chance.choice(STEPS)(stage, chance)
            if chance.random() < 0.2:
                stage.crash_at(chance.choice(POINTS))
                stage.run_consent()
                stage.broker.faults = lambda point: None
        except Crash:
            stage.restart(store_lost=chance.random() < 0.3)
    stage.broker.faults = lambda point: None
    stage.restart()
    stage.goes_on()
    for _ in range(3):
        stage.pass_days(10)
        stage.run()
    return stage


def reviewed(stage: Stage, chance: random.Random) -> None:
    if stage.claim().status in (Status.SUBMITTED, Status.UNDER_REVIEW):
        stage.approves()


def answered(stage: Stage, chance: random.Random) -> None:
    answer = chance.choice(("decline", "agree", "agree"))
    channel = chance.choice(("page", "phone", "mail"))
    unnamed: dict[str, Any] = {"operator": None} if channel != "page" and chance.random() < 0.4 else {}
    stage.answers(answer, channel, **unnamed)


def doubted(stage: Stage, chance: random.Random) -> None:
    """A program presses a button; now and then an operator finds out about one."""
    if stage.requests():
        stage.doubtful(chance.choice(("decline", "agree")))
    held = [each.header("ce_causationid") for each in stage.said(Topic.CONSENT_EVENTS, "c") if short(each) == "held"]
    if held and chance.random() < 0.3:
        stage.finds(chance.choice(("released", "dismissed", "dismissed")), chance.choice(held) or "")


def corrected(stage: Stage, chance: random.Random) -> None:
    contact = {"name": "Ken Abe", "title": "CTO", "email": f"ken{chance.random()}@contoso.example", "language": "ja"}
    if chance.random() < 0.5:
        stage.partner("c", CommandName.EDIT, {"customer_contact": contact})
        stage.run()
    else:
        stage.resend(customer_contact=contact)


def delivered(stage: Stage, chance: random.Random) -> None:
    for request, _ in stage.requests():
        (stage.bounces if chance.random() < 0.2 else stage.arrives)(request)


def resent(stage: Stage, chance: random.Random) -> None:
    if chance.random() < 0.5:
        stage.resend()


def parked(stage: Stage, chance: random.Random) -> None:
    stage.inside("c", CommandName.PARK, letter_id="l-1")
    stage.pass_days(chance.random())
    stage.inside("c", CommandName.UNPARK, letter_id="l-1")


def time_passes(stage: Stage, chance: random.Random) -> None:
    stage.pass_days(chance.random() * 4)
    stage.run()


def stops_or_goes_on(stage: Stage, chance: random.Random) -> None:
    stage.stopped = not stage.stopped


STEPS = (
    reviewed,
    answered,
    delivered,
    resent,
    parked,
    time_passes,
    time_passes,
    stops_or_goes_on,
    delivered,
    reviewed,
    doubted,
    corrected,
)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_answer_has_one_answer_and_nothing_is_told_twice(seed: int) -> None:
    stage = history(seed)
    told = stage.said(Topic.CONSENT_EVENTS, "c")
    ids = Counter(each.header("ce_id") for each in told)
    assert ids.most_common(1)[0][1] == 1
    answers = [each.header("ce_id") for each in stage.said(Topic.CONSENT_RESPONSES, "c")]
    verdicts = ("declined", "agreed", "held", "ignored", "dismissed")
    judged = [each.header("ce_causationid") for each in told if short(each) in verdicts]
    assert Counter(judged) == Counter(answers)
    stage.audit()


@pytest.mark.parametrize("seed", SEEDS)
def test_no_approval_is_completed_after_a_no_or_without_the_customer_s_knowledge(seed: int) -> None:
    stage = history(seed)
    completed = [each for each in stage.events("c") if each.NAME == "consent_completed"]
    approved = [each for each in stage.events("c") if each.NAME == "approved"]
    assert len(completed) <= len(approved)
    for end in completed:
        assert [each for each in declined(stage) if each.appended_at <= end.at] == []
        assert unchecked(stage, end) == []
        assert [each for each in knew(stage) if each.appended_at <= end.at] != []


@pytest.mark.parametrize("seed", SEEDS)
def test_a_wait_that_is_neither_passed_nor_suspended_nor_over_still_has_its_timer(seed: int) -> None:
    """Thirty days after the last step nothing waits any more: nobody was forgotten."""
    claim = history(seed).claim()
    assert claim.status != Status.APPROVED or stage_of(claim) in ("completed", "suspended")


def declined(stage: Stage) -> list[Record]:
    return [each for each in stage.said(Topic.CONSENT_EVENTS, "c") if short(each) == "declined"]


def unchecked(stage: Stage, end: Event) -> list[str | None]:
    """Noes that came before the wait fell due and were held, and that nobody had checked when it was completed."""
    before = [each for each in stage.events("c") if each.sequence < end.sequence]
    started = [each for event in before for each in event.clocks_started if each.clock == Clock.CONSENT_WAIT]
    told = [(each, json.loads(each.value or b"")) for each in stage.said(Topic.CONSENT_EVENTS, "c")]
    held = [(each, data) for each, data in told if short(each) == "held"]
    done = [data.get("response_id") for each, data in told if each.appended_at <= end.at]
    noes = (each for each, data in held if data["answer"] == "decline" and parse_instant(data["at"]) < started[-1].due)
    return [each.header("ce_causationid") for each in noes if each.header("ce_causationid") not in done]


def knew(stage: Stage) -> list[Record]:
    """What shows that the customer knew of it."""
    arrived = [each for each in stage.said(Topic.DELIVERIES, "c") if each.header("ce_type") == DELIVERED]
    return [*arrived, *(each for each in stage.said(Topic.CONSENT_EVENTS, "c") if short(each) == "agreed")]
