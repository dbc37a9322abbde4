"""The port between the kernel and a Kafka client.

Two adapters exist: `transport.kafka` (kafka-python) and `transport.memory` (the twin for property tests); one
contract suite (`tests/contract/transport`) runs over both. A third (librdkafka) needs these five classes and nothing
of a service. All calls are made from one thread. None is asynchronous: a call that returned has happened.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NewType, Protocol

from cpor.runtime.record import Output, Record, TopicPartition
from cpor.runtime.topics import TopicSpec

Positions = Mapping[TopicPartition, int]

#: A group membership as of one generation; opaque to the kernel, it goes back into `Producer.send_positions`.
Token = NewType("Token", object)


class Producer(Protocol):
    """A transactional producer. After any exception it is spent: close it and make a new one (P1)."""

    def begin(self) -> None:
        """Open a transaction."""

    def send(self, output: Output) -> None:
        """Queue one record; failures surface in `commit`."""

    def send_positions(self, positions: Positions, token: Token) -> None:
        """Add consumed positions to the transaction.

        Raises `GenerationLost` where the group has moved on, `Fenced` where another process joined under this member's
        name, `ProducerFenced` where the producer's epoch is over.
        """

    def commit(self) -> None:
        """Commit everything or raise `TransactionFailed` (`ProducerFenced`). May wait without limit (P2)."""

    def end_of(self, tp: TopicPartition) -> int | None:
        """After a commit: the offset behind the newest record this transaction sent to `tp`; None for none."""

    def abort(self) -> None:
        """Abort the open transaction as well as can be; never raises."""

    def close(self) -> None:
        """Let go of the connection; never raises, waits 1 s at most."""


class Publisher(Protocol):
    """An idempotent producer without transactions: for partners, operators and tools; what it sent is at least once."""

    def send(self, output: Output) -> None:
        """Queue one record."""

    def flush(self, seconds: float = 30) -> list[int]:
        """Wait until everything queued is acknowledged; offsets in the order of `send`. Raises `PublishFailed`."""

    def close(self) -> None:
        """Let go of the connection."""


class PublishFailed(Exception):
    """Records were not acknowledged by the broker."""


class Membership(Protocol):
    """A static member of the group on its one fixed slots topic."""

    def poll(self) -> frozenset[int] | None:
        """Keep the membership alive; the slots owned now, None while the group is rebalancing. Raises `Fenced`."""

    def generation(self) -> int:
        """Grows with every rebalance."""

    def token(self) -> Token:
        """The membership of the current generation."""

    def committed(self, tps: Iterable[TopicPartition]) -> dict[TopicPartition, int | None]:
        """Stable committed positions of the group (waits for open transactions); None where nothing was committed."""

    def close(self) -> None:
        """Stop polling; a static member keeps its slots until the session time-out."""


class Reader(Protocol):
    """Reads partitions it was told to, outside any group, read_committed."""

    def assign(self, positions: Positions) -> None:
        """Read exactly these partitions from these offsets; partitions that stay keep their buffers."""

    def assigned(self) -> set[TopicPartition]:
        """What is read now."""

    def poll(self, timeout_ms: int, max_records: int) -> list[Record]:
        """Records in order of their offset per partition. Raises `OffsetLost`."""

    def position(self, tp: TopicPartition) -> int:
        """The next offset to be read; moves past transaction markers and aborted records."""

    def seek(self, tp: TopicPartition, offset: int) -> None:
        """Read on from here."""

    def pause(self, tps: Iterable[TopicPartition]) -> None:
        """Fetch nothing from these until resumed."""

    def resume(self, tps: Iterable[TopicPartition]) -> None:
        """Fetch again."""

    def ends(self, tps: Iterable[TopicPartition], *, uncommitted: bool = False) -> dict[TopicPartition, int]:
        """The last stable offsets, or the ends of the logs where `uncommitted` (KAFKA-10167)."""

    def beginnings(self, tps: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """The first offsets that still exist."""

    def offsets_at(self, times: Mapping[TopicPartition, int]) -> dict[TopicPartition, int | None]:
        """The first offset appended at or after each time (ms, on the broker's clock), None where there is none."""

    def close(self) -> None:
        """Let go of the connection."""


class OffsetLost(Exception):
    """The position asked for no longer exists (or does not yet): retention or a re-created topic."""

    def __init__(self, tps: Sequence[TopicPartition]) -> None:
        self.tps = tuple(tps)
        super().__init__(f"{self.__doc__} {', '.join(map(str, tps))}")


class Admin(Protocol):
    """What is there, and making it."""

    def cluster_id(self) -> str: ...

    def partition_counts(self) -> dict[str, int]:
        """All topics with their number of partitions."""

    def topic_ids(self, topics: Iterable[str]) -> dict[str, str]:
        """The ids of existing topics; a re-created topic has another. Raises `Retry` where the broker cannot tell."""

    def create(self, specs: Iterable[TopicSpec], counts: Mapping[str, int]) -> list[str]:
        """Create what is missing; `counts` maps `Count` to partitions. Returns the names created."""

    def group_positions(self, group: str) -> dict[TopicPartition, int]:
        """What any group has committed, without waiting for its open transactions; empty for a group that does not
        exist. Raises `Retry` where the broker cannot tell now."""

    def close(self) -> None: ...


class Transport(Protocol):
    """Makes the parts."""

    def producer(self, transactional_id: str) -> Producer:
        """A producer whose transactions of an earlier holder are ended: that holder is fenced from here on."""

    def publisher(self) -> Publisher: ...

    def membership(self, group: str, member: str, slots_topic: str) -> Membership: ...

    def reader(self) -> Reader: ...

    def admin(self) -> Admin: ...
