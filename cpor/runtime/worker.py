"""The exactly-once loop: one transaction per round over all owned slots.

    poll -> tables to their ends -> prepare -> begin -> process each record on the overlay -> timers
         -> send outputs and state -> send positions -> commit -> write the overlay to the stores

A round that fails leaves nothing: its overlay is dropped, its producer replaced (P1), positions and rows are read
anew. A process that is killed at any point goes on from the last commit; there is no clean-up that a kill would skip.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from operator import itemgetter

import structlog

from cpor.runtime.assignment import Assignment
from cpor.runtime.clock import Clock
from cpor.runtime.errors import ProducerFenced, Reject, Retry, Stop, TransactionFailed
from cpor.runtime.health import ROUNDS, Health
from cpor.runtime.holds import Holds
from cpor.runtime.letters import LetterLimit, Letters
from cpor.runtime.observer import Due, TimerGate
from cpor.runtime.processor import Lookup, Processor, Timer
from cpor.runtime.record import Output, Record, TopicPartition
from cpor.runtime.restore import checkpoint_of
from cpor.runtime.store.engine import Engines
from cpor.runtime.task import Task
from cpor.runtime.transport.port import OffsetLost, Producer, Transport

log = structlog.get_logger("cpor.runtime")

#: How long a partition waits whose record met a passing fault.
RETRY_SECONDS = 1.0
#: Listing the topics takes so long only where there are thousands of them.
SLOW_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a round takes, and how much trouble a worker puts up with."""

    #: Records of a round at most.
    records: int = 3_000
    #: How long a round may decide on records, and how long on timers, seconds (far less than a transaction may last);
    #: what is left comes again.
    seconds: float = 2.0
    #: Timers that a round looks at, per slot.
    timers: int = 1_000
    #: How long timers that the gate held back wait until it is asked again, seconds.
    gate_seconds: float = 0.25
    #: How long an empty poll waits, ms.
    poll_ms: int = 100
    #: Failed transactions in a row before the worker stops.
    failures: int = 5
    #: Pause after the first of them, seconds; each further one doubles it.
    pause_seconds: float = 0.1
    #: How long the group may take to settle, seconds: more than a member may take to restore (`max_poll_interval_ms`).
    join_seconds: float = 330.0
    #: How often new source topics are looked for, seconds.
    refresh_seconds: float = 5.0
    #: How often idle partitions are looked at for markers they have passed, seconds.
    idle_seconds: float = 1.0
    letters: LetterLimit = field(default_factory=LetterLimit)


#: Under a test clock, whose mover waits for a round of every worker after each step.
TESTED = Limits(poll_ms=50, gate_seconds=0.05)


class Worker:
    """Runs one processor on one transport as one member of its group. `step` is one round, `run` is for ever."""

    def __init__(
        self,
        processor: Processor,
        transport: Transport,
        engines: Engines,
        clock: Clock,
        member: str,
        limits: Limits | None = None,
        health: Health | None = None,
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        self.processor = processor
        self.health = health or Health(processor.service, member)
        self._transport = transport
        self._clock = clock
        self._limits = limits or Limits()
        self._alive = alive
        self._transactional_id = f"cpor.{processor.service}.{member}"
        self._producer: Producer | None = None
        self._reader = transport.reader()
        self._holds = Holds(self._reader)
        self._letters = Letters(processor, self._limits.letters)
        self._failures = 0
        self._refreshed = time.monotonic()
        self._idled = 0.0
        self._settled = time.monotonic()
        self._moved: list[TopicPartition] = []
        admin = transport.admin()
        self.gate = TimerGate(processor, clock, self._reader, admin, self._limits.gate_seconds)
        self.producer()  # fences an elder of this slot before anything is read
        self.assignment = Assignment(
            processor,
            engines,
            transport.membership(f"cpor.{processor.service}", member, processor.slots_topic),
            self._reader,
            transport.reader(),
            admin,
            self._restored_some,
        )

    # -- the loop -------------------------------------------------------------------------------------------------

    def run(self, stopping: Callable[[], bool]) -> None:
        """Rounds until `stopping`; raises what must end the process."""
        while not stopping():
            self.step()
            self._alive()

    def step(self) -> int:
        """One round; returns how many records and timers it took. Raises Stop, Fenced, or an unknown exception."""
        try:
            return self._round()
        except (TransactionFailed, Retry, OffsetLost) as fault:
            self._recover(fault)
            return 0

    def _round(self) -> int:
        if not self.assignment.poll():
            self._wait_for_group()
            return 0
        self._settled = time.monotonic()
        self.health.slots = sorted(self.assignment.tasks)
        self._look_for_sources()
        self._holds.release_due()
        self.health.held = len(self._holds.waiting())
        batch = self._reader.poll(self._limits.poll_ms, self._limits.records)
        now = self._clock.now()
        due = self.gate.due(self.assignment.tasks.values(), now, self._limits.timers)
        if batch or due:
            self.assignment.refresh_tables()
            batch = self._prepare(batch)
            due = self.gate.pass_through(due, batch)
        if not batch and not due and not self._passed_markers():
            self.health.idle(partial(self._measure, now))
            return 0
        took = self._transact(batch, due, now)
        self._failures = 0
        return took

    def _measure(self, now: int) -> None:
        """What the mover of a test clock waits for: how far time has come here, and which timers still stand."""
        self.health.clock = now
        self.health.gate_held = self.gate.held
        standing = (task.rows.next_due() for task in self.assignment.tasks.values())
        self.health.next_timer = min((due for due in standing if due is not None), default=None)

    def _restored_some(self) -> None:
        """A restore made progress; before the first round that is all there is to tell."""
        self._alive()
        if self.health.state not in ROUNDS:
            self.health.waits("restoring")

    def _wait_for_group(self) -> None:
        """Raises Stop where the group does not settle: a member stuck in a rebalance (P11) must not wait for ever."""
        self.health.waits("joining")
        waited = time.monotonic() - self._settled
        if waited > self._limits.join_seconds:
            raise Stop("the group does not settle", service=self.processor.service, seconds=int(waited))

    def _prepare(self, batch: list[Record]) -> list[Record]:
        preparation = self.processor.prepare(batch, _Lookup(self.assignment))
        for task in self.assignment.tasks.values():
            task.facts = preparation.facts
        return self._holds.cut(batch, preparation)

    # -- one transaction ------------------------------------------------------------------------------------------

    def _transact(self, batch: list[Record], due: Due, now: int) -> int:
        """Returns how many records and timers went through."""
        began = time.monotonic()
        producer = self.producer()
        producer.begin()
        for task in self.assignment.tasks.values():
            task.now = now
        done = self._process_all(batch)
        fired = self._fire_all(due)
        writes, state = self._send(producer)
        positions = self._positions(done)
        producer.send_positions(positions, self.assignment.token())
        producer.commit()
        self._keep(producer, positions, writes, state)
        took = time.monotonic() - began
        self.health.committed(done, fired, self._clock.now(), took, partial(self._measure, now))
        return len(done) + fired

    def _process_all(self, batch: list[Record]) -> list[Record]:
        """In order; a partition ends at a record that has to wait, all end when the round's time is over. What is left
        is sought back. Returns what was processed.
        """
        until = time.monotonic() + self._limits.seconds
        ended: set[TopicPartition] = set()
        done: list[Record] = []
        place: tuple[str, int] = ("", -1)
        for record in batch:
            if record[:2] != place:  # a batch comes partition by partition
                place = tp = record.tp
                task = self.assignment.tasks[self.assignment.slot_of[tp]]
            if ended and tp in ended:
                continue
            if done and time.monotonic() > until:
                self._reader.seek(tp, record.offset)
            elif self._process(record, task):
                done.append(record)
                continue
            ended.add(tp)
        return done

    def _process(self, record: Record, task: Task) -> bool:
        """Whether the record went through; one that must wait is held back with its partition."""
        task.savepoint()
        letter = self._letters.is_parked(task, record)
        if letter is not None:
            self._letters.park_behind(task, record, letter)
            return True
        try:
            self.processor.process(task, record)
            self._letters.passed()
        except Reject as reject:
            task.roll_back()
            log.warning("dead letter", record=record.origin, reason=reject.reason)
            self._letters.dead_letter(task, record, reject)
        except Retry as wait:
            task.roll_back()
            log.warning("held back", record=record.origin, cause=str(wait))
            self._holds.hold(record.tp, record.offset, RETRY_SECONDS)
            return False
        except Stop:
            raise
        except Exception as fault:
            raise Stop("the rules failed on a record", record=record.origin, cause=repr(fault)) from fault
        return True

    def _fire_all(self, due: Due) -> int:
        """The longest due first, until the time for it is over (records do not use it up); the rest stand, and are
        asked about again. Returns how many were taken.
        """
        until = time.monotonic() + self._limits.seconds
        for number, (task, timer) in enumerate(sorted(due, key=itemgetter(1))):
            if number and time.monotonic() > until:
                return number
            self._fire(task, timer)
        return len(due)

    def _fire(self, task: Task, listed: Timer) -> None:
        timer = task.standing(listed)
        if timer is None:
            return
        task.cancel_timer(timer.claim, timer.clock, timer.started_by, timer.rung)
        try:
            self.processor.fire(task, timer)
        except (Stop, Retry):
            raise
        except Exception as fault:
            raise Stop("the rules failed on a timer", timer=timer, cause=repr(fault)) from fault

    def _send(self, producer: Producer) -> tuple[dict[int, dict[bytes, bytes | None]], list[TopicPartition]]:
        writes: dict[int, dict[bytes, bytes | None]] = {}
        touched: dict[TopicPartition, None] = {}
        send: Callable[[Output], None] = producer.send
        for slot, task in self.assignment.tasks.items():
            for output in task.outputs:
                send(output)
            rows, writes[slot] = task.state_outputs()
            for output in rows:
                send(output)
                touched[TopicPartition(output.topic, output.partition)] = None
        return writes, list(touched)

    def _positions(self, batch: list[Record]) -> dict[TopicPartition, int]:
        """Positions of the partitions that moved, of those that have none yet (or the next start would miss them beside
        a state that is no longer empty), and of at least one: it is what fences a zombie."""
        committed = self.assignment.committed
        read = {TopicPartition(*place) for place in {record[:2] for record in batch}}
        looked = read | set(self._moved) | self.assignment.without_position
        found = {tp: self._reader.position(tp) for tp in looked}
        if not found and committed:
            found = dict([next(iter(committed.items()))])
        return found

    def _keep(
        self,
        producer: Producer,
        positions: dict[TopicPartition, int],
        writes: dict[int, dict[bytes, bytes | None]],
        state: list[TopicPartition],
    ) -> None:
        """The commit is through: write the overlay with the checkpoints of what was sent to the state topics."""
        self.assignment.committed.update(positions)
        self.assignment.without_position.difference_update(positions)
        self._moved = []
        self.health.dead_letters += self._letters.keep_round()
        origin = self.assignment.origin({tp.topic for tp in state})
        for tp in state:
            end = producer.end_of(tp)
            if end is not None:
                writes[tp.partition] |= checkpoint_of(tp, end, origin)
        for slot, task in self.assignment.tasks.items():
            task.commit(writes[slot])

    # -- around it ------------------------------------------------------------------------------------------------

    def _passed_markers(self) -> bool:
        """Whether a position moved past markers or aborted records alone; looked at once a second."""
        now = time.monotonic()
        if now - self._idled < self._limits.idle_seconds:
            return False
        self._idled = now
        held = set(self._holds.waiting())
        committed = self.assignment.committed
        self._moved = [tp for tp, offset in committed.items() if tp not in held and self._reader.position(tp) > offset]
        return bool(self._moved)

    def _look_for_sources(self) -> None:
        """Thousands of topics take their time to list: no more than a twentieth of all time is spent on it."""
        began = time.monotonic()
        if began - self._refreshed >= self._limits.refresh_seconds:
            self.assignment.refresh_sources()
            cost = time.monotonic() - began
            self._refreshed = began + (20 * cost if cost > SLOW_SECONDS else 0)

    def producer(self) -> Producer:
        """The producer; a new one after any failure (P1). Its making fences an elder with the same slot."""
        if self._producer is None:
            self._producer = self._transport.producer(self._transactional_id)
        return self._producer

    def _recover(self, fault: Exception) -> None:
        """Forget the round and replace the producer; positions and rows are read anew before the next round. Too many
        in a row stop the worker.
        """
        self._failures += 1
        self.health.dropped += 1
        log.warning("round dropped", failures=self._failures, cause=str(fault))
        if self._failures > self._limits.failures:
            raise Stop("transactions keep failing", failures=self._failures, cause=str(fault)) from fault
        self._forget_round()
        self._alive()
        time.sleep(self._limits.pause_seconds * 2 ** (self._failures - 1))
        if isinstance(fault, ProducerFenced):
            self.assignment.confirm()
        self.producer()  # before positions are read: it ends a transaction that could not be aborted
        self.assignment.give_up()

    def _forget_round(self) -> None:
        self._letters.forget_round()
        self._holds.forget()
        self._moved = []
        for task in self.assignment.tasks.values():
            task.drop()
        if self._producer is not None:
            self._producer.abort()
            self._producer.close()
            self._producer = None

    def close(self) -> None:
        """Let go of everything; what was not committed is read again by whoever comes next."""
        if self._producer is not None:
            self._producer.close()
        self._reader.close()
        self.assignment.close()


class _Lookup(Lookup):
    """Committed rows for `prepare`."""

    def __init__(self, assignment: Assignment) -> None:
        self._tasks = assignment.tasks

    def get(self, table: str, partition: int, key: bytes) -> object | None:
        return self._tasks[partition].get(table, key) if partition in self._tasks else None
