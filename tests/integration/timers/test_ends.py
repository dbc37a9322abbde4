"""On a real broker an association ends with its subscription, once, whoever dies on the way (T19)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from cpor.devstack.platform import open_platform
from cpor.domain.calendar import end_of_day
from cpor.domain.vocabulary import CommandName
from cpor.runtime.record import Record
from cpor.runtime.topics import Topic
from cpor.runtime.worker import Worker
from services.deadlines.worker import Deadlines
from tests.integration.timers.test_fair_clock import GRACE, Bed, N, steps
from tests.unit.deadlines.stage import Stage
from tests.unit.review.pipeline import SALES, SUBSCRIPTION, sales_form

JUNE = date(2024, 6, 30)


@pytest.fixture(scope="module")
def bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    """A broker of its own: groups and topics have fixed names."""
    folder = tmp_path_factory.mktemp("ends")
    with open_platform(folder, keep=False) as endpoints:
        yield Bed(endpoints.kafka_bootstrap, folder)


def sold(bed: Bed, **changes: Any) -> None:
    value = json.dumps({**SALES, **changes}).encode()
    bed.publish(Topic.SUBSCRIPTIONS, Record(Topic.SUBSCRIPTIONS, 0, 0, 0, SUBSCRIPTION.encode(), value, ()))


def ends(bed: Bed) -> list[str]:
    found = [
        each for each in bed.said(Topic.CLAIM_COMMANDS) if each.header("ce_type") == CommandName.OPS_END_SUBSCRIPTION
    ]
    return [json.loads(each.value or b"")["ends_on"] for each in found]


def idle(worker: Worker, rounds: int = 20) -> None:
    for _ in range(rounds):
        worker.step()


@pytest.mark.integration
@pytest.mark.timeout(180)
@pytest.mark.rule("T19", "D16")
def test_an_end_that_a_renewal_moved_is_told_once_on_a_real_broker(bed: Bed) -> None:
    stage = Stage()
    stage.official(form=sales_form())
    events = stage.event_records()
    sold(bed, ends_on="2024-05-31")
    bed.publish(Topic.CLAIM_EVENTS, *events)
    first = bed.worker(Deadlines(N, GRACE))
    steps(first, lambda: first.health.records > len(events))

    sold(bed, ends_on=JUNE.isoformat())
    bed.clock.set(end_of_day(date(2024, 5, 31), "Europe/Berlin"))
    steps(first, lambda: first.health.records > len(events) + 1)
    idle(first)
    assert ends(bed) == [], "it was renewed before its last day was over"
    first.close()

    second = bed.worker(Deadlines(N, GRACE))
    bed.clock.set(end_of_day(JUNE, "Europe/Berlin"))
    steps(second, lambda: ends(bed) != [])
    second.close()
    third = bed.worker(Deadlines(N, GRACE))
    sold(bed, ends_on=JUNE.isoformat(), state="ended")
    steps(third, lambda: third.health.records > 0)
    idle(third)
    assert ends(bed) == [JUNE.isoformat()]
    third.close()
