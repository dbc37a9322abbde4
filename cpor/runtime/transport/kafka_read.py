"""Consumers over kafka-python: group membership, and reading by `assign()` (pitfalls P4-P6, P11 of docs/kafka.md)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, cast

from kafka import KafkaConsumer
from kafka import TopicPartition as ClientTP
from kafka import errors as client_errors
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.structs import MemberState

from cpor.runtime.clock import Clock
from cpor.runtime.errors import Fenced, Misconfigured, Retry
from cpor.runtime.record import Headers, Record, TopicPartition
from cpor.runtime.transport.kafka_common import FENCED, bounded, chain
from cpor.runtime.transport.kafka_records import accept_any_header_name
from cpor.runtime.transport.port import OffsetLost, Positions, Token

#: How long one poll may work on joining; it returns as soon as it has joined. The client gives up waiting, not joining,
#: when the time is over. Where the answer then comes between two polls and leaves nothing to join for, nobody ever
#: calls the group stable or begins its heartbeats again. So no poll begins a join that it does not wait for, and it is
#: the coordinator that is polled: the consumer's own `poll` would also wait for records of a topic that has none.
JOIN_POLL_MS = 1_000
#: How long a member of a stable group may be without heartbeats before it counts as fenced.
SILENT_SECONDS = 1.0
SILENT_POLLS = 5

#: Pauses between questions whose answer lacks a partition.
LEARNING_SECONDS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 4.0)


class KafkaMembership:
    """`Membership` over kafka-python: subscribed to one fixed, empty topic; what is read is read by `KafkaReader`."""

    def __init__(
        self, bootstrap: str, group: str, member: str, slots_topic: str, settings: Mapping[str, Any], session_ms: int
    ) -> None:
        self._silent: list[float] = []
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
            metadata_max_age_ms=10_000,
            metrics_enabled=False,
            **settings,
        )
        assert_read_committed(self._client.config)
        self._wait_for_metadata(slots_topic)
        self._client.subscribe(topics=[slots_topic])

    def _wait_for_metadata(self, topic: str) -> None:
        """A leader that joins before it knows the topic's partitions assigns none, for minutes."""
        deadline = time.monotonic() + 30
        while not self._client.partitions_for_topic(topic):
            if time.monotonic() > deadline:
                raise Misconfigured("the slots topic is missing: create the topics first", topic=topic)
            time.sleep(0.1)

    def poll(self) -> frozenset[int] | None:
        try:
            self._follow()
        except Exception as fault:
            if any(isinstance(cause, FENCED) for cause in chain(fault)):
                raise Fenced(cause=str(fault)) from fault
            raise
        if not self._stable():
            self._silent.clear()
            return None
        self._check_not_fenced()
        return frozenset(tp.partition for tp in self._client.assignment())

    def _follow(self) -> None:
        """A join is never begun by a poll that does not wait for it: see JOIN_POLL_MS."""
        coordinator = self._client._coordinator
        if not self._stable() and not coordinator.need_rejoin():
            coordinator.request_rejoin()  # the join was answered while nobody waited for it
        if coordinator.need_rejoin():
            coordinator.poll(timeout_ms=JOIN_POLL_MS)
        else:
            self._client.poll(timeout_ms=0)

    def _check_not_fenced(self) -> None:
        """A member whose heartbeat was answered with "fenced" stops them, and goes on as if it owned its slots.

        The client tells nobody; heartbeats stand still for a moment in every join, so only what lasts counts, and is
        seen again and again: a process that was frozen in that moment is not fenced.
        """
        if self._client._coordinator._heartbeat_enabled:
            self._silent.clear()
            return
        self._silent.append(time.monotonic())
        if len(self._silent) >= SILENT_POLLS and self._silent[-1] - self._silent[0] > SILENT_SECONDS:
            raise Fenced(group=self._client.config["group_id"], member=self._client.config["group_instance_id"])

    def _stable(self) -> bool:
        return bool(self._client.group_metadata().state == MemberState.STABLE)

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
        bounded(lambda: self._client.close(autocommit=False, timeout_ms=1000), seconds=5)


class KafkaReader:
    """`Reader` over kafka-python, by `assign()` only (P11)."""

    def __init__(self, bootstrap: str, clock: Clock, settings: Mapping[str, Any]) -> None:
        accept_any_header_name()
        common: dict[str, Any] = dict(
            bootstrap_servers=bootstrap,
            group_id=None,
            enable_auto_commit=False,
            metrics_enabled=False,
            **settings,
        )
        self._clock = clock
        self._tps: dict[TopicPartition, ClientTP] = {}
        #: Of the topics that are read, as far as the client has learned them.
        self._ids: dict[str, object] = {}
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
        """Positions are asked for before: while a new partition has none, the client refuses to tell any."""
        staying = {tp: self.position(tp) for tp in self.assigned() & set(positions)}
        self._tps = {tp: ClientTP(*tp) for tp in positions}
        self._ids = {tp.topic: self._ids.get(tp.topic) for tp in positions}
        self._client.assign(list(self._tps.values()))
        for tp, offset in positions.items():
            if staying.get(tp) != offset:
                self._client.seek(self._tps[tp], offset)

    def assigned(self) -> set[TopicPartition]:
        return set(self._tps)

    def poll(self, timeout_ms: int, max_records: int) -> list[Record]:
        if not self._tps:  # a stand-by without slots: the client would return at once, and the loop would spin
            time.sleep(timeout_ms / 1000)
            return []
        try:
            found = self._client.poll(timeout_ms=timeout_ms, max_records=max_records)
        except (client_errors.OffsetOutOfRangeError, client_errors.LogTruncationError) as fault:
            raise OffsetLost(_named(fault)) from fault
        self._check_topics()
        at = self._clock.at
        return [
            Record(r.topic, r.partition, r.offset, at(r.timestamp), r.key, r.value, headers_of(r.headers))
            for records in found.values()
            for r in records
        ]

    def _check_topics(self) -> None:
        """Raises OffsetLost, once, for a topic that was deleted and made again: the position may well exist in the new
        one too, and the client, which reads by name, would go on from there.
        """
        known = self._client._client.cluster.topic_id
        for topic, before in self._ids.items():
            now = known(topic)
            if now is not None and now != before:
                self._ids[topic] = now
                if before is not None:
                    raise OffsetLost([tp for tp in self._tps if tp.topic == topic])

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
        return _offsets(client.end_offsets, tps)

    def _uncommitted(self) -> KafkaConsumer:
        if self._plain is None:
            self._plain = KafkaConsumer(**self._common, isolation_level="read_uncommitted", auto_offset_reset="none")
        return self._plain

    def beginnings(self, tps: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return _offsets(self._client.beginning_offsets, tps)

    def offsets_at(self, times: Mapping[TopicPartition, int]) -> dict[TopicPartition, int | None]:
        found = self._client.offsets_for_times({ClientTP(*tp): ms for tp, ms in times.items()})
        return {TopicPartition(*tp): None if hit is None else int(hit.offset) for tp, hit in found.items()}

    def close(self) -> None:
        for client in (self._client, self._plain):
            if client is not None:
                bounded(partial(client.close, autocommit=False, timeout_ms=1000), seconds=5)


def _offsets(
    ask: Callable[[list[ClientTP]], Mapping[ClientTP, int]], tps: Iterable[TopicPartition]
) -> dict[TopicPartition, int]:
    """Asked together with a topic that it knows, one that the client has not met yet is left out of its question, and
    the client stumbles over the missing answer; its leader is learned meanwhile. Raises Retry where it never is.
    """
    wanted = [ClientTP(*tp) for tp in tps]
    for pause in LEARNING_SECONDS:
        try:
            return {TopicPartition(*tp): int(offset) for tp, offset in ask(wanted).items()}
        except KeyError:
            time.sleep(pause)
    raise Retry("the leader of a partition is not known", topics=", ".join(sorted({tp.topic for tp in wanted}))[:200])


def headers_of(found: Sequence[tuple[str, bytes | None]]) -> Headers:
    """One that is there without a value counts as empty."""
    if None in [value for _, value in found]:
        return tuple((name, value or b"") for name, value in found)
    return tuple(cast(Sequence[tuple[str, bytes]], found))


def _named(fault: BaseException) -> list[TopicPartition]:
    """The partitions an error names, as far as it does: out of range, or cut off under the reader."""
    told = getattr(fault, "divergent_offsets", None) or (fault.args[0] if fault.args else {})
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
