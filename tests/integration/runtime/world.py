"""Topics, records and worker processes of one test on the real broker. Every process started is ended by its id."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from cpor.runtime.clock import SystemClock
from cpor.runtime.record import Output, Record, TopicPartition
from cpor.runtime.store.engine import Engines, MemoryEngines
from cpor.runtime.topics import Count, Topic, TopicSpec
from cpor.runtime.transport.kafka import KafkaTransport
from cpor.runtime.transport.kafka_common import bounded
from cpor.runtime.worker import Limits, Worker
from tests.contract.transport.bench import eventually
from tests.integration.runtime.stalling import SLOTS, Counting, specs

SESSION_MS = 6_000
TRANSACTION_MS = 3_000
KEYS = 8


class World:
    """One run of the counting worker: its own topics, group and data directories."""

    def __init__(self, bootstrap: str, home: Path) -> None:
        self.name = uuid.uuid4().hex[:8]
        self.home = home
        self.bootstrap = bootstrap
        self.transport = KafkaTransport(bootstrap, SystemClock(), session_ms=SESSION_MS, transaction_ms=TRANSACTION_MS)
        self.admin = self.transport.admin()
        letters = TopicSpec(Topic.DEAD_LETTERS, Count.ONE)
        self.admin.create([*specs(self.name), letters], {"claims": SLOTS, "one": 1})
        self._publisher = self.transport.publisher()
        self._reader = self.transport.reader()
        self._read: dict[TopicPartition, list[Record]] = defaultdict(list)
        self._processes: list[subprocess.Popen[bytes]] = []
        self._workers: list[Worker] = []
        self.fed: dict[str, list[str]] = defaultdict(list)
        self._reader.assign({TopicPartition(self.topic(kind), p): 0 for kind in ("out", "fired") for p in range(SLOTS)})

    def topic(self, kind: str) -> str:
        return f"{kind}-{self.name}"

    # -- records --------------------------------------------------------------------------------------------------

    def feed(self, number: int, value: str = "count", kind: str = "in") -> None:
        """Records, spread over the keys; what must be told of them is noted."""
        keys = [f"k{n % KEYS}" for n in range(number)]
        for key in keys:
            self._publisher.send(Output(self.topic(kind), int(key[1:]) % SLOTS, key.encode(), value.encode(), []))
        for key, offset in zip(keys, self._publisher.flush(), strict=True):
            place = f"{self.topic(kind)}-{int(key[1:]) % SLOTS}-{offset}"
            self.fed[key].append(f"{len(self.fed[key]) + 1} {place}")

    def told(self, kind: str = "out") -> dict[str, list[str]]:
        """Committed values by key so far."""
        for record in self._reader.poll(50, 10_000):
            self._read[record.tp].append(record)
        found: dict[str, list[str]] = defaultdict(list)
        for tp, records in self._read.items():
            for record in records if tp.topic == self.topic(kind) else ():
                found[(record.key or b"").decode()].append((record.value or b"").decode())
        return dict(found)

    def settled(self, kind: str = "out", seconds: float = 40) -> dict[str, list[str]]:
        """What was told once it is as much as was fed, and a moment later: nothing may come twice."""
        number = sum(map(len, self.fed.values()))
        eventually(lambda: sum(map(len, self.told(kind).values())) >= number, seconds)
        for _ in range(4):
            self.told(kind)
        return self.told(kind)

    # -- worker processes -----------------------------------------------------------------------------------------

    def start(self, slot: str = "0", stall: str = "", machine: str = "") -> subprocess.Popen[bytes]:
        """A worker process; `stall`: where it stands still while `stall_file` exists; `machine`: whose disk it has."""
        data = self.home / machine
        env = os.environ | {
            "CPOR_KAFKA_BOOTSTRAP": self.bootstrap,
            "CPOR_SESSION_MS": str(SESSION_MS),
            "CPOR_TRANSACTION_MS": str(TRANSACTION_MS),
            "COUNTING_NAME": self.name,
            "COUNTING_STALL": stall,
            "COUNTING_FILE": str(self.stall_file),
        }
        command = [sys.executable, "-m", "tests.integration.runtime.stalling", "--slot", slot, "--data", str(data)]
        with self.log(slot).open("ab") as log:
            process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
        self._processes.append(process)
        return process

    def log(self, slot: str) -> Path:
        return self.home / f"worker-{slot}.log"

    @property
    def stall_file(self) -> Path:
        return self.home / "stall"

    def await_stalled(self, slot: str) -> None:
        eventually(Path(f"{self.stall_file}.{slot}").exists)

    def data(self, slot: str) -> Path:
        return self.home / f"count-{self.name}" / slot

    # -- workers in this process ----------------------------------------------------------------------------------

    def worker(self, engines: Engines | None = None, processor: Counting | None = None) -> Worker:
        limits = Limits(poll_ms=20, refresh_seconds=0.2, idle_seconds=0.2)
        worker = Worker(
            processor or Counting(self.name), self.transport, engines or MemoryEngines(), SystemClock(), "0", limits
        )
        self._workers.append(worker)
        return worker

    def run(self, worker: Worker, until: Callable[[], bool], seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while not until():
            worker.step()
            assert time.monotonic() < deadline, "the worker did not come so far in time"

    def counted(self) -> bool:
        return sum(map(len, self.told().values())) >= sum(map(len, self.fed.values()))

    def close(self) -> None:
        for process in self._processes:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.wait(10)
        parts = [worker.close for worker in self._workers]
        for close in (*parts, self._publisher.close, self._reader.close, self.admin.close):
            bounded(close, 5)


@contextlib.contextmanager
def opened(bootstrap: str, home: Path) -> Iterator[World]:
    made = World(bootstrap, home)
    try:
        yield made
    finally:
        made.close()
