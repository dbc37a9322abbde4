"""Producers over kafka-python (pitfalls P1-P3, P8-P10 of docs/kafka.md)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from kafka import KafkaProducer
from kafka import TopicPartition as ClientTP
from kafka.structs import OffsetAndMetadata

from cpor.runtime.record import Output, TopicPartition
from cpor.runtime.transport.kafka_common import bounded, translate
from cpor.runtime.transport.port import Positions, PublishFailed, Token

MAX_REQUEST_BYTES = 10 * 1024 * 1024


class KafkaTransactions:
    """`Producer` over kafka-python."""

    def __init__(self, bootstrap: str, transactional_id: str, timeout_ms: int, settings: Mapping[str, Any]) -> None:
        self.transactional_id = transactional_id
        self._last: dict[ClientTP, Any] = {}
        self._limit = MAX_REQUEST_BYTES // 2
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
            raise translate(fault, transactional_id) from fault

    def begin(self) -> None:
        self._last.clear()
        with self._translating():
            self._client.begin_transaction()

    def send(self, output: Output) -> None:
        """The first record for a partition goes through the client's `send`: metadata, checks, and the partition
        joins the transaction. Those after it go straight to the accumulator, with none of that again: half the time
        of a send, and sends are what a command costs. Errors of either surface in `commit`.
        """
        topic, partition, key, value, headers = output
        tp = self._tp(topic, partition)
        try:
            if tp in self._last and (value is None or len(value) < self._limit):
                self._last[tp] = self._append(tp, key, value, headers)
            else:
                self._last[tp] = self._client.send(topic, value, key, headers, partition)
        except Exception as fault:
            raise translate(fault, self.transactional_id) from fault

    def _append(self, tp: ClientTP, key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]]) -> Any:
        """Only a new batch wakes the sender: waking it for each record of a full one costs more than it gains."""
        future, _, is_new_batch, _ = self._client._accumulator.append(tp, None, key, value, headers)
        if is_new_batch:
            self._client._sender.wakeup()
        return future

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
        bounded(self._client.abort_transaction, seconds=5)

    def close(self) -> None:
        client = getattr(self, "_client", None)
        if client is not None:
            bounded(lambda: client.close(timeout=1), seconds=5)

    @contextlib.contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            yield
        except Exception as fault:
            raise translate(fault, self.transactional_id) from fault


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
        bounded(lambda: self._client.close(timeout=5), seconds=10)
