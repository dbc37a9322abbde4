"""When a store may be gone on with and when it must be rebuilt (architecture §3, Store)."""

from __future__ import annotations

from contextlib import suppress

import pytest

from cpor.runtime.clock import ManualClock, wall_ms
from cpor.runtime.processor import ReferenceTable, StateTable
from cpor.runtime.record import Output, TopicPartition
from cpor.runtime.restore import CHECKPOINT_MAX_AGE_MS, Feed, Origin, Restorer
from cpor.runtime.store.engine import MemoryEngine, MemoryEngines
from cpor.runtime.store.rows import Checkpoint, Rows, checkpoint_change
from cpor.runtime.topics import DAY_MS
from cpor.runtime.transport.memory import MemoryBroker, MemoryReader
from tests.unit.runtime.pipeline import Crash, FragileEngines

TABLE = StateTable("rows", "state")
TP = TopicPartition("state", 0)


class Place:
    """A state topic of three rows, and a store that followed it to its end."""

    def __init__(self, seed: int = 0) -> None:
        self.broker = MemoryBroker(ManualClock(), seed)
        self.broker.create("state", 1)
        self.rows = Rows(MemoryEngine(), [TABLE])
        self.cluster = "cluster"
        for n in range(3):
            self.send(f"k{n}", "old")
        self.catch_up()

    def send(self, key: str, value: str | None) -> None:
        self.broker.append(Output("state", 0, key.encode(), None if value is None else value.encode(), []))

    def catch_up(self, rows: Rows | None = None) -> int:
        """As after an assignment: a new reader; returns how many records it took."""
        restorer = Restorer(MemoryReader(self.broker), self.origin, lambda: None)
        restorer.follow([Feed(TP, rows or self.rows, TABLE)])
        return restorer.catch_up(uncommitted=True)

    def origin(self, topics: object) -> Origin:
        return Origin(self.cluster, dict(self.broker.ids))

    def told(self) -> dict[bytes, bytes]:
        return dict(self.rows.all("rows"))

    def plant(self) -> None:
        """A row that no topic knows: it goes when the store is rebuilt."""
        self.rows.engine.write({b"r\0rows\0planted": b"x"})

    def is_rebuilt(self) -> bool:
        return b"planted" not in self.told()

    def set_checkpoint(self, **changed: int) -> None:
        found = self.rows.checkpoint(TP)
        assert found is not None
        self.rows.engine.write(checkpoint_change(TP, Checkpoint(**(found._asdict() | changed))))


@pytest.fixture
def place() -> Place:
    made = Place()
    made.plant()
    return made


def test_a_valid_checkpoint_is_gone_on_from(place: Place) -> None:
    place.send("k1", "new")
    assert place.catch_up() == 1
    assert place.told() == {b"k0": b"old", b"k1": b"new", b"k2": b"old", b"planted": b"x"}


def test_a_re_created_topic_rebuilds_the_store(place: Place) -> None:
    place.broker.recreate("state")
    for n in range(4):
        place.send(f"n{n}", "new")
    place.catch_up()
    assert sorted(place.told()) == [b"n0", b"n1", b"n2", b"n3"]


def test_another_cluster_rebuilds_the_store(place: Place) -> None:
    place.cluster = "another"
    assert place.catch_up() == 3
    assert place.is_rebuilt()


def test_a_checkpoint_behind_which_tombstones_may_have_vanished_rebuilds_the_store(place: Place) -> None:
    place.set_checkpoint(wall=wall_ms() - CHECKPOINT_MAX_AGE_MS - 1)
    assert place.catch_up() == 3
    assert place.is_rebuilt()


def test_a_checkpoint_a_little_younger_does_not(place: Place) -> None:
    place.set_checkpoint(wall=wall_ms() - CHECKPOINT_MAX_AGE_MS + 60_000)
    assert place.catch_up() == 0
    assert not place.is_rebuilt()


@pytest.mark.parametrize("offset", [1, 99], ids=["taken by retention", "beyond the end"])
def test_a_checkpoint_out_of_the_topics_range_rebuilds_the_store(place: Place, offset: int) -> None:
    place.broker.log(TP).start = 2
    place.set_checkpoint(offset=offset)
    place.catch_up()
    assert place.told() == {b"k2": b"old"}


def test_a_store_without_a_checkpoint_is_rebuilt(place: Place) -> None:
    place.rows.engine.write({key: None for key, _ in list(place.rows.engine.scan(b"c\0"))})
    place.catch_up()
    assert place.is_rebuilt()


@pytest.mark.parametrize("seed", range(6))
def test_rows_of_one_table_are_not_passed_over_when_another_has_lost_its_place(seed: int) -> None:
    """The poll that finds a position gone has read on in other partitions before."""
    place = Place(seed)
    other = ReferenceTable("words", "words")
    words, lost = TopicPartition("words", 0), Rows(MemoryEngine(), [other])
    place.broker.create("words", 1)
    for n in range(3):
        place.broker.append(Output("words", 0, b"w%d" % n, b"old", []))
    restorer = Restorer(MemoryReader(place.broker), place.origin, lambda: None)
    restorer.follow([Feed(TP, place.rows, TABLE), Feed(words, lost, other)])
    restorer.catch_up()
    place.send("k0", "new")
    place.broker.append(Output("words", 0, b"w3", b"new", []))
    place.broker.append(Output("words", 0, b"w4", b"new", []))
    place.broker.log(words).start = 4
    restorer.catch_up()
    assert place.told() == {b"k0": b"new", b"k1": b"old", b"k2": b"old"}
    assert dict(lost.all("words")) == {b"w4": b"new"}


@pytest.mark.parametrize("writes", [1, 2, 3])
def test_a_kill_while_a_store_is_emptied_leaves_no_checkpoint_beside_half_of_its_rows(
    place: Place, writes: int
) -> None:
    """What was beyond the topic's end may lie before it at the next start."""
    place.set_checkpoint(offset=5)
    engine, engines = place.rows.engine, MemoryEngines()
    assert isinstance(engine, MemoryEngine)
    engines.held["0"] = engine
    with suppress(Crash):
        place.catch_up(Rows(FragileEngines(engines, writes).open("0"), [TABLE]))
    for n in range(3):
        place.send(f"n{n}", "new")
    place.catch_up()
    assert sorted(place.told()) == [b"k0", b"k1", b"k2", b"n0", b"n1", b"n2"]


def test_tombstones_delete_rows(place: Place) -> None:
    place.send("k0", None)
    place.catch_up()
    assert b"k0" not in place.told()


def test_checkpoints_age_by_half_of_the_time_that_tombstones_are_kept() -> None:
    assert CHECKPOINT_MAX_AGE_MS * 2 == 7 * DAY_MS


def test_a_checkpoint_is_written_with_where_its_rows_come_from(place: Place) -> None:
    found = place.rows.checkpoint(TP)
    assert found is not None
    assert found == Checkpoint(3, place.broker.ids["state"], "cluster", found.wall)
    assert abs(wall_ms() - found.wall) < 60_000
