"""The in-memory twin of the Kafka transport: same transactions, offsets, groups and fencing, no network, fully
repeatable.

Offsets have gaps where transaction markers stand, an open transaction holds back readers (last stable offset), an older
generation or producer epoch is refused. A test decides the interleaving (`shuffle`), the faults (`faults`) and when a
member is lost (`expire`).
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import cast

from cpor.runtime.clock import Clock
from cpor.runtime.errors import Fenced, GenerationLost, TransactionFailed
from cpor.runtime.record import Output, Record, TopicPartition
from cpor.runtime.topics import TopicSpec
from cpor.runtime.transport.port import OffsetLost, Positions, Token


@dataclass(slots=True)
class Transaction:
    """One transaction: whose it is, what became of it, and what it will commit."""

    producer: str
    epoch: int
    outcome: bool | None = None
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

    def create(self, topic: str, partitions: int) -> None:
        self.counts[topic] = partitions
        self.ids[topic] = str(uuid.UUID(int=len(self.ids) + 1 + (self.incarnations << 32)))
        for partition in range(partitions):
            self.logs[TopicPartition(topic, partition)] = Log()

    def recreate(self, topic: str) -> None:
        """Delete and make the topic again: empty, with another id."""
        self.incarnations += 1
        self.create(topic, self.counts[topic])

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


class MemoryProducer:
    """`Producer` in memory."""

    def __init__(self, broker: MemoryBroker, transactional_id: str) -> None:
        self._broker = broker
        self._id = transactional_id
        self._epoch = broker.begin_epoch(transactional_id)
        self._transaction: Transaction | None = None
        self._ends: dict[TopicPartition, int] = {}

    def begin(self) -> None:
        self._check_epoch()
        self._ends.clear()
        self._transaction = Transaction(self._id, self._epoch)
        self._broker.open.append(self._transaction)

    def send(self, output: Output) -> None:
        self._broker.faults("send")
        offset = self._broker.append(output, self._current())
        self._ends[TopicPartition(output.topic, output.partition)] = offset + 1

    def send_positions(self, positions: Positions, token: Token) -> None:
        self._broker.faults("send_positions")
        transaction = self._current()
        group, member, incarnation, generation = cast(tuple[str, str, int, int], token)
        joined = self._broker.groups[group]
        if joined.members.get(member, incarnation) != incarnation:
            raise Fenced(group=group, member=member)
        if member not in joined.members or joined.generation != generation:
            raise GenerationLost(group=group, member=member, generation=generation)
        transaction.group = group
        transaction.positions.update(positions)

    def commit(self) -> None:
        self._broker.faults("commit")
        self._broker.finish(self._current(), outcome=True)
        self._transaction = None
        self._broker.faults("committed")

    def end_of(self, tp: TopicPartition) -> int | None:
        return self._ends.get(tp)

    def abort(self) -> None:
        if self._transaction is not None and self._transaction in self._broker.open:
            self._broker.finish(self._transaction, outcome=False)
        self._transaction = None

    def close(self) -> None:
        self._transaction = None

    def _current(self) -> Transaction:
        self._check_epoch()
        if self._transaction is None or self._transaction.outcome is not None:
            raise TransactionFailed("no open transaction", transactional_id=self._id)
        return self._transaction

    def _check_epoch(self) -> None:
        if self._broker.epochs[self._id] != self._epoch:
            raise Fenced(transactional_id=self._id)


class MemoryPublisher:
    """`Publisher` in memory."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker
        self._offsets: list[int] = []

    def send(self, output: Output) -> None:
        self._offsets.append(self._broker.append(output))

    def flush(self, seconds: float = 30) -> list[int]:
        offsets, self._offsets = self._offsets, []
        return offsets

    def close(self) -> None:
        self._offsets = []


class MemoryMembership:
    """`Membership` in memory."""

    def __init__(self, broker: MemoryBroker, group: str, member: str, slots_topic: str) -> None:
        self._broker, self._group, self._member = broker, group, member
        self._incarnation = broker.join(group, member, slots_topic)

    def poll(self) -> frozenset[int] | None:
        members = self._broker.groups[self._group].members
        if self._member not in members:
            self._incarnation = self._broker.join(
                self._group, self._member, self._broker.groups[self._group].slots_topic
            )
        if members[self._member] != self._incarnation:
            raise Fenced(group=self._group, member=self._member)
        return self._broker.slots(self._group, self._member)

    def generation(self) -> int:
        return self._broker.groups[self._group].generation

    def token(self) -> Token:
        return Token((self._group, self._member, self._incarnation, self.generation()))

    def committed(self, tps: Iterable[TopicPartition]) -> dict[TopicPartition, int | None]:
        committed = self._broker.groups[self._group].committed
        return {tp: committed.get(tp) for tp in tps}

    def close(self) -> None:
        return None


class MemoryReader:
    """`Reader` in memory; which partition answers a poll, and with how many records, is drawn by the broker's seed."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker
        self._positions: dict[TopicPartition, int] = {}
        self._paused: set[TopicPartition] = set()

    def assign(self, positions: Positions) -> None:
        self._positions = dict(positions)
        self._paused &= set(positions)

    def assigned(self) -> set[TopicPartition]:
        return set(self._positions)

    def poll(self, timeout_ms: int, max_records: int) -> list[Record]:
        found: list[Record] = []
        order = sorted(set(self._positions) - self._paused)
        self._broker.random.shuffle(order)
        for tp in order:
            if len(found) < max_records:
                found += self._read(tp, max_records - len(found))
        return found

    def _read(self, tp: TopicPartition, most: int) -> list[Record]:
        log, position = self._broker.log(tp), self._positions[tp]
        if position < log.start or position > len(log.entries):
            raise OffsetLost([tp])
        end = log.stable_end(self._broker.open, tp)
        found: list[Record] = []
        while position < end and len(found) < most:
            entry = log.entries[position]
            position += 1
            if entry.record is not None and (entry.transaction is None or entry.transaction.outcome):
                found.append(entry.record)
        self._positions[tp] = position
        return found

    def position(self, tp: TopicPartition) -> int:
        return self._positions[tp]

    def seek(self, tp: TopicPartition, offset: int) -> None:
        self._positions[tp] = offset

    def pause(self, tps: Iterable[TopicPartition]) -> None:
        self._paused |= set(tps)

    def resume(self, tps: Iterable[TopicPartition]) -> None:
        self._paused -= set(tps)

    def ends(self, tps: Iterable[TopicPartition], *, uncommitted: bool = False) -> dict[TopicPartition, int]:
        return {tp: self._broker.end(tp, uncommitted=uncommitted) for tp in tps}

    def beginnings(self, tps: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return {tp: self._broker.log(tp).start for tp in tps}

    def offsets_at(self, times: Mapping[TopicPartition, int]) -> dict[TopicPartition, int | None]:
        return {tp: self._first_at(tp, ms) for tp, ms in times.items()}

    def _first_at(self, tp: TopicPartition, ms: int) -> int | None:
        log = self._broker.log(tp)
        records = (e.record for e in log.entries[log.start :] if e.record is not None)
        return next((r.offset for r in records if r.appended_at >= ms), None)

    def close(self) -> None:
        self._positions = {}


class MemoryAdmin:
    """`Admin` in memory."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker

    def cluster_id(self) -> str:
        return "memory"

    def partition_counts(self) -> dict[str, int]:
        return dict(self._broker.counts)

    def topic_ids(self, topics: Iterable[str]) -> dict[str, str]:
        return {topic: self._broker.ids[topic] for topic in topics if topic in self._broker.ids}

    def create(self, specs: Iterable[TopicSpec], counts: Mapping[str, int]) -> list[str]:
        fresh = [spec for spec in specs if spec.name not in self._broker.counts]
        for spec in fresh:
            self._broker.create(spec.name, counts[spec.count])
        return [spec.name for spec in fresh]

    def close(self) -> None:
        return None


class MemoryTransport:
    """`Transport` in memory."""

    def __init__(self, broker: MemoryBroker) -> None:
        self.broker = broker

    def producer(self, transactional_id: str) -> MemoryProducer:
        return MemoryProducer(self.broker, transactional_id)

    def publisher(self) -> MemoryPublisher:
        return MemoryPublisher(self.broker)

    def membership(self, group: str, member: str, slots_topic: str) -> MemoryMembership:
        return MemoryMembership(self.broker, group, member, slots_topic)

    def reader(self) -> MemoryReader:
        return MemoryReader(self.broker)

    def admin(self) -> MemoryAdmin:
        return MemoryAdmin(self.broker)
