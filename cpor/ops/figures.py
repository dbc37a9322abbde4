"""How the work goes: workers' own figures, and what waits in front of them, from Kafka's offsets."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from cpor.ops.instance import Instance
from cpor.ops.reading import open_reader, partition_counts
from cpor.runtime.clock import wall_ms
from cpor.runtime.health import is_heard, read_health
from cpor.runtime.record import TopicPartition
from cpor.runtime.topics import Topic, command_topics
from cpor.runtime.transport.kafka_inspect import KafkaInspector
from cpor.runtime.transport.port import Reader

#: How long the oldest waiting records are looked for.
LOOK_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker as its health file tells; `silent_ms`: since it last did. `state` is silent where that is too long."""

    service: str
    slot: str
    state: str
    pid: int
    partitions: int
    records: int
    rounds: int
    dead_letters: int
    lateness_ms: int
    silent_ms: int
    why: str | None


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits in a topic for a service: records after its committed offsets; the age of the oldest in ms."""

    service: str
    topic: str
    partitions: int
    lag: int
    oldest_ms: int | None


def read_workers(instance: Instance, now: int | None = None) -> list[Worker]:
    """All workers that ever ran on this instance, by service and slot."""
    wall = wall_ms() if now is None else now
    found = ((path, read_health(path)) for path in sorted(instance.data.glob("*/*/health.json")))
    return [_worker(path.parent.name, told, wall) for path, told in found if told is not None]


def _worker(slot: str, told: Mapping[str, Any], wall: int) -> Worker:
    ended = told["state"] in ("stopped", "ended")
    return Worker(
        service=told["service"],
        slot=slot,
        state=told["state"] if ended or is_heard(dict(told)) else "silent",
        pid=told["pid"],
        partitions=len(told["slots"]),
        records=told["records"],
        rounds=told["rounds"],
        dead_letters=told["dead_letters"],
        lateness_ms=told["lateness_ms"],
        silent_ms=max(0, wall - told["at"]),
        why=told.get("why"),
    )


def inputs(topics: Iterable[str]) -> dict[str, list[str]]:
    """Service → the topics it reads as a group."""
    return {"intake": [*command_topics(topics), Topic.INCENTIVE_RESULTS], "review": [Topic.CLAIM_COMMANDS]}


def read_backlogs(instance: Instance, *, ages: bool = True) -> list[Backlog]:
    """What waits, by service and topic. Asks Kafka; client errors pass through."""
    counts = partition_counts(instance.transport)
    with KafkaInspector(instance.endpoints.kafka_bootstrap) as inspector, open_reader(instance.transport) as reader:
        found = []
        for service, topics in inputs(counts).items():
            committed = inspector.committed(f"cpor.{service}")
            for topic in topics:
                found.append(_backlog(reader, service, topic, counts.get(topic, 0), committed, instance, ages=ages))
        return found


def _backlog(
    reader: Reader,
    service: str,
    topic: str,
    partitions: int,
    committed: Mapping[TopicPartition, int],
    instance: Instance,
    *,
    ages: bool,
) -> Backlog:
    tps = [TopicPartition(topic, n) for n in range(partitions)]
    ends, starts = reader.ends(tps), reader.beginnings(tps)
    positions = {tp: max(committed.get(tp, 0), starts[tp]) for tp in tps}
    behind = {tp: positions[tp] for tp in tps if positions[tp] < ends[tp]}
    lag = sum(ends[tp] - position for tp, position in behind.items())
    oldest = _oldest(reader, behind) if behind and ages else None
    return Backlog(service, topic, partitions, lag, None if oldest is None else max(0, instance.clock.now() - oldest))


def _oldest(reader: Reader, behind: Mapping[TopicPartition, int]) -> int | None:
    """Append time of the oldest waiting record; None where only transaction markers wait."""
    reader.assign(behind)
    first: dict[TopicPartition, int] = {}
    deadline = time.monotonic() + LOOK_SECONDS
    while len(first) < len(behind) and time.monotonic() < deadline:
        records = reader.poll(100, 1_000)
        for record in records:
            first.setdefault(record.tp, record.appended_at)
        if not records and first:
            break
    return min(first.values(), default=None)


def is_idle(instance: Instance) -> bool:
    """Whether nothing waits in front of any service."""
    return all(each.lag == 0 for each in read_backlogs(instance, ages=False))


def as_json(workers: Iterable[Worker], backlogs: Iterable[Backlog]) -> dict[str, Any]:
    return {"workers": [asdict(each) for each in workers], "inputs": [asdict(each) for each in backlogs]}
