"""What the Kafka client does by itself, seen on a real broker: the reasons behind docs/kafka.md.

Where one of these fails after an upgrade of the client, a pitfall is gone and the kernel may become simpler.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from kafka import KafkaProducer
from kafka import TopicPartition as ClientTP
from kafka.errors import CommitFailedError
from kafka.structs import OffsetAndMetadata

from cpor.devstack.endpoints import Endpoints
from cpor.runtime.errors import TransactionFailed
from cpor.runtime.topics import MIB
from cpor.runtime.transport.kafka_common import bounded
from cpor.runtime.transport.kafka_write import KafkaTransactions
from tests.contract.transport.bench import Bench, KafkaBench, text

pytestmark = pytest.mark.integration


@pytest.fixture
def bench(platform: Endpoints) -> Iterator[Bench]:
    made = KafkaBench(platform.kafka_bootstrap)
    yield made
    made.close()


@contextlib.contextmanager
def raw_producer(platform: Endpoints, name: str, **settings: Any) -> Iterator[Any]:
    """The client itself, without the kernel's adapter."""
    client = KafkaProducer(bootstrap_servers=platform.kafka_bootstrap, transactional_id=name, **settings)
    client.init_transactions()
    try:
        yield client
    finally:
        bounded(lambda: client.close(timeout=0), seconds=5)


def offsets(bench: Bench, partition: int, offset: int) -> dict[ClientTP, OffsetAndMetadata]:
    return {ClientTP(bench.t, partition): OffsetAndMetadata(offset, "", -1)}


def test_p1_positions_of_an_aborted_transaction_go_into_the_next_one_of_the_same_client(
    platform: Endpoints, bench: Bench
) -> None:
    member = bench.member("0")
    bench.joined(member)
    stale = member.token()
    bench.joined(member, bench.member("1"))
    with raw_producer(platform, f"raw-{bench.name}") as client:
        client.begin_transaction()
        with pytest.raises(CommitFailedError):
            client.send_offsets_to_transaction(offsets(bench, 0, 7), stale)
        client.abort_transaction()
        client.begin_transaction()
        client.send_offsets_to_transaction(offsets(bench, 1, 3), member.token())
        client.commit_transaction()
    assert bench.positions(member, 0, 1) == [7, 3]


def test_p2_a_commit_never_returns_after_a_refused_record_that_others_follow(platform: Endpoints, bench: Bench) -> None:
    with raw_producer(platform, f"raw-{bench.name}", max_request_size=10 * MIB) as client:
        client.begin_transaction()
        client.send(bench.t, b"x" * (2 * MIB), partition=0)
        client.send(bench.t, b"small", partition=0)
        returned = threading.Event()

        def commit() -> None:
            with contextlib.suppress(Exception):
                client.commit_transaction()
            returned.set()

        threading.Thread(target=commit, daemon=True).start()
        assert not returned.wait(3)


def test_p2_the_adapter_refuses_such_a_record_before_it_is_sent(bench: Bench) -> None:
    producer = bench.producer()
    producer.begin()
    producer.send(bench.output("x" * (2 * MIB)))
    producer.send(bench.output("small"))
    with pytest.raises(TransactionFailed, match="too large"):
        producer.commit()


def test_p3_the_client_calls_a_transaction_committed_that_the_broker_has_aborted(
    platform: Endpoints, bench: Bench
) -> None:
    with raw_producer(platform, f"raw-{bench.name}", transaction_timeout_ms=1_000) as client:
        client.begin_transaction()
        client.send(bench.t, b"in time", partition=0)
        bench.time_out()
        client.send(bench.t, b"too late", partition=0)
        client.commit_transaction()
    bench.publish("after")
    assert text(bench.read(bench.reader(bench.tp()), 1)) == ["after"]


def test_p3_the_adapter_asks_every_batch_whether_it_was_written(bench: Bench) -> None:
    producer = bench.hasty_producer()
    producer.begin()
    producer.send(bench.output("in time"))
    bench.time_out()
    producer.send(bench.output("too late"))
    with pytest.raises(TransactionFailed):
        producer.commit()


def test_p4_no_listener_runs_in_a_rebalance(bench: Bench) -> None:
    member: Any = bench.member()
    bench.joined(member)
    assert member._client._subscription.rebalance_listener is None


def test_p5_neither_consumer_has_the_clients_defaults(bench: Bench) -> None:
    member: Any = bench.member()
    reader: Any = bench.reader(bench.tp())
    for config in (member._client.config, reader._client.config):
        assert config["isolation_level"] == "read_committed"
        assert config["enable_auto_commit"] is False
        assert config["auto_offset_reset"] != "latest"


def test_p8_the_producer_sends_large_batches_without_waiting_for_long(bench: Bench) -> None:
    producer = bench.producer()
    assert isinstance(producer, KafkaTransactions)
    config = producer._client.config
    assert config["batch_size"] == 1_000_000, "large, and below what every topic takes"
    assert config["linger_ms"] == 5
    assert config["acks"] in ("all", -1)
    assert config["enable_idempotence"] is True
