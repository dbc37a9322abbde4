"""What waits in front of services, by the ends of their inputs and what they have committed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import pytest

from cpor.ops.trail import Trail, Waiting
from cpor.runtime.clock import ManualClock
from cpor.runtime.record import Output, TopicPartition
from cpor.runtime.topics import Topic
from cpor.runtime.transport.memory import MemoryBroker, MemoryTransport
from cpor.runtime.transport.port import Producer

HERE, THERE = TopicPartition(Topic.CLAIM_EVENTS, 0), TopicPartition(Topic.CLAIM_EVENTS, 1)
#: Both read the topic.
SERVICES = ("consent", "deadlines")


@dataclass
class World:
    """A topic that consent and deadlines read, and what they have committed of it."""

    transport: MemoryTransport = field(default_factory=lambda: MemoryTransport(MemoryBroker(ManualClock())))
    committed: dict[str, dict[TopicPartition, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.broker.create(Topic.CLAIM_EVENTS, 2)

    @property
    def broker(self) -> MemoryBroker:
        return self.transport.broker

    def trail(self) -> Trail:
        def committed(groups: Collection[str]) -> Mapping[str, Mapping[TopicPartition, int]]:
            return {group: self.committed.get(group.removeprefix("cpor."), {}) for group in groups}

        return Trail(self.transport.admin(), self.transport.reader(), committed, seconds=0.05)

    def sends(self, tp: TopicPartition = HERE) -> Producer:
        """A record in a transaction that is open."""
        producer = self.transport.producer("p")
        producer.begin()
        producer.send(Output(*tp, b"k", b"v", []))
        return producer

    def writes(self, tp: TopicPartition = HERE) -> int:
        """A record in a transaction that is over; the position of who has read it, before its marker."""
        self.sends(tp).commit()
        return self.broker.records(*tp)[-1].offset + 1

    def reads(self, position: int, *services: str, tp: TopicPartition = HERE) -> None:
        for service in services:
            self.committed.setdefault(service, {})[tp] = position


@pytest.fixture
def world() -> World:
    return World()


def test_a_record_waits_for_each_service_that_has_not_committed_it(world: World) -> None:
    position, trail = world.writes(), world.trail()
    assert [each.service for each in trail.look(SERVICES)] == ["consent", "deadlines"]
    world.reads(position, "consent")
    (waiting,) = trail.look(SERVICES)
    assert str(waiting) == f"2 records of {Topic.CLAIM_EVENTS} wait for deadlines"
    assert trail.look(["consent"]) == []


def test_nobody_has_to_pass_the_markers_behind_the_last_record(world: World) -> None:
    trail = world.trail()
    for _ in range(3):
        world.reads(world.writes(), *SERVICES)
        assert trail.look(SERVICES) == []
    assert world.trail().look(SERVICES) == [], "nor does one who begins to look only now"


def test_what_is_sent_in_a_transaction_that_is_yet_open_waits_though_nobody_may_read_it(world: World) -> None:
    world.reads(world.writes(), *SERVICES)
    trail = world.trail()
    assert trail.look(SERVICES) == []
    producer = world.sends()
    assert trail.goes_on()
    assert [each.service for each in trail.look(SERVICES)] == ["consent", "deadlines"]
    producer.abort()
    assert trail.look(SERVICES) == [], "and never came to be"


def test_what_is_written_between_two_looks_is_noticed(world: World) -> None:
    world.reads(world.writes(), *SERVICES)
    trail = world.trail()
    assert trail.look(SERVICES) == []
    assert not trail.goes_on()
    position = world.writes(THERE)
    assert trail.goes_on()
    world.reads(position, *SERVICES, tp=THERE)
    assert trail.look(SERVICES) == []
    assert not trail.goes_on()


def test_a_topic_that_appears_later_and_a_service_that_starts_later_are_looked_at_too(world: World) -> None:
    world.reads(world.writes(), "consent")
    trail = world.trail()
    assert trail.look(["consent"]) == []
    world.broker.create(Topic.DELIVERIES, 1)
    world.writes(TopicPartition(Topic.DELIVERIES, 0))
    trail.look_for_topics()
    assert trail.look(["consent"]) == [Waiting("consent", Topic.DELIVERIES, 2)]
    world.reads(1, "consent", tp=TopicPartition(Topic.DELIVERIES, 0))
    assert [each.service for each in trail.look(SERVICES)] == ["deadlines"]


def test_what_retention_has_taken_waits_for_nobody(world: World) -> None:
    position = world.writes()
    world.broker.log(HERE).start = position
    assert world.trail().look(SERVICES) == []
