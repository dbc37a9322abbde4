"""The kafka-python adapter: the only module of the project that imports a Kafka client (pitfalls P1-P12 of docs/kafka.md)."""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka import TopicPartition as ClientTP
from kafka import errors as client_errors
from kafka.admin import NewTopic
from kafka.consumer.subscription_state import ConsumerRebalanceListener
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.record import util as record_util
from kafka.structs import OffsetAndMetadata

from cpor.runtime.clock import Clock
from cpor.runtime.errors import Fenced, GenerationLost, Misconfigured, TransactionFailed
from cpor.runtime.record import Output, Record, TopicPartition
from cpor.runtime.topics import TopicSpec
from cpor.runtime.transport.port import OffsetLost, Positions, PublishFailed, Token

TRANSACTION_TIMEOUT_MS = 15_000
SESSION_TIMEOUT_MS = 45_000
MAX_REQUEST_BYTES = 10 * 1024 * 1024

_FENCED = (
    client_errors.ProducerFencedError,
    client_errors.InvalidProducerEpochError,
    client_errors.FencedInstanceIdError,
)
_GENERATION = (
    client_errors.CommitFailedError,
    client_errors.IllegalGenerationError,
    client_errors.UnknownMemberIdError,
    client_errors.RebalanceInProgressError,
)


def assert_native_crc() -> None:
    """Raises Misconfigured where the client would compute checksums in Python: half the speed (P7)."""
    if record_util.crc32c_c is None:
        raise Misconfigured("the crc32c package is missing: the client would compute checksums in pure Python")


def _chain(fault: BaseException | None) -> Iterator[BaseException]:
    """The fault and what it names as its cause; the client often wraps the telling error in a general one."""
    seen = 0
    while fault is not None and seen < 8:
        yield fault
        inner = fault.args[0] if fault.args and isinstance(fault.args[0], BaseException) else None
        fault = inner or fault.__cause__ or fault.__context__
        seen += 1


def _translate(fault: BaseException, transactional_id: str) -> Exception:
    causes = list(_chain(fault))
    told = f"{type(fault).__name__}: {fault}"[:500]
    if any(isinstance(cause, _FENCED) for cause in causes):
        return Fenced(transactional_id=transactional_id, cause=told)
    if any(isinstance(cause, _GENERATION) for cause in causes):
        return GenerationLost(transactional_id=transactional_id, cause=told)
    return TransactionFailed(transactional_id=transactional_id, cause=told)


class KafkaTransactions:
    """`Producer` over kafka-python."""

    def __init__(self, bootstrap: str, transactional_id: str, timeout_ms: int, settings: Mapping[str, Any]) -> None:
        self.transactional_id = transactional_id
        self._last: dict[ClientTP, Any] = {}
        self._tps: dict[tuple[str, int], ClientTP] = {}
        self._client = KafkaProducer(
            bootstrap_servers=bootstrap,
            client_id=transactional_id,
            transactional_id=transactional_id,
            transaction_timeout_ms=timeout_ms,
            acks="all",
            batch_size=1024 * 1024,  # P8
            linger_ms=5,
            max_request_size=MAX_REQUEST_BYTES,
            allow_auto_create_topics=False,
            metrics_enabled=False,
            **settings,
        )
        try:
            self._client.init_transactions()
        except Exception as fault:
            self.close()
            raise _translate(fault, transactional_id) from fault

    def begin(self) -> None:
        self._last.clear()
        with self._translating():
            self._client.begin_transaction()

    def send(self, output: Output) -> None:
        topic, partition, key, value, headers = output
        try:
            future = self._client.send(topic, value, key, headers, partition)
        except Exception as fault:
            raise _translate(fault, self.transactional_id) from fault
        self._last[self._tp(topic, partition)] = future

    def _tp(self, topic: str, partition: int) -> ClientTP:
        found = self._tps.get((topic, partition))
        if found is None:
            found = self._tps[(topic, partition)] = ClientTP(topic, partition)
        return found

    def send_positions(self, positions: Positions, token: Token) -> None:
        offsets = {ClientTP(*tp): OffsetAndMetadata(offset, "", -1) for tp, offset in positions.items()}
        with self._translating():
            self._client.send_offsets_to_transaction(offsets, token)

    def commit(self) -> None:
        with self._translating():
            self._client.commit_transaction()
            for future in self._last.values():
                if future.failed():
                    raise future.exception

    def end_of(self, tp: TopicPartition) -> int | None:
        future = self._last.get(ClientTP(*tp))
        return None if future is None else int(future.get(timeout=10).offset) + 1

    def abort(self) -> None:
        """In a thread of its own with a bound: an abort may wait for a broker that is gone (P2)."""
        _bounded(self._client.abort_transaction, seconds=5)

    def close(self) -> None:
        client = getattr(self, "_client", None)
        if client is not None:
            _bounded(lambda: client.close(timeout=1), seconds=5)

    @contextlib.contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            yield
        except Exception as fault:
            raise _translate(fault, self.transactional_id) from fault


class KafkaPublisher:
    """`Publisher` over kafka-python."""

    def __init__(self, bootstrap: str, settings: Mapping[str, Any]) -> None:
        self._futures: list[Any] = []
        self._client = KafkaProducer(
            bootstrap_servers=bootstrap,
            acks="all",
            enable_idempotence=True,
            batch_size=256 * 1024,
            linger_ms=5,
            max_request_size=MAX_REQUEST_BYTES,
            allow_auto_create_topics=False,
            metrics_enabled=False,
            **settings,
        )

    def send(self, output: Output) -> None:
        topic, partition, key, value, headers = output
        self._futures.append(self._client.send(topic, value, key, headers, partition))

    def flush(self, seconds: float = 30) -> list[int]:
        futures, self._futures = self._futures, []
        try:
            self._client.flush(timeout=seconds)
            return [int(future.get(timeout=seconds).offset) for future in futures]
        except Exception as fault:
            raise PublishFailed(str(fault)) from fault

    def close(self) -> None:
        _bounded(lambda: self._client.close(timeout=5), seconds=10)


def _bounded(call: Any, seconds: float) -> None:
    """Make a call that may hang or fail, and go on after `seconds` whatever became of it."""

    def attempt() -> None:
        with contextlib.suppress(Exception):
            call()

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(seconds)


class _Flags(ConsumerRebalanceListener):  # type: ignore[misc]  # the client is untyped
    """Only remembers that something moved: it runs on the client's thread, where blocking calls raise (P4)."""

    def __init__(self) -> None:
        self.moves = 0

    def on_partitions_revoked(self, revoked: Any) -> None:
        self.moves += 1

    def on_partitions_assigned(self, assigned: Any) -> None:
        self.moves += 1


class KafkaMembership:
    """`Membership` over kafka-python: subscribed to one fixed, empty topic; what is read is read by `KafkaReader`."""

    def __init__(
        self, bootstrap: str, group: str, member: str, slots_topic: str, settings: Mapping[str, Any], session_ms: int
    ) -> None:
        self._topic = slots_topic
        self._flags = _Flags()
        self._client = KafkaConsumer(
            bootstrap_servers=bootstrap,
            client_id=f"{group}.{member}",
            group_id=group,
            group_instance_id=member,
            enable_auto_commit=False,  # P5
            isolation_level="read_committed",  # also makes committed() wait for open transactions
            auto_offset_reset="earliest",  # the slots topic is empty for ever
            session_timeout_ms=session_ms,
            heartbeat_interval_ms=max(300, session_ms // 15),
            max_poll_interval_ms=300_000,
            partition_assignment_strategy=[RangePartitionAssignor],
            metrics_enabled=False,
            **settings,
        )
        self._client.subscribe(topics=[slots_topic], listener=self._flags)

    def poll(self) -> frozenset[int] | None:
        try:
            self._client.poll(timeout_ms=0)
        except Exception as fault:
            if any(isinstance(cause, _FENCED) for cause in _chain(fault)):
                raise Fenced(cause=str(fault)) from fault
            raise
        if self.generation() < 0:
            return None
        return frozenset(tp.partition for tp in self._client.assignment())

    def generation(self) -> int:
        return int(self._client.group_metadata().generation_id)

    def token(self) -> Token:
        return Token(self._client.group_metadata())

    def committed(self, tps: Iterable[TopicPartition]) -> dict[TopicPartition, int | None]:
        wanted = [ClientTP(*tp) for tp in tps]
        if not wanted:
            return {}
        found = self._client._coordinator.fetch_committed_offsets(wanted, timeout_ms=60_000)
        offsets = {TopicPartition(*tp): found[tp].offset if tp in found else None for tp in wanted}
        return {tp: offset if offset is not None and offset >= 0 else None for tp, offset in offsets.items()}

    def close(self) -> None:
        _bounded(lambda: self._client.close(autocommit=False, timeout_ms=1000), seconds=5)


class KafkaReader:
    """`Reader` over kafka-python, by `assign()` only (P11)."""

    def __init__(self, bootstrap: str, clock: Clock, settings: Mapping[str, Any]) -> None:
        common: dict[str, Any] = dict(
            bootstrap_servers=bootstrap,
            group_id=None,
            enable_auto_commit=False,
            metrics_enabled=False,
            **settings,
        )
        self._clock = clock
        self._tps: dict[TopicPartition, ClientTP] = {}
        self._common = common
        self._plain: KafkaConsumer | None = None
        self._client = KafkaConsumer(
            **common,
            isolation_level="read_committed",
            auto_offset_reset="none",
            fetch_max_wait_ms=100,
            max_partition_fetch_bytes=2 * 1024 * 1024,
        )
        assert_read_committed(self._client.config)

    def assign(self, positions: Positions) -> None:
        staying = self.assigned() & set(positions)
        self._tps = {tp: ClientTP(*tp) for tp in positions}
        self._client.assign(list(self._tps.values()))
        for tp, offset in positions.items():
            if tp not in staying or self.position(tp) != offset:
                self._client.seek(self._tps[tp], offset)

    def assigned(self) -> set[TopicPartition]:
        return set(self._tps)

    def poll(self, timeout_ms: int, max_records: int) -> list[Record]:
        if not self._tps:
            return []
        try:
            found = self._client.poll(timeout_ms=timeout_ms, max_records=max_records)
        except client_errors.OffsetOutOfRangeError as fault:
            raise OffsetLost(_named(fault)) from fault
        at = self._clock.at
        return [
            Record(
                r.topic, r.partition, r.offset, at(r.timestamp), r.key, r.value, tuple(r.headers) if r.headers else ()
            )
            for records in found.values()
            for r in records
        ]

    def position(self, tp: TopicPartition) -> int:
        position = self._client.position(self._tps[tp], timeout_ms=10_000)
        if position is None:
            raise OffsetLost([tp])
        return int(position)

    def seek(self, tp: TopicPartition, offset: int) -> None:
        self._client.seek(self._tps[tp], offset)

    def pause(self, tps: Iterable[TopicPartition]) -> None:
        self._client.pause(*(self._tps[tp] for tp in tps if tp in self._tps))

    def resume(self, tps: Iterable[TopicPartition]) -> None:
        self._client.resume(*(self._tps[tp] for tp in tps if tp in self._tps))

    def ends(self, tps: Iterable[TopicPartition], *, uncommitted: bool = False) -> dict[TopicPartition, int]:
        client = self._uncommitted() if uncommitted else self._client
        found = client.end_offsets([ClientTP(*tp) for tp in tps])
        return {TopicPartition(*tp): int(offset) for tp, offset in found.items()}

    def _uncommitted(self) -> KafkaConsumer:
        if self._plain is None:
            self._plain = KafkaConsumer(**self._common, isolation_level="read_uncommitted", auto_offset_reset="none")
        return self._plain

    def beginnings(self, tps: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        found = self._client.beginning_offsets([ClientTP(*tp) for tp in tps])
        return {TopicPartition(*tp): int(offset) for tp, offset in found.items()}

    def offsets_at(self, times: Mapping[TopicPartition, int]) -> dict[TopicPartition, int | None]:
        found = self._client.offsets_for_times({ClientTP(*tp): ms for tp, ms in times.items()})
        return {TopicPartition(*tp): None if hit is None else int(hit.offset) for tp, hit in found.items()}

    def close(self) -> None:
        for client in (self._client, self._plain):
            if client is not None:
                _bounded(lambda client=client: client.close(autocommit=False, timeout_ms=1000), seconds=5)


def _named(fault: BaseException) -> list[TopicPartition]:
    """The partitions an out-of-range error names, as far as it does."""
    told = fault.args[0] if fault.args else {}
    return [TopicPartition(tp.topic, tp.partition) for tp in told] if isinstance(told, dict) else []


def assert_read_committed(config: Mapping[str, Any]) -> None:
    """P5: the client's defaults would lose or invent messages; raises Misconfigured."""
    if (
        config["isolation_level"] != "read_committed"
        or config["enable_auto_commit"]
        or config["auto_offset_reset"] == "latest"
    ):
        raise Misconfigured(
            "consumers must read committed records, never commit by themselves and never skip to the end"
        )


class KafkaAdmin:
    """`Admin` over kafka-python."""

    def __init__(self, bootstrap: str, settings: Mapping[str, Any]) -> None:
        self._client = KafkaAdminClient(bootstrap_servers=bootstrap, metrics_enabled=False, **settings)

    def cluster_id(self) -> str:
        return str(self._client.describe_cluster()["cluster_id"])

    def partition_counts(self) -> dict[str, int]:
        return {t["name"]: len(t["partitions"]) for t in self._client.describe_topics() if not t["error_code"]}

    def topic_ids(self, topics: Iterable[str]) -> dict[str, str]:
        wanted = list(topics)
        if not wanted:
            return {}
        found = self._client.describe_topics(wanted)
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

    def close(self) -> None:
        _bounded(self._client.close, seconds=5)


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
        self._settings = settings

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
