"""Whatever happens in whatever order, with workers dying on the way: each rung is told at most once."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from cpor.domain.vocabulary import CommandName, Status
from cpor.runtime.store.engine import MemoryEngines
from cpor.runtime.topics import Topic
from tests.unit.deadlines.stage import SLOW, Crash, Stage
from tests.unit.review.pipeline import file_of, said_of

POINTS = ("send", "send_positions", "commit", "committed")


def next_step(stage: Stage, chance: random.Random) -> None:
    """What somebody may do to the claim now; half of the time nobody does anything."""
    status = stage.claim().status
    if chance.random() < 0.5:
        stage.pass_days(chance.random() * 9)
        stage.run()
    elif status == Status.SUBMITTED:
        stage.review("c", CommandName.REVIEW_START)
    elif status == Status.UNDER_REVIEW:
        reasons = [{"code": "missing_products"}]
        stage.review("c", CommandName.REVIEW_REQUEST_INFORMATION, reasons=reasons, comment="Which?")
    elif status == Status.PARTNER_ACTION_REQUIRED:
        number = len(stage.claim().documents) + 1
        stage.partner("c", CommandName.POE_ATTACH, said_of(number), files=(file_of(number),))
        stage.partner("c", CommandName.RESUBMIT)
    elif status == Status.REJECTED:
        stage.partner("c", CommandName.DISPUTE, {"justification": "We did the work"})


def history(seed: int) -> Stage:
    chance = random.Random(seed)
    stage = Stage(limits=SLOW)
    stage.broker.random.seed(seed)
    stage.file()
    for _ in range(25):
        next_step(stage, chance)
        if chance.random() < 0.3:
            crash(stage, chance)
    stage.pass_days(60)
    stage.run()
    stage.run()
    return stage


def crash(stage: Stage, chance: random.Random) -> None:
    stage.clock.tick(int(chance.random() * 5 * 86_400_000))
    stage.crash_at(chance.choice(POINTS), chance.randint(1, 2))
    try:
        stage.run_deadlines()
    except Crash:
        stage.rows = MemoryEngines() if chance.random() < 0.3 else stage.rows
        stage.unharmed()
        stage.deadlines = stage.fresh_deadlines()
    stage.unharmed()


@pytest.mark.parametrize("seed", range(25))
def test_each_clock_s_each_rung_is_told_at_most_once_and_every_end_is_told(seed: int) -> None:
    stage = history(seed)
    told = [data for _, data in stage.said(Topic.DEADLINE_EVENTS)] + [{**each, "rung": 9} for each in stage.expiries()]
    names = Counter((each["started_by"], each["clock"], each["rung"]) for each in told)
    assert not names or names.most_common(1)[0][1] == 1
    running = [(each.started_by, each.clock, 9) for each in stage.claim().clocks if each.due < stage.clock.now()]
    assert [each for each in running if each not in names and each[1] != "consent_wait"] == []
    assert stage.claim().status != Status.PARTNER_ACTION_REQUIRED
    stage.audit()
