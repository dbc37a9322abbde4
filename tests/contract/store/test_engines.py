"""One suite over both engines: RocksDB and its in-memory twin."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpor.runtime.store.engine import Engine, Engines, MemoryEngine, MemoryEngines, RocksEngines

KEYS = st.binary(min_size=1, max_size=3)
CHANGES = st.lists(st.dictionaries(KEYS, st.none() | st.binary(max_size=3), max_size=6), max_size=6)


@pytest.fixture(params=["rocks", "memory"])
def engines(request: pytest.FixtureRequest, tmp_path: Path) -> Engines:
    return RocksEngines(tmp_path) if request.param == "rocks" else MemoryEngines()


def test_what_was_written_is_read_and_what_was_deleted_is_not(engines: Engines) -> None:
    engine = engines.open("0")
    engine.write({b"a": b"1", b"b": b"2", b"empty": b""})
    engine.write({b"a": None, b"b": b"3", b"never": None})
    assert (engine.get(b"a"), engine.get(b"b"), engine.get(b"empty")) == (None, b"3", b"")
    engine.close()


def test_a_scan_gives_the_keys_of_a_prefix_in_their_order(engines: Engines) -> None:
    engine = engines.open("0")
    engine.write({b"p\xff": b"4", b"q": b"x", b"p": b"0", b"p\x00": b"1", b"o": b"x", b"pa": b"2", b"pb": b"3"})
    assert [value for _, value in engine.scan(b"p")] == [b"0", b"1", b"2", b"3", b"4"]
    assert list(engine.scan(b"z")) == []
    assert len(list(engine.scan(b""))) == 7
    engine.close()


def test_a_closed_engine_opens_again_with_what_it_held(engines: Engines) -> None:
    first = engines.open("0")
    first.write({b"a": b"1"})
    first.close()
    again = engines.open("0")
    assert again.get(b"a") == b"1"
    again.close()


def test_partitions_are_apart_and_a_destroyed_one_is_empty(engines: Engines) -> None:
    zero, one = engines.open("0"), engines.open("1")
    zero.write({b"a": b"0"})
    one.write({b"a": b"1"})
    zero.close()
    engines.destroy("0")
    again = engines.open("0")
    assert (again.get(b"a"), one.get(b"a")) == (None, b"1")
    for engine in (again, one):
        engine.close()


@pytest.fixture(scope="module")
def fresh_rocks(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Engine]:
    engines = RocksEngines(tmp_path_factory.mktemp("rocks"))
    made = iter(range(10_000))
    return lambda: engines.open(str(next(made)))


@settings(max_examples=30, deadline=None)
@given(writes=CHANGES, prefix=st.binary(max_size=2))
def test_both_engines_hold_the_same_after_any_writes(
    fresh_rocks: Callable[[], Engine], writes: list[dict[bytes, bytes | None]], prefix: bytes
) -> None:
    rocks, memory = fresh_rocks(), MemoryEngine()
    for changes in writes:
        rocks.write(changes)
        memory.write(changes)
    assert list(rocks.scan(prefix)) == list(memory.scan(prefix))
    rocks.close()
