"""Poison records: dead letters in the transaction, followers parked in order, a limit (architecture §3, Errors)."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from cpor.runtime.errors import Stop
from cpor.runtime.letters import LetterLimit, letter_id
from cpor.runtime.processor import Context
from cpor.runtime.record import Record
from cpor.runtime.store.engine import MemoryEngines
from tests.unit.runtime.pipeline import EAGER, Counting, Pipeline


def limited(limit: LetterLimit) -> Pipeline:
    return Pipeline(limits=replace(EAGER, records=1, letters=limit))


def test_a_poison_record_goes_to_the_dead_letters_as_it_was_with_its_reason() -> None:
    pipeline = Pipeline()
    pipeline.feed("k1", "poison")
    pipeline.settle(pipeline.worker())
    [letter] = pipeline.letters()
    told = {name: letter.header(name) for name, _ in letter.headers}
    assert (letter.key, letter.value) == (b"k1", b"poison")
    assert told["dlq_reason"] == "bad_value"
    assert told["dlq_service"] == "count"
    assert (told["dlq_topic"], told["dlq_partition"], told["dlq_offset"]) == ("in", "1", "0")
    assert told["dlq_id"] == letter_id("count", pipeline.broker.records("in", 1)[0])


def test_what_a_poison_record_had_changed_before_it_was_rejected_is_undone() -> None:
    pipeline = Pipeline()
    pipeline.feed("k1", "poison")
    pipeline.settle(pipeline.worker())
    assert pipeline.told() == {}
    assert pipeline.told("count.state") == {}


def test_later_records_of_the_key_are_parked_behind_the_letter_in_order_and_others_go_on() -> None:
    pipeline = Pipeline()
    for key, verb in [("k1", "poison"), ("k1", "count"), ("k5", "count"), ("k1", "alarm 10")]:
        pipeline.feed(key, verb)
    pipeline.settle(pipeline.worker())
    first, *parked = pipeline.letters()
    assert [r.value for r in parked] == [b"count", b"alarm 10"]
    assert {r.header("dlq_reason") for r in parked} == {"parked_behind"}
    assert {r.header("dlq_behind") for r in parked} == {first.header("dlq_id")}
    assert pipeline.told() == {"k5": ["1 in-1-2"]}


def test_a_key_stays_parked_over_a_restart_and_a_lost_store() -> None:
    pipeline = Pipeline()
    pipeline.feed("k1", "poison")
    pipeline.settle(pipeline.worker())
    for engines in (pipeline.engines, MemoryEngines()):
        pipeline.feed("k1")
        pipeline.settle(pipeline.worker(engines=engines))
    assert [r.header("dlq_reason") for r in pipeline.letters()] == ["bad_value", "parked_behind", "parked_behind"]
    [row] = pipeline.told("count.parked")["k1"]
    assert json.loads(row)["origin"] == "in-1-0"


class Unparked(Counting):
    parked_topic = None


def test_a_worker_without_a_parked_topic_goes_on_with_the_key() -> None:
    pipeline = Pipeline(Unparked)
    pipeline.feed("k1", "poison")
    pipeline.feed("k1")
    pipeline.settle(pipeline.worker())
    assert pipeline.told() == {"k1": ["1 in-1-1"]}


class Telling(Counting):
    def on_dead_letter(self, context: Context, record: Record, reason: str, letter_id: str) -> None:
        context.emit("fired", context.partition, record.key, f"{reason} {letter_id}".encode(), [])


def test_the_processor_tells_of_a_dead_letter_in_the_same_transaction() -> None:
    pipeline = Pipeline(Telling)
    pipeline.feed("k1", "poison")
    pipeline.settle(pipeline.worker())
    [letter] = pipeline.letters()
    assert pipeline.told("fired") == {"k1": [f"bad_value {letter.header('dlq_id')}"]}


def test_too_many_dead_letters_in_a_row_stop_the_worker() -> None:
    pipeline = limited(LetterLimit(in_a_row=3))
    for n in range(6):
        pipeline.feed(f"key-{n}0", "poison")
    with pytest.raises(Stop, match="too many dead letters"):
        pipeline.settle(pipeline.worker())
    assert len(pipeline.letters()) == 2


def test_good_records_between_the_bad_ones_keep_the_worker_running() -> None:
    pipeline = limited(LetterLimit(in_a_row=3))
    for n in range(12):
        pipeline.feed(f"key-{n}0", "count" if n % 3 == 2 else "poison")
    pipeline.settle(pipeline.worker())
    assert len(pipeline.letters()) == 8


def test_too_large_a_share_of_dead_letters_stops_the_worker() -> None:
    pipeline = limited(LetterLimit(in_a_row=100, window=10, ratio=0.5))
    for n in range(12):
        pipeline.feed(f"key-{n}0", "count" if n % 3 == 2 else "poison")
    with pytest.raises(Stop, match="too many dead letters"):
        pipeline.settle(pipeline.worker())


def test_records_parked_behind_a_letter_do_not_count_towards_the_limit() -> None:
    pipeline = limited(LetterLimit(in_a_row=2))
    for _ in range(5):
        pipeline.feed("k1", "poison")
    pipeline.settle(pipeline.worker())
    assert len(pipeline.letters()) == 5


def test_letters_of_a_round_that_was_dropped_do_not_count() -> None:
    from cpor.runtime.errors import TransactionFailed

    pipeline = limited(LetterLimit(in_a_row=2))
    pipeline.feed("k1", "poison")
    pipeline.fail_at("commit", 1, TransactionFailed)
    worker = pipeline.worker()
    pipeline.settle(worker)
    assert len(pipeline.letters()) == 1
    assert worker.health.dead_letters == 1
