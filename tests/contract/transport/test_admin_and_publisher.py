"""Making and finding topics, and sending without a transaction."""

from __future__ import annotations

import pytest

from cpor.runtime.topics import MIB, Count, TopicSpec
from cpor.runtime.transport.port import PublishFailed
from tests.contract.transport.bench import PARTITIONS, Bench, eventually, text


def test_only_missing_topics_are_created_with_the_partitions_of_their_kind(bench: Bench) -> None:
    specs = [TopicSpec(bench.t, Count.CLAIMS), TopicSpec(f"one-{bench.name}", Count.ONE)]
    assert bench.admin.create(specs, {"claims": 9, "one": 1}) == [f"one-{bench.name}"]
    assert bench.admin.create(specs, {"claims": 9, "one": 1}) == []
    counts = bench.admin.partition_counts()
    assert (counts[bench.t], counts[f"one-{bench.name}"]) == (PARTITIONS, 1)


def test_a_re_created_topic_has_another_id(bench: Bench) -> None:
    before = bench.admin.topic_ids([bench.t, bench.slots])
    bench.recreate(bench.t)
    after = bench.admin.topic_ids([bench.t, bench.slots])
    assert before[bench.t] != after[bench.t]
    assert before[bench.slots] == after[bench.slots]


def test_ids_are_told_of_existing_topics_only(bench: Bench) -> None:
    assert set(bench.admin.topic_ids([bench.t, f"missing-{bench.name}"])) == {bench.t}
    assert bench.admin.topic_ids([]) == {}


def test_the_cluster_has_one_id(bench: Bench) -> None:
    assert bench.admin.cluster_id() == bench.transport.admin().cluster_id() != ""


def test_what_was_published_is_there_at_the_offsets_that_flush_tells(bench: Bench) -> None:
    publisher = bench.transport.publisher()
    publisher.send(bench.output("a"))
    publisher.send(bench.output("b", 1))
    publisher.send(bench.output("c"))
    assert publisher.flush() == [0, 0, 1]
    assert publisher.flush() == []
    publisher.close()
    assert text(bench.read(bench.reader(bench.tp()), 2)) == ["a", "c"]


def test_a_record_that_the_broker_refuses_is_told_by_flush(bench: Bench) -> None:
    publisher = bench.transport.publisher()
    publisher.send(bench.output("x" * (2 * MIB)))
    with pytest.raises(PublishFailed):
        publisher.flush()
    publisher.send(bench.output("fine"))
    assert publisher.flush() == [0]
    publisher.close()


def test_anybody_can_see_what_a_group_has_committed(bench: Bench) -> None:
    member = bench.member()
    bench.joined(member)
    assert bench.admin.group_positions(f"no-{bench.group}") == {}
    producer = bench.producer()
    producer.begin()
    producer.send(bench.output("a"))
    producer.send_positions({bench.tp(): 3, bench.tp(2): 0}, member.token())
    assert bench.admin.group_positions(bench.group) == {}
    producer.commit()
    eventually(lambda: bench.admin.group_positions(bench.group) == {bench.tp(): 3, bench.tp(2): 0})


def test_a_reader_finds_instants_and_ends_of_partitions_it_does_not_read(bench: Bench) -> None:
    bench.publish("a", "b")
    later = bench.later()
    bench.publish("c")
    reader = bench.reader(bench.tp(0, bench.slots))
    assert reader.offsets_at({bench.tp(): later}) == {bench.tp(): 2}
    assert reader.offsets_at({bench.tp(): later + 60_000}) == {bench.tp(): None}
    assert reader.ends([bench.tp()], uncommitted=True) == {bench.tp(): 3}
