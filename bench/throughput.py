"""Commands per second of one process of intake and of review, on a prefilled backlog with the other service stopped."""

from __future__ import annotations

import cProfile
import gc
import pstats
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.world import World
from cpor.runtime.clock import SystemClock
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


@dataclass(slots=True)
class Figure:
    """One measurement of one service."""

    service: str
    what: str
    commands: int
    seconds: float
    cpu_seconds: float
    sends: Counter[str] = field(default_factory=Counter)
    rounds: int = 0

    @property
    def rate(self) -> float:
        return self.commands / self.seconds if self.seconds else 0.0

    def row(self) -> dict[str, Any]:
        """For the table and for `--json`."""
        return {
            "service": self.service,
            "what": self.what,
            "commands": self.commands,
            "per_second": round(self.rate),
            "cpu_us": round(1e6 * self.cpu_seconds / max(1, self.commands), 1),
            "sends_per_command": round(sum(self.sends.values()) / max(1, self.commands), 2),
            "rounds": self.rounds,
        }


class CountingTransport(KafkaTransport):
    """Counts what transactions send, by kind of topic."""

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
    """Runs one service's worker in this process, until its backlog is empty."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.home = Path(tempfile.mkdtemp(prefix="cpor-bench-"))
        store = PoeStore(
            StoreAddress(
                endpoint=world.endpoints.s3_endpoint,
                access_key=world.endpoints.s3_access_key,
                secret_key=world.endpoints.s3_secret_key,
                bucket="poe",
                region="us-east-1",
            )
        )
        self._store = store
        self._workers: dict[str, Worker] = {}
        self._sent: dict[str, Counter[str]] = {}

    def processor(self, service: str) -> Processor:
        if service == "review":
            return Review(CLAIMS_PARTITIONS)
        return Intake(DocumentChecker(self._store, P2023), self._store, P2023, CLAIMS_PARTITIONS, PARTNERS_PARTITIONS)

    def worker(self, service: str) -> Worker:
        """The worker of a service, joined and up to date; the same one for all measurements."""
        if service not in self._workers:
            clock = SystemClock()
            transport = CountingTransport(self.world.endpoints.kafka_bootstrap, clock)
            transport.sent = self._sent[service] = Counter()
            engines = RocksEngines(self.home / service)
            self._workers[service] = Worker(self.processor(service), transport, engines, clock, "bench")
        return self._workers[service]

    def drain(self, service: str, what: str, commands: int, profile: Path | None = None) -> Figure:
        """Let the worker take `commands` records; the time from its first record to its last commit."""
        worker, sent = self.worker(service), self._sent[service]
        while not worker.assignment.tasks:
            worker.assignment.poll()
        worker.assignment.refresh_sources()
        before, rounds = Counter(sent), worker.health.rounds
        gc.collect()
        gc.freeze()
        seconds, cpu = _timed(lambda: _take(worker, commands), profile)
        return Figure(service, what, commands, seconds, cpu, sent - before, worker.health.rounds - rounds)

    def close(self) -> None:
        for worker in self._workers.values():
            worker.close()
        shutil.rmtree(self.home, ignore_errors=True)


def _take(worker: Worker, commands: int) -> None:
    deadline = time.monotonic() + 120 + commands / 100
    taken = 0
    while taken < commands:
        taken += worker.step()
        if time.monotonic() > deadline:
            raise TimeoutError(f"{worker.processor.service} took {taken} of {commands} commands")


def _timed(work: Callable[[], None], profile: Path | None) -> tuple[float, float]:
    profiler = cProfile.Profile() if profile is not None else None
    wall, cpu = time.monotonic(), time.process_time()
    if profiler is not None:
        profiler.enable()
    work()
    if profiler is not None:
        profiler.disable()
    took = time.monotonic() - wall, time.process_time() - cpu
    if profiler is not None and profile is not None:
        profile.parent.mkdir(parents=True, exist_ok=True)
        with profile.open("w") as out:
            pstats.Stats(profiler, stream=out).sort_stats("tottime").print_stats(45)
    return took


def both(bench: Bench, what: str, commands: int, profiles: Path | None = None) -> list[Figure]:
    """Intake's share of a backlog, then review's."""
    figures = []
    for service in ("intake", "review"):
        profile = profiles / f"{service}-{what.replace(' ', '-')}.txt" if profiles is not None else None
        figures.append(bench.drain(service, what, commands, profile))
    return figures


def throughput(world: World, comments: int, profiles: Path | None = None) -> list[Figure]:
    """Drafts, small commands, and whole claims without and with documents."""
    bench = Bench(world)
    try:
        world.prepare()
        figures = both(bench, "create", world.send(world.creates()))
        figures += both(bench, "small commands", world.send(world.comments(comments)), profiles)
        return figures
    finally:
        bench.close()


def filing(world: World, *, documents: bool) -> list[Figure]:
    """`cpor.claim.file.v1`: without a document it is refused by review (`poe_missing`), with one it is filed."""
    bench = Bench(world)
    try:
        world.prepare()
        if documents:
            world.upload()
        return both(
            bench, f"file {'with' if documents else 'without'} document", world.send(world.files(documents=documents))
        )
    finally:
        bench.close()
