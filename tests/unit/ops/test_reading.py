"""A compacted topic is read as what it means, in whatever order its partitions answer."""

from __future__ import annotations

import pytest

from cpor.ops.reading import newest_rows
from cpor.runtime.clock import ManualClock
from cpor.runtime.record import Output
from cpor.runtime.topics import Topic
from cpor.runtime.transport.memory import MemoryBroker, MemoryTransport


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("old", "new"), [(0, 1), (1, 0)])
def test_a_row_that_moved_to_another_partition_is_not_taken_out_by_what_it_left_behind(
    seed: int, old: int, new: int
) -> None:
    clock = ManualClock(0)
    broker = MemoryBroker(clock, seed)
    broker.create(Topic.SUBSCRIPTIONS, 2)
    for partition, value in ((old, b"first"), (old, None), (new, b"second")):
        clock.tick(1)
        broker.append(Output(Topic.SUBSCRIPTIONS, partition, b"s", value, []))
    broker.append(Output(Topic.SUBSCRIPTIONS, new, b"gone", b"x", []))
    broker.append(Output(Topic.SUBSCRIPTIONS, new, b"gone", None, []))
    rows = newest_rows(MemoryTransport(broker), Topic.SUBSCRIPTIONS)
    assert {key: row.value for key, row in rows.items()} == {b"s": b"second"}
