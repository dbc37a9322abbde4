"""A Kafka, an S3 and workers of one test's own: topics and groups have fixed names, so nobody else may use them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from cpor.devstack.backoff import BackOff
from cpor.devstack.platform import PlatformKind, choose_platform, open_platform
from cpor.ops.checker import PipelineLog, read_log
from cpor.ops.reading import partition_counts, read_whole
from cpor.ops.running import Plan, Running, run_workers
from cpor.runtime.record import Output, TopicPartition
from cpor.runtime.topics import Count, Topic, commands_topic, partner_topics
from cpor.runtime.transport.kafka_inspect import KafkaInspector
from tests.chaos.material import directory

#: Those that these stories need.
FRONT = ("intake", "review")
#: A worker that the test kills is no failing worker: it is started again at once, every time.
AT_ONCE = BackOff(pauses=(0.05,), fenced=1.0, quick=0.0)


@contextmanager
def own_instance(
    folder: Path, workers: int, session_ms: int | None = None, test_clock: str | None = None
) -> Iterator[Running]:
    """Platform, topics and `workers` processes of each service for a while. `test_clock` is where its clock starts."""
    if choose_platform() is PlatformKind.EXTERNAL:
        pytest.skip("needs a Kafka of its own: its topics and groups have fixed names, and its workers are killed")
    plan = Plan(folder, test_clock, workers, session_ms, keep=False, services=FRONT)
    with (
        open_platform(folder, keep=False) as endpoints,
        run_workers(plan, endpoints, policy=AT_ONCE) as running,
    ):
        yield running


def counts_of(running: Running) -> dict[str, int]:
    """Partitions by kind of topic."""
    there = partition_counts(running.instance.transport)
    return {Count.CLAIMS: there[Topic.CLAIM_EVENTS], Count.PARTNERS: there[Topic.INTAKE_SLOTS], Count.ONE: 1}


def introduce(running: Running, partners: Iterable[str], records: Iterable[Output]) -> None:
    """The partners' directory entries and other reference records, then the partners' topics."""
    names = list(partners)
    send(running, [*directory(names), *records])
    admin = running.instance.transport.admin()
    try:
        admin.create([spec for each in names for spec in partner_topics(each)], counts_of(running))
    finally:
        admin.close()


def send(running: Running, outputs: Iterable[Output]) -> list[int]:
    """Send records in this order; their offsets."""
    publisher = running.instance.transport.publisher()
    try:
        for output in outputs:
            publisher.send(output)
        return publisher.flush(60)
    finally:
        publisher.close()


class Rest:
    """Tells whether every record of the command topics has been passed by its group."""

    def __init__(self, running: Running, partners: Iterable[str]) -> None:
        self._running = running
        claims, slots = (counts_of(running)[each] for each in (Count.CLAIMS, Count.PARTNERS))
        self._inputs = {
            "cpor.intake": [TopicPartition(commands_topic(each), n) for each in partners for n in range(slots)],
            "cpor.review": [TopicPartition(Topic.CLAIM_COMMANDS, n) for n in range(claims)],
        }
        self._reader = running.instance.transport.reader()
        self._inspector = KafkaInspector(running.instance.endpoints.kafka_bootstrap)

    def behind(self, group: str) -> int:
        """Offsets between the group's positions and the ends; markers count until an idle round has passed them."""
        ends = self._reader.ends(self._inputs[group], uncommitted=True)
        committed = self._inspector.committed(group)
        return sum(end - committed.get(tp, 0) for tp, end in ends.items())

    def wait(self, seconds: float) -> None:
        """Until intake, and behind it review, have nothing left. Fails with what is left, and the workers' states."""
        deadline = time.monotonic() + seconds
        for group in self._inputs:
            await_true(partial(self._is_through, group), deadline - time.monotonic(), self._told)

    def _is_through(self, group: str) -> bool:
        return self.behind(group) == 0

    def _told(self) -> str:
        left = {group: self.behind(group) for group in self._inputs}
        return f"offsets left: {left}; workers: {self._running.supervisor.states()}"

    def close(self) -> None:
        self._reader.close()
        self._inspector.__exit__(None, None, None)


def await_true(condition: Callable[[], object], seconds: float, what: Callable[[], str]) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what()}"
        time.sleep(0.05)


def whole_log(running: Running, partners: Iterable[str]) -> PipelineLog:
    """Every committed record of the pipeline's topics."""
    transport = running.instance.transport
    counts = partition_counts(transport)
    return read_log(lambda topic: read_whole(transport, [topic], counts), partners, counts[Topic.CLAIM_EVENTS])
