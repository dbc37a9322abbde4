"""The overlay of a round: what a record changed is seen by the next, and can be forgotten."""

from __future__ import annotations

import pytest

from cpor.runtime.processor import Index, ReferenceTable, StateTable, Timer
from cpor.runtime.record import Output, Record
from cpor.runtime.store.engine import MemoryEngine
from cpor.runtime.store.rows import Rows, identity_of
from cpor.runtime.task import Task

COLOUR = Index("colour", lambda key, row: [row.split()[0].encode()])
FISH = StateTable("fish", "t.fish", str.encode, bytes.decode, lambda key, row: [("h", key)], (COLOUR,))
RATES = ReferenceTable("rates", "t.rates", indexes=(Index("rate", lambda key, row: [row]),), everywhere=True)
PRICES = ReferenceTable("prices", "t.prices")


@pytest.fixture
def task() -> Task:
    everywhere = Rows(MemoryEngine(), [RATES])
    everywhere.restore(RATES, b"eur", b"2")
    return Task(3, Rows(MemoryEngine(), [FISH, PRICES]), everywhere, "t.timers")


def commit(task: Task) -> list[Output]:
    outputs, writes = task.state_outputs()
    task.commit(writes)
    return outputs


def timer(due: int, started_by: int = 0, data: bytes = b"") -> Timer:
    return Timer(due, "c", "answer", started_by, 0, data)


def test_a_row_put_in_this_round_is_seen_before_it_is_committed(task: Task) -> None:
    task.put("fish", b"a", "red one")
    assert task.get("fish", b"a") == "red one"
    assert task.rows.get("fish", b"a") is None
    task.delete("fish", b"a")
    assert task.get("fish", b"a") is None


def test_committed_rows_are_seen_by_the_next_round(task: Task) -> None:
    task.put("fish", b"a", "red one")
    commit(task)
    assert task.get("fish", b"a") == task.rows.get("fish", b"a") == "red one"
    assert task.outputs == []


def test_rolling_back_leaves_what_stood_at_the_savepoint(task: Task) -> None:
    task.put("fish", b"a", "red one")
    task.emit("t.out", 0, b"a", b"1", [])
    task.set_timer(timer(10))
    task.savepoint()
    task.put("fish", b"a", "blue one")
    task.put("fish", b"a", "green one")
    task.put("fish", b"b", "blue two")
    task.delete("fish", b"a")
    task.emit("t.out", 0, b"a", b"2", [])
    task.cancel_timer("c", "answer", 0)
    task.set_timer(timer(20, 1))
    task.roll_back()
    assert (task.get("fish", b"a"), task.get("fish", b"b")) == ("red one", None)
    assert [output.value for output in task.outputs] == [b"1"]
    assert task.due(100, 9) == [timer(10)]
    assert task.find("colour", b"blue") == []
    assert task.find("colour", b"red") == [(b"a", "red one")]


def test_a_dropped_round_leaves_nothing(task: Task) -> None:
    task.put("fish", b"a", "red one")
    task.emit("t.out", 0, b"a", b"1", [])
    task.set_timer(timer(10))
    task.drop()
    assert task.get("fish", b"a") is None
    assert task.find("colour", b"red") == []
    assert task.due(100, 9) == []
    assert task.state_outputs() == ([], {})
    assert task.outputs == []


def test_find_sees_rows_that_this_round_added_changed_and_deleted(task: Task) -> None:
    for key, row in ((b"a", "red one"), (b"b", "red two"), (b"c", "red three")):
        task.put("fish", key, row)
    commit(task)
    task.put("fish", b"a", "blue one")
    task.delete("fish", b"b")
    task.put("fish", b"d", "red four")
    assert task.find("colour", b"red") == [(b"c", "red three"), (b"d", "red four")]
    assert task.find("colour", b"blue") == [(b"a", "blue one")]


def test_a_row_put_back_under_its_old_index_key_is_found_once(task: Task) -> None:
    task.put("fish", b"a", "red one")
    commit(task)
    task.put("fish", b"a", "blue one")
    task.put("fish", b"a", "red again")
    assert task.find("colour", b"red") == [(b"a", "red again")]
    assert task.find("colour", b"blue") == []


def test_global_rows_and_their_indexes_are_read_like_the_tasks_own(task: Task) -> None:
    assert task.get("rates", b"eur") == b"2"
    assert task.find("rate", b"2") == [(b"eur", b"2")]


def test_only_the_newest_row_of_a_key_is_sent_with_the_headers_of_its_table(task: Task) -> None:
    task.put("fish", b"a", "red one")
    task.put("fish", b"a", "blue one")
    task.put("fish", b"b", "red two")
    task.delete("fish", b"b")
    outputs, _ = task.state_outputs()
    assert outputs == [
        Output("t.fish", 3, b"a", b"blue one", [("h", b"a")]),
        Output("t.fish", 3, b"b", None, [("h", b"b")]),
    ]


def test_timers_of_this_round_are_due_beside_the_committed_ones_in_their_order(task: Task) -> None:
    task.set_timer(timer(30, 1))
    task.set_timer(timer(10, 2))
    task.set_timer(timer(50, 3))
    commit(task)
    task.set_timer(timer(20, 4))
    task.cancel_timer("c", "answer", 2)
    task.set_timer(timer(5, 3))
    assert task.due(100, 9) == [timer(5, 3), timer(20, 4), timer(30, 1)]
    assert task.due(100, 2) == [timer(5, 3), timer(20, 4)]
    assert task.due(4, 9) == []


def test_a_timer_is_sent_under_its_identity_and_its_end_as_a_tombstone(task: Task) -> None:
    task.set_timer(timer(30, 1, b"d"))
    [sent] = commit(task)
    task.cancel_timer("c", "answer", 1)
    [tombstone] = commit(task)
    assert (sent.topic, sent.partition, sent.key) == ("t.timers", 3, identity_of(timer(30, 1)))
    assert (tombstone.key, tombstone.value) == (sent.key, None)
    assert task.due(100, 9) == []


def test_what_prepare_gathered_is_given_for_the_record(task: Task) -> None:
    record = Record("t.in", 0, 5, 0, b"k", b"v", ())
    assert task.prepared(record) is None
    task.facts = lambda asked: asked.offset
    assert task.prepared(record) == 5
