"""Commands per second of one process of intake and of review, on a prefilled backlog with the other service stopped."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.profiling import Sampler
from bench.world import World
from cpor.devstack.endpoints import Endpoints
from cpor.runtime.clock import SystemClock
from cpor.runtime.garbage import Garbage
from cpor.runtime.processor import Processor
from cpor.runtime.record import Output
from cpor.runtime.settings import CLAIMS_PARTITIONS, PARTNERS_PARTITIONS
from cpor.runtime.store.engine import RocksEngines
from cpor.runtime.transport.kafka import KafkaTransport
from cpor.runtime.transport.kafka_write import KafkaTransactions
from cpor.runtime.worker import Worker
from services.intake.poe.check import DocumentChecker
from services.intake.poe.limits import P2023
from services.intake.poe.store import PoeStore, StoreAddress
from services.intake.worker import Intake
from services.review.worker import Review

SERVICES = ("intake", "review")


@dataclass(slots=True)
class Figure:
    """One measurement of one service: from its first record to its last commit."""

    service: str
    what: str
    commands: int
    seconds: float
    cpu_seconds: float
    sends: Counter[str] = field(default_factory=Counter)
    rounds: int = 0
    profile: Sampler | None = None

    @property
    def rate(self) -> float:
        return self.commands / self.seconds if self.seconds else 0.0

    @property
    def cpu_us(self) -> float:
        """CPU time of a command in microseconds: all threads of the process, none of its children's (inspectors)."""
        return 1e6 * self.cpu_seconds / max(1, self.commands)

    def row(self) -> dict[str, Any]:
        """For the table and for `--json`."""
        return {
            "service": self.service,
            "what": self.what,
            "commands": self.commands,
            "per_second": round(self.rate),
            "cpu_us_per_command": round(self.cpu_us, 1),
            "rounds": self.rounds,
            "sends_per_command": round(sum(self.sends.values()) / max(1, self.commands), 2),
            "sends": self._sends(),
        }

    def _sends(self) -> str:
        by_kind: Counter[str] = Counter()
        for topic, count in self.sends.items():
            by_kind[topic.rsplit(".", 1)[-1]] += count
        return ", ".join(f"{kind} {count / self.commands:.2f}" for kind, count in by_kind.most_common())


class CountingTransport(KafkaTransport):
    """Counts what transactions send, by topic."""

    sent: Counter[str]

    def producer(self, transactional_id: str) -> KafkaTransactions:
        producer = super().producer(transactional_id)
        inner, sent = producer.send, self.sent

        def send(output: Output) -> None:
            sent[output.topic] += 1
            inner(output)

        producer.send = send  # type: ignore[method-assign]
        return producer


class Bench:
    """Runs one worker of each service in this process, until its backlog is empty."""

    def __init__(self, endpoints: Endpoints) -> None:
        self.endpoints = endpoints
        self.home = Path(tempfile.mkdtemp(prefix="cpor-bench-"))
        self._workers: dict[str, Worker] = {}
        self._sent: dict[str, Counter[str]] = {}
        self._checkers: list[DocumentChecker] = []

    def processor(self, service: str) -> Processor:
        if service == "review":
            return Review(CLAIMS_PARTITIONS)
        store = PoeStore(
            StoreAddress(
                endpoint=self.endpoints.s3_endpoint,
                access_key=self.endpoints.s3_access_key,
                secret_key=self.endpoints.s3_secret_key,
                bucket=self.endpoints.s3_bucket,
                region=self.endpoints.s3_region,
            )
        )
        self._checkers.append(DocumentChecker(store, P2023))
        return Intake(self._checkers[-1], store, P2023, CLAIMS_PARTITIONS, PARTNERS_PARTITIONS)

    def worker(self, service: str) -> Worker:
        """The worker of a service, joined and up to date; the same one for all measurements."""
        if service not in self._workers:
            clock = SystemClock()
            transport = CountingTransport(self.endpoints.kafka_bootstrap, clock)
            transport.sent = self._sent[service] = Counter()
            engines = RocksEngines(self.home / service)
            self._workers[service] = Worker(self.processor(service), transport, engines, clock, "bench")
        return self._workers[service]

    def drain(self, service: str, what: str, commands: int, *, profiled: bool = False) -> Figure:
        """Let the worker take `commands` records. What it joins, restores and finds is not part of the figure."""
        worker, sent = self.worker(service), self._sent[service]
        _ready(worker)
        before, rounds = Counter(sent), worker.health.rounds
        garbage = Garbage()
        garbage.take_over()
        sampler = Sampler() if profiled else None
        wall, cpu = time.monotonic(), time.process_time()
        with sampler or nullcontext():
            _take(worker, commands, garbage.pace)
        seconds, cpu_seconds = time.monotonic() - wall, time.process_time() - cpu
        made = worker.health.rounds - rounds
        return Figure(service, what, commands, seconds, cpu_seconds, sent - before, made, sampler)

    def close(self) -> None:
        for worker in self._workers.values():
            worker.close()
        for checker in self._checkers:
            checker.close()
        shutil.rmtree(self.home, ignore_errors=True)


def _ready(worker: Worker) -> None:
    """Only the membership is polled: a first `step` after the assignment would already take records."""
    deadline = time.monotonic() + 60
    while not (worker.assignment.poll() and worker.assignment.tasks):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{worker.processor.service} was given nothing to do")
    worker.assignment.refresh_sources()


def _take(worker: Worker, commands: int, pace: Callable[[], None]) -> None:
    deadline = time.monotonic() + 120 + commands / 100
    taken = 0
    while taken < commands:
        taken += worker.step()
        pace()
        if time.monotonic() > deadline:
            raise TimeoutError(f"{worker.processor.service} took {taken} of {commands} commands")


def both(bench: Bench, what: str, commands: int, *, profiled: bool = False) -> list[Figure]:
    """Intake's share of a backlog, then review's."""
    return [bench.drain(service, what, commands, profiled=profiled) for service in SERVICES]


def throughput(world: World, comments: int, *, profiled: bool = False) -> list[Figure]:
    """Drafts, then small commands on them."""
    bench = Bench(world.endpoints)
    try:
        world.prepare()
        figures = both(bench, "create", world.send(world.creates()))
        return figures + both(bench, "small commands", world.send(world.comments(comments)), profiled=profiled)
    finally:
        bench.close()


def filing(world: World, *, documents: bool) -> list[Figure]:
    """`cpor.claim.file.v1`: without a document it is refused by review (`poe_missing`), with one it is filed."""
    bench = Bench(world.endpoints)
    try:
        world.prepare()
        if documents:
            world.upload()
        what = f"file {'with' if documents else 'without'} document"
        return both(bench, what, world.send(world.files(documents=documents)))
    finally:
        bench.close()
