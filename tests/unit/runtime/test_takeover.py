"""A worker that stood still while another took its slots over must not add anything when it wakes (architecture §3)."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest

from cpor.runtime.errors import Fenced, GenerationLost
from cpor.runtime.processor import Lookup, Nothing, Preparation
from cpor.runtime.record import Output, Record, TopicPartition
from cpor.runtime.store.engine import MemoryEngines
from cpor.runtime.transport.memory import MemoryTransport
from tests.unit.runtime.pipeline import FAULT_POINTS, GROUP, Counting, Frozen, Pipeline


def expected(times: int) -> dict[str, list[str]]:
    """What is told when every key had `times` records, one after another."""
    return {f"k{n}": [f"{t + 1} in-{n % 4}-{n // 4 + 2 * t}" for t in range(times)] for n in range(8)}


@pytest.mark.parametrize("point", FAULT_POINTS[:3])
def test_a_worker_frozen_in_its_transaction_is_refused_after_the_take_over_and_joins_again(point: str) -> None:
    pipeline = Pipeline()
    pipeline.feed_many(16)
    elder, younger = pipeline.worker("0"), pipeline.worker("1", MemoryEngines())
    with Frozen(pipeline, elder, point) as zombie:
        pipeline.broker.expire(GROUP, "0")
        pipeline.settle(younger)
        zombie.wake()
        assert (zombie.fault, zombie.took) == (None, 0)
    assert pipeline.told() == expected(2)
    pipeline.feed_many(16)
    pipeline.settle(elder, younger)
    assert pipeline.told() == expected(4)


@pytest.mark.parametrize("point", FAULT_POINTS[:3])
def test_a_worker_whose_transaction_timed_out_while_it_kept_its_slots_goes_on_at_once(point: str) -> None:
    """It is no other process's slot: an exit as fenced would keep the slot unattended for a minute."""
    pipeline = Pipeline()
    pipeline.feed_many(16)
    worker = pipeline.worker("0")
    with Frozen(pipeline, worker, point) as frozen:
        pipeline.broker.time_out(f"{GROUP}.0")
        frozen.wake()
        assert (frozen.fault, frozen.took) == (None, 0)
    pipeline.settle(worker)
    assert pipeline.told() == expected(2)


def test_a_commit_that_went_through_before_the_freeze_counts_for_the_successor() -> None:
    pipeline = Pipeline()
    pipeline.feed_many(16)
    with Frozen(pipeline, pipeline.worker("0"), "committed"):
        pipeline.broker.expire(GROUP, "0")
        pipeline.settle(pipeline.worker("1", MemoryEngines()))
    assert pipeline.told() == expected(2)


class Pausing(Counting):
    """Stands still before its transaction begins, like a process that is stopped between poll and begin."""

    def __init__(self, pipeline: Pipeline, worker_name: str) -> None:
        self.pipeline, self.name = pipeline, worker_name

    def prepare(self, batch: Sequence[Record], lookup: Lookup) -> Preparation:
        if self.name == "0":
            self.pipeline.broker.faults("prepare")
        return Nothing()


def test_a_worker_frozen_before_its_transaction_loses_its_round_and_joins_again() -> None:
    pipeline = Pipeline()
    pipeline.processor = lambda: Pausing(pipeline, "0")
    pipeline.feed_many(16)
    elder = pipeline.worker("0")
    with Frozen(pipeline, elder, "prepare") as zombie:
        pipeline.processor = lambda: Pausing(pipeline, "1")
        pipeline.broker.expire(GROUP, "0")
        younger = pipeline.worker("1", MemoryEngines())
        pipeline.settle(younger)
        zombie.wake()
        assert zombie.fault is None
        assert zombie.took == 0
    pipeline.feed_many(16)
    pipeline.settle(elder, younger)
    assert sorted(elder.assignment.tasks) == [0, 1]
    assert sorted(younger.assignment.tasks) == [2, 3]
    assert pipeline.told() == expected(4)


def test_slots_that_come_back_are_caught_up_from_what_the_others_wrote_meanwhile() -> None:
    pipeline = Pipeline()
    pipeline.feed_many(16)
    first, second = pipeline.worker("0"), pipeline.worker("1", MemoryEngines())
    pipeline.settle(first, second)
    pipeline.broker.expire(GROUP, "1")
    pipeline.feed_many(16)
    pipeline.settle(first)
    pipeline.feed_many(16)
    pipeline.settle(first, second)
    assert sorted(second.assignment.tasks) == [2, 3]
    assert pipeline.told() == expected(6)


def test_a_second_process_of_the_same_slot_makes_the_first_give_way() -> None:
    pipeline = Pipeline()
    pipeline.feed_many(8)
    first = pipeline.worker("0")
    first.step()
    second = pipeline.worker("0", MemoryEngines())
    pipeline.feed_many(8)
    with pytest.raises(Fenced):
        first.step()
    pipeline.settle(second)
    assert pipeline.told() == expected(2)


def test_a_stand_by_without_slots_waits() -> None:
    pipeline = Pipeline()
    workers = [pipeline.worker(str(n), MemoryEngines()) for n in range(6)]
    pipeline.feed_many(16)
    pipeline.settle(*workers)
    assert [len(worker.assignment.tasks) for worker in workers] == [1, 1, 1, 1, 0, 0]
    assert pipeline.told() == expected(2)


def test_positions_of_an_older_generation_are_refused_by_the_broker() -> None:
    pipeline = Pipeline()
    worker = pipeline.worker("0")
    pipeline.settle(worker)
    token = worker.assignment.token()
    pipeline.worker("1", MemoryEngines())
    producer = worker.producer()
    producer.begin()
    with pytest.raises(GenerationLost):
        producer.send_positions({}, token)


def test_a_transaction_that_nobody_ends_holds_readers_back_no_longer_than_its_time_out() -> None:
    """A worker that died may never come back, and its successor restores from the topics it was writing to."""
    broker = Pipeline().broker
    dead, alive = MemoryTransport(broker).producer("dead"), MemoryTransport(broker).producer("alive")
    dead.begin()
    dead.send(Output("in", 0, b"k", b"lost", []))
    alive.begin()
    alive.send(Output("in", 0, b"k", b"kept", []))
    alive.commit()
    reader = MemoryTransport(broker).reader()
    reader.assign({TopicPartition("in", 0): 0})
    deadline = time.monotonic() + 60
    while not (found := reader.poll(100, 10)):
        assert time.monotonic() < deadline, "held back for ever"
    assert [each.value for each in found] == [b"kept"]
