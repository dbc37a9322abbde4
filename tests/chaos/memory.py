"""The whole pipeline in memory under a schedule: how much is read at a time, what is read first, who dies where.

Intake and review are the real ones under the real kernel; only the store of documents says yes to everything.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from cpor.domain.ids import receipt_id
from cpor.ops.checker import PipelineLog, read_log
from cpor.runtime.clock import ManualClock
from cpor.runtime.processor import Processor
from cpor.runtime.store.engine import MemoryEngines
from cpor.runtime.topics import DAY_MS, FIXED_TOPICS, Count, Topic, commands_topic, partner_topics
from cpor.runtime.transport.memory import MemoryBroker, MemoryTransport
from cpor.runtime.worker import Limits, Worker
from services.intake.poe.limits import P2023
from services.intake.worker import Intake
from services.review.worker import Review
from tests.chaos.material import customers, directory
from tests.chaos.outcome import Outcome, assert_sound, outcome_of
from tests.chaos.story import PARTNERS, Said, Story, story, tenants_of
from tests.unit.intake.harness import Shelf

#: Partitions of claim topics and of partners' topics.
Counts = tuple[int, int]
FEW: Counts = (4, 2)
#: 2026-03-02T09:00:00Z
MONDAY = 1_772_442_000_000
#: So long is a stage: after two of them a consent has been waited for.
STAGE_MS = 4 * DAY_MS
FAULT_POINTS = ("send", "send_positions", "commit", "committed")
#: Passes of a schedule over a stage; more means that the pipeline never comes to rest.
PATIENCE = 20_000


class Crash(BaseException):
    """The process dies here: nothing of the worker may catch it."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """What happens to the workers beside their work. The default is a calm one."""

    #: Draws which partition is read first, which worker moves, and who loses a session.
    seed: int = 0
    #: Most records of a round; each new worker takes the next number, in turn.
    records: tuple[int, ...] = (3_000,)
    #: Where a worker dies: a fault point, and how many passings of it after the death before.
    crashes: tuple[tuple[str, int], ...] = ()
    #: Which of the workers that are started anew find their stores empty, in turn.
    emptied: tuple[bool, ...] = (False,)
    #: Processes of each service.
    members: int = 1
    #: One step in so many costs a worker its session; 0: none ever does.
    expiry: int = 0
    #: Before these stages workers are killed and their stores deleted: (stage, place in the list of all members), where
    #: None means all of them.
    lost: tuple[tuple[int, int | None], ...] = ()
    counts: Counts = FEW
    #: How far the clock goes on after a stage.
    stage_ms: int = STAGE_MS


CALM = Schedule()


@dataclass(frozen=True)
class Played:
    """A run that came to rest, and how often a worker died in it."""

    outcome: Outcome
    log: PipelineLog
    deaths: int


@dataclass
class Member:
    """One place in a group, and the process that has it now."""

    build: Callable[[], Processor]
    name: str
    engines: MemoryEngines
    worker: Worker | None = None


class Pipeline:
    """Plays a story under a schedule."""

    def __init__(self, schedule: Schedule, customers_of: tuple[int, int]) -> None:
        self._schedule = schedule
        self._dice = random.Random(schedule.seed)
        self._clock = ManualClock(MONDAY)
        self.broker = MemoryBroker(self._clock, schedule.seed)
        self._started = 0
        self._deaths = 0
        self._sent: list[str] = []
        self._n, self._p = schedule.counts
        sizes = {Count.CLAIMS: self._n, Count.PARTNERS: self._p, Count.ONE: 1}
        for spec in [*FIXED_TOPICS, *(spec for partner in PARTNERS for spec in partner_topics(partner))]:
            self.broker.create(spec.name, sizes[spec.count])
        for output in [*directory(PARTNERS), *customers(tenants_of(*customers_of), self._n)]:
            self.broker.append(output)
        shelf = Shelf()
        builds = (lambda: Intake(shelf, shelf, P2023, self._n, self._p)), (lambda: Review(self._n))
        self._members = [Member(build, str(n), MemoryEngines()) for build in builds for n in range(schedule.members)]
        self.broker.faults = self._deaths_of(schedule.crashes)

    # -- playing ------------------------------------------------------------------------------------------------------

    def play(self, told: Story) -> Played:
        for number, stage in enumerate(told):
            self._lose_stores([which for stage_, which in self._schedule.lost if stage_ == number])
            for word in stage:
                output = word.output(self._n, self._p)
                offset = self.broker.append(output)
                if isinstance(word, Said):
                    self._sent.append(receipt_id(output.topic, output.partition, offset))
            self._settle(number)
            self._clock.tick(self._schedule.stage_ms)
        log = read_log(self.broker.records, PARTNERS, self._n, services=("intake", "review"))
        assert_sound(log, self._sent)
        return Played(outcome_of(log), log, self._deaths)

    def _settle(self, number: int) -> None:
        quiet = 0
        for _ in range(PATIENCE):
            member = self._dice.choice(self._members)
            quiet = 0 if self._step(member) or self._lag() else quiet + 1
            if quiet > 6 * len(self._members):
                return
        raise AssertionError(f"stage {number} never came to rest; {self._lag()} records are left")

    def _step(self, member: Member) -> int:
        """One round; a process that dies in it is followed by a new one at its next turn."""
        try:
            worker = member.worker or self._start(member)
            if self._schedule.expiry and self._dice.randrange(self._schedule.expiry) == 0:
                self.broker.expire(f"cpor.{worker.processor.service}", member.name)
            return worker.step()
        except Crash:
            self._deaths += 1
            member.worker = None
            return 1

    def _start(self, member: Member) -> Worker:
        schedule, number = self._schedule, self._started
        self._started += 1
        if number >= len(self._members) and schedule.emptied[number % len(schedule.emptied)]:
            member.engines = MemoryEngines()
        most = schedule.records[number % len(schedule.records)]
        limits = Limits(records=most, poll_ms=0, refresh_seconds=0, idle_seconds=0, failures=1_000)
        transport = MemoryTransport(self.broker)
        member.worker = Worker(member.build(), transport, member.engines, self._clock, member.name, limits)
        return member.worker

    def _lose_stores(self, which: list[int | None]) -> None:
        for place, member in enumerate(self._members):
            if place in which or None in which:
                member.worker = None
                member.engines = MemoryEngines()
                self._deaths += 1

    def _deaths_of(self, crashes: tuple[tuple[str, int], ...]) -> Callable[[str], None]:
        left = list(crashes)
        passed = 0

        def faults(point: str) -> None:
            nonlocal passed
            if not left or point != left[0][0]:
                return
            passed += 1
            if passed >= left[0][1]:
                left.pop(0)
                passed = 0
                raise Crash(point)

        return faults

    def _lag(self) -> int:
        """Records of the command topics that their group has not passed."""
        inputs: dict[str, list[str]] = {
            "cpor.intake": [commands_topic(each) for each in PARTNERS],
            "cpor.review": [Topic.CLAIM_COMMANDS],
        }
        return sum(self._behind(group, topic) for group, topics in inputs.items() for topic in topics)

    def _behind(self, group: str, topic: str) -> int:
        joined = self.broker.groups.get(group)
        committed = {} if joined is None else joined.committed
        return sum(committed.get(tp, 0) < len(log.entries) for tp, log in self.broker.logs.items() if tp.topic == topic)


SIZE = (14, 4)


def played(seed: int, schedule: Schedule = CALM, size: tuple[int, int] = SIZE) -> Played:
    """The outcome of the story of `seed` under a schedule; it is checked and complete."""
    return Pipeline(schedule, size).play(story(seed, *size))


@cache
def control(seed: int) -> Played:
    return played(seed)
