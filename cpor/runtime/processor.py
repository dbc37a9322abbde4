"""What a service is to the kernel: a `Processor` with its topics, its tables and two pure functions.

    class Review(Processor):
        service = "review"
        def sources(self, all_topics): return ["cpor.claims.commands"]
        def process(self, context, record): ...

The kernel reads, restores, opens the transaction, calls `process` for each record in order of its partition, sends
what it emitted and commits positions, state and outputs together. `process` and `fire` must be deterministic
functions of the record, the rows they read and the timers: no I/O, no wall clock, no randomness. What needs I/O is
gathered by `prepare` before the transaction begins.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from cpor.runtime.errors import Stop
from cpor.runtime.record import Record, TopicPartition

Decode = Callable[[bytes], Any]
Encode = Callable[[Any], bytes]
IndexKeys = Callable[[bytes, Any], Iterable[bytes]]


def raw(value: bytes) -> bytes:
    """The codec of a table whose rows are bytes."""
    return value


@dataclass(frozen=True, slots=True)
class Index:
    """A secondary index: `keys(row key, row)` gives the index keys of a row.

    A pure function of the row: it is rebuilt when the row is restored and never sent. Index keys must not contain NUL.
    """

    name: str
    keys: IndexKeys


@dataclass(frozen=True, slots=True)
class StateTable:
    """Rows that this worker alone writes, one compacted topic behind them (the truth; the local store is a cache).

    `headers(key, row)` gives the headers of the row's record; only the newest row per key and round is sent.
    """

    name: str
    topic: str
    encode: Encode = raw
    decode: Decode = raw
    headers: Callable[[bytes, Any], list[tuple[str, bytes]]] | None = None
    indexes: tuple[Index, ...] = ()


def placed(partition: int, key: bytes) -> bytes:
    """The key of a row of a table that keeps its partitions apart."""
    return b"%d/%b" % (partition, key)


@dataclass(frozen=True, slots=True)
class ReferenceTable:
    """Rows that others write; read before each round up to the topic's end as of the round's start, so that "load, then
    submit" never meets a stale table. `everywhere`: a global table, all partitions on every worker; else
    co-partitioned. `apart`: a key may move to another partition, so a global table keeps the rows of each under keys of
    their own (`placed`); they are found by an index."""

    name: str
    topic: str
    decode: Decode = raw
    everywhere: bool = False
    indexes: tuple[Index, ...] = ()
    apart: bool = False

    def key_of(self, record: Record) -> bytes:
        key = record.key or b""
        return placed(record.partition, key) if self.apart else key


@dataclass(frozen=True, slots=True, order=True)
class Timer:
    """A durable timer, fired at most once, in order of `due` (ms since the epoch).

    Identity: (claim, clock, started_by, rung); setting it again replaces it. `data` comes back on `fire`.
    """

    due: int
    claim: str
    clock: str
    started_by: int
    rung: int = 0
    data: bytes = field(default=b"", compare=False)


class Context(Protocol):
    """What `process` and `fire` see: rows as of this record, and where to put what they decide."""

    #: The task's partition (of the slots topic); state rows and timers live and die with it.
    partition: int
    #: The pipeline's clock, ms since the epoch, read once per round. For health and `decided_at` only: never let it
    #: decide.
    now: int

    def get(self, table: str, key: bytes) -> Any | None:
        """The row as decoded by its table, uncommitted changes of this round included; None where there is none."""

    def put(self, table: str, key: bytes, row: Any) -> None:
        """Write a row of a state table. The row must not be changed afterwards: put a new object."""

    def delete(self, table: str, key: bytes) -> None:
        """Delete a row of a state table (a tombstone is sent)."""

    def find(self, index: str, key: bytes) -> Sequence[tuple[bytes, Any]]:
        """Rows (key, row) that the index gives for `key`, uncommitted changes included, in order of their key."""

    def emit(
        self, topic: str, partition: int, key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]]
    ) -> None:
        """Send a record in this round's transaction."""

    def set_timer(self, timer: Timer) -> None:
        """Start or move a timer."""

    def cancel_timer(self, claim: str, clock: str, started_by: int, rung: int = 0) -> None:
        """Stop a timer; a timer that is not set is no error."""

    def prepared(self, record: Record) -> Any | None:
        """What `prepare` gathered for this record."""


class Observer(Protocol):
    """What a gate may ask before a round's timers fire; every answer holds for the round.

    All of them speak of `shown`, an instant on the pipeline's clock, and of `grace`, ms of wall time after it.
    """

    #: The partition whose timers are asked about.
    partition: int

    def is_past(self, shown: int, grace: int = 0) -> bool:
        """Whether the clock has shown `shown` for `grace` ms."""

    def have_read(self, topic: str, shown: int, grace: int = 0) -> bool:
        """Whether this worker has processed all of its partition of `topic` that was appended before that instant."""

    def has_read(self, group: str, tp: TopicPartition, shown: int, grace: int = 0) -> bool:
        """Whether a group has committed all of `tp` that was appended before that instant; a topic that does not exist
        has nothing left to read."""


class Preparation(Protocol):
    """The facts of one batch, gathered concurrently. Bounded by the kernel: what is not ready is held back and read
    again.

    A record that was held back comes again in a later batch: what was begun for it must be found again by its `origin`.
    """

    def wait(self, seconds: float) -> None:
        """Block until everything is ready, `seconds` at most."""

    def ready(self, record: Record) -> bool:
        """Whether this record can be processed now."""

    def facts(self, record: Record) -> Any | None:
        """What was gathered; only asked where `ready`."""


class Nothing:
    """The preparation of a worker that needs no I/O."""

    def wait(self, seconds: float) -> None:
        return None

    def ready(self, record: Record) -> bool:
        return True

    def facts(self, record: Record) -> Any | None:
        return None


class Processor(ABC):
    """A service's topics and rules; see the module's docstring."""

    #: The service's name: consumer group `cpor.<service>`, transactional ids `cpor.<service>.<slot>`, data directory.
    service: str
    #: The fixed topic the group joins; its partitions are the tasks. Never subscribed by pattern (P11).
    slots_topic: str
    state_tables: tuple[StateTable, ...] = ()
    reference_tables: tuple[ReferenceTable, ...] = ()
    #: The compacted topic of timers, None for a worker without.
    timers_topic: str | None = None
    #: The compacted topic of parked keys, None: poison records are dead-lettered, their followers are not parked.
    parked_topic: str | None = None

    @abstractmethod
    def sources(self, all_topics: Iterable[str]) -> list[str]:
        """The input topics among `all_topics`; asked at start and every 5 s (partner topics come and go)."""

    @abstractmethod
    def process(self, context: Context, record: Record) -> None:
        """Decide one record. Raises `Reject` for poison; anything else that is raised stops the worker."""

    def partitions_of(self, topic: str, slot: int, count: int) -> list[int]:
        """Which partitions of a source (it has `count`) the owner of `slot` reads; the same number unless said
        otherwise.
        """
        return [slot] if slot < count else []

    def appears_later(self, topic: str) -> bool:
        """Whether the topic may be new while there is state already; its positions then start at its beginning.

        For all others missing positions beside a non-empty state stop the worker: the group was reset or expired.
        """
        return False

    def fire(self, context: Context, timer: Timer) -> None:
        """A timer is due (at most once each)."""
        raise Stop("a timer fired in a worker without timers", service=self.service)

    def gate(self, due: Sequence[Timer], look: Observer) -> Sequence[Timer]:
        """Which of these due timers of one partition may fire now (the fair clock, D19); the others are asked again.

        Asked before the transaction, so `look` may do I/O.
        """
        return due

    def prepare(self, batch: Sequence[Record], lookup: Lookup) -> Preparation:
        """Start gathering what the batch needs (S3 look-ups ...); must not block: the kernel waits up to 200 ms for
        `ready`.
        """
        return Nothing()

    def order_key(self, record: Record) -> bytes | None:
        """What orders records: when one is dead-lettered, later ones of the same key are parked behind it."""
        return record.key

    def on_dead_letter(  # noqa: B027  # most services have nobody to tell
        self, context: Context, record: Record, reason: str, letter_id: str
    ) -> None:
        """A record was dead-lettered in this transaction; tell whoever must know."""


class Lookup(Protocol):
    """Committed rows, for `prepare`: what it reads may change until `process`, which must check again."""

    def get(self, table: str, partition: int, key: bytes) -> Any | None:
        """The committed row."""
