"""Records side by side: order for each key, nothing committed that is not done, nothing done twice for nothing."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

import pytest

from cpor.runtime.faust_lanes import REACH, WAITING, Flights, Lanes, Lease
from cpor.runtime.record import Record, TopicPartition

PLACE = TopicPartition("t", 0)


def record(offset: int, key: bytes = b"k", partition: int = 0) -> Record:
    return Record("t", partition, offset, 0, key, b"", ())


class Scene:
    """Lanes whose work a test lets through; what began and what ended, in order."""

    def __init__(self, width: int) -> None:
        self.flights = Flights()
        self.lanes = Lanes(self.work, self.flights, width)
        self.gates: dict[int, asyncio.Event] = {}
        self.began: list[int] = []
        self.ended: list[int] = []
        self.most = 0

    async def work(self, one: Record) -> None:
        self.began.append(one.offset)
        self.most = max(self.most, len(self.began) - len(self.ended))
        await self.gate(one.offset).wait()
        self.ended.append(one.offset)

    def gate(self, offset: int) -> asyncio.Event:
        return self.gates.setdefault(offset, asyncio.Event())

    async def put(self, *records: Record) -> None:
        for each in records:
            self.flights.take(each.tp, each.offset)
            await self.lanes.put(each)
        await breathe()

    async def let(self, *offsets: int) -> None:
        for offset in offsets:
            self.gate(offset).set()
        await breathe()


async def breathe() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def play(width: int, story: Callable[[Scene], Awaitable[None]]) -> Scene:
    scene = Scene(width)

    async def run() -> None:
        await story(scene)

    asyncio.run(run())
    return scene


def test_records_of_one_key_keep_their_order_and_others_do_not_wait_for_them() -> None:
    async def story(scene: Scene) -> None:
        await scene.put(record(0, b"a"), record(1, b"a"), record(2, b"b"))
        assert scene.began == [0, 2]
        await scene.let(0)
        assert scene.began == [0, 2, 1]
        await scene.let(1, 2)

    assert sorted(play(4, story).ended) == [0, 1, 2]


def test_the_same_key_in_two_partitions_is_two_keys() -> None:
    async def story(scene: Scene) -> None:
        await scene.put(record(0), record(7, partition=1))
        assert scene.began == [0, 7]
        await scene.let(0, 7)

    play(4, story)


def test_never_more_than_the_width_are_worked_on_at_once() -> None:
    async def story(scene: Scene) -> None:
        await scene.put(*(record(n, b"%d" % n) for n in range(8)))
        await scene.let(*range(8))

    scene = play(3, story)
    assert (scene.most, len(scene.ended)) == (3, 8)


def test_who_puts_waits_when_there_is_no_room() -> None:
    async def story(scene: Scene) -> None:
        await scene.put(*(record(n) for n in range(WAITING)))
        more = asyncio.create_task(scene.lanes.put(record(WAITING)))
        await breathe()
        assert not more.done()
        await scene.let(0)
        assert more.done()
        await scene.let(*range(WAITING))

    play(1, story)


def test_one_slow_record_is_not_overtaken_by_more_than_can_be_looked_up_after_a_kill() -> None:
    """All that was done beyond it is read again by its partition's next owner."""

    async def story(scene: Scene) -> None:
        await scene.put(record(0, b"slow"), record(REACH, b"a"), record(REACH + 7, b"b", partition=1))
        more = asyncio.create_task(scene.put(record(REACH + 1, b"c")))
        await scene.let(REACH, REACH + 7)
        assert scene.began == [0, REACH, REACH + 7]
        assert not more.done()
        await scene.let(0)
        await more
        assert scene.began[-1] == REACH + 1
        await scene.let(REACH + 1)

    play(4, story)


def test_what_waits_to_be_within_reach_is_given_up_with_the_rest() -> None:
    async def story(scene: Scene) -> None:
        await scene.put(record(0, b"slow"))
        more = asyncio.create_task(scene.put(record(REACH + 1, b"c")))
        await breathe()
        ending = asyncio.create_task(scene.lanes.give_up(5))
        await more
        await scene.let(0)
        await ending
        assert scene.began == [0]

    play(4, story)


def test_no_position_passes_what_is_in_flight_however_the_others_end() -> None:
    async def story(scene: Scene) -> None:
        await scene.put(*(record(n, b"%d" % n) for n in (5, 6, 8)))
        await scene.let(8)
        assert scene.flights.position(PLACE) == 5
        await scene.let(5)
        assert scene.flights.position(PLACE) == 6
        await scene.let(6)
        assert scene.flights.position(PLACE) == 9

    play(4, story)


def test_what_is_given_up_is_not_begun_and_holds_the_position() -> None:
    async def story(scene: Scene) -> None:
        await scene.put(record(0), record(1), record(2))
        ending = asyncio.create_task(scene.lanes.give_up(5))
        await scene.let(0)
        await ending
        assert (scene.ended, scene.flights.position(PLACE)) == ([0], 1)
        scene.flights.forget()
        assert scene.flights.position(PLACE) is None
        scene.lanes.begin()
        await scene.put(record(1))
        await scene.let(1)
        assert scene.ended == [0, 1]

    play(1, story)


def test_a_record_that_is_no_longer_ours_is_left_to_its_next_owner() -> None:
    async def story(scene: Scene) -> None:
        await scene.put(record(0), record(1))
        scene.flights.forget()
        await scene.let(0, 1)
        assert (scene.ended, scene.flights.position(PLACE)) == ([0], None)

    play(1, story)


def test_a_record_that_was_read_twice_is_worked_on_once() -> None:
    async def story(scene: Scene) -> None:
        await scene.put(record(0), record(0))
        await scene.let(0)
        assert scene.ended == [0]

    play(4, story)


def test_work_that_takes_too_long_does_not_hold_up_a_rebalance() -> None:
    async def story(scene: Scene) -> None:
        await scene.put(record(0))
        await scene.lanes.give_up(0.01)
        assert scene.flights.position(PLACE) == 0
        await scene.let(0)

    play(1, story)


def test_who_may_begin_nothing_waits_until_it_may_or_its_work_is_anothers() -> None:
    allowed = [False]

    async def run() -> tuple[list[int], list[int]]:
        flights, began = Flights(), list[int]()

        async def work(one: Record) -> None:
            began.append(one.offset)

        lanes = Lanes(work, flights, 2, may_begin=lambda: allowed[0])
        for offset in (0, 1):
            flights.take(PLACE, offset)
            await lanes.put(record(offset, b"%d" % offset))
        await breathe()
        before = list(began)
        await lanes.give_up(5)
        flights.forget()
        lanes.begin()
        allowed[0] = True
        flights.take(PLACE, 0)
        await lanes.put(record(0))
        await breathe()
        return before, began

    assert asyncio.run(run()) == ([], [0])


def test_what_comes_while_work_is_given_up_does_not_overtake_what_was() -> None:
    """Faust goes on reading its queue meanwhile, and who waited for room gets it then."""

    async def story(scene: Scene) -> None:
        room = 1 + WAITING
        await scene.put(*map(record, range(room - 1)))
        blocked = asyncio.create_task(scene.put(record(room - 1), record(room)))
        await breathe()
        ending = asyncio.create_task(scene.lanes.give_up(5))
        await breathe()
        await scene.put(record(room + 1))
        await scene.let(*range(room + 2))
        await asyncio.gather(blocked, ending)
        assert (scene.ended, scene.flights.position(PLACE)) == ([0], 1)
        scene.flights.forget()
        scene.lanes.begin()
        await scene.put(*map(record, range(1, 4)))

    assert play(1, story).ended == [0, 1, 2, 3]


def test_a_lease_lasts_from_when_it_was_asked_for_not_from_when_the_answer_was_read() -> None:
    lease = Lease(60)
    assert not lease.holds()
    lease.renew(time.monotonic())
    assert lease.holds()
    lease.renew(time.monotonic() - 61)
    assert not lease.holds()


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_lost_in_a_rebalance_is_read_again_from_the_committed_position(seed: int) -> None:
    """Many rebalances at random instants; each begins anew at what was committed, and some is done twice."""
    chance = random.Random(seed)
    handled: list[int] = []

    async def run() -> None:
        flights = Flights()

        async def work(one: Record) -> None:
            for _ in range(chance.randrange(4)):
                await asyncio.sleep(0)
            handled.append(one.offset)

        lanes = Lanes(work, flights, 3)
        committed = 0
        while committed < 60:
            for offset in range(committed, min(60, committed + chance.randrange(1, 25))):
                flights.take(PLACE, offset)
                await lanes.put(record(offset, b"%d" % (offset % 4)))
            for _ in range(chance.randrange(12)):
                await asyncio.sleep(0)
            await lanes.give_up(5)
            committed = flights.position(PLACE) or committed
            flights.forget()
            lanes.begin()

    asyncio.run(run())
    firsts = list(dict.fromkeys(handled))
    assert sorted(firsts) == list(range(60))
    for key in range(4):
        mine = [offset for offset in firsts if offset % 4 == key]
        assert mine == sorted(mine)
