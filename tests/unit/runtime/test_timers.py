"""Durable timers: in due order, at most once, whatever happens between (architecture §3, Timers)."""

from __future__ import annotations

import pytest

from cpor.runtime.errors import Stop
from cpor.runtime.processor import Context, Processor, Timer
from cpor.runtime.record import Record
from cpor.runtime.store.engine import MemoryEngines
from cpor.runtime.worker import Limits
from tests.unit.runtime.pipeline import FAULT_POINTS, Counting, Crash, Pipeline

DELAYS = (500, 100, 300, 200, 400)


def armed(limits: Limits | None = None) -> Pipeline:
    """Five alarms in slot 1, set in another order than that of their due instants."""
    pipeline = Pipeline() if limits is None else Pipeline(limits=limits)
    for n, delay in enumerate(DELAYS):
        pipeline.feed(f"{n}-1", f"alarm {delay}")
    return pipeline


def fired(pipeline: Pipeline) -> list[int]:
    """Due instants after the start, in the order in which the timers fired."""
    start = pipeline.broker.records("in", 1)[0].appended_at
    return [int((r.value or b"").split()[1]) - start for r in pipeline.broker.records("fired", 1)]


def test_timers_fire_in_the_order_of_their_due_instants_and_not_before() -> None:
    pipeline = armed()
    worker = pipeline.worker()
    pipeline.settle(worker)
    assert fired(pipeline) == []
    pipeline.clock.tick(250)
    pipeline.settle(worker)
    assert fired(pipeline) == [100, 200]
    pipeline.clock.tick(1000)
    pipeline.settle(worker)
    assert fired(pipeline) == [100, 200, 300, 400, 500]


def test_a_round_fires_no_more_timers_than_its_limit_and_the_next_goes_on() -> None:
    pipeline = armed(Limits(timers=2, poll_ms=0))
    worker = pipeline.worker()
    pipeline.settle(worker)
    pipeline.clock.tick(1000)
    assert [worker.step() for _ in range(4)] == [2, 2, 1, 0]
    assert fired(pipeline) == sorted(DELAYS)


@pytest.mark.parametrize("emptied", [False, True], ids=["store kept", "store lost"])
@pytest.mark.parametrize("point", FAULT_POINTS)
def test_a_timer_fires_once_also_when_the_worker_dies_while_firing_it(point: str, emptied: bool) -> None:
    pipeline = armed()
    worker = pipeline.worker()
    pipeline.settle(worker)
    pipeline.clock.tick(1000)
    pipeline.fail_at(point, 1, Crash)
    with pytest.raises(Crash):
        worker.step()
    pipeline.unharmed()
    pipeline.settle(pipeline.worker(engines=MemoryEngines() if emptied else None))
    assert fired(pipeline) == sorted(DELAYS)


def test_timers_that_were_due_while_no_worker_ran_fire_at_its_start() -> None:
    pipeline = armed()
    pipeline.settle(pipeline.worker())
    pipeline.clock.tick(10_000)
    pipeline.settle(pipeline.worker(engines=MemoryEngines()))
    assert fired(pipeline) == sorted(DELAYS)


class Chaining(Counting):
    """The first timer to fire cancels the second, moves the third and sets a fourth that is due at once."""

    def process(self, context: Context, record: Record) -> None:
        for n in range(3):
            context.set_timer(Timer(record.appended_at + 100 + n, "c", "alarm", n))

    def fire(self, context: Context, timer: Timer) -> None:
        super().fire(context, timer)
        if timer.started_by == 0:
            context.cancel_timer("c", "alarm", 1)
            context.set_timer(Timer(timer.due + 5_000, "c", "alarm", 2))
            context.set_timer(Timer(timer.due, "c", "alarm", 3))


def test_a_timer_that_an_earlier_one_cancelled_or_moved_in_the_same_round_does_not_fire() -> None:
    pipeline = Pipeline(Chaining)
    pipeline.feed("k1")
    worker = pipeline.worker()
    pipeline.settle(worker)
    pipeline.clock.tick(1000)
    pipeline.settle(worker)
    assert fired(pipeline) == [100, 100]
    pipeline.clock.tick(5000)
    pipeline.settle(worker)
    assert fired(pipeline) == [100, 100, 5100]


class NoRule(Counting):
    def fire(self, context: Context, timer: Timer) -> None:
        Processor.fire(self, context, timer)


def test_a_timer_without_a_rule_stops_the_worker() -> None:
    pipeline = Pipeline(NoRule)
    pipeline.feed("k1", "alarm 10")
    worker = pipeline.worker()
    pipeline.settle(worker)
    pipeline.clock.tick(20)
    with pytest.raises(Stop):
        worker.step()
