"""What the local stores cost, and what becomes of one that is damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from cpor.runtime.assignment import CACHED
from cpor.runtime.errors import Stop
from cpor.runtime.processor import StateTable
from cpor.runtime.store.engine import MemoryEngine, RocksEngines
from cpor.runtime.store.rows import ABSENT, RowCache, Rows, row_key
from tests.unit.runtime.pipeline import SLOTS, Pipeline


def manifest(store: Path) -> Path:
    return next(store.glob("MANIFEST-*"))


def damage(path: Path) -> None:
    path.write_bytes(b"\xff" * path.stat().st_size)


def test_a_store_that_cannot_be_opened_any_more_is_made_anew(tmp_path: Path) -> None:
    engines = RocksEngines(tmp_path)
    store = engines.open("0")
    store.write({b"k": b"v"})
    store.close()
    damage(manifest(tmp_path / "0"))
    anew = engines.open("0")
    assert anew.get(b"k") is None
    anew.write({b"k": b"w"})
    assert anew.get(b"k") == b"w"


def test_a_store_found_damaged_while_it_is_read_stops_the_worker_and_is_made_anew_at_its_next_start(
    tmp_path: Path,
) -> None:
    engines = RocksEngines(tmp_path)
    store = engines.open("0")
    store.write({b"%06d" % n: b"v" * 2_000 for n in range(20_000)})
    store.close()
    tables = list((tmp_path / "0").glob("*.sst"))
    assert tables, "the rows have not reached the disk's tables"
    for table in tables:
        content = bytearray(table.read_bytes())
        content[: len(content) // 2] = b"\xff" * (len(content) // 2)
        table.write_bytes(content)
    again = engines.open("0")
    with pytest.raises(Stop, match="cannot be read"):
        [again.get(b"%06d" % n) for n in range(20_000)]
    again.close()
    assert list(engines.open("0").scan(b"")) == []


def test_a_store_that_another_holds_is_not_thrown_away(tmp_path: Path) -> None:
    holder = RocksEngines(tmp_path).open("0")
    holder.write({b"k": b"v"})
    with pytest.raises(Stop, match="cannot be opened"):
        RocksEngines(tmp_path).open("0")
    assert holder.get(b"k") == b"v"


def held_bytes(cache: RowCache) -> int:
    return sum(size for rows in (cache._young, cache._old) for _, size in rows.values())


def test_decoded_rows_are_kept_up_to_a_number_of_bytes_and_not_of_rows() -> None:
    cache = RowCache()
    for n in range(2_000):
        cache.put(("claims", b"%d" % n), n, 40_000)
    assert held_bytes(cache) <= 2 * RowCache.BYTES + 2 * 40_000
    assert cache.get(("claims", b"1999")) == 1999
    assert cache.get(("claims", b"0")) is ABSENT


@pytest.mark.parametrize("members", [1, 2])
def test_what_the_slots_of_a_process_keep_decoded_is_bounded_for_them_together(members: int) -> None:
    """In production a process may own 48 slots, or one."""
    pipeline = Pipeline()
    workers = [pipeline.worker(str(n)) for n in range(members)]
    for _ in range(2):
        for each in workers:
            each.step()
    for each in workers:
        tasks = each.assignment.tasks.values()
        assert len(tasks) == SLOTS // members
        assert sum(task.rows._cache.most for task in tasks) == CACHED


def test_a_row_in_use_stays_while_others_come_and_go() -> None:
    cache = RowCache()
    cache.put(("claims", b"hot"), "hot", 40_000)
    for n in range(2_000):
        cache.put(("claims", b"%d" % n), n, 40_000)
        assert cache.get(("claims", b"hot")) == "hot"


def test_a_row_rewritten_again_and_again_counts_once() -> None:
    cache = RowCache()
    cache.put(("claims", b"other"), "other", 100)
    for n in range(10_000):
        cache.put(("claims", b"hot"), n, 40_000)
    assert cache.get(("claims", b"other")) == "other"
    assert cache._old == {}


def test_rows_of_every_size_are_read_back_as_they_were_last_written() -> None:
    rows = Rows(MemoryEngine(), [StateTable("claims", "state")])
    for turn in range(3):
        for n in range(300):
            key, value = b"%d" % n, b"%d" % turn * (n * 300)
            rows.write({row_key("claims", key): value}, {("claims", key): value})
    assert all(rows.get("claims", b"%d" % n) == b"2" * (n * 300) for n in range(300))
