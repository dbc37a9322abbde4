"""When an instance is at rest: nothing waits, no timer is due, and everybody has seen the clock as it is (D19).

Two looks at the topics with the workers' own word between them. Where nothing waits at the first, and the second finds
the same ends, no worker took up or sent anything between them; so what each said about its timers still holds.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

from cpor.ops.errors import NotReachable
from cpor.ops.figures import BOUNCES, DELIVERY, Worker, read_workers
from cpor.ops.instance import Instance
from cpor.ops.reading import open_reader
from cpor.ops.trail import Trail, Waiting
from cpor.runtime.clock import wall_ms
from cpor.runtime.health import ROUNDS
from cpor.runtime.transport.kafka_inspect import KafkaInspector

SECONDS = 120.0
#: Between two looks.
PAUSE_SECONDS = 0.02


class Rest:
    """Waits for rest, again and again."""

    def __init__(self, instance: Instance, trail: Trail) -> None:
        self._instance, self._trail = instance, trail

    def wait(self, shown: int, seconds: float = SECONDS) -> int | None:
        """Return at rest, when every worker has made a round at `shown` or later: when the next timer is due, ms, None
        where none stands. Raises NotReachable, naming what was not done.
        """
        deadline = time.monotonic() + seconds
        self._trail.look_for_topics()
        while True:
            waits, workers, due = self._waits(), list[Worker](), list[str]()
            if not waits:
                workers = self._told(shown, deadline)
                due = [*due_timers(workers)]
                if not due and not self._trail.goes_on():
                    return min((each.next_timer for each in workers if each.next_timer is not None), default=None)
            if time.monotonic() > deadline:
                raise NotReachable(f"not done within {seconds:.0f} s: {'; '.join([*due, *map(str, waits)]) or 'busy'}")
            time.sleep(PAUSE_SECONDS)

    def _waits(self) -> list[Waiting]:
        """The inputs of running services where something waits."""
        return self._trail.look({each.service for each in read_workers(self._instance)})

    def _told(self, shown: int, deadline: float) -> list[Worker]:
        """All workers, once each has told of a round from now on. Under a test clock they tell of nearly every one."""
        asked = wall_ms() + 1  # a word of this very millisecond may be older
        while missing := [each for each in _present(self._instance) if not has_told(each, asked, shown)]:
            if time.monotonic() > deadline:
                late = missing[0]
                raise NotReachable(
                    f"{late.service}-{late.slot} is {late.state} and tells of no round: see `cpor status`"
                )
            time.sleep(PAUSE_SECONDS)
        return _present(self._instance)


def _present(instance: Instance) -> list[Worker]:
    return [each for each in read_workers(instance) if not each.ended]


def has_told(worker: Worker, asked: int, shown: int) -> bool:
    """Delivery has no timers, and what it is behind with its offsets tell. Who reads the mailbox of bounces has looked
    into it since.
    """
    if worker.state not in ROUNDS:
        return False
    if worker.service == BOUNCES:
        return worker.counts.get("began", 0) >= asked
    return worker.service == DELIVERY or (worker.at >= asked and worker.clock is not None and worker.clock >= shown)


def due_timers(workers: Sequence[Worker]) -> Iterator[str]:
    """Who still has something due by its own clock, in words."""
    for each in workers:
        if each.next_timer is not None and each.clock is not None and each.next_timer <= each.clock:
            held = f"{each.timers_held} due timers are held back" if each.timers_held else "a due timer has not fired"
            yield f"{each.service}-{each.slot}: {held}"


@contextmanager
def resting(instance: Instance) -> Iterator[Rest]:
    with (
        KafkaInspector(instance.endpoints.kafka_bootstrap) as inspector,
        open_reader(instance.transport) as reader,
        closing(instance.transport.admin()) as admin,
    ):
        yield Rest(instance, Trail(admin, reader, inspector.committed_of))
