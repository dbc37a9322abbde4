"""A small worker on the in-memory transport: counts records, sets alarms; can be crashed, frozen, restarted."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from cpor.runtime.clock import ManualClock
from cpor.runtime.errors import Reject
from cpor.runtime.processor import Context, Index, Processor, StateTable, Timer
from cpor.runtime.record import Output, Record, TopicPartition
from cpor.runtime.store.engine import Changes, Engine, Engines, MemoryEngines
from cpor.runtime.topics import Topic
from cpor.runtime.transport.memory import MemoryBroker, MemoryTransport
from cpor.runtime.worker import Limits, Worker

SLOTS = 4
GROUP = "cpor.count"
FAULT_POINTS = ("send", "send_positions", "commit", "committed")
TOPICS = ("in", "out", "fired", "count.slots", "count.state", "count.timers", "count.parked")
#: Nothing waits: an empty poll returns at once, new topics and passed markers are looked for in every round.
EAGER = Limits(poll_ms=0, refresh_seconds=0, idle_seconds=0, pause_seconds=0, gate_seconds=0)


class Crash(BaseException):
    """The process dies here: nothing of the worker may catch it."""


def parity(key: bytes, row: bytes) -> list[bytes]:
    return [b"odd" if int(row) % 2 else b"even"]


class Counting(Processor):
    """`count` counts, `alarm <ms>` counts and sets a timer, `poison` is rejected, `bug` fails."""

    service = "count"
    slots_topic = "count.slots"
    state_tables: tuple[StateTable, ...] = (StateTable("counts", "count.state", indexes=(Index("parity", parity),)),)
    timers_topic: str | None = "count.timers"
    parked_topic: str | None = "count.parked"

    def sources(self, all_topics: Iterable[str]) -> list[str]:
        return ["in", *sorted(topic for topic in all_topics if topic.startswith("partner."))]

    def appears_later(self, topic: str) -> bool:
        return topic.startswith("partner.")

    def process(self, context: Context, record: Record) -> None:
        verb, _, rest = (record.value or b"").partition(b" ")
        assert record.key is not None
        n = int(context.get("counts", record.key) or b"0") + 1
        context.put("counts", record.key, b"%d" % n)
        context.emit("out", context.partition, record.key, f"{n} {record.origin}".encode(), [])
        if verb == b"alarm":
            context.set_timer(Timer(record.appended_at + int(rest), record.key.decode(), "alarm", n))
        if verb == b"poison":
            raise Reject("bad_value", origin=record.origin)
        if verb == b"bug":
            raise ValueError("a fault of the rules")

    def fire(self, context: Context, timer: Timer) -> None:
        told = f"{timer.started_by} {timer.due}".encode()
        context.emit("fired", context.partition, timer.claim.encode(), told, [])


class FragileEngines(Engines):
    """Engines whose writes crash the worker when `writes_left` of them are done; what was written stays."""

    def __init__(self, inner: MemoryEngines, writes_left: int) -> None:
        self._inner = inner
        self.writes_left = writes_left

    def open(self, partition: str) -> Engine:
        return _FragileEngine(self._inner.open(partition), self)

    def destroy(self, partition: str) -> None:
        self._inner.destroy(partition)


class _FragileEngine:
    def __init__(self, inner: Engine, owner: FragileEngines) -> None:
        self._owner = owner
        self._inner = inner

    def get(self, key: bytes) -> bytes | None:
        return self._inner.get(key)

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        return self._inner.scan(prefix)

    def close(self) -> None:
        self._inner.close()

    def write(self, changes: Changes) -> None:
        if self._owner.writes_left == 0:
            raise Crash
        self._owner.writes_left -= 1
        self._inner.write(changes)


@dataclass
class Pipeline:
    """One broker with the topics of `Counting`, and the worker that runs on it now."""

    processor: Callable[[], Processor] = Counting
    limits: Limits = EAGER
    seed: int = 0
    clock: ManualClock = field(default_factory=ManualClock)
    engines: MemoryEngines = field(default_factory=MemoryEngines)

    def __post_init__(self) -> None:
        self.broker = MemoryBroker(self.clock, self.seed)
        for topic in TOPICS:
            self.broker.create(topic, SLOTS)
        self.broker.create(Topic.DEAD_LETTERS, 1)

    def worker(self, member: str = "0", engines: Engines | None = None) -> Worker:
        """A worker process as it starts: the elder of the same member is fenced."""
        transport = MemoryTransport(self.broker)
        return Worker(self.processor(), transport, engines or self.engines, self.clock, member, self.limits)

    def feed(self, key: str, value: str = "count", topic: str = "in") -> None:
        """A record on the partition that the key's last digit names."""
        self.broker.append(Output(topic, int(key[-1]) % SLOTS, key.encode(), value.encode(), []))

    def feed_many(self, number: int, keys: int = 8, value: str = "count") -> None:
        for n in range(number):
            self.feed(f"k{n % keys}", value)

    def settle(self, *workers: Worker, rounds: int = 400) -> None:
        """Rounds until nothing is left to do."""
        for _ in range(rounds):
            took = sum(worker.step() for worker in workers)
            if not took and self.lag() == 0:
                return
        raise AssertionError(f"still {self.lag()} records to process after {rounds} rounds")

    def lag(self) -> int:
        """Records that the group has not passed."""
        group = self.broker.groups.get(GROUP)
        committed = group.committed if group is not None else {}
        sources = self.processor().sources(self.broker.counts)
        left = (r for topic in sources for r in self.broker.records(topic) if r.offset >= committed.get(r.tp, 0))
        return sum(1 for _ in left)

    def told(self, topic: str = "out") -> dict[str, list[str]]:
        """Committed values by key, in order."""
        found: dict[str, list[str]] = defaultdict(list)
        for record in self.broker.records(topic):
            found[(record.key or b"").decode()].append((record.value or b"").decode())
        return dict(found)

    def letters(self) -> list[Record]:
        return self.broker.records(Topic.DEAD_LETTERS)

    def committed(self, topic: str, partition: int) -> int | None:
        return self.broker.groups[GROUP].committed.get(TopicPartition(topic, partition))

    def fail_at(self, point: str, nth: int, fault: Callable[[], BaseException]) -> None:
        """Raise at the `nth` passing of a fault point, once."""
        seen = 0

        def faults(here: str) -> None:
            nonlocal seen
            seen += here == point
            if here == point and seen == nth:
                raise fault()

        self.broker.faults = faults

    def unharmed(self) -> None:
        self.broker.faults = lambda point: None


class Frozen:
    """A worker whose `step` stands still at a fault point, in a thread of its own, until it is woken."""

    def __init__(self, pipeline: Pipeline, worker: Worker, point: str) -> None:
        self._stands, self._woken = threading.Event(), threading.Event()
        self.fault: BaseException | None = None
        self.took = 0
        self._thread = threading.Thread(target=self._run, args=(worker,), daemon=True)
        me = self._thread

        def faults(here: str) -> None:
            if here == point and threading.current_thread() is me and not self._stands.is_set():
                self._stands.set()
                assert self._woken.wait(30)

        pipeline.broker.faults = faults

    def _run(self, worker: Worker) -> None:
        try:
            self.took = worker.step()
        except BaseException as fault:
            self.fault = fault

    def __enter__(self) -> Frozen:
        self._thread.start()
        assert self._stands.wait(30), "the worker never came to this point"
        return self

    def wake(self) -> None:
        """Go on; returns when the step has ended."""
        self._woken.set()
        self._thread.join(30)
        assert not self._thread.is_alive()

    def __exit__(self, *_: object) -> None:
        self.wake()
