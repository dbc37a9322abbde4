"""What bounds a round, what makes a partition wait, and what a worker does about sources that change."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest

from cpor.runtime.errors import Misconfigured, Retry, Stop
from cpor.runtime.processor import Context, ReferenceTable, StateTable, Timer
from cpor.runtime.record import Output, Record, TopicPartition
from cpor.runtime.store.engine import MemoryEngines
from cpor.runtime.transport import memory
from cpor.runtime.worker import Worker
from tests.unit.runtime.pipeline import EAGER, GROUP, SLOTS, Counting, Pipeline


def expected(records: int, keys: int = 8) -> dict[str, list[str]]:
    """What `feed_many(records)` makes the worker tell."""
    return {
        f"k{key}": [f"{n + 1} in-{key % SLOTS}-{key // SLOTS + n * (keys // SLOTS)}" for n in range(records // keys)]
        for key in range(keys)
    }


def test_a_round_that_takes_too_long_ends_early_and_the_rest_is_read_again() -> None:
    """A transaction that outlives its time-out is aborted by the broker, however often it is tried."""
    pipeline = Pipeline(limits=replace(EAGER, seconds=0.0))
    pipeline.feed_many(24)
    worker = pipeline.worker()
    took = [worker.step() for _ in range(30)]
    assert max(took) == 1
    assert pipeline.told() == expected(24)


def test_timers_that_take_too_long_for_one_round_fire_in_several_and_each_once() -> None:
    """Thousands fall due at one midnight: a round that took them all would be ended by the watchdog, again and again.
    The longest due come first, whatever their slot.
    """
    pipeline = Pipeline(limits=replace(EAGER, seconds=0.0))
    worker = pipeline.worker()
    for n in range(12):
        pipeline.feed(f"k{n % 8}", f"alarm {100 - n}")
    pipeline.settle(worker)
    pipeline.clock.tick(200)
    took = []
    for _ in range(14):
        took.append(worker.step())
        pipeline.clock.tick()
    assert took == [1] * 12 + [0, 0]
    fired = sorted(pipeline.broker.records("fired"), key=lambda each: each.appended_at)
    assert len({(each.key, each.value) for each in fired}) == 12
    dues = [int((each.value or b"").split()[1]) for each in fired]
    assert dues == sorted(dues)


class Troubled(Counting):
    """A record of key `k1` meets a passing fault until `over`."""

    over = False

    def process(self, context: Context, record: Record) -> None:
        super().process(context, record)
        if record.key == b"k1" and not self.over:
            raise Retry("the other side does not answer", record=record.origin)


def test_a_passing_fault_holds_one_partition_and_no_other_and_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cpor.runtime.worker.RETRY_SECONDS", 0.01)
    troubled = Troubled()
    pipeline = Pipeline(processor=lambda: troubled)
    pipeline.feed_many(16)
    worker = pipeline.worker()
    for _ in range(20):
        worker.step()
    told = pipeline.told()
    assert "k1" not in told
    assert "k5" not in told
    assert {key: told[key] for key in ("k0", "k2", "k3", "k4", "k6", "k7")} == {
        key: row for key, row in expected(16).items() if key not in ("k1", "k5")
    }
    troubled.over = True
    pipeline.settle(worker, rounds=100_000)
    assert pipeline.told() == expected(16)


class Renewing(Counting):
    """`alarm` sets a timer that is due at once; `renew` gives it other data, due as before."""

    def process(self, context: Context, record: Record) -> None:
        data = record.value or b""
        context.set_timer(Timer(self.due, "k0", "alarm", 1, data=data))

    def fire(self, context: Context, timer: Timer) -> None:
        context.emit("fired", context.partition, b"k0", timer.data, [])

    due = 0


def test_a_timer_set_anew_in_the_round_in_which_it_fires_brings_its_new_data() -> None:
    pipeline = Pipeline(processor=Renewing)
    Renewing.due = pipeline.clock.now() + 10
    worker = pipeline.worker()
    pipeline.feed("k0", "old")
    pipeline.settle(worker)
    pipeline.clock.tick(20)
    pipeline.feed("k0", "new")
    worker.step()
    assert pipeline.told("fired") == {"k0": ["new"]}


class Looking(Counting):
    """A timer tells what the table says when it fires."""

    reference_tables = (ReferenceTable("words", "words", everywhere=True),)

    def fire(self, context: Context, timer: Timer) -> None:
        word = context.get("words", timer.claim.encode())
        context.emit("fired", context.partition, timer.claim.encode(), word, [])


def test_a_timer_sees_what_was_loaded_before_it_was_due() -> None:
    pipeline = Pipeline(processor=Looking)
    pipeline.broker.create("words", 1)
    worker = pipeline.worker()
    pipeline.feed("k0", "alarm 10")
    pipeline.settle(worker)
    pipeline.broker.append(Output("words", 0, b"k0", b"loaded", []))
    pipeline.clock.tick(20)
    worker.step()
    assert pipeline.told("fired") == {"k0": ["loaded"]}


def test_a_source_with_more_partitions_than_slots_is_refused_or_some_would_be_read_by_nobody() -> None:
    pipeline = Pipeline()
    pipeline.broker.create("in", SLOTS * 2)
    with pytest.raises(Misconfigured, match="do not fit the slots"):
        pipeline.worker()


def test_a_partner_topic_that_does_not_fit_stops_the_worker_when_it_appears() -> None:
    pipeline = Pipeline()
    worker = pipeline.worker()
    worker.step()
    pipeline.broker.create("partner.new", SLOTS + 1)
    with pytest.raises(Misconfigured, match=r"partner\.new"):
        worker.step()


def test_a_timers_topic_that_is_not_co_partitioned_is_refused() -> None:
    pipeline = Pipeline()
    pipeline.broker.create("count.timers", SLOTS - 1)
    with pytest.raises(Misconfigured, match=r"count\.timers"):
        pipeline.worker()


def test_a_partner_topic_that_was_deleted_and_made_again_is_read_from_its_beginning() -> None:
    """Also where the new one is longer already than the old one was read."""
    pipeline = Pipeline()
    pipeline.broker.create("partner.a", SLOTS)
    worker = pipeline.worker()
    pipeline.feed("k1", topic="partner.a")
    pipeline.settle(worker)
    pipeline.broker.recreate("partner.a")
    for _ in range(3):
        pipeline.feed("k1", topic="partner.a")
    pipeline.settle(worker)
    assert pipeline.told()["k1"] == ["1 partner.a-1-0", "2 partner.a-1-0", "3 partner.a-1-1", "4 partner.a-1-2"]


@pytest.mark.parametrize("kept", [2, 0], ids=["behind the position", "shorter than the position"])
def test_a_partner_whose_position_is_gone_is_read_on_and_stops_nobody(kept: int) -> None:
    """By retention, or with a topic made anew whose position an open transaction had still written."""
    pipeline = Pipeline()
    pipeline.broker.create("partner.a", SLOTS)
    tp = TopicPartition("partner.a", 1)
    pipeline.feed("k1", topic="partner.a")
    pipeline.settle(pipeline.worker())
    if kept:
        for _ in range(4):
            pipeline.feed("k1", topic="partner.a")
        pipeline.broker.log(tp).start = 5 - kept
    else:
        pipeline.broker.recreate("partner.a")
        pipeline.broker.groups[GROUP].committed[tp] = 7
        for _ in range(2):
            pipeline.feed("k1", topic="partner.a")
    pipeline.feed("k2")
    worker = pipeline.worker()
    for _ in range(5):
        worker.step()
    first = 5 - kept if kept else 0
    assert pipeline.told()["k1"] == [
        "1 partner.a-1-0",
        f"2 partner.a-1-{first}",
        f"3 partner.a-1-{first + 1}",
    ]
    assert "k2" in pipeline.told()


def test_any_other_source_whose_position_is_gone_stops_the_worker() -> None:
    pipeline = Pipeline()
    pipeline.feed("k1")
    pipeline.settle(pipeline.worker())
    for _ in range(4):
        pipeline.feed("k1")
    pipeline.broker.log(TopicPartition("in", 1)).start = 3
    worker = pipeline.worker()
    with pytest.raises(Stop, match=r"keep failing.*in-1"):
        [worker.step() for _ in range(20)]


def test_a_partner_topic_that_is_gone_is_no_concern_of_the_others() -> None:
    pipeline = Pipeline()
    pipeline.broker.create("partner.a", SLOTS)
    worker = pipeline.worker()
    pipeline.settle(worker)
    del pipeline.broker.counts["partner.a"]
    pipeline.feed_many(8)
    pipeline.settle(worker)
    assert pipeline.told() == expected(8)
    assert {tp.topic for tp in worker.assignment.slot_of} == {"in"}


def test_a_group_that_never_settles_stops_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = Pipeline(limits=replace(EAGER, join_seconds=0.0))
    worker = pipeline.worker()
    monkeypatch.setattr(memory.MemoryMembership, "poll", lambda self: None)
    with pytest.raises(Stop, match="does not settle"):
        [worker.step() for _ in range(3)]


class Alive:
    """Counts signs of life."""

    def __init__(self) -> None:
        self.signs = 0

    def __call__(self) -> None:
        self.signs += 1


def test_a_restore_that_waits_for_an_open_transaction_gives_no_sign_of_life_until_it_goes_on() -> None:
    """So that the watchdog ends a worker that would wait for ever."""
    pipeline = Pipeline()
    pipeline.feed_many(8)
    pipeline.settle(pipeline.worker())
    other = memory.MemoryTransport(pipeline.broker).producer("other")
    other.begin()
    other.send(Output("count.state", 0, b"k0", b"7", []))
    alive = Alive()
    transport = memory.MemoryTransport(pipeline.broker)
    worker = Worker(pipeline.processor(), transport, MemoryEngines(), pipeline.clock, "0", EAGER, alive=alive)
    restoring = threading.Thread(target=worker.step, daemon=True)
    restoring.start()
    restoring.join(0.3)
    assert restoring.is_alive()
    before = alive.signs
    restoring.join(0.3)
    assert alive.signs == before
    other.abort()
    restoring.join(10)
    assert not restoring.is_alive()
    assert alive.signs > before


def refuse(value: bytes) -> bytes:
    raise ValueError("not a row")


def parity(key: bytes, row: bytes) -> Sequence[bytes]:
    return [row]


class Unreadable(Counting):
    """Its state has rows that its code cannot read any more, as after a bad deploy."""

    @property
    def state_tables(self) -> tuple[StateTable, ...]:  # type: ignore[override]
        inner = super().state_tables[0]
        return (replace(inner, decode=refuse),)

    def sources(self, all_topics: Iterable[str]) -> list[str]:
        return ["in"]


def test_a_state_row_that_cannot_be_read_stops_the_worker_and_is_named() -> None:
    pipeline = Pipeline()
    pipeline.feed("k0")
    pipeline.settle(pipeline.worker())
    pipeline.processor = Unreadable
    pipeline.engines = MemoryEngines()
    with pytest.raises(Stop, match=r"a row cannot be read.*count\.state-0-0"):
        pipeline.worker().step()
    assert pipeline.committed("in", 0) == pipeline.broker.end(TopicPartition("in", 0), uncommitted=False)
