"""Review and deadlines on one broker in memory, and intake as far as its committed positions show."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from cpor.domain.model import RunningClock
from cpor.domain.vocabulary import Clock, CommandName
from cpor.runtime.record import Output, Record, TopicPartition
from cpor.runtime.store.engine import MemoryEngines
from cpor.runtime.topics import Topic, commands_topic
from cpor.runtime.transport.memory import MemoryTransport
from cpor.runtime.worker import Limits, Worker
from services.deadlines.worker import Deadlines
from tests.unit.review.pipeline import N, Pipeline

GRACE = 60_000
EAGER = Limits(poll_ms=0, idle_seconds=0, gate_seconds=0, pause_seconds=0)
#: Reads its backlog one record a round, while everything that is due is due at once.
SLOW = replace(EAGER, records=1)
#: Where the messages of a claim of P-1 come by.
SOURCE = TopicPartition(commands_topic("P-1"), 0)
Told = tuple[str, str, int]


class Crash(BaseException):
    """The process dies here."""


@dataclass
class Stage(Pipeline):
    """`run` runs both until neither has anything to do."""

    rows: MemoryEngines = field(default_factory=MemoryEngines)
    limits: Limits = EAGER
    #: Whether deadlines stands still.
    stopped: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self.deadlines = self.fresh_deadlines()

    def fresh_deadlines(self) -> Worker:
        return Worker(Deadlines(N, GRACE), MemoryTransport(self.broker), self.rows, self.clock, "0", self.limits)

    def run(self) -> None:
        while self.worker.step() + (0 if self.stopped else self.deadlines.step()):
            pass
        self.clock.tick(1_000)

    def run_deadlines(self) -> None:
        """Deadlines alone, as far as it comes."""
        while self.deadlines.step():
            pass

    def pass_to(self, instant: int) -> None:
        self.clock.tick(max(0, instant - self.clock.now()))
        self.run()

    def clock_of(self, clock: Clock, ref: str = "c") -> RunningClock:
        running = self.claim(ref).clock(clock)
        assert running is not None
        return running

    # -- intake ---------------------------------------------------------------------------------------------------

    def arrive(self) -> int:
        """A message of the partner lies on its topic; the offset behind it."""
        return self.broker.append(Output(*SOURCE, b"c", b"{}", [])) + 1

    def intake_reads(self, offset: int | None = None) -> None:
        """Intake has committed that far, to the end where nothing is said."""
        transport = MemoryTransport(self.broker)
        member = transport.membership("cpor.intake", "0", Topic.INTAKE_SLOTS)
        producer = transport.producer("cpor.intake.0")
        producer.begin()
        producer.send_positions(
            {SOURCE: self.broker.end(SOURCE, uncommitted=True) if offset is None else offset}, member.token()
        )
        producer.commit()

    # -- reading back ---------------------------------------------------------------------------------------------

    def told(self) -> list[Told]:
        """(type, clock, rung) of everything on `cpor.deadlines.events`, in order."""
        return [(short(each), data["clock"], data["rung"]) for each, data in self.said(Topic.DEADLINE_EVENTS)]

    def expiries(self) -> list[dict[str, Any]]:
        return [
            data
            for each, data in self.said(Topic.CLAIM_COMMANDS)
            if each.header("ce_type") == CommandName.DEADLINE_EXPIRED
        ]

    def said(self, topic: Topic) -> list[tuple[Record, dict[str, Any]]]:
        return [(each, json.loads(each.value or b"")) for each in self.broker.records(topic)]

    # -- faults ---------------------------------------------------------------------------------------------------

    def crash_at(self, point: str, nth: int = 1) -> Callable[[], None]:
        """The next worker to pass that point dies there; undone by calling what is returned."""
        passed = 0

        def faults(here: str) -> None:
            nonlocal passed
            passed += here == point
            if here == point and passed == nth:
                raise Crash

        self.broker.faults = faults
        return self.unharmed

    def unharmed(self) -> None:
        self.broker.faults = lambda point: None


def short(record: Record) -> str:
    return (record.header("ce_type") or "").removeprefix("cpor.deadline.").removesuffix(".v1")
