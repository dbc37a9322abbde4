"""Which due timers may fire now: the gate of the fair clock (D19, architecture §3).

A timer that the gate holds back keeps its place and is asked again; those behind it do not wait for it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence

from cpor.runtime.clock import Clock
from cpor.runtime.processor import Processor, Timer
from cpor.runtime.record import Record, TopicPartition
from cpor.runtime.task import Task
from cpor.runtime.transport.port import Admin, Reader

Due = list[tuple[Task, Timer]]


class Sight:
    """What one round sees of the clock, the topics and other groups; each thing is looked up once."""

    def __init__(self, clock: Clock, reader: Reader, admin: Admin, batch: Sequence[Record]) -> None:
        self._clock, self._reader, self._admin = clock, reader, admin
        self._now = clock.now()
        self._first: dict[TopicPartition, int] = {}
        for record in batch:
            self._first.setdefault(record.tp, record.offset)
        self._goals: dict[tuple[TopicPartition, int], int] = {}
        self._ends: dict[TopicPartition, int | None] = {}
        self._groups: dict[str, Mapping[TopicPartition, int]] = {}

    def is_past(self, shown: int, grace: int) -> bool:
        return self._now >= self._clock.at(self._clock.wall(shown) + grace)

    def own_position(self, tp: TopicPartition) -> int:
        """Everything before it was processed in an earlier round: this round's batch does not count yet."""
        first = self._first.get(tp)
        return self._reader.position(tp) if first is None else first

    def group_position(self, group: str, tp: TopicPartition) -> int:
        if group not in self._groups:
            self._groups[group] = self._admin.group_positions(group)
        return self._groups[group].get(tp, 0)

    def is_read(self, tp: TopicPartition, position: int, shown: int, grace: int) -> bool:
        """Whether `position` has passed what was appended to `tp` before that instant.

        Who has read all there is has passed every instant: asked once a round, whatever the number of timers.
        """
        end = self._end(tp)
        return end is None or position >= end or position >= self._goal(tp, end, shown, grace)

    def _end(self, tp: TopicPartition) -> int | None:
        """Of what was sent at all: an open transaction may still hold something older. None: there is no such topic."""
        if tp not in self._ends:
            exists = bool(self._admin.topic_ids([tp.topic]))
            self._ends[tp] = self._reader.ends([tp], uncommitted=True)[tp] if exists else None
        return self._ends[tp]

    def _goal(self, tp: TopicPartition, end: int, shown: int, grace: int) -> int:
        """The first offset appended at that instant or later, the end where there is none."""
        wall = self._clock.wall(shown) + grace
        if (tp, wall) not in self._goals:
            found = self._reader.offsets_at({tp: wall})[tp]
            self._goals[tp, wall] = end if found is None else found
        return self._goals[tp, wall]


class View:
    """`Observer` of one partition."""

    def __init__(self, sight: Sight, partition: int) -> None:
        self._sight = sight
        self.partition = partition

    def is_past(self, shown: int, grace: int = 0) -> bool:
        return self._sight.is_past(shown, grace)

    def have_read(self, topic: str, shown: int, grace: int = 0) -> bool:
        tp = TopicPartition(topic, self.partition)
        return self._sight.is_read(tp, self._sight.own_position(tp), shown, grace)

    def has_read(self, group: str, tp: TopicPartition, shown: int, grace: int = 0) -> bool:
        return self._sight.is_read(tp, self._sight.group_position(group, tp), shown, grace)


class TimerGate:
    """Lists the timers that are due, and lets through those that the processor lets through."""

    def __init__(self, processor: Processor, clock: Clock, reader: Reader, admin: Admin, pause: float) -> None:
        self._processor = processor
        self._clock, self._reader, self._admin = clock, reader, admin
        self._pause = pause
        self._asked = 0.0
        self._held: dict[int, int] = {}

    @property
    def held(self) -> int:
        """Timers that are due and had to wait when last asked about."""
        return sum(self._held.values())

    def due(self, tasks: Iterable[Task], now: int, most: int) -> Due:
        """Due timers in order, `most` for each task besides those that already wait; none while it is too early to ask
        again."""
        if self._processor.timers_topic is None:
            return []
        if self._held and time.monotonic() - self._asked < self._pause:
            return []
        found = [(task, each) for task in tasks for each in task.due(now, most + self._held.get(task.partition, 0))]
        if not found:
            self._held = {}  # what was held has been cancelled, or has gone with its slot
        return found

    def pass_through(self, due: Due, batch: Sequence[Record]) -> Due:
        """Those of `due` that may fire in this round. Raises Retry where a broker cannot tell."""
        if not due:
            return due
        self._asked, self._held = time.monotonic(), {}
        sight = Sight(self._clock, self._reader, self._admin, batch)
        passed: Due = []
        for task in dict.fromkeys(task for task, _ in due):
            listed = [timer for owner, timer in due if owner is task]
            may = self._processor.gate(listed, View(sight, task.partition))
            passed += [(task, timer) for timer in may]
            if len(may) < len(listed):
                self._held[task.partition] = len(listed) - len(may)
        return passed
