"""Transactions: all or nothing, seen only when committed, one holder of a transactional id."""

from __future__ import annotations

import threading

import pytest

from cpor.runtime.errors import GenerationLost, ProducerFenced, TransactionFailed
from cpor.runtime.record import Output
from cpor.runtime.topics import MIB
from cpor.runtime.transport.port import Producer
from tests.contract.transport.bench import PARTITIONS, Bench, text


def test_committed_records_come_in_order_with_key_value_and_headers(bench: Bench) -> None:
    producer = bench.producer()
    producer.begin()
    producer.send(Output(bench.t, 0, b"k", b"v", [("ce_id", b"1"), ("ce_id", b"2"), ("raw", b"\xff")]))
    producer.send(Output(bench.t, 0, b"k", None, []))
    producer.send(Output(bench.t, 0, None, b"", []))
    producer.commit()
    first, tombstone, keyless = bench.read(bench.reader(bench.tp()), 3)
    assert (first.topic, first.partition, first.offset, first.key, first.value) == (bench.t, 0, 0, b"k", b"v")
    assert first.headers == (("ce_id", b"1"), ("ce_id", b"2"), ("raw", b"\xff"))
    assert first.header("ce_id") == "2"
    assert (tombstone.key, tombstone.value, tombstone.headers) == (b"k", None, ())
    assert (keyless.key, keyless.value) == (None, b"")
    assert first.origin == f"{bench.t}-0-0"


def test_a_record_lands_on_the_partition_it_was_given_whatever_its_key(bench: Bench) -> None:
    producer = bench.producer()
    producer.begin()
    for partition in range(PARTITIONS):
        producer.send(bench.output(f"to {partition}", partition))
    producer.commit()
    found = bench.read(bench.reader(*(bench.tp(p) for p in range(PARTITIONS))), PARTITIONS)
    assert {r.partition: (r.value or b"").decode() for r in found} == {p: f"to {p}" for p in range(PARTITIONS)}


def test_records_of_an_open_transaction_are_not_seen(bench: Bench) -> None:
    producer = bench.producer()
    producer.begin()
    producer.send(bench.output("open"))
    bench.arrive()
    reader = bench.reader(bench.tp())
    assert [reader.poll(50, 10) for _ in range(3)] == [[], [], []]
    producer.commit()
    assert text(bench.read(reader, 1)) == ["open"]


def test_aborted_records_are_never_seen(bench: Bench) -> None:
    bench.transact("gone", "too", commit=False)
    bench.publish("after")
    assert text(bench.read(bench.reader(bench.tp()), 1)) == ["after"]


def test_an_empty_transaction_commits(bench: Bench) -> None:
    producer = bench.transact()
    producer.begin()
    producer.send(bench.output("next"))
    producer.commit()
    assert text(bench.read(bench.reader(bench.tp()), 1)) == ["next"]


def test_end_of_names_the_offset_behind_the_newest_record_of_the_transaction(bench: Bench) -> None:
    producer = bench.transact("a", "b", "c")
    assert producer.end_of(bench.tp()) == 3
    assert producer.end_of(bench.tp(1)) is None
    producer.begin()
    producer.send(bench.output("d", 1))
    producer.commit()
    assert producer.end_of(bench.tp()) is None
    assert producer.end_of(bench.tp(1)) == 1


def test_a_second_producer_of_the_same_id_fences_the_first_and_ends_its_transaction(bench: Bench) -> None:
    elder = bench.producer()
    elder.begin()
    elder.send(bench.output("of the elder"))
    bench.arrive()
    younger = bench.producer()
    younger.begin()
    younger.send(bench.output("of the younger"))
    younger.commit()
    with pytest.raises(ProducerFenced):
        elder.commit()
    assert text(bench.read(bench.reader(bench.tp()), 1)) == ["of the younger"]


def test_a_fenced_producer_can_still_be_aborted_and_closed(bench: Bench) -> None:
    elder = bench.producer()
    elder.begin()
    elder.send(bench.output("lost"))
    bench.producer()
    elder.abort()
    elder.close()
    elder.close()


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_record_that_the_broker_refuses_fails_the_whole_commit_wherever_it_stands(bench: Bench, place: int) -> None:
    producer = bench.producer()
    producer.begin()
    with pytest.raises(TransactionFailed):
        send_with_giant(bench, producer, place)
    producer.abort()
    producer.close()
    bench.transact("fine")
    assert text(bench.read(bench.reader(bench.tp()), 1)) == ["fine"]


def send_with_giant(bench: Bench, producer: Producer, place: int) -> None:
    for n in range(3):
        producer.send(bench.output("x" * (2 * MIB) if n == place else "small"))
    producer.commit()


@pytest.mark.parametrize("later", [(), (0,), (1,), (0, 0, 1)], ids=["nothing", "same", "another", "both"])
def test_a_transaction_that_timed_out_fails_its_commit_whatever_was_sent_after(
    bench: Bench, later: tuple[int, ...]
) -> None:
    producer = bench.hasty_producer()
    producer.begin()
    producer.send(bench.output("too late"))
    bench.time_out()
    with pytest.raises(TransactionFailed):
        send_and_commit(bench, producer, later)
    producer.abort()
    producer.close()
    bench.publish("after")
    bench.publish("after", partition=1)
    assert text(bench.read(bench.reader(bench.tp(0), bench.tp(1)), 2)) == ["after", "after"]


def send_and_commit(bench: Bench, producer: Producer, partitions: tuple[int, ...]) -> None:
    for partition in partitions:
        producer.send(bench.output("later still", partition))
    producer.commit()


def test_a_transaction_may_be_larger_than_a_batch_and_than_the_largest_record(bench: Bench) -> None:
    producer = bench.producer()
    producer.begin()
    for _ in range(3_000):
        producer.send(bench.output("x" * 1_000))
    producer.send(bench.output("x" * (MIB - 8_192)))
    producer.commit()
    assert producer.end_of(bench.tp()) == 3_001
    assert len(bench.read(bench.reader(bench.tp()), 3_001)) == 3_001


def test_positions_are_committed_with_the_transaction(bench: Bench) -> None:
    member = bench.member()
    bench.joined(member)
    producer = bench.producer()
    producer.begin()
    producer.send_positions({bench.tp(): 7}, member.token())
    producer.commit()
    assert bench.positions(member, 0, 1) == [7, None]


def test_positions_of_an_aborted_transaction_do_not_count(bench: Bench) -> None:
    member = bench.member()
    bench.joined(member)
    producer = bench.producer()
    producer.begin()
    producer.send_positions({bench.tp(): 7}, member.token())
    producer.abort()
    assert bench.positions(member, 0) == [None]


def test_committed_positions_wait_for_an_open_transaction(bench: Bench) -> None:
    member = bench.member()
    bench.joined(member)
    producer = bench.producer()
    producer.begin()
    producer.send_positions({bench.tp(): 7}, member.token())
    found: list[int | None] = []
    asking = threading.Thread(target=lambda: found.extend(bench.positions(member, 0)), daemon=True)
    asking.start()
    asking.join(0.3)
    assert asking.is_alive()
    producer.commit()
    asking.join(20)
    assert found == [7]


def test_positions_of_an_older_generation_are_refused_and_nothing_is_committed(bench: Bench) -> None:
    member = bench.member("0")
    bench.joined(member)
    token = member.token()
    bench.joined(member, bench.member("1"))
    producer = bench.producer()
    producer.begin()
    producer.send(bench.output("stale"))
    with pytest.raises(GenerationLost):
        producer.send_positions({bench.tp(): 7}, token)
    producer.abort()
    assert bench.positions(member, 0) == [None]
    bench.publish("after")
    assert text(bench.read(bench.reader(bench.tp()), 1)) == ["after"]


def test_a_new_producer_after_a_refused_commit_carries_none_of_its_positions(bench: Bench) -> None:
    member = bench.member("0")
    bench.joined(member)
    token = member.token()
    bench.joined(member, bench.member("1"))
    producer = bench.producer()
    producer.begin()
    with pytest.raises(GenerationLost):
        producer.send_positions({bench.tp(0): 7}, token)
    producer.abort()
    producer.close()
    successor = bench.producer()
    successor.begin()
    successor.send_positions({bench.tp(1): 3}, member.token())
    successor.commit()
    assert bench.positions(member, 0, 1) == [None, 3]
