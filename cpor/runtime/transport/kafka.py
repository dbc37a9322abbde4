"""The kafka-python adapter. Only `transport.kafka*` import a Kafka client (pitfalls P1-P12: docs/kafka.md)."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from kafka import KafkaAdminClient
from kafka import errors as client_errors
from kafka.admin import NewTopic
from kafka.record import util as record_util

from cpor.runtime.clock import Clock
from cpor.runtime.errors import Misconfigured, Retry
from cpor.runtime.record import TopicPartition
from cpor.runtime.topics import TopicSpec
from cpor.runtime.transport.kafka_common import bounded
from cpor.runtime.transport.kafka_read import KafkaMembership, KafkaReader
from cpor.runtime.transport.kafka_write import KafkaPublisher, KafkaTransactions

TRANSACTION_TIMEOUT_MS = 15_000
SESSION_TIMEOUT_MS = 45_000
#: A broker that comes back is found that soon; by default a client may wait for 30 s.
RECONNECT_MS = 2_000
#: What a broker says of a topic that is there, and of one that is not. Anything else (we may not hear of it, it has no
#: leader) says nothing: who took it for a topic that is gone would take what lies there for read.
_TOLD = (0, client_errors.UnknownTopicOrPartitionError.errno)


def assert_native_crc() -> None:
    """Raises Misconfigured where the client would compute checksums in Python: half the speed (P7)."""
    if record_util.crc32c_c is None:
        raise Misconfigured("the crc32c package is missing: the client would compute checksums in pure Python")


class KafkaAdmin:
    """`Admin` over kafka-python."""

    def __init__(self, bootstrap: str, settings: Mapping[str, Any]) -> None:
        self._client = KafkaAdminClient(bootstrap_servers=bootstrap, **settings)

    def cluster_id(self) -> str:
        return str(self._client.describe_cluster()["cluster_id"])

    def partition_counts(self) -> dict[str, int]:
        return {t["name"]: len(t["partitions"]) for t in self._client.describe_topics() if not t["error_code"]}

    def topic_ids(self, topics: Iterable[str]) -> dict[str, str]:
        wanted = list(topics)
        if not wanted:
            return {}
        found = self._client.describe_topics(wanted)
        if doubtful := {t["name"]: t["error_code"] for t in found if t["error_code"] not in _TOLD}:
            raise Retry("topics cannot be described now", errors=str(doubtful)[:200])
        return {t["name"]: str(_uuid(t["topic_id"])) for t in found if not t["error_code"]}

    def create(self, specs: Iterable[TopicSpec], counts: Mapping[str, int]) -> list[str]:
        there = self.partition_counts()
        fresh = [spec for spec in specs if spec.name not in there]
        made = [
            NewTopic(s.name, counts[s.count], int(counts.get("replication", 1)), topic_configs=s.settings())
            for s in fresh
        ]
        if made:
            with contextlib.suppress(client_errors.TopicAlreadyExistsError):
                self._client.create_topics(made)
            self._client.wait_for_topics([spec.name for spec in fresh])
        return [spec.name for spec in fresh]

    def group_positions(self, group: str) -> dict[TopicPartition, int]:
        try:
            found = self._client.list_group_offsets(group).get(group, {})
        except client_errors.KafkaError as fault:
            raise Retry("a group's positions cannot be read now", group=group, cause=str(fault)[:200]) from fault
        return {TopicPartition(*tp): int(told.offset) for tp, told in found.items() if told.offset >= 0}

    def close(self) -> None:
        bounded(self._client.close, seconds=5)


def _uuid(value: object) -> uuid.UUID:
    return value if isinstance(value, uuid.UUID) else uuid.UUID(str(value))


class KafkaTransport:
    """`Transport` over kafka-python. `settings` are client settings for security, passed to every part.

    `transaction_ms` < `session_ms`: a frozen worker's transaction is aborted before its slots go to another.
    """

    def __init__(
        self,
        bootstrap: str,
        clock: Clock,
        *,
        session_ms: int = SESSION_TIMEOUT_MS,
        transaction_ms: int = TRANSACTION_TIMEOUT_MS,
        **settings: Any,
    ) -> None:
        assert_native_crc()
        if transaction_ms >= session_ms:
            raise Misconfigured("the transaction time-out must be shorter than the session time-out")
        self._bootstrap = bootstrap
        self._clock = clock
        self._session_ms = session_ms
        self._transaction_ms = transaction_ms
        self._settings = {"reconnect_backoff_max_ms": RECONNECT_MS, **settings}

    def producer(self, transactional_id: str) -> KafkaTransactions:
        return KafkaTransactions(self._bootstrap, transactional_id, self._transaction_ms, self._settings)

    def publisher(self) -> KafkaPublisher:
        return KafkaPublisher(self._bootstrap, self._settings)

    def membership(self, group: str, member: str, slots_topic: str) -> KafkaMembership:
        return KafkaMembership(self._bootstrap, group, member, slots_topic, self._settings, self._session_ms)

    def reader(self) -> KafkaReader:
        return KafkaReader(self._bootstrap, self._clock, self._settings)

    def admin(self) -> KafkaAdmin:
        return KafkaAdmin(self._bootstrap, self._settings)
