"""What flows through a worker: records in, outputs out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

Headers = tuple[tuple[str, bytes], ...]


class TopicPartition(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}-{self.partition}"


class Record(NamedTuple):
    """One record as read. `appended_at` is the broker's LogAppendTime in ms since the epoch (D19), on the pipeline's
    clock.
    """

    topic: str
    partition: int
    offset: int
    appended_at: int
    key: bytes | None
    value: bytes | None
    headers: Headers

    @property
    def tp(self) -> TopicPartition:
        return TopicPartition(self.topic, self.partition)

    @property
    def origin(self) -> str:
        """`topic-partition-offset`, the record's name in receipts, letters and `cpor_origin`."""
        return f"{self.topic}-{self.partition}-{self.offset}"

    def header(self, name: str) -> str | None:
        """The newest header of that name, decoded; None where there is none or it is not UTF-8."""
        found = last_header(self.headers, name)
        if found is None:
            return None
        try:
            return found.decode()
        except UnicodeDecodeError:
            return None


class Output(NamedTuple):
    """One record to send. `partition` is always explicit (P9)."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


def last_header(headers: Iterable[tuple[str, bytes]], name: str) -> bytes | None:
    found = None
    for key, value in headers:
        if key == name:
            found = value
    return found
