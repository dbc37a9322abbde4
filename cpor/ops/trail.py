"""Whether anything waits in front of any service: where the last record of each input lies, read as they come.

Behind it are transaction markers alone, which nobody has to have passed. To read on from the last look costs next to
nothing; to look for the first record behind a position costs a poll that waits in vain, where there is none.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple

from cpor.ops.figures import inputs, places
from cpor.runtime.record import TopicPartition
from cpor.runtime.transport.port import Admin, Reader

#: How long one look reads; an open transaction may hold it up. What it did not come to counts as waiting.
LOOK_SECONDS = 1.0
POLL_MS = 5
MAX_RECORDS = 1_000

Positions = dict[TopicPartition, int]
#: Group → what it has committed.
Committed = Callable[[Collection[str]], Mapping[str, Mapping[TopicPartition, int]]]


class Waiting(NamedTuple):
    """Offsets that a service has before it in a topic, with records among them, or a transaction that is open."""

    service: str
    topic: str
    lag: int

    def __str__(self) -> str:
        return f"{self.lag} records of {self.topic} wait for {self.service}"


class Trail:
    """Follows the inputs of services; a look reads for `seconds` at most. Client errors pass through."""

    def __init__(self, admin: Admin, reader: Reader, committed: Committed, seconds: float = LOOK_SECONDS) -> None:
        self._admin, self._reader, self._committed, self._seconds = admin, reader, committed, seconds
        self._counts = admin.partition_counts()
        #: The ends of the logs as of the last look.
        self._ends: Positions = {}
        #: Where each log began when it was first looked at, how far it was read, and behind the last record of that.
        self._starts: Positions = {}
        self._read: Positions = {}
        self._behind: Positions = {}

    def look_for_topics(self) -> None:
        """Partners come and go; to ask at every look would be half of what it costs."""
        self._counts = self._admin.partition_counts()

    def goes_on(self) -> bool:
        """Whether anybody has written since the last look began."""
        return self._reader.ends(list(self._ends), uncommitted=True) != self._ends

    def look(self, services: Collection[str]) -> list[Waiting]:
        """What waits for them. The ends are asked for first: who has committed what was there then has nothing left.

        They are those of the logs: what is sent in a transaction that is yet to be committed, or whose markers are on
        their way, is there.
        """
        topics = {service: topics for service, topics in inputs(self._counts).items() if service in services}
        read = {service: places(self._counts, topics[service]) for service in topics}
        self._ends = self._reader.ends({tp for tps in read.values() for tp in tps}, uncommitted=True)
        if not self._ends.keys() <= self._starts.keys():
            self._begin(read)
        late = self._read_on()
        committed = self._committed_by(read)
        return [each for service in read for each in self._waiting(service, read[service], committed[service], late)]

    def _committed_by(self, services: Iterable[str]) -> dict[str, Mapping[TopicPartition, int]]:
        groups = {service: f"cpor.{service}" for service in services}
        told = self._committed(list(groups.values()))
        return {service: told[group] for service, group in groups.items()}

    def _begin(self, read: Mapping[str, Iterable[TopicPartition]]) -> None:
        """Read also what is new here, from where the last of its readers is."""
        fresh = self._ends.keys() - self._starts.keys()
        starts, committed = self._reader.beginnings(fresh), self._committed_by(read)
        positions = [(tp, committed[each].get(tp, 0)) for each, tps in read.items() for tp in tps if tp in fresh]
        first = {tp: max(starts[tp], min(at for here, at in positions if here == tp)) for tp in fresh}
        self._reader.assign(self._read | first)
        self._starts |= starts
        self._read |= first
        self._behind |= first

    def _read_on(self) -> set[TopicPartition]:
        """Up to the ends; the partitions where that takes too long."""
        deadline = time.monotonic() + self._seconds
        while (left := self._unread()) and time.monotonic() < deadline:
            records = self._reader.poll(POLL_MS, MAX_RECORDS)
            self._behind |= {record.tp: record.offset + 1 for record in records}
            self._read |= {tp: self._reader.position(tp) for tp in left.union(record.tp for record in records)}
        return left

    def _unread(self) -> set[TopicPartition]:
        return {tp for tp, end in self._ends.items() if self._read[tp] < end}

    def _waiting(
        self,
        service: str,
        tps: Iterable[TopicPartition],
        committed: Mapping[TopicPartition, int],
        late: Collection[TopicPartition],
    ) -> list[Waiting]:
        lags: Counter[str] = Counter()
        for tp in tps:
            position, end = max(committed.get(tp, 0), self._starts[tp]), self._ends[tp]
            if position < (end if tp in late else min(self._behind[tp], end)):
                lags[tp.topic] += end - position
        return [Waiting(service, topic, lag) for topic, lag in lags.items()]
