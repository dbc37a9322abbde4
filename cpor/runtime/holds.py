"""Holding partitions back: one slow object must not stop a partner, one partner must not stop the rest."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence

from cpor.runtime.processor import Preparation
from cpor.runtime.record import Record, TopicPartition
from cpor.runtime.transport.port import Reader

PREPARE_SECONDS = 0.2
#: How long a partition waits for what is not ready: a quarter longer each time for the same record, or while a store is
#: away for an hour the log would be read, and the store be asked, twenty times a second for nothing.
PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 1.0


class Holds:
    """Partitions that wait for something: paused, sought back, and read again a little later."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._until: dict[TopicPartition, float] = {}
        #: For which offset a partition waited last, and for how long.
        self._waited: dict[TopicPartition, tuple[int, float]] = {}

    def release_due(self) -> None:
        """Resume the partitions whose pause is over."""
        now = time.monotonic()
        due = [tp for tp, until in self._until.items() if until <= now]
        for tp in due:
            del self._until[tp]
        if due:
            self._reader.resume(due)

    def pause_for(self, tp: TopicPartition, offset: int) -> float:
        """How long the partition is to wait for this record now, seconds."""
        before, seconds = self._waited.get(tp, (-1, 0.0))
        seconds = min(seconds * 1.25, LONGEST_PAUSE_SECONDS) if before == offset else PAUSE_SECONDS
        self._waited[tp] = offset, seconds
        return seconds

    def hold(self, tp: TopicPartition, offset: int, seconds: float) -> None:
        """Read `tp` again from `offset`, after a pause."""
        self._reader.pause([tp])
        self._reader.seek(tp, offset)
        self._until[tp] = time.monotonic() + seconds

    def forget(self) -> None:
        """After a reload every partition is read from its committed position again."""
        self._reader.resume(self._until)
        self._until.clear()
        self._waited.clear()

    def waiting(self) -> Collection[TopicPartition]:
        return self._until.keys()

    def cut(self, records: Sequence[Record], preparation: Preparation) -> list[Record]:
        """The records that are ready; each partition is held at its first record that is not."""
        preparation.wait(PREPARE_SECONDS)
        held: set[TopicPartition] = set()
        ready: list[Record] = []
        for record in records:
            if held and record.tp in held:
                continue
            if preparation.ready(record):
                ready.append(record)
            else:
                held.add(record.tp)
                self.hold(record.tp, record.offset, self.pause_for(record.tp, record.offset))
        return ready
