"""Reading topics from outside any group: whole, newest row per key, or onwards from now."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from cpor.ops.errors import NotReachable
from cpor.runtime.record import Record, TopicPartition
from cpor.runtime.transport.port import Reader, Transport

T = TypeVar("T")
#: A poll returns as soon as there is something; this is how long it waits for nothing.
POLL_MS = 200
MAX_RECORDS = 5_000
#: A topic that gives nothing for so long, though its end is further on, is not going to.
PATIENCE_SECONDS = 30.0


def partition_counts(transport: Transport) -> dict[str, int]:
    """All topics with their number of partitions."""
    admin = transport.admin()
    try:
        return admin.partition_counts()
    finally:
        admin.close()


@contextmanager
def open_reader(transport: Transport) -> Iterator[Reader]:
    reader = transport.reader()
    try:
        yield reader
    finally:
        reader.close()


def read_whole(transport: Transport, topics: Iterable[str], counts: dict[str, int] | None = None) -> Iterator[Record]:
    """Every committed record of the topics, up to their ends as of now, in order of each partition."""
    there = partition_counts(transport) if counts is None else counts
    tps = [TopicPartition(topic, n) for topic in topics for n in range(there.get(topic, 0))]
    with open_reader(transport) as reader:
        yield from read_to_ends(reader, tps)


def read_to_ends(reader: Reader, tps: list[TopicPartition]) -> Iterator[Record]:
    """As `read_whole`, with a reader that exists. Raises NotReachable where the broker stops giving."""
    if not tps:
        return
    ends = reader.ends(tps)
    starts = reader.beginnings(tps)
    left = {tp for tp in tps if starts[tp] < ends[tp]}
    reader.assign({tp: starts[tp] for tp in left})
    moved = time.monotonic()
    while left:
        records = reader.poll(POLL_MS, MAX_RECORDS)
        yield from (each for each in records if each.offset < ends[each.tp])
        before = len(left)
        left = {tp for tp in left if reader.position(tp) < ends[tp]}
        if records or len(left) < before:
            moved = time.monotonic()
        elif time.monotonic() - moved > PATIENCE_SECONDS:
            raise NotReachable(f"{min(left)} cannot be read to its end: is Kafka well? `cpor doctor` says more")


def newest_rows(transport: Transport, topic: str, counts: dict[str, int] | None = None) -> dict[bytes, Record]:
    """A compacted topic as what it means: the newest record of each key, tombstones taken out.

    A key that moved to another partition left a tombstone in its old one: it says nothing of the new one.
    """
    rows: dict[tuple[int, bytes], Record] = {}
    for record in read_whole(transport, [topic], counts):
        if record.key is None:
            continue
        if record.value is None:
            rows.pop((record.partition, record.key), None)
        else:
            rows[record.partition, record.key] = record
    newest_last = sorted(rows.items(), key=lambda row: row[1].appended_at)
    return {key: record for (_, key), record in newest_last}


class Follower:
    """Reads on from the ends as they were when it was made: what comes after something was sent."""

    def __init__(self, transport: Transport, tps: Iterable[TopicPartition]) -> None:
        self._reader = transport.reader()
        self._reader.assign(self._reader.ends(list(tps)))

    def poll(self, timeout_ms: int = POLL_MS) -> list[Record]:
        return self._reader.poll(timeout_ms, MAX_RECORDS)

    def await_one(self, wanted: Callable[[Record], T | None], seconds: float) -> T | None:
        """The answer that `wanted` gives, of those that come together the last; None when none came in time.

        What one message brings about is one transaction: an approval that an early no undoes is followed by its end.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = [answer for record in self.poll() if (answer := wanted(record)) is not None]
            if found:
                return found[-1]
        return None

    def close(self) -> None:
        with suppress(Exception):
            self._reader.close()
