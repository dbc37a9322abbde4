"""What a worker tells about itself: progress that means progress, and figures.

A worker is healthy while its rounds end. The file `health.json` in its slot directory is renewed at most once a
second (twenty times under a test clock, whose mover waits for it); the supervisor, `cpor status` and container health
checks read it.

`python -m cpor.runtime.health --service S --slot N --data DIR` ends with 0 when that worker makes rounds, else with 1
and a line that says what it does instead. CPOR_SERVICE, CPOR_SLOT and CPOR_DATA stand in for the options.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cpor.runtime.clock import wall_ms
from cpor.runtime.record import Record

#: A worker whose file is older than this makes no progress (the watchdog ends it at 60 s).
STALE_MS = 30_000
#: States of a worker that makes rounds.
ROUNDS = ("running", "idle")
#: States of one that told why it is no more.
LAST_WORDS = ("stopped", "ended")
#: How often the file is renewed, seconds: by the system's clock, and under a test clock.
EVERY_SECONDS, EVERY_SECONDS_TESTED = 1.0, 0.05

Measure = Callable[[], None]


def nothing() -> None:
    """The measuring of those who have nothing to measure."""


class Health:
    """Counters of one worker; written to `path` when one is given, at most once in `every` seconds."""

    def __init__(self, service: str, member: str, path: Path | None = None, every: float = EVERY_SECONDS) -> None:
        self.service = service
        self.member = member
        self.path = path
        self._every = every
        self.started = wall_ms()
        self.rounds = 0
        self.records = 0
        self.timers = 0
        self.dead_letters = 0
        #: Rounds whose transaction failed.
        self.dropped = 0
        #: Time spent in rounds that were committed, seconds.
        self.round_seconds = 0.0
        #: Partitions that wait for something.
        self.held = 0
        #: Timers that are due and that the gate holds back.
        self.gate_held = 0
        #: The pipeline's time that the last round went by, and when the earliest timer is due that still stands, ms.
        self.clock: int | None = None
        self.next_timer: int | None = None
        #: Further figures of a service's own, by name.
        self.counts: Counter[str] = Counter()
        self.slots: list[int] = []
        self.state = "starting"
        #: Age of the newest record when its round was committed, ms.
        self.lateness_ms = 0
        self._written = 0.0

    def committed(
        self, batch: Sequence[Record], timers: int, now: int, seconds: float = 0.0, measure: Measure = nothing
    ) -> None:
        """A round went through."""
        self.rounds += 1
        self.round_seconds += seconds
        self.records += len(batch)
        self.timers += timers
        self.lateness_ms = max(0, now - batch[-1].appended_at) if batch else 0
        self.state = "running"
        self._tell_of_round(measure)

    def idle(self, measure: Measure = nothing) -> None:
        """A round found nothing to do."""
        self.state = "idle"
        self._tell_of_round(measure)

    def _tell_of_round(self, measure: Measure) -> None:
        """`measure` takes figures that cost something, for a word that is written and for no other: one that is fresh
        must not tell of old timers.
        """
        if self._is_time():
            measure()
            self.write(force=True)

    def waits(self, state: str) -> None:
        """The worker lives but makes no rounds: it joins its group, or restores."""
        self.state = state
        self.write()

    def ended(self, state: str, why: str) -> None:
        """The last word: why the worker stopped."""
        self.state = state
        self.write(force=True, why=why)

    def figures(self) -> dict[str, Any]:
        return {
            "service": self.service,
            "member": self.member,
            "pid": os.getpid(),
            "state": self.state,
            "slots": self.slots,
            "rounds": self.rounds,
            "records": self.records,
            "timers": self.timers,
            "dead_letters": self.dead_letters,
            "dropped": self.dropped,
            "round_seconds": round(self.round_seconds, 3),
            "held": self.held,
            "gate_held": self.gate_held,
            "clock": self.clock,
            "next_timer": self.next_timer,
            "counts": dict(self.counts),
            "lateness_ms": self.lateness_ms,
            "started": self.started,
            "at": wall_ms(),
        }

    def _is_time(self) -> bool:
        return time.monotonic() - self._written >= self._every

    def write(self, *, force: bool = False, **more: object) -> None:
        if not (force or self._is_time()):
            return
        self._written = time.monotonic()
        if self.path is None:
            return
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(self.figures() | more))
        fresh.replace(self.path)


def read_health(path: Path) -> dict[str, Any] | None:
    """What a worker last told; None where it never did."""
    try:
        told: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return told


def is_heard(told: Mapping[str, Any]) -> bool:
    """Whether the worker told of itself lately, be it in a round or on the way to its first."""
    return wall_ms() - int(told["at"]) < STALE_MS


def is_fresh(told: Mapping[str, Any]) -> bool:
    """Whether the worker makes rounds."""
    return is_heard(told) and told["state"] in ROUNDS


def check(service: str, told: Mapping[str, Any] | None) -> str | None:
    """What keeps a worker from making rounds, in one line; None when it makes them."""
    if told is None:
        return f"{service} has not told of itself yet"
    if is_fresh(told):
        return None
    if not is_heard(told):
        return f"{service} was last heard of {(wall_ms() - int(told['at'])) // 1000} s ago, {told['state']}"
    return f"{service} is {told['state']}" + (f": {told['why']}" if "why" in told else "")


def main(arguments: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> None:
    """The health check of a container."""
    parser = argparse.ArgumentParser(prog="python -m cpor.runtime.health", description="Whether a worker makes rounds.")
    parser.add_argument("--service", default=environment.get("CPOR_SERVICE"))
    parser.add_argument("--slot", default=environment.get("CPOR_SLOT", "0"))
    parser.add_argument("--data", type=Path, default=Path(environment.get("CPOR_DATA", ".cpor")))
    asked = parser.parse_args(arguments)
    if not asked.service:
        parser.error("--service or CPOR_SERVICE must name the worker")
    sys.exit(check(asked.service, read_health(asked.data / asked.service / asked.slot / "health.json")))


if __name__ == "__main__":
    main()
