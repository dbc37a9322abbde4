"""The exactly-once loop in memory: what it commits, whatever happens to it (architecture §3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpor.runtime.errors import GenerationLost, LostState, Misconfigured, Retry, Stop, TransactionFailed
from cpor.runtime.processor import Context, Lookup, Nothing, Preparation, Timer
from cpor.runtime.record import Output, Record, TopicPartition
from cpor.runtime.store.engine import MemoryEngines
from cpor.runtime.worker import Limits
from tests.unit.runtime.pipeline import (
    EAGER,
    FAULT_POINTS,
    GROUP,
    SLOTS,
    Counting,
    Crash,
    FragileEngines,
    Pipeline,
)

RECORDS = 40


def loaded(seed: int = 0, records: int = 3_000) -> Pipeline:
    """Forty records on eight keys, some with alarms, one poison."""
    pipeline = Pipeline(limits=replace(EAGER, records=records), seed=seed)
    for n in range(RECORDS):
        verb = f"alarm {100 * (RECORDS - n)}" if n % 5 == 0 else "poison" if n == 17 else "count"
        pipeline.feed(f"k{n % 8}", verb)
    return pipeline


def finish(pipeline: Pipeline, engines: MemoryEngines | None = None) -> None:
    worker = pipeline.worker(engines=engines)
    pipeline.settle(worker)
    pipeline.clock.tick(1_000_000)
    pipeline.settle(worker)


Outcome = tuple[object, ...]


def outcome(pipeline: Pipeline) -> Outcome:
    """All that the outside can see."""
    letters = [(r.key, r.value, r.header("dlq_reason"), r.header("dlq_offset")) for r in pipeline.letters()]
    fired = {key: sorted(values) for key, values in pipeline.told("fired").items()}
    rows = {key: values[-1] for key, values in pipeline.told("count.state").items()}
    return pipeline.told(), fired, rows, sorted(letters, key=repr)


@pytest.fixture(scope="module")
def control() -> Outcome:
    pipeline = loaded()
    finish(pipeline)
    return outcome(pipeline)


def test_every_record_counts_once_and_in_order() -> None:
    pipeline = Pipeline()
    pipeline.feed_many(40)
    pipeline.settle(pipeline.worker())
    assert set(pipeline.told()) == {f"k{n}" for n in range(8)}
    for n in range(8):
        places = [f"{turn + 1} in-{n % SLOTS}-{n // SLOTS + 2 * turn}" for turn in range(5)]
        assert pipeline.told()[f"k{n}"] == places


@pytest.mark.parametrize("emptied", [False, True], ids=["store kept", "store lost"])
@pytest.mark.parametrize("nth", [1, 2, 5])
@pytest.mark.parametrize("point", FAULT_POINTS)
def test_a_crash_at_any_point_of_a_transaction_changes_nothing_outside(
    control: Outcome, point: str, nth: int, emptied: bool
) -> None:
    pipeline = loaded(records=7)
    pipeline.fail_at(point, nth, Crash)
    with pytest.raises(Crash):
        finish(pipeline)
    pipeline.unharmed()
    finish(pipeline, MemoryEngines() if emptied else None)
    assert outcome(pipeline) == control


@pytest.mark.parametrize("writes", range(0, 20, 2))
def test_a_crash_between_two_writes_of_the_store_changes_nothing_outside(control: Outcome, writes: int) -> None:
    pipeline = loaded(records=7)
    with pytest.raises(Crash):
        pipeline.settle(pipeline.worker(engines=FragileEngines(pipeline.engines, writes)))
    finish(pipeline)
    assert outcome(pipeline) == control


@pytest.mark.parametrize("fault", [TransactionFailed, GenerationLost, Retry])
@pytest.mark.parametrize("point", FAULT_POINTS)
def test_a_failed_transaction_is_dropped_and_done_again_by_the_same_worker(
    control: Outcome, point: str, fault: type[Exception]
) -> None:
    pipeline = loaded(records=7)
    pipeline.fail_at(point, 2, fault)
    finish(pipeline)
    assert outcome(pipeline) == control


def test_a_worker_whose_transactions_keep_failing_stops() -> None:
    pipeline = loaded()

    def always(point: str) -> None:
        raise TransactionFailed("the broker says no")

    pipeline.broker.faults = always
    worker = pipeline.worker()
    with pytest.raises(Stop, match="keep failing"):
        pipeline.settle(worker)
    assert pipeline.told() == {}


@pytest.mark.parametrize("records", [1, 3, 1000])
@pytest.mark.parametrize("seed", [1, 2])
def test_batch_sizes_and_interleavings_do_not_change_the_outcome(control: Outcome, records: int, seed: int) -> None:
    pipeline = loaded(seed, records)
    finish(pipeline)
    assert outcome(pipeline) == control


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1000),
    crashes=st.lists(st.tuples(st.sampled_from(FAULT_POINTS), st.integers(1, 12), st.booleans()), max_size=4),
    records=st.integers(1, 30),
)
def test_no_schedule_of_crashes_loses_or_doubles_anything(
    control: Outcome, seed: int, crashes: list[tuple[str, int, bool]], records: int
) -> None:
    pipeline = loaded(seed, records)
    for point, nth, emptied in crashes:
        pipeline.fail_at(point, nth, Crash)
        try:
            pipeline.settle(pipeline.worker())
        except Crash:
            pipeline.engines = MemoryEngines() if emptied else pipeline.engines
    pipeline.unharmed()
    finish(pipeline)
    assert outcome(pipeline) == control


def test_deleted_stores_are_rebuilt_from_the_state_topics() -> None:
    pipeline = Pipeline()
    pipeline.feed_many(16)
    pipeline.settle(pipeline.worker())
    pipeline.engines = MemoryEngines()
    pipeline.feed_many(16)
    pipeline.settle(pipeline.worker())
    assert {key: len(values) for key, values in pipeline.told().items()} == {f"k{n}": 4 for n in range(8)}
    assert pipeline.told()["k7"][-1].startswith("4 ")


class Trying(Counting):
    """Says in its output which keys are odd, by the index."""

    def process(self, context: Context, record: Record) -> None:
        super().process(context, record)
        odd = b",".join(key for key, _ in context.find("parity", b"odd"))
        context.emit("fired", context.partition, record.key, odd, [])


def test_indexes_of_a_rebuilt_store_equal_those_of_the_lost_one() -> None:
    kept, lost = Pipeline(Trying), Pipeline(Trying)
    for pipeline in (kept, lost):
        pipeline.feed_many(21)
        pipeline.settle(pipeline.worker())
    lost.engines = MemoryEngines()
    for pipeline in (kept, lost):
        pipeline.feed_many(21)
        pipeline.settle(pipeline.worker())
    assert kept.told("fired") == lost.told("fired")


def test_an_unknown_exception_stops_the_worker_and_commits_nothing() -> None:
    pipeline = Pipeline()
    pipeline.feed_many(3)
    pipeline.feed("k3", "bug")
    with pytest.raises(Stop, match="in-3-0"):
        pipeline.settle(pipeline.worker())
    assert pipeline.told() == {}
    assert pipeline.committed("in", 0) is None


class BadTimer(Counting):
    def fire(self, context: Context, timer: Timer) -> None:
        raise KeyError(timer.claim)


def test_an_unknown_exception_of_a_timer_stops_the_worker_and_names_the_timer() -> None:
    pipeline = Pipeline(BadTimer)
    pipeline.feed("k1", "alarm 10")
    worker = pipeline.worker()
    pipeline.settle(worker)
    pipeline.clock.tick(20)
    with pytest.raises(Stop, match="k1"):
        worker.step()


def test_missing_positions_beside_a_state_stop_the_worker() -> None:
    pipeline = Pipeline()
    pipeline.feed_many(8)
    pipeline.settle(pipeline.worker())
    pipeline.broker.groups[GROUP].committed.clear()
    with pytest.raises(LostState, match="in-"):
        pipeline.worker().step()


def test_missing_positions_stop_the_worker_also_when_its_store_was_deleted() -> None:
    pipeline = Pipeline()
    pipeline.feed_many(8)
    pipeline.settle(pipeline.worker())
    pipeline.broker.groups[GROUP].committed.clear()
    with pytest.raises(LostState):
        pipeline.worker(engines=MemoryEngines()).step()


class TwoSources(Counting):
    def sources(self, all_topics: Iterable[str]) -> list[str]:
        return ["in", "quiet"]


def test_a_source_that_never_had_a_record_is_no_lost_position_at_the_next_start() -> None:
    pipeline = Pipeline(TwoSources)
    pipeline.broker.create("quiet", SLOTS)
    pipeline.feed_many(8)
    pipeline.settle(pipeline.worker())
    pipeline.feed("k1", topic="quiet")
    pipeline.settle(pipeline.worker())
    assert pipeline.told()["k1"] == ["1 in-1-0", "2 quiet-1-0"]


def test_a_partner_topic_that_appears_later_is_read_from_its_beginning() -> None:
    pipeline = Pipeline()
    pipeline.feed_many(8)
    worker = pipeline.worker()
    pipeline.settle(worker)
    pipeline.broker.create("partner.p1", SLOTS)
    pipeline.feed("k2", topic="partner.p1")
    pipeline.feed("k2", topic="partner.p1")
    pipeline.settle(worker)
    assert pipeline.told()["k2"] == ["1 in-2-0", "2 partner.p1-2-0", "3 partner.p1-2-1"]
    pipeline.feed("k2", topic="partner.p1")
    pipeline.settle(pipeline.worker())
    assert pipeline.told()["k2"][-1] == "4 partner.p1-2-2"


def test_positions_move_past_markers_when_nothing_else_comes() -> None:
    pipeline = Pipeline()
    pipeline.feed_many(4)
    worker = pipeline.worker()
    pipeline.settle(worker)
    stranger = worker._transport.producer("stranger")
    stranger.begin()
    stranger.send(Output("in", 1, b"k1", b"count", []))
    stranger.abort()
    worker.step()
    assert pipeline.committed("in", 1) == len(pipeline.broker.logs[TopicPartition("in", 1)].entries)


class Unready(Preparation):
    def __init__(self, slow: set[int]) -> None:
        self.slow = slow

    def wait(self, seconds: float) -> None:
        return None

    def ready(self, record: Record) -> bool:
        return record.partition not in self.slow

    def facts(self, record: Record) -> None:
        return None


class Slow(Counting):
    slow: ClassVar[set[int]] = set()

    def prepare(self, batch: Sequence[Record], lookup: Lookup) -> Preparation:
        return Unready(self.slow) if self.slow else Nothing()


def test_a_partition_that_is_not_ready_holds_back_no_other_and_loses_nothing() -> None:
    pipeline = Pipeline(Slow)
    Slow.slow = {1}
    pipeline.feed_many(16)
    worker = pipeline.worker()
    for _ in range(10):
        worker.step()
    assert set(pipeline.told()) == {"k0", "k2", "k3", "k4", "k6", "k7"}
    assert pipeline.committed("in", 1) == 0
    Slow.slow = set()
    until = [worker.step() for _ in range(5000) if pipeline.lag()]
    assert sum(until) == 4
    assert pipeline.told()["k1"] == ["1 in-1-0", "2 in-1-2"]


def test_a_topic_that_is_not_co_partitioned_is_refused_at_the_start() -> None:
    pipeline = Pipeline()
    pipeline.broker.create("count.state", SLOTS + 1)
    with pytest.raises(Misconfigured, match=r"count\.state"):
        pipeline.worker()


def test_a_round_takes_no_more_records_than_its_limit() -> None:
    pipeline = Pipeline(limits=Limits(records=7, poll_ms=0))
    pipeline.feed_many(40)
    worker = pipeline.worker()
    taken = [worker.step() for _ in range(7)]
    assert taken == [7, 7, 7, 7, 7, 5, 0]
