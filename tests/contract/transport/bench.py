"""What the contract suite needs of a transport: topics and groups of a test's own, and faults a broker can have."""

from __future__ import annotations

import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

from kafka import KafkaAdminClient
from kafka import TopicPartition as ClientTP

from cpor.runtime.clock import ManualClock, SystemClock
from cpor.runtime.record import Output, Record, TopicPartition
from cpor.runtime.topics import Count, TopicSpec
from cpor.runtime.transport.kafka import KafkaTransport
from cpor.runtime.transport.memory import MemoryBroker, MemoryTransport
from cpor.runtime.transport.port import Membership, Producer, Reader, Transport

#: Long enough for a loaded machine; what is waited for comes in a fraction of it.
PATIENCE = 30.0
PARTITIONS = 4


class Closing(Protocol):
    def close(self) -> None: ...


T = TypeVar("T")
P = TypeVar("P", bound=Closing)


def eventually(found: Callable[[], T], seconds: float = PATIENCE) -> T:
    """The first true answer; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        answer = found()
        if answer:
            return answer
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


def text(records: Iterable[Record]) -> list[str]:
    return [(record.value or b"").decode() for record in records]


class Bench(ABC):
    """Makes parts and closes them; `t` is a topic of four partitions, `slots` another, `group` a group."""

    #: How long the broker waits for a lost member, ms.
    session_ms = 6_000

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.name = uuid.uuid4().hex[:8]
        self.group = f"group-{self.name}"
        self._parts: list[Closing] = []
        self.admin = transport.admin()
        self.t = self.topic("t")
        self.slots = self.topic("slots")

    def topic(self, name: str) -> str:
        """A new topic, its name made unique."""
        full = f"{name}-{self.name}"
        self.admin.create([TopicSpec(full, Count.CLAIMS)], {"claims": PARTITIONS})
        return full

    def tp(self, partition: int = 0, topic: str | None = None) -> TopicPartition:
        return TopicPartition(topic or self.t, partition)

    def output(self, value: str, partition: int = 0, key: str = "k", topic: str | None = None) -> Output:
        return Output(topic or self.t, partition, key.encode(), value.encode(), [])

    def _keep(self, part: P) -> P:
        self._parts.append(part)
        return part

    def producer(self, name: str = "p") -> Producer:
        return self._keep(self.transport.producer(f"{name}-{self.name}"))

    def reader(self, *tps: TopicPartition) -> Reader:
        """Reads the given partitions from their beginning."""
        reader = self._keep(self.transport.reader())
        reader.assign(dict.fromkeys(tps, 0))
        return reader

    def member(self, name: str = "0") -> Membership:
        return self._keep(self.transport.membership(self.group, name, self.slots))

    def joined(self, *members: Membership) -> list[frozenset[int]]:
        """Polls until the members together own every slot once; their slots."""

        def split() -> list[frozenset[int]]:
            owned = [member.poll() for member in members]
            found = [slots for slots in owned if slots is not None]
            whole = sorted(slot for slots in found for slot in slots) == list(range(PARTITIONS))
            return found if whole and len(found) == len(members) else []

        return eventually(split)

    def publish(self, *values: str, partition: int = 0, topic: str | None = None) -> None:
        publisher = self.transport.publisher()
        for value in values:
            publisher.send(self.output(value, partition, topic=topic))
        publisher.flush()
        publisher.close()

    def transact(self, *values: str, commit: bool = True, partition: int = 0) -> Producer:
        producer = self.producer()
        producer.begin()
        for value in values:
            producer.send(self.output(value, partition))
        if commit:
            producer.commit()
        else:
            self.arrive(partition)
            producer.abort()
        return producer

    def arrive(self, partition: int = 0, topic: str | None = None) -> None:
        """Waits until records of an open transaction lie in the log."""
        tp = self.tp(partition, topic)
        reader = self.reader()
        eventually(lambda: reader.ends([tp], uncommitted=True)[tp] > reader.ends([tp])[tp])

    def read(self, reader: Reader, number: int, max_records: int = 1000) -> list[Record]:
        """Polls until there are `number` records, and fails when there are more."""
        found: list[Record] = []

        def enough() -> bool:
            found.extend(reader.poll(50, max_records))
            return len(found) >= number

        eventually(enough)
        assert len(found) == number
        return found

    def positions(self, member: Membership, *partitions: int) -> list[int | None]:
        found = member.committed([self.tp(p) for p in partitions])
        return [found[self.tp(p)] for p in partitions]

    def close(self) -> None:
        for part in (*self._parts, self.admin):
            part.close()

    @abstractmethod
    def lose(self, member: Membership, name: str) -> None:
        """The process of a member dies and does not come back."""

    @abstractmethod
    def hasty_producer(self) -> Producer:
        """A producer whose transactions the broker soon aborts by itself."""

    @abstractmethod
    def time_out(self) -> None:
        """Waits until the broker has aborted the transaction of `hasty_producer`, which has a record on `t`."""

    @abstractmethod
    def delete_before(self, tp: TopicPartition, offset: int) -> None:
        """Retention takes the records below `offset`."""

    @abstractmethod
    def recreate(self, topic: str) -> None:
        """The topic is deleted and made again."""

    @abstractmethod
    def later(self) -> int:
        """Some ms pass; the broker's time after that."""


class MemoryBench(Bench):
    """In memory."""

    def __init__(self) -> None:
        self._clock = ManualClock()
        self.broker = MemoryBroker(self._clock)
        super().__init__(MemoryTransport(self.broker))

    def lose(self, member: Membership, name: str) -> None:
        self.broker.expire(self.group, name)

    def hasty_producer(self) -> Producer:
        return self.producer("hasty")

    def time_out(self) -> None:
        self.broker.time_out(f"hasty-{self.name}")

    def delete_before(self, tp: TopicPartition, offset: int) -> None:
        self.broker.log(tp).start = offset

    def recreate(self, topic: str) -> None:
        self.broker.recreate(topic)

    def later(self) -> int:
        return self._clock.tick(10)


class KafkaBench(Bench):
    """On a real broker, through kafka-python."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        super().__init__(self._transport(5_000))

    def _transport(self, transaction_ms: int) -> KafkaTransport:
        return KafkaTransport(self._bootstrap, SystemClock(), session_ms=self.session_ms, transaction_ms=transaction_ms)

    def hasty_producer(self) -> Producer:
        return self._keep(self._transport(1_000).producer(f"hasty-{self.name}"))

    def time_out(self) -> None:
        reader, tps = self.reader(), [self.tp()]
        self.arrive()
        eventually(lambda: reader.ends(tps) == reader.ends(tps, uncommitted=True))

    def lose(self, member: Membership, name: str) -> None:
        member.close()

    def delete_before(self, tp: TopicPartition, offset: int) -> None:
        self._with_client(lambda client: client.delete_records({ClientTP(*tp): offset}))

    def recreate(self, topic: str) -> None:
        self._with_client(lambda client: client.delete_topics([topic]))
        eventually(lambda: topic not in self.admin.partition_counts())
        self.admin.create([TopicSpec(topic, Count.CLAIMS)], {"claims": PARTITIONS})

    def _with_client(self, act: Callable[[Any], object]) -> None:
        client = KafkaAdminClient(bootstrap_servers=self._bootstrap)
        try:
            act(client)
        finally:
            client.close()

    def later(self) -> int:
        time.sleep(0.01)
        return SystemClock().now()
