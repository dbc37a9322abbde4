"""Rows, index entries, timers and checkpoints over both engines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cpor.runtime.processor import Index, ReferenceTable, StateTable, Timer
from cpor.runtime.record import TopicPartition
from cpor.runtime.store.engine import Engine, MemoryEngine, RocksEngine
from cpor.runtime.store.rows import (
    Checkpoint,
    Rows,
    checkpoint_change,
    decode_timer,
    encode_timer,
    identity_of,
)


def words(key: bytes, row: str) -> list[bytes]:
    return [word.encode() for word in row.split()]


def first_letter(key: bytes, row: str) -> list[bytes]:
    return [key[:1]]


BOOKS = StateTable(
    "books",
    "t.books",
    encode=str.encode,
    decode=bytes.decode,
    indexes=(Index("word", words), Index("letter", first_letter)),
)
PLACES = ReferenceTable("places", "t.places")


@pytest.fixture(params=["rocks", "memory"])
def rows(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rows]:
    engine: Engine = RocksEngine(tmp_path / "db") if request.param == "rocks" else MemoryEngine()
    yield Rows(engine, [BOOKS, PLACES])
    engine.close()


def put(rows: Rows, key: bytes, row: str | None) -> None:
    value = None if row is None else row.encode()
    rows.write(rows.row_changes(BOOKS, key, value, row), {("books", key): row})


def again(rows: Rows) -> Rows:
    """The same engine, nothing remembered."""
    return Rows(rows.engine, [BOOKS, PLACES])


def set_timer(rows: Rows, due: int, claim: str, data: bytes = b"") -> Timer:
    timer = Timer(due, claim, "answer", 3, 1, data)
    rows.engine.write(rows.timer_changes(identity_of(timer), timer))
    return timer


def test_a_row_is_decoded_by_its_table_and_stays_over_a_restart(rows: Rows) -> None:
    put(rows, b"a", "red fish")
    assert rows.get("books", b"a") == again(rows).get("books", b"a") == "red fish"
    assert rows.get("books", b"b") is None


def test_tables_do_not_see_each_others_rows(rows: Rows) -> None:
    put(rows, b"a", "red")
    rows.restore(PLACES, b"a", b"here")
    assert list(rows.all("books")) == [(b"a", "red")]
    assert list(rows.all("places")) == [(b"a", b"here")]


def test_all_rows_come_in_the_order_of_their_keys(rows: Rows) -> None:
    for key in (b"c", b"a\x00b", b"a", b"b"):
        put(rows, key, "x")
    assert [key for key, _ in rows.all("books")] == [b"a", b"a\x00b", b"b", b"c"]


def test_an_index_finds_rows_by_each_of_their_index_keys(rows: Rows) -> None:
    put(rows, b"a", "red fish")
    put(rows, b"b", "blue fish")
    assert rows.indexed("word", b"fish") == [b"a", b"b"]
    assert rows.indexed("word", b"red") == [b"a"]
    assert rows.indexed("word", b"fis") == []
    assert rows.indexed("letter", b"b") == [b"b"]


def test_an_index_follows_a_changed_and_a_deleted_row(rows: Rows) -> None:
    put(rows, b"a", "red fish")
    put(again(rows), b"a", "blue fish")
    assert (rows.indexed("word", b"red"), rows.indexed("word", b"blue")) == ([], [b"a"])
    put(again(rows), b"a", None)
    assert rows.indexed("word", b"blue") == rows.indexed("letter", b"a") == []
    assert not list(rows.engine.scan(b"x\0"))


def test_a_restored_row_replaces_what_was_remembered_and_its_index_entries(rows: Rows) -> None:
    put(rows, b"a", "red")
    rows.restore(BOOKS, b"a", b"blue")
    assert rows.get("books", b"a") == "blue"
    assert (rows.indexed("word", b"red"), rows.indexed("word", b"blue")) == ([], [b"a"])
    rows.restore(BOOKS, b"a", None)
    assert rows.get("books", b"a") is None
    assert rows.indexed("word", b"blue") == []


def test_forgetting_a_table_takes_its_rows_and_index_entries_and_nothing_else(rows: Rows) -> None:
    put(rows, b"a", "red")
    rows.restore(PLACES, b"a", b"here")
    timer = set_timer(rows, 5, "c")
    rows.forget_table(BOOKS)
    assert rows.get("books", b"a") is None
    assert rows.indexed("word", b"red") == []
    assert rows.get("places", b"a") == b"here"
    assert rows.due_timers(9, 9) == [timer]


def test_timers_come_in_the_order_of_their_due_instants_up_to_now(rows: Rows) -> None:
    made = [set_timer(rows, due, f"c{due}") for due in (300, 100, 70_000, 200, 5)]
    assert rows.due_timers(299, 99) == [made[4], made[1], made[3]]
    assert rows.due_timers(99_999, 2) == [made[4], made[1]]


def test_setting_a_timer_again_moves_it_and_keeps_one(rows: Rows) -> None:
    set_timer(rows, 100, "c", b"old")
    moved = set_timer(rows, 50, "c", b"new")
    assert rows.due_timers(1_000, 9) == [moved]
    assert rows.due_timers(1_000, 9)[0].data == b"new"
    assert rows.timer(identity_of(moved)) == moved


def test_a_removed_timer_is_gone(rows: Rows) -> None:
    timer = set_timer(rows, 100, "c")
    rows.engine.write(rows.timer_changes(identity_of(timer), None))
    assert rows.due_timers(1_000, 9) == []
    assert rows.timer(identity_of(timer)) is None


def test_a_timer_comes_back_from_its_record_as_it_was_set() -> None:
    timer = Timer(1_709_200_800_000, "claim|with|bars", "answer", 12, 2, b"\x00data")
    back = decode_timer(identity_of(timer), encode_timer(timer))
    assert back == timer
    assert back.data == timer.data


def test_checkpoints_are_kept_for_each_partition_of_a_topic(rows: Rows) -> None:
    one, two = TopicPartition("t", 1), TopicPartition("t", 2)
    first, second = Checkpoint(7, "id", "cluster", 99), Checkpoint(8, "id", "cluster", 100)
    rows.engine.write(checkpoint_change(one, first) | checkpoint_change(two, second))
    assert (rows.checkpoint(one), rows.checkpoint(two)) == (first, second)
    assert rows.checkpoint(TopicPartition("t", 3)) is None


def test_forgetting_a_table_takes_all_of_it_in_parts_that_fit_memory_and_nothing_else(
    rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cpor.runtime.store.rows.FORGET", 3)
    for n in range(10):
        put(rows, b"k%d" % n, "one two")
    rows.restore(PLACES, b"here", b"stays")
    rows.forget_table(BOOKS)
    assert list(rows.all("books")) == []
    assert rows.indexed("word", b"one") == []
    assert dict(rows.all("places")) == {b"here": b"stays"}
