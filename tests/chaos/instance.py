"""A Kafka, an S3 and workers of one test's own: topics and groups have fixed names, so nobody else may use them."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cpor.devstack.backoff import BackOff
from cpor.devstack.mail import received
from cpor.devstack.platform import PlatformKind, choose_platform, open_platform
from cpor.ops.checker import PipelineLog, read_log
from cpor.ops.reading import partition_counts, read_whole
from cpor.ops.running import NOTIFY, Plan, Running, run_workers
from cpor.runtime.record import Output, Record
from cpor.runtime.topics import Count, Topic, partner_topics
from tests.chaos.material import directory

#: Those that the stories of intake and review alone need.
FRONT = ("intake", "review")
#: A worker that the test kills is no failing worker: it is started again at once, every time.
AT_ONCE = BackOff(pauses=(0.05,), fenced=1.0, quick=0.0)


@contextmanager
def own_instance(
    folder: Path,
    workers: int,
    session_ms: int | None = None,
    test_clock: str | None = None,
    services: tuple[str, ...] = FRONT,
) -> Iterator[Running]:
    """Platform, topics and `workers` processes of each of the services for a while. `test_clock` is where its clock
    starts.
    """
    if choose_platform() is PlatformKind.EXTERNAL:
        pytest.skip("needs a Kafka of its own: its topics and groups have fixed names, and its workers are killed")
    plan = Plan(folder, test_clock, workers, session_ms, keep=False, services=services)
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


def lose_store(running: Running, service: str, slot: str) -> None:
    """The worker ends without a word, and its directory is gone when it is started again."""
    worker = f"{service}-{slot}"
    running.supervisor.stop_worker(worker, grace=0)
    home = running.instance.data / service / slot
    if home.exists():  # else it had not come so far
        shutil.rmtree(home)
    running.supervisor.start_worker(worker)


def await_true(condition: Callable[[], object], seconds: float, what: Callable[[], str]) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what()}"
        time.sleep(0.05)


def whole_log(running: Running, partners: Iterable[str]) -> PipelineLog:
    """Every committed record of the pipeline's topics, and what the mail sink got."""
    instance, services = running.instance, {service for service, _ in running.workers}
    counts = partition_counts(instance.transport)

    def read(topic: str) -> Iterable[Record]:
        return read_whole(instance.transport, [topic], counts)

    operations = instance.env().get("CPOR_OPERATIONS_MAIL")
    log = read_log(read, partners, counts[Topic.CLAIM_EVENTS], services=services, operations=operations)
    return log.with_sink(received(Path(instance.endpoints.mail_dir))) if NOTIFY in services else log
