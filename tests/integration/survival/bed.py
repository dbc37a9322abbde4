"""A Kafka of one test's own with counting workers on it: what went in must come out once and in order."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient

from cpor.devstack.backoff import BackOff
from cpor.devstack.platform import PlatformKind, choose_platform
from cpor.devstack.stack import Stack
from cpor.devstack.supervisor import Supervisor, WorkerSpec
from cpor.runtime.clock import SystemClock
from cpor.runtime.health import read_health
from cpor.runtime.record import Output, Record, TopicPartition
from cpor.runtime.topics import MIB, Count, Topic, TopicSpec
from cpor.runtime.transport.kafka import KafkaTransport
from cpor.runtime.transport.kafka_inspect import KafkaInspector

SLOTS = 4
GROUP = "cpor.count"
#: Started again at once after every exit but a fencing one.
AT_ONCE = BackOff(pauses=(0.2,), fenced=60.0, quick=0.0)
SPECS = (
    TopicSpec("in", Count.CLAIMS, max_message_bytes=8 * MIB),
    TopicSpec("out", Count.CLAIMS),
    TopicSpec("count.slots", Count.CLAIMS),
    TopicSpec("count.state", Count.CLAIMS, compact=True),
    TopicSpec(Topic.DEAD_LETTERS, Count.ONE, max_message_bytes=10 * MIB),
)
TIMES = {"CPOR_SESSION_MS": "8000", "CPOR_TRANSACTION_MS": "3000", "CPOR_WATCHDOG_SECONDS": "20"}


def eventually(found: Callable[[], Any], what: str, seconds: float = 90.0) -> Any:
    """The first true answer; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (answer := found()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.05)
    return answer


@dataclass
class Bed:
    """The broker, the workers, and what was sent."""

    folder: Path
    stack: Stack
    supervisor: Supervisor
    sent: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def transport(self) -> KafkaTransport:
        return KafkaTransport(self.stack.endpoints.kafka_bootstrap, SystemClock())

    def send(self, number: int, keys: int = 40, value: bytes = b"count", topic: str = "in") -> None:
        """Records over `keys` keys, each key in one partition."""
        publisher = self.transport().publisher()
        names = [f"k{n % keys}" for n in range(number)]
        for name in names:
            publisher.send(Output(topic, int(name[1:]) % SLOTS, name.encode(), value, []))
        for name, offset in zip(names, publisher.flush(60), strict=True):
            self.sent[name].append(f"{topic}-{int(name[1:]) % SLOTS}-{offset}")
        publisher.close()

    def create(self, spec: TopicSpec) -> None:
        admin = self.transport().admin()
        admin.create([spec], {"claims": SLOTS, "one": 1})
        admin.close()

    def delete(self, topic: str) -> None:
        client = KafkaAdminClient(bootstrap_servers=self.stack.endpoints.kafka_bootstrap)
        client.delete_topics([topic])
        client.close()
        admin = self.transport().admin()
        eventually(lambda: topic not in admin.partition_counts(), "the topic is gone")
        admin.close()

    def records(self, topic: str) -> list[Record]:
        """Everything committed on a topic."""
        reader = self.transport().reader()
        count = 1 if topic == Topic.DEAD_LETTERS else SLOTS
        tps = [TopicPartition(topic, n) for n in range(count)]
        ends = reader.ends(tps)
        reader.assign(dict.fromkeys(tps, 0))
        found: list[Record] = []
        while any(reader.position(tp) < ends[tp] for tp in tps):
            found += reader.poll(200, 10_000)
        reader.close()
        return found

    def told(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for record in self.records("out"):
            found[(record.key or b"").decode()].append((record.value or b"").decode())
        return dict(found)

    def expected(self) -> dict[str, list[str]]:
        return {key: [f"{n} {origin}" for n, origin in enumerate(sent, 1)] for key, sent in self.sent.items()}

    def lag(self) -> int:
        with KafkaInspector(self.stack.endpoints.kafka_bootstrap) as inspector:
            committed = inspector.committed(GROUP)
        reader = self.transport().reader()
        topics = {origin.rsplit("-", 2)[0] for sent in self.sent.values() for origin in sent}
        ends = reader.ends([TopicPartition(topic, n) for topic in topics for n in range(SLOTS)])
        reader.close()
        return sum(end - committed.get(tp, 0) for tp, end in ends.items())

    def settle(self, seconds: float = 90.0) -> None:
        """Wait until everything sent was passed; nothing may be lost or doubled then."""
        eventually(lambda: self.lag() == 0, "the workers are done", seconds)
        assert self.told() == self.expected()

    def health(self, slot: str) -> dict[str, Any]:
        return read_health(self.folder / "count" / slot / "health.json") or {"state": "none", "slots": [], "at": 0}

    def await_slots(self, **wanted: int) -> None:
        """`await_slots(a=4, b=0)`: until worker a makes rounds with 4 slots, b with none."""

        def there() -> bool:
            told = {slot: self.health(slot) for slot in wanted}
            return all(
                told[slot]["state"] in ("idle", "running") and len(told[slot]["slots"]) == number
                for slot, number in wanted.items()
            )

        eventually(there, f"{wanted}: {[self.health(slot) for slot in wanted]}")

    def log(self, slot: str) -> list[dict[str, Any]]:
        """What a worker has logged."""
        lines = (self.folder / "logs" / f"{slot}.log").read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def signal(self, slot: str, number: int) -> None:
        pid = self.supervisor.state(slot).pid
        assert pid is not None
        os.kill(pid, number)

    def freeze(self, slot: str, seconds: float) -> None:
        self.signal(slot, signal.SIGSTOP)
        time.sleep(seconds)
        self.signal(slot, signal.SIGCONT)


@contextmanager
def counting_bed(folder: Path, slots: tuple[str, ...], env: Mapping[str, str] | None = None) -> Iterator[Bed]:
    """One worker for each name in `slots`, on a broker of its own."""
    if choose_platform() is not PlatformKind.EMBEDDED:
        pytest.skip("needs a Kafka that the test can stop and start")
    with Stack(folder / "platform", s3=False) as stack:
        endpoints = stack.endpoints
        admin = KafkaTransport(endpoints.kafka_bootstrap, SystemClock()).admin()
        admin.create(SPECS, {"claims": SLOTS, "one": 1})
        admin.close()
        told = {"CPOR_KAFKA_BOOTSTRAP": endpoints.kafka_bootstrap, **TIMES, **(env or {})}
        specs = [WorkerSpec(slot, command(slot, folder), told) for slot in slots]
        with Supervisor(folder, specs, policy=AT_ONCE) as supervisor:
            yield Bed(folder, stack, supervisor)


def command(slot: str, folder: Path) -> tuple[str, ...]:
    return (sys.executable, "-m", "tests.integration.survival.counting", "--slot", slot, "--data", str(folder))
