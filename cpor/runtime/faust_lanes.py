"""Records worked on side by side: in order for each key, and no position committed past one that is not done."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable

from cpor.runtime.record import Record, TopicPartition

#: So many records wait for each lane: enough to keep it busy, few enough to be given up in a rebalance.
WAITING = 4
#: How often a worker that may begin nothing asks whether it may again, seconds.
ASK_AGAIN = 0.05
#: How far records may be taken up beyond the oldest one of their partition that is not done, in offsets: what its next
#: owner reads again must not be more than can be looked up.
REACH = 400
Key = tuple[TopicPartition, bytes | None]


class Flights:
    """How far each partition is done. What was read and is not done is in flight, wherever it is."""

    def __init__(self) -> None:
        self._flying: dict[TopicPartition, set[int]] = {}
        self._next: dict[TopicPartition, int] = {}

    def take(self, place: TopicPartition, offset: int) -> None:
        """It was read; to be told in the order of reading, before anybody can work on it."""
        self._flying.setdefault(place, set()).add(offset)
        self._next[place] = max(offset + 1, self._next.get(place, 0))

    def done(self, place: TopicPartition, offset: int) -> None:
        """What is not in flight here (any more) counts for nothing: its next owner reads it again."""
        self._flying.get(place, set()).discard(offset)

    def has(self, place: TopicPartition, offset: int) -> bool:
        return offset in self._flying.get(place, ())

    def position(self, place: TopicPartition) -> int | None:
        """Where to go on after a restart; None where nothing was read."""
        flying = self._flying.get(place)
        return min(flying) if flying else self._next.get(place)

    def places(self) -> list[TopicPartition]:
        return list(self._next)

    def forget(self) -> None:
        """Everything is read anew from the committed positions."""
        self._flying.clear()
        self._next.clear()


class Lease:
    """How long a worker may take its partitions for its own: `seconds` from when it last asked and was told so.

    Who was frozen past its session wakes up with work in its hands that is another's by now.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._asked = float("-inf")

    def renew(self, asked: float) -> None:
        """`asked`: when, by `time.monotonic`; not when the answer was read, which a freeze may lie before."""
        self._asked = asked

    def holds(self) -> bool:
        return time.monotonic() - self._asked < self._seconds


class Lanes:
    """At most `width` records at once; those of one partition and key one after the other, as they were put.

    None is begun while `may_begin` says no.
    """

    def __init__(
        self,
        work: Callable[[Record], Awaitable[None]],
        flights: Flights,
        width: int,
        key: Callable[[Record], bytes | None] = lambda record: record.key,
        may_begin: Callable[[], bool] = lambda: True,
    ) -> None:
        self._work = work
        self._may_begin = may_begin
        self._given_up = 0
        self._closed = False
        self._flights = flights
        self._key = key
        self._free = asyncio.Semaphore(width)
        self._room = asyncio.Semaphore(width * WAITING)
        self._waiting: dict[Key, deque[Record]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def put(self, record: Record) -> None:
        """Returns as soon as there is room for it, within reach of the oldest that is not done. One that is not in
        flight, or no longer, is left out; so is one that comes while work is given up: it would overtake what was.
        """
        before = self._given_up
        while before == self._given_up and not self._is_in_reach(record):
            await asyncio.sleep(ASK_AGAIN)
        await self._room.acquire()
        if self._closed or before != self._given_up:
            self._room.release()
            return
        key = (record.tp, self._key(record))
        if key in self._waiting:
            self._waiting[key].append(record)
            return
        self._waiting[key] = deque([record])
        task = asyncio.create_task(self._run(key))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _is_in_reach(self, record: Record) -> bool:
        oldest = self._flights.position(record.tp)
        return oldest is None or record.offset - oldest <= REACH

    async def _run(self, key: Key) -> None:
        waiting = self._waiting[key]
        while waiting:
            async with self._free:
                await self._settle_one(waiting)
        del self._waiting[key]

    async def _settle_one(self, waiting: deque[Record]) -> None:
        if not waiting:  # it was given up meanwhile
            return
        record = waiting.popleft()
        try:
            if await self._is_ours(record):
                await self._work(record)
                self._flights.done(record.tp, record.offset)
        finally:
            self._room.release()

    async def _is_ours(self, record: Record) -> bool:
        before = self._given_up
        while not self._may_begin() and before == self._given_up:
            await asyncio.sleep(ASK_AGAIN)
        return before == self._given_up and self._flights.has(record.tp, record.offset)

    def begin(self) -> None:
        """Everything that was given up is read again."""
        self._closed = False

    async def give_up(self, seconds: float) -> None:
        """Begin nothing that waits, and nothing that comes until `begin`; wait for what has begun, `seconds` at most.
        What was given up stays in flight.
        """
        self._closed = True
        self._given_up += 1
        for waiting in self._waiting.values():
            for _ in range(len(waiting)):
                waiting.popleft()
                self._room.release()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
