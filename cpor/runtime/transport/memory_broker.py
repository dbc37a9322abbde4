"""The broker of the in-memory transport: logs with markers, transactions, epochs, groups of static members."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from cpor.runtime.clock import Clock
from cpor.runtime.errors import TransactionFailed
from cpor.runtime.record import Output, Record, TopicPartition
from cpor.runtime.topics import MIB


@dataclass(slots=True)
class Transaction:
    """One transaction: whose it is, what became of it, and what it will commit."""

    producer: str
    epoch: int
    outcome: bool | None = None
    #: A record that the broker refused: the commit must fail.
    refused: str = ""
    touched: dict[TopicPartition, int] = field(default_factory=dict)
    positions: dict[TopicPartition, int] = field(default_factory=dict)
    group: str | None = None


@dataclass(slots=True)
class Entry:
    """One place of a log: a record or (record None) a marker."""

    record: Record | None
    transaction: Transaction | None


@dataclass(slots=True)
class Log:
    """A partition. Offsets below `start` are gone."""

    entries: list[Entry] = field(default_factory=list)
    start: int = 0
    max_bytes: int = MIB

    def stable_end(self, open_ones: Iterable[Transaction], tp: TopicPartition) -> int:
        firsts = [t.touched[tp] for t in open_ones if tp in t.touched]
        return min(firsts, default=len(self.entries))


@dataclass(slots=True)
class Group:
    """A consumer group of static members on one topic."""

    slots_topic: str
    generation: int = 0
    members: dict[str, int] = field(default_factory=dict)
    committed: dict[TopicPartition, int] = field(default_factory=dict)


class MemoryBroker:
    """The broker; `faults(point)` is called at send, send_positions, commit, committed: it may raise there."""

    def __init__(self, clock: Clock, seed: int = 0) -> None:
        self.clock = clock
        self.random = random.Random(seed)
        self.logs: dict[TopicPartition, Log] = {}
        self.counts: dict[str, int] = {}
        self.ids: dict[str, str] = {}
        self.epochs: dict[str, int] = {}
        self.open: list[Transaction] = []
        self.groups: dict[str, Group] = {}
        self.incarnations = 0
        self.faults: Callable[[str], None] = lambda point: None

    def create(self, topic: str, partitions: int, max_bytes: int = MIB) -> None:
        self.counts[topic] = partitions
        self.ids[topic] = str(uuid.UUID(int=len(self.ids) + 1 + (self.incarnations << 32)))
        for partition in range(partitions):
            self.logs[TopicPartition(topic, partition)] = Log(max_bytes=max_bytes)

    def recreate(self, topic: str) -> None:
        """Delete and make the topic again: empty, with another id. The groups' positions go with it."""
        self.incarnations += 1
        for group in self.groups.values():
            group.committed = {tp: at for tp, at in group.committed.items() if tp.topic != topic}
        self.create(topic, self.counts[topic], self.logs[TopicPartition(topic, 0)].max_bytes)

    def log(self, tp: TopicPartition) -> Log:
        found = self.logs.get(tp)
        if found is None:
            raise TransactionFailed("no such topic or partition", tp=str(tp))
        return found

    def append(self, output: Output, transaction: Transaction | None = None) -> int:
        tp = TopicPartition(output.topic, output.partition)
        log = self.log(tp)
        offset = len(log.entries)
        if transaction is not None:
            transaction.touched.setdefault(tp, offset)
        record = Record(*tp, offset, self.clock.now(), output.key, output.value, tuple(output.headers))
        log.entries.append(Entry(record, transaction))
        return offset

    def finish(self, transaction: Transaction, outcome: bool) -> None:
        transaction.outcome = outcome
        self.open.remove(transaction)
        for tp in transaction.touched:
            self.logs[tp].entries.append(Entry(None, transaction))
        if outcome and transaction.group is not None:
            self.groups[transaction.group].committed.update(transaction.positions)

    def end(self, tp: TopicPartition, *, uncommitted: bool) -> int:
        log = self.log(tp)
        return len(log.entries) if uncommitted else log.stable_end(self.open, tp)

    def records(self, topic: str, partition: int | None = None) -> list[Record]:
        """All committed records of a topic, partition by partition: what an auditor reads."""
        partitions = range(self.counts[topic]) if partition is None else [partition]
        return [r for p in partitions for r in self._committed(TopicPartition(topic, p))]

    def _committed(self, tp: TopicPartition) -> list[Record]:
        log = self.log(tp)
        seen = log.entries[log.start : log.stable_end(self.open, tp)]
        return [e.record for e in seen if e.record is not None and (e.transaction is None or e.transaction.outcome)]

    def begin_epoch(self, producer: str) -> int:
        self.epochs[producer] = self.epochs.get(producer, -1) + 1
        for transaction in [t for t in self.open if t.producer == producer]:
            self.finish(transaction, outcome=False)
        return self.epochs[producer]

    def time_out(self, producer: str) -> None:
        """A producer's transaction time-out has passed: the broker aborts for it and takes no more of its epoch."""
        if any(transaction.producer == producer for transaction in self.open):
            self.begin_epoch(producer)

    def join(self, group: str, member: str, slots_topic: str) -> int:
        """A static member (re)joins: a known one keeps generation and slots; returns the incarnation that fences its
        elder.
        """
        self.incarnations += 1
        joined = self.groups.setdefault(group, Group(slots_topic))
        if member not in joined.members:
            joined.generation += 1
        joined.members[member] = self.incarnations
        return self.incarnations

    def expire(self, group: str, member: str) -> None:
        """The session time-out of a member has passed: the others take its slots over.

        Its transaction has timed out before: `transaction_ms` is the shorter one.
        """
        self.time_out(f"{group}.{member}")
        joined = self.groups[group]
        del joined.members[member]
        joined.generation += 1

    def slots(self, group: str, member: str) -> frozenset[int]:
        """Range assignment over the members in order of their names."""
        joined = self.groups[group]
        names = sorted(joined.members)
        count = self.counts[joined.slots_topic]
        share, rest = divmod(count, len(names))
        place = names.index(member)
        first = place * share + min(place, rest)
        return frozenset(range(first, first + share + (1 if place < rest else 0)))
