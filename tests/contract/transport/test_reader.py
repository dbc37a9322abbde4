"""Reading assigned partitions: order, positions, ends, times, and records that are gone."""

from __future__ import annotations

import pytest

from cpor.runtime.transport.port import OffsetLost
from tests.contract.transport.bench import Bench, eventually, text


def passes(bench: Bench, position: int, reader_from: int = 0) -> None:
    """A reader that polls gets nothing and comes to `position`."""
    reader = bench.reader()
    reader.assign({bench.tp(): reader_from})

    def there() -> bool:
        assert reader.poll(50, 10) == []
        return reader.position(bench.tp()) == position

    eventually(there)


def test_positions_move_past_markers(bench: Bench) -> None:
    bench.transact("a")
    passes(bench, 2, reader_from=1)


def test_positions_move_past_aborted_records(bench: Bench) -> None:
    bench.transact("a", "b", commit=False)
    passes(bench, 3)


def test_a_poll_returns_no_more_than_asked_and_the_next_goes_on(bench: Bench) -> None:
    bench.publish(*(str(n) for n in range(10)))
    reader = bench.reader(bench.tp())
    first = eventually(lambda: reader.poll(50, 4))
    assert len(first) <= 4
    assert reader.position(bench.tp()) == len(first)
    rest = bench.read(reader, 10 - len(first), max_records=4)
    assert text([*first, *rest]) == [str(n) for n in range(10)]


def test_each_partition_comes_in_order_of_its_offsets(bench: Bench) -> None:
    for partition in (0, 1):
        bench.publish(*(str(n) for n in range(20)), partition=partition)
    found = bench.read(bench.reader(bench.tp(0), bench.tp(1)), 40, max_records=7)
    for partition in (0, 1):
        assert [r.offset for r in found if r.partition == partition] == list(range(20))


def test_reading_begins_at_the_assigned_offset(bench: Bench) -> None:
    bench.publish("a", "b", "c")
    reader = bench.reader()
    reader.assign({bench.tp(): 2})
    assert reader.assigned() == {bench.tp()}
    assert reader.position(bench.tp()) == 2
    assert text(bench.read(reader, 1)) == ["c"]


def test_a_partition_that_stays_assigned_keeps_its_position(bench: Bench) -> None:
    bench.publish("a", "b")
    bench.publish("c", partition=1)
    reader = bench.reader(bench.tp(0))
    bench.read(reader, 2)
    reader.assign({bench.tp(0): reader.position(bench.tp(0)), bench.tp(1): 0})
    assert text(bench.read(reader, 1)) == ["c"]


def test_a_partition_that_is_no_longer_assigned_is_no_longer_read(bench: Bench) -> None:
    bench.publish("a")
    bench.publish("b", partition=1)
    reader = bench.reader(bench.tp(0), bench.tp(1))
    reader.assign({bench.tp(1): 0})
    assert text(bench.read(reader, 1)) == ["b"]


def test_seeking_back_reads_again(bench: Bench) -> None:
    bench.publish("a", "b", "c")
    reader = bench.reader(bench.tp())
    bench.read(reader, 3)
    reader.seek(bench.tp(), 1)
    assert reader.position(bench.tp()) == 1
    assert text(bench.read(reader, 2)) == ["b", "c"]


def test_a_paused_partition_waits_and_goes_on_where_it_was_when_resumed(bench: Bench) -> None:
    bench.publish("a", "b")
    bench.publish("c", partition=1)
    reader = bench.reader(bench.tp(0), bench.tp(1))
    reader.pause([bench.tp(0)])
    assert text(bench.read(reader, 1)) == ["c"]
    assert reader.poll(100, 10) == []
    reader.resume([bench.tp(0)])
    assert text(bench.read(reader, 2)) == ["a", "b"]


def test_a_partition_held_in_the_middle_of_a_batch_is_read_again_from_there(bench: Bench) -> None:
    """What `Holds` does: pause, seek back, resume, while the client has more of the partition in its buffers."""
    bench.publish(*(str(n) for n in range(10)))
    reader = bench.reader(bench.tp())
    first = eventually(lambda: reader.poll(50, 5))
    reader.pause([bench.tp()])
    reader.seek(bench.tp(), 2)
    assert reader.poll(50, 5) == []
    assert reader.position(bench.tp()) == 2
    reader.resume([bench.tp()])
    assert text(bench.read(reader, 8, max_records=3)) == [str(n) for n in range(2, 10)]
    assert len(first) <= 5


def test_the_committed_end_lies_before_an_open_transaction_the_uncommitted_behind_it(bench: Bench) -> None:
    bench.publish("a")
    producer = bench.producer()
    producer.begin()
    producer.send(bench.output("open"))
    bench.arrive()
    reader = bench.reader()
    assert reader.ends([bench.tp()]) == {bench.tp(): 1}
    assert reader.ends([bench.tp()], uncommitted=True) == {bench.tp(): 2}
    producer.commit()
    assert eventually(lambda: reader.ends([bench.tp()])[bench.tp()] == 3)


def test_beginnings_and_ends_of_an_empty_partition_are_zero(bench: Bench) -> None:
    reader = bench.reader()
    assert reader.beginnings([bench.tp()]) == {bench.tp(): 0}
    assert reader.ends([bench.tp()]) == {bench.tp(): 0}


def test_ends_and_beginnings_of_known_topics_and_of_ones_never_met_are_told_together(bench: Bench) -> None:
    bench.publish("a")
    bench.publish("b", "c", topic=bench.topic("fresh"))
    fresh = bench.tp(0, bench.topic("fresh"))
    reader = bench.reader()
    assert reader.ends([bench.tp()]) == {bench.tp(): 1}
    assert reader.ends([bench.tp(), fresh]) == {bench.tp(): 1, fresh: 2}
    assert bench.reader(bench.tp()).beginnings([bench.tp(), fresh]) == {bench.tp(): 0, fresh: 0}


def test_beginnings_follow_retention(bench: Bench) -> None:
    bench.publish("a", "b", "c")
    bench.delete_before(bench.tp(), 2)
    assert bench.reader().beginnings([bench.tp()]) == {bench.tp(): 2}


def test_offsets_are_found_by_the_time_of_their_append(bench: Bench) -> None:
    bench.publish("a")
    bench.later()
    between = bench.later()
    bench.later()
    bench.publish("b")
    bench.publish("c", partition=1)
    reader = bench.reader()
    found = reader.offsets_at({bench.tp(0): between, bench.tp(1): between})
    assert found == {bench.tp(0): 1, bench.tp(1): 0}
    after = bench.later() + 1_000
    assert reader.offsets_at({bench.tp(0): 0, bench.tp(1): after}) == {bench.tp(0): 0, bench.tp(1): None}


def test_records_carry_the_brokers_time(bench: Bench) -> None:
    before = bench.later()
    bench.publish("a")
    after = bench.later()
    [record] = bench.read(bench.reader(bench.tp()), 1)
    assert before <= record.appended_at <= after


@pytest.mark.parametrize("offset", [0, 99], ids=["taken by retention", "not there yet"])
def test_an_offset_that_does_not_exist_is_lost_not_skipped(bench: Bench, offset: int) -> None:
    bench.publish("a", "b", "c")
    bench.delete_before(bench.tp(), 2)
    reader = bench.reader()
    reader.assign({bench.tp(): offset})
    with pytest.raises(OffsetLost) as lost:
        eventually(lambda: reader.poll(50, 10))
    assert lost.value.tps == (bench.tp(),)


def test_a_lost_offset_of_one_partition_can_be_mended_by_seeking(bench: Bench) -> None:
    bench.publish("a", "b", "c")
    bench.delete_before(bench.tp(), 2)
    reader = bench.reader(bench.tp())
    with pytest.raises(OffsetLost):
        eventually(lambda: reader.poll(50, 10))
    reader.seek(bench.tp(), 2)
    assert text(bench.read(reader, 1)) == ["c"]


class Name(str):
    """A header's name that is no UTF-8, as clients in other languages may send it."""

    def encode(self, *_: object) -> bytes:
        return b"\xffname"


def test_header_names_and_values_may_be_anything(bench: Bench) -> None:
    """Brokers keep them: a reader that stops at one stops at every new try."""
    publisher = bench.transport.publisher()
    publisher.send(bench.output("a")._replace(headers=[(Name("?name"), b"\xff"), ("é", b"")]))
    publisher.send(bench.output("b"))
    publisher.flush()
    publisher.close()
    first, second = bench.read(bench.reader(bench.tp()), 2)
    assert first.headers == (("?name", b"\xff"), ("é", b""))
    assert (first.value, second.value, second.headers) == (b"a", b"b", ())


def test_a_reader_without_partitions_reads_nothing(bench: Bench) -> None:
    assert bench.reader().poll(10, 10) == []
