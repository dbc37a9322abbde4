"""How long a partner waits for a receipt at a steady 200 commands a second; intake and review are real processes."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any

from bench.stage import Say
from bench.throughput import SERVICES
from bench.world import World
from cpor.devstack.supervisor import Supervisor, WorkerSpec
from cpor.runtime.health import is_fresh, read_health
from cpor.runtime.record import Output, TopicPartition
from cpor.runtime.topics import commands_topic, receipts_topic

PER_SECOND = 200
START_SECONDS = 60.0
ANSWER_SECONDS = 30.0


@dataclass(slots=True)
class Waits:
    """Milliseconds, one of each per command."""

    #: From the partner's `send` to the receipt in the hands of its read_committed consumer, on one clock.
    seen: list[float] = field(default_factory=list)
    #: From the broker's append of the command to its append of the receipt (both LogAppendTime, whole ms).
    appended: list[float] = field(default_factory=list)

    def rows(self, per_second: float) -> list[dict[str, Any]]:
        return [
            waits_row("send → receipt seen", per_second, self.seen),
            waits_row("broker append → broker append", per_second, self.appended),
        ]


class Receipts:
    """Reads a partner's receipts in a thread of its own and notes when each was seen, by the message it answers."""

    def __init__(self, world: World) -> None:
        self.seen: dict[str, tuple[float, int]] = {}
        self._reader = world.transport.reader()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._read, args=(receipts_topic(world.partner),), daemon=True)
        self._thread.start()

    def _read(self, topic: str) -> None:
        self._reader.assign({TopicPartition(topic, 0): 0})
        while not self._ending.is_set():
            records = self._reader.poll(20, 1_000)
            now = time.monotonic()
            for record in records:
                self.seen[record.header("ce_causationid") or ""] = (now, record.appended_at)

    def await_all(self, count: int) -> None:
        """Raises TimeoutError when fewer than `count` have come after `ANSWER_SECONDS` without any."""
        had, since = -1, time.monotonic()
        while len(self.seen) < count:
            if len(self.seen) > had:
                had, since = len(self.seen), time.monotonic()
            if time.monotonic() - since > ANSWER_SECONDS:
                raise TimeoutError(f"{had} of {count} receipts came")
            time.sleep(0.05)

    def close(self) -> None:
        self._ending.set()
        self._thread.join()
        self._reader.close()


def latency(world: World, seconds: float, say: Say) -> list[dict[str, Any]]:
    """Waits of `seconds` x 200 small commands; a second's worth before them is not counted."""
    world.prepare()
    with workers(world):
        say("intake and review run")
        receipts = Receipts(world)
        try:
            drafts = world.send(world.creates())
            receipts.await_all(drafts)
            return _measured(world, receipts, seconds, drafts)
        finally:
            receipts.close()


def _measured(world: World, receipts: Receipts, seconds: float, drafts: int) -> list[dict[str, Any]]:
    first, count = PER_SECOND, int(seconds * PER_SECOND)
    began = time.monotonic()
    sent = send_steadily(world, world.comments(first + count))
    took = time.monotonic() - began
    receipts.await_all(drafts + first + count)
    appended = _append_times(world)
    waits = Waits()
    for message, at in list(sent.items())[first:]:
        seen, receipt_at = receipts.seen[message]
        waits.seen.append(1000 * (seen - at))
        waits.appended.append(receipt_at - appended[message])
    return waits.rows(len(sent) / took)


def send_steadily(world: World, commands: Iterator[Output]) -> dict[str, float]:
    """One command every 5 ms, each at its own instant whatever the one before took; message id → when it was sent."""
    sent: dict[str, float] = {}
    began = time.monotonic()
    for number, command in enumerate(commands):
        wait = began + number / PER_SECOND - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        sent[dict(command.headers)["ce_id"].decode()] = time.monotonic()
        world.publisher.send(command)
    world.publisher.flush()
    return sent


def _append_times(world: World) -> Mapping[str, int]:
    """When the broker took each command, from the commands themselves."""
    return {
        record.header("ce_id") or "": record.appended_at for record in world.read_all([commands_topic(world.partner)])
    }


@contextmanager
def workers(world: World) -> Iterator[None]:
    """`python -m services.intake` and `.review` until the end of the block; ready when they own their slots."""
    home = world.endpoints.data_dir
    specs = [
        WorkerSpec(
            name, (sys.executable, "-m", f"services.{name}", "--slot", "0", "--data", str(home)), world.endpoints.env()
        )
        for name in SERVICES
    ]
    with Supervisor(home, specs):
        deadline = time.monotonic() + START_SECONDS
        while not all(_owns_slots(home / name / "0" / "health.json") for name in SERVICES):
            if time.monotonic() > deadline:
                raise TimeoutError("the workers do not come up; their logs are in the data directory")
            time.sleep(0.1)
        yield


def _owns_slots(path: Path) -> bool:
    told = read_health(path)
    return told is not None and is_fresh(told) and bool(told["slots"])


def waits_row(what: str, per_second: float, ms: list[float]) -> dict[str, Any]:
    """Percentiles of waits in ms, at that many commands a second."""
    cuts = quantiles(ms, n=100, method="inclusive")
    return {
        "what": what,
        "commands": len(ms),
        "per_second": round(per_second),
        "p50_ms": round(cuts[49]),
        "p90_ms": round(cuts[89]),
        "p99_ms": round(cuts[98]),
        "max_ms": round(max(ms)),
    }
