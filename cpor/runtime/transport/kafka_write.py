"""Producers over kafka-python (pitfalls P1-P3, P8-P10 of docs/kafka.md)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from kafka import KafkaProducer
from kafka import TopicPartition as ClientTP
from kafka.structs import OffsetAndMetadata

from cpor.runtime.errors import TransactionFailed
from cpor.runtime.record import Output, TopicPartition
from cpor.runtime.topics import largest_record
from cpor.runtime.transport.kafka_common import bounded, too_large, translate
from cpor.runtime.transport.port import Positions, PublishFailed, Token

MAX_REQUEST_BYTES = 10 * 1024 * 1024
#: How long a send may wait to learn of its topic; below the watchdog, so that the topic is named.
MAX_BLOCK_MS = 30_000
#: A batch is never given up: the client would commit the others without it. The watchdog ends a wait.
NEVER_MS = 86_400_000


class KafkaTransactions:
    """`Producer` over kafka-python."""

    def __init__(self, bootstrap: str, transactional_id: str, timeout_ms: int, settings: Mapping[str, Any]) -> None:
        self.transactional_id = transactional_id
        #: The newest batch that further records joined, None for a batch of one record so far.
        self._last: dict[ClientTP, Any] = {}
        #: The first record of the newest batch, and those of all batches: the others share their fate.
        self._batches: dict[ClientTP, Any] = {}
        self._firsts: list[Any] = []
        self._refused = ""
        self._tps: dict[tuple[str, int], tuple[ClientTP, int]] = {}
        self._client = KafkaProducer(
            bootstrap_servers=bootstrap,
            client_id=transactional_id,
            transactional_id=transactional_id,
            transaction_timeout_ms=timeout_ms,
            acks="all",
            batch_size=1_000_000,  # P8; below what every topic takes, so that the broker never asks for less
            linger_ms=5,
            max_request_size=MAX_REQUEST_BYTES,
            max_block_ms=MAX_BLOCK_MS,
            delivery_timeout_ms=NEVER_MS,
            allow_auto_create_topics=False,
            metrics_enabled=False,
            **settings,
        )
        try:
            self._client.init_transactions()
        except Exception as fault:
            self.close()
            raise translate(fault, transactional_id) from fault
        self._epoch = self._current_epoch()

    def _current_epoch(self) -> tuple[int, int]:
        current = self._client._transaction_manager.producer_id_and_epoch
        return current.producer_id, current.epoch

    def begin(self) -> None:
        self._last.clear()
        self._batches.clear()
        self._firsts.clear()
        self._refused = ""
        with self._translating():
            self._client.begin_transaction()

    def send(self, output: Output) -> None:
        """The first record for a partition goes through the client's `send`: metadata, checks, and the partition
        joins the transaction. Those after it are written straight into its open batch, with none of that again and
        without a future each: a third of the time of a send, and sends are what a command costs. Errors of either
        surface in `commit`.
        """
        topic, partition, key, value, headers = output
        tp, limit = self._tp(topic, partition)
        if refused := too_large(output, limit):
            self._refused = refused
            return
        try:
            if tp not in self._last:
                self._began(tp, self._client.send(topic, value, key, headers, partition))
            elif not self._joined(tp, key, value, headers):
                future, _, _, _ = self._client._accumulator.append(tp, None, key, value, headers)
                self._began(tp, future)
                self._client._sender.wakeup()
        except Exception as fault:
            raise translate(fault, self.transactional_id) from fault

    def _joined(self, tp: ClientTP, key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]]) -> bool:
        """Whether the partition's open batch took the record. The sender drains batches under the same lock."""
        accumulator = self._client._accumulator
        with accumulator._tp_lock(tp):
            batches = accumulator._batches[tp]
            if not batches or batches[-1].records.append(None, key, value, headers) is None:
                return False
            self._last[tp] = batches[-1]
        return True

    def _began(self, tp: ClientTP, future: Any) -> None:
        """A batch was opened with this record, whose fate the others of it share."""
        self._last[tp] = None
        self._batches[tp] = future
        self._firsts.append(future)

    def _tp(self, topic: str, partition: int) -> tuple[ClientTP, int]:
        found = self._tps.get((topic, partition))
        if found is None:
            found = self._tps[(topic, partition)] = ClientTP(topic, partition), largest_record(topic)
        return found

    def send_positions(self, positions: Positions, token: Token) -> None:
        offsets = {ClientTP(*tp): OffsetAndMetadata(offset, "", -1) for tp, offset in positions.items()}
        with self._translating():
            self._client.send_offsets_to_transaction(offsets, token)

    def commit(self) -> None:
        if self._refused:
            raise TransactionFailed(self._refused, transactional_id=self.transactional_id)
        with self._translating():
            self._client.commit_transaction()
            self._check_batches()

    def _check_batches(self) -> None:
        """The client can call a transaction committed that the broker has aborted, or whose batch it gave up (P3).

        It aborts when it asks for a new epoch of its own accord, which it does for errors that it thinks harmless.
        """
        if self._current_epoch() != self._epoch:
            raise TransactionFailed("the client has begun a new epoch", transactional_id=self.transactional_id)
        for future in self._firsts:
            if not future.succeeded():
                raise future.exception or TransactionFailed("a batch was not written")

    def end_of(self, tp: TopicPartition) -> int | None:
        first = self._batches.get(ClientTP(*tp))
        if first is None:
            return None
        batch = self._last[ClientTP(*tp)]
        return int(first.get(timeout=10).offset) + (1 if batch is None else int(batch.record_count))

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
        self._refused = ""
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
        if refused := too_large(output, largest_record(topic)):
            self._refused = refused
            return
        self._futures.append(self._client.send(topic, value, key, headers, partition))

    def flush(self, seconds: float = 30) -> list[int]:
        futures, self._futures = self._futures, []
        refused, self._refused = self._refused, ""
        if refused:
            raise PublishFailed(refused)
        try:
            self._client.flush(timeout=seconds)
            return [int(future.get(timeout=seconds).offset) for future in futures]
        except Exception as fault:
            raise PublishFailed(str(fault)) from fault

    def close(self) -> None:
        bounded(lambda: self._client.close(timeout=5), seconds=10)
