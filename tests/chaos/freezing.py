"""Stopping a worker at the worst moment: its transaction is open on the broker, and stays so."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psutil
from kafka import KafkaAdminClient

from cpor.ops.running import Running
from cpor.runtime.transport.kafka_common import bounded
from tests.chaos.instance import await_true

#: So long a request that the worker sent before it stopped may still be on its way.
UNDER_WAY_SECONDS = 0.5
ONGOING = "Ongoing"


@dataclass(frozen=True)
class Frozen:
    """A stopped worker, and the transaction that it has open."""

    service: str
    slot: str
    pid: int
    transactional_id: str
    #: Of the transaction, as the broker says; ms since the epoch.
    began_at: int

    @property
    def worker(self) -> str:
        return f"{self.service}-{self.slot}"

    def stands(self) -> bool:
        return psutil.Process(self.pid).status() == psutil.STATUS_STOPPED


class Transactions:
    """What the broker says of its transactions."""

    def __init__(self, bootstrap: str) -> None:
        self._client = KafkaAdminClient(bootstrap_servers=bootstrap)

    def ongoing(self, service: str) -> list[str]:
        """Transactional ids of the service's workers that have one open."""
        listed = self._client.list_transactions(state_filters=[ONGOING])
        ids = (each.transactional_id for of_broker in listed.values() for each in of_broker)
        return [each for each in ids if each.startswith(f"cpor.{service}.")]

    def describe(self, transactional_id: str) -> Any:
        """State, start (ms since the epoch) and partitions of the newest transaction of an id."""
        return self._client.describe_transactions([transactional_id])[transactional_id]

    def close(self) -> None:
        bounded(self._client.close, seconds=5)


@contextmanager
def frozen_in_mid_transaction(
    running: Running, transactions: Transactions, service: str, seconds: float = 60
) -> Iterator[Frozen]:
    """One worker of the service, stopped until the block ends. Fails where none is met in a transaction."""
    frozen = _freeze(running, transactions, service, time.monotonic() + seconds)
    try:
        yield frozen
    finally:
        os.kill(frozen.pid, signal.SIGCONT)


def _freeze(running: Running, transactions: Transactions, service: str, deadline: float) -> Frozen:
    while time.monotonic() < deadline:
        for transactional_id in transactions.ongoing(service):
            frozen = _stopped(running, transactions, service, transactional_id)
            if frozen is not None:
                return frozen
    raise AssertionError(f"no worker of {service} was met in the middle of a transaction")


def _stopped(running: Running, transactions: Transactions, service: str, transactional_id: str) -> Frozen | None:
    """None where the transaction was over before the worker stood still: then it goes on."""
    slot = transactional_id.rpartition(".")[2]
    pid = running.supervisor.state(f"{service}-{slot}").pid
    if pid is None:
        return None
    os.kill(pid, signal.SIGSTOP)
    time.sleep(UNDER_WAY_SECONDS)
    found = transactions.describe(transactional_id)
    if found.state == ONGOING and found.topic_partitions:
        return Frozen(service, slot, pid, transactional_id, found.transaction_start_time_ms)
    os.kill(pid, signal.SIGCONT)
    return None


def await_take_over(running: Running, frozen: Frozen, slots: int, seconds: float = 90) -> None:
    """Until the other workers of the service have all of its slots."""
    await_true(
        lambda: slots_of(running, frozen.service, {frozen.slot}) == list(range(slots)),
        seconds,
        lambda: f"nobody took over from {frozen.worker}: {healths(running, frozen.service)}",
    )


def await_everybody(running: Running, service: str, slots: int, seconds: float = 90) -> None:
    """Until all workers of the service make rounds and share its slots, each slot with one of them."""
    since = time.time() * 1000
    await_true(
        lambda: slots_of(running, service, set(), since) == list(range(slots)),
        seconds,
        lambda: f"the workers of {service} do not share its slots: {healths(running, service)}",
    )


def slots_of(running: Running, service: str, without: set[str], since: float = 0) -> list[int] | None:
    """The slots that the workers say they have, twice where two say so; None while one has not spoken since."""
    told = {slot: health for slot, health in healths(running, service).items() if slot not in without}
    if any(health is None or health["at"] < since for health in told.values()):
        return None
    return sorted(each for health in told.values() for each in (health or {})["slots"])


def healths(running: Running, service: str) -> dict[str, dict[str, Any] | None]:
    return {slot: running.health(each, slot) for each, slot in running.workers if each == service}
