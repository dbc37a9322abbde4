"""Bringing a store up to its topics: after an assignment, after a failed commit, and before each round for tables.

For state topics the order matters (KAFKA-10167): first the group's stable committed positions, then the *uncommitted*
end of the state topics, then reading read_committed up to that end. Read the stable end instead, and the rows of a
transaction whose markers are still on their way would be missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cpor.runtime.clock import wall_ms
from cpor.runtime.errors import Stop
from cpor.runtime.processor import ReferenceTable, StateTable
from cpor.runtime.record import Record, TopicPartition
from cpor.runtime.store.rows import Checkpoint, Rows, checkpoint_change, checkpoint_key, decode_timer
from cpor.runtime.topics import DAY_MS
from cpor.runtime.transport.port import OffsetLost, Reader

#: Half of `delete.retention.ms`: an older checkpoint may have missed tombstones.
CHECKPOINT_MAX_AGE_MS = 7 * DAY_MS // 2
BATCH = 5_000


@dataclass(frozen=True, slots=True)
class Origin:
    """Which cluster and which topics (by id) the rows come from."""

    cluster_id: str
    topic_ids: dict[str, str]


@dataclass(slots=True)
class Feed:
    """One topic partition that fills one table (or the timers) of one store."""

    tp: TopicPartition
    rows: Rows
    table: StateTable | ReferenceTable | None
    position: int = 0

    def apply(self, record: Record) -> None:
        """One row at a time: a later record of the same key must see the index entries of the earlier."""
        key, value = record.key or b"", record.value
        try:
            if self.table is None:
                timer = None if value is None else decode_timer(key, value)
                self.rows.engine.write(self.rows.timer_changes(key, timer))
            elif isinstance(self.table, ReferenceTable):
                self.rows.restore(self.table, self.table.key_of(record), value)
            else:
                self.rows.restore(self.table, key, value)
        except Stop:
            raise
        except Exception as fault:
            raise Stop("a row cannot be read", record=record.origin, cause=repr(fault)) from fault

    def forget(self) -> None:
        """The checkpoint first: who dies meanwhile must not find it beside half of the rows."""
        self.rows.engine.write({checkpoint_key(self.tp): None})
        if self.table is None:
            self.rows.forget([b"t\0", b"u\0"])
        else:
            self.rows.forget_table(self.table)

    def shares_rows(self, other: Feed) -> bool:
        """Whether both fill the same table of the same store: the partitions of a global table do."""
        return self.rows is other.rows and self.table is other.table


def feeds_of(rows: Rows, partition: int, timers_topic: str | None) -> list[Feed]:
    """A feed for each table of a store, and one for its timers."""
    feeds = [Feed(TopicPartition(table.topic, partition), rows, table) for table in rows.tables.values()]
    if timers_topic is not None:
        feeds.append(Feed(TopicPartition(timers_topic, partition), rows, None))
    return feeds


class Restorer:
    """Catches feeds up with one reader of its own. `alive` is told about progress, and only about that: the watchdog
    ends a worker that waits for ever.
    """

    def __init__(self, reader: Reader, origin: Callable[[Iterable[str]], Origin], alive: Callable[[], None]) -> None:
        self._reader = reader
        self._origin = origin
        self._alive = alive
        self._feeds: dict[TopicPartition, Feed] = {}

    def follow(self, feeds: Iterable[Feed]) -> None:
        """Take feeds on (those with a valid checkpoint go on from there) and let go of all others."""
        wanted = {feed.tp: feed for feed in feeds}
        fresh = [feed for tp, feed in wanted.items() if self._feeds.get(tp) is not feed]
        self._start(fresh)
        self._feeds = wanted
        self._reader.assign({tp: feed.position for tp, feed in wanted.items()})

    def _start(self, feeds: list[Feed]) -> None:
        if not feeds:
            return
        origin = self._origin({feed.tp.topic for feed in feeds})
        beginnings = self._reader.beginnings([feed.tp for feed in feeds])
        ends = self._reader.ends([feed.tp for feed in feeds], uncommitted=True)
        lost: list[Feed] = []
        for feed in feeds:
            checkpoint = feed.rows.checkpoint(feed.tp)
            if checkpoint is not None and _is_valid(checkpoint, feed.tp, origin, beginnings[feed.tp], ends[feed.tp]):
                feed.position = checkpoint.offset
            else:
                lost.append(feed)
        for feed in [feed for feed in feeds if any(feed.shares_rows(other) for other in lost)]:
            feed.forget()
            feed.position = beginnings[feed.tp]

    def catch_up(self, tps: Iterable[TopicPartition] | None = None, *, uncommitted: bool = False) -> int:
        """Read the followed feeds (or those of `tps`) to their ends as of now; returns how many records that took.

        `uncommitted`: up to the end of the log, for state topics; else up to the last stable offset, for tables.
        """
        feeds = [feed for tp, feed in self._feeds.items() if tps is None or tp in set(tps)]
        ends = self._reader.ends([feed.tp for feed in feeds], uncommitted=uncommitted)
        if gone := [feed.tp for feed in feeds if feed.position > ends[feed.tp]]:  # cut off, or made anew
            ends |= self._rebuild(gone)
        behind = {tp for tp, end in ends.items() if self._feeds[tp].position < end}
        if not behind:
            return 0
        others = self._reader.assigned() - behind
        self._reader.pause(others)
        try:
            read = self._read_until({tp: ends[tp] for tp in behind})
        finally:
            self._reader.resume(others)
        self.save(behind)
        return read

    def _read_until(self, ends: dict[TopicPartition, int]) -> int:
        read, followed = 0, set(ends)
        while ends:
            try:
                records = self._reader.poll(100, BATCH)
            except OffsetLost as lost:
                self._read_again(followed)
                ends |= self._rebuild(lost.tps or tuple(ends))
                followed |= set(ends)
                continue
            for record in records:
                self._feeds[record.tp].apply(record)
            read += len(records)
            if self._move_on(ends):
                self._alive()
        return read

    def _move_on(self, ends: dict[TopicPartition, int]) -> bool:
        """Note the positions, strike off what has reached its end; whether anything moved."""
        moved = False
        for tp in list(ends):
            feed, position = self._feeds[tp], self._reader.position(tp)
            moved = moved or position > feed.position
            feed.position = position
            if position >= ends[tp]:
                del ends[tp]
        return moved

    def _read_again(self, tps: Iterable[TopicPartition]) -> None:
        """A poll that fails over one partition may have passed records of others, which nobody has seen."""
        for tp in tps:
            self._reader.seek(tp, self._feeds[tp].position)

    def _rebuild(self, tps: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Start these feeds, and those that fill the same tables, anew; returns how far they must be read."""
        lost = [self._feeds[tp] for tp in tps if tp in self._feeds]
        tps = [tp for tp, feed in self._feeds.items() if any(feed.shares_rows(other) for other in lost)]
        for tp, first in self._reader.beginnings(tps).items():
            self._feeds[tp].forget()
            self._feeds[tp].position = first
            self._reader.seek(tp, first)
        self._reader.resume(tps)
        return self._reader.ends(tps, uncommitted=True)

    def save(self, tps: Iterable[TopicPartition]) -> None:
        """Write the checkpoints of these feeds."""
        feeds = [self._feeds[tp] for tp in tps]
        origin = self._origin({feed.tp.topic for feed in feeds})
        for feed in feeds:
            feed.rows.engine.write(checkpoint_of(feed.tp, feed.position, origin))


def checkpoint_of(tp: TopicPartition, offset: int, origin: Origin) -> dict[bytes, bytes | None]:
    found = Checkpoint(offset, origin.topic_ids.get(tp.topic, ""), origin.cluster_id, wall_ms())
    return checkpoint_change(tp, found)


def _is_valid(found: Checkpoint, tp: TopicPartition, origin: Origin, beginning: int, end: int) -> bool:
    same = found.topic_id == origin.topic_ids.get(tp.topic) and found.cluster_id == origin.cluster_id
    young = wall_ms() - found.wall < CHECKPOINT_MAX_AGE_MS
    return same and young and beginning <= found.offset <= end
