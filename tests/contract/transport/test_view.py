"""Views over both transports: what is committed gets in once, and a view never mixes two origins."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cpor.runtime.clock import SystemClock
from cpor.runtime.record import Record
from cpor.runtime.view import Shape, View
from tests.contract.transport.bench import PATIENCE, Bench, eventually

TABLE = "CREATE TABLE told (value TEXT NOT NULL)"


def keep(rows: sqlite3.Connection, record: Record) -> None:
    if record.value == b"poison":
        raise ValueError("poison")
    rows.execute("INSERT INTO told VALUES (?)", ((record.value or b"").decode(),))


class Seeing:
    """Views on the bench's topic `t`, one after the other, over one file."""

    def __init__(self, bench: Bench, path: Path) -> None:
        self.bench, self.path, self.view = bench, path, self._open(bench, path)

    def _open(self, bench: Bench, path: Path, version: int = 1) -> View:
        shape = Shape(version, (bench.t, bench.slots), (TABLE,), keep)
        view = View(bench.transport, path, shape, SystemClock())
        view.start()
        return view

    def again(self, version: int = 1) -> None:
        self.view.close()
        self.view = self._open(self.bench, self.path, version)

    def values(self) -> list[str]:
        """What the view holds once it has caught up."""
        assert self.view.caught_up(PATIENCE)
        with self.view.reading() as rows:
            return sorted(value for (value,) in rows.execute("SELECT value FROM told"))


@pytest.fixture
def seeing(bench: Bench, tmp_path: Path) -> Iterator[Seeing]:
    made = Seeing(bench, tmp_path / "view.sqlite")
    yield made
    made.view.close()


def test_a_view_that_caught_up_holds_all_that_was_sent_before(bench: Bench, seeing: Seeing) -> None:
    bench.publish("a", "b")
    bench.publish("c", partition=1)
    assert seeing.values() == ["a", "b", "c"]
    bench.publish("d", topic=bench.slots)
    assert seeing.values() == ["a", "b", "c", "d"]


def test_what_was_aborted_never_gets_in_and_holds_nobody_up(bench: Bench, seeing: Seeing) -> None:
    bench.transact("no", commit=False)
    bench.transact("yes")
    bench.transact("no again", commit=False)
    assert seeing.values() == ["yes"]


def test_a_view_that_is_opened_again_goes_on_where_its_rows_end(bench: Bench, seeing: Seeing) -> None:
    bench.publish("a", "b")
    assert seeing.values() == ["a", "b"]
    seeing.view.close()
    with closing(sqlite3.connect(seeing.path)) as rows, rows:
        rows.execute("UPDATE told SET value = 'kept' WHERE value = 'a'")
    bench.publish("c")
    seeing.again()
    assert seeing.values() == ["b", "c", "kept"]


def test_a_view_of_another_version_starts_over(bench: Bench, seeing: Seeing) -> None:
    bench.publish("a")
    assert seeing.values() == ["a"]
    seeing.again(version=2)
    assert seeing.values() == ["a"]


def test_a_topic_that_was_made_again_leaves_nothing_of_the_old_one(bench: Bench, seeing: Seeing) -> None:
    bench.publish("old", "older", "oldest")
    assert len(seeing.values()) == 3
    seeing.view.close()
    bench.recreate(bench.t)
    bench.publish("new", "newer", "newest", "last")
    seeing.again()
    assert seeing.values() == ["last", "new", "newer", "newest"]


def test_a_view_whose_position_is_gone_starts_over_with_what_is_left(bench: Bench, seeing: Seeing) -> None:
    bench.publish("a", "b", "c")
    assert len(seeing.values()) == 3
    seeing.view.close()
    bench.publish("d", "e", "f")
    bench.delete_before(bench.tp(), 5)
    seeing.again()
    assert seeing.values() == ["f"]


def test_a_file_that_is_no_database_is_made_anew(bench: Bench, seeing: Seeing) -> None:
    bench.publish("a")
    seeing.view.close()
    seeing.path.write_bytes(b"not a database at all, but long enough to look at" * 100)
    seeing.path.with_name("view.sqlite-wal").unlink(missing_ok=True)
    seeing.again()
    assert seeing.values() == ["a"]


def test_what_cannot_be_taken_in_ends_the_view_and_nobody_is_told_that_it_caught_up(
    bench: Bench, seeing: Seeing
) -> None:
    bench.publish("a", "poison", "b")
    eventually(lambda: seeing.view.failure)
    assert not seeing.view.caught_up(PATIENCE)
    assert bench.t in str(seeing.view.failure)


def test_a_reader_can_change_nothing(bench: Bench, seeing: Seeing) -> None:
    seeing.values()
    with seeing.view.reading() as rows, pytest.raises(sqlite3.OperationalError, match="readonly"):
        rows.execute("DELETE FROM told")
