"""The in-memory twin of the Kafka transport: same transactions, offsets, groups and fencing, no network, fully
repeatable.

Offsets have gaps where transaction markers stand, an open transaction holds back readers (last stable offset), an older
generation or producer epoch is refused. A test decides the interleaving (`shuffle`), the faults (`faults`) and when a
member is lost (`expire`).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import cast

from cpor.runtime.errors import Fenced, GenerationLost, ProducerFenced, TransactionFailed
from cpor.runtime.record import Output, Record, TopicPartition
from cpor.runtime.topics import TopicSpec
from cpor.runtime.transport.memory_broker import MemoryBroker, Transaction
from cpor.runtime.transport.port import OffsetLost, Positions, PublishFailed, Token

__all__ = [
    "MemoryAdmin",
    "MemoryBroker",
    "MemoryMembership",
    "MemoryProducer",
    "MemoryPublisher",
    "MemoryReader",
    "MemoryTransport",
]


#: How long a reader waits behind a transaction that nobody ends.
TRANSACTION_SECONDS = 2.0


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
        transaction = self._current()
        tp = TopicPartition(output.topic, output.partition)
        if len(output.value or b"") > self._broker.log(tp).max_bytes:
            transaction.refused = f"{tp} takes {self._broker.log(tp).max_bytes} bytes a record at most"
            return
        self._ends[tp] = self._broker.append(output, transaction) + 1

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
        transaction = self._current()
        if transaction.refused:
            raise TransactionFailed(transaction.refused)
        self._broker.finish(transaction, outcome=True)
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
            raise ProducerFenced(transactional_id=self._id)


class MemoryPublisher:
    """`Publisher` in memory."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker
        self._offsets: list[int] = []
        self._refused = ""

    def send(self, output: Output) -> None:
        tp = TopicPartition(output.topic, output.partition)
        if len(output.value or b"") > self._broker.log(tp).max_bytes:
            self._refused = f"{tp} takes {self._broker.log(tp).max_bytes} bytes a record at most"
        else:
            self._offsets.append(self._broker.append(output))

    def flush(self, seconds: float = 30) -> list[int]:
        offsets, self._offsets = self._offsets, []
        refused, self._refused = self._refused, ""
        if refused:
            raise PublishFailed(refused)
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
        wanted = set(tps)
        self._wait_for_open_transactions(wanted)
        committed = self._broker.groups[self._group].committed
        return {tp: committed.get(tp) for tp in wanted}

    def _wait_for_open_transactions(self, tps: set[TopicPartition]) -> None:
        """As a broker makes its clients wait; an open transaction can only end in another thread."""
        deadline = time.monotonic() + 10
        while any(t.group == self._group and not tps.isdisjoint(t.positions) for t in self._broker.open):
            if time.monotonic() > deadline:
                raise TransactionFailed("positions are pending in an open transaction", group=self._group)
            time.sleep(0.001)

    def close(self) -> None:
        return None


class MemoryReader:
    """`Reader` in memory; which partition answers a poll, and with how many records, is drawn by the broker's seed."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker
        self._positions: dict[TopicPartition, int] = {}
        self._paused: set[TopicPartition] = set()
        self._held_since: float | None = None

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
        self._wait_behind([] if found or not timeout_ms else self._holding_back(order))
        return found

    def _holding_back(self, tps: Iterable[TopicPartition]) -> list[Transaction]:
        at = self._positions
        return [each for each in self._broker.open if any(each.touched.get(tp) == at[tp] for tp in tps)]

    def _wait_behind(self, transactions: list[Transaction]) -> None:
        """As a broker ends a dead producer's transaction when its time-out has passed; a live one is in another thread
        and ends it before.
        """
        if not transactions:
            self._held_since = None
            return
        now = time.monotonic()
        self._held_since = self._held_since or now
        if now - self._held_since > TRANSACTION_SECONDS:
            for each in transactions:
                self._broker.time_out(each.producer)
        time.sleep(0.001)

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
            self._broker.create(spec.name, counts[spec.count], spec.max_message_bytes)
        return [spec.name for spec in fresh]

    def group_positions(self, group: str) -> dict[TopicPartition, int]:
        joined = self._broker.groups.get(group)
        return {} if joined is None else dict(joined.committed)

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
