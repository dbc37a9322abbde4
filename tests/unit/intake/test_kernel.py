"""Intake under the real kernel on the in-memory transport: crashes, lost stores, late topics, slow documents."""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import Any

import pytest

from cpor.domain.ids import receipt_id, tenant_partition
from cpor.domain.vocabulary import CommandName, TenantId
from cpor.runtime.clock import ManualClock
from cpor.runtime.errors import Stop
from cpor.runtime.record import Output
from cpor.runtime.store.engine import MemoryEngines
from cpor.runtime.topics import FIXED_TOPICS, Count, Topic, commands_topic, partner_topics, receipts_topic
from cpor.runtime.transport.memory import MemoryBroker, MemoryTransport
from cpor.runtime.worker import Limits, Worker
from schemas.envelope import read_envelope
from schemas.receipts import Receipt
from services.intake.poe.limits import P2023
from services.intake.worker import Intake
from tests.unit.intake.harness import DIRECTORY, FILE, FORM, NOW, TENANT, N, P, Shelf, comment, filing
from tests.unit.intake.test_admission import EARNING

COUNTS = {Count.CLAIMS: N, Count.PARTNERS: P, Count.ONE: 1}


class Crash(Exception):
    """The process died here."""


class Platform:
    """A broker with all topics, two partners and as many intake workers in a row as it takes."""

    def __init__(self, seed: int = 0) -> None:
        self.broker = MemoryBroker(ManualClock(NOW), seed)
        self.shelf = Shelf()
        self.engines = MemoryEngines()
        self.sent: list[tuple[str, str]] = []
        for spec in FIXED_TOPICS:
            self.broker.create(spec.name, COUNTS[spec.count])
        for partner in ("P-1001", "P-2"):
            self.add_partner(partner)

    def add_partner(self, partner: str) -> None:
        entry = {**DIRECTORY, "partner_id": partner}
        self._append(Topic.PARTNERS, 0, partner.encode(), entry, [])
        for spec in partner_topics(partner):
            self.broker.create(spec.name, COUNTS[spec.count])

    def _append(self, topic: str, partition: int, key: bytes, value: Any, headers: list[tuple[str, bytes]]) -> int:
        return self.broker.append(Output(topic, partition, key, json.dumps(value).encode(), headers))

    def send(self, ce_type: str, body: Any, *, ref: str = "CLM-1", ce_id: str = "m-1", partner: str = "P-1001") -> None:
        topic, partition = commands_topic(partner), sum(ref.encode()) % P
        headers = [("ce_id", ce_id.encode()), ("ce_type", ce_type.encode())]
        offset = self._append(topic, partition, ref.encode(), body, headers)
        self.sent.append((f"{topic}-{partition}-{offset}", receipt_id(topic, partition, offset)))

    def worker(self, records: int = 3_000) -> Worker:
        intake = Intake(self.shelf, self.shelf, P2023, N, P)
        limits = Limits(records=records, poll_ms=0, refresh_seconds=0, failures=1_000)
        return Worker(intake, MemoryTransport(self.broker), self.engines, self.broker.clock, "0", limits)

    def work(self, worker: Worker, rounds: int = 40) -> None:
        for _ in range(rounds):
            worker.step()

    def admitted(self) -> list[str]:
        """Origins of what lies in the inbox."""
        records = self.broker.records(Topic.CLAIM_COMMANDS)
        return [read_envelope(record.headers).origin or "" for record in records]

    def receipts(self) -> list[tuple[str, Receipt]]:
        """Receipts with their ids."""
        topics = [topic for topic in self.broker.counts if topic.endswith(".receipts")]
        records = [record for topic in topics for record in self.broker.records(topic)]
        return [
            (read_envelope(record.headers).id or "", Receipt.model_validate_json(record.value or b""))
            for record in records
        ]

    def check_every_record_has_one_answer(self) -> None:
        name_of = dict(self.sent)
        answers = [name_of[origin] for origin in self.admitted()] + [name for name, _ in self.receipts()]
        assert Counter(answers) == Counter(name_of.values())


def traffic(platform: Platform, seed: int, messages: int = 60) -> None:
    """Creates, comments, duplicates, conflicts, reserves and files of a few references of two partners."""
    dice = random.Random(seed)
    for n in range(messages):
        where = {"ref": f"CLM-{dice.randrange(6)}", "partner": dice.choice(["P-1001", "P-2"])}
        ce_id = f"m-{n if dice.random() < 0.7 else dice.randrange(n + 1)}"
        command, body = dice.choice(
            [
                (CommandName.CREATE, {"user": "u-anna", **FORM}),
                (CommandName.COMMENT, comment(f"{dice.randrange(3)}")),
                (CommandName.COMMENT, comment(user="u-uwe")),
                (CommandName.FILE, filing(FILE)),
                (CommandName.SUBMIT, {"user": "u-anna"}),
            ]
        )
        platform.send(command, body, ce_id=ce_id, **where)


def outcome(platform: Platform) -> list[str]:
    """What was answered to what, without the times of answering."""
    inbox = [(r.key, r.value, r.headers) for r in platform.broker.records(Topic.CLAIM_COMMANDS)]
    answers = [(name, each.model_copy(update={"decided_at": 0})) for name, each in platform.receipts()]
    return sorted(repr(each) for each in [*inbox, *answers])


@pytest.mark.parametrize("seed", range(6))
def test_every_record_has_one_answer_and_the_same_one_wherever_the_worker_dies(seed: int) -> None:
    calm, stormy = Platform(), Platform(seed)
    for platform in (calm, stormy):
        traffic(platform, seed)
    calm.work(calm.worker())
    dice = random.Random(seed)
    struck: list[str] = []

    def strike(point: str) -> None:
        if dice.random() < 0.15:
            struck.append(point)
            raise Crash(point)

    stormy.broker.faults = strike
    for _ in range(60):
        try:
            stormy.work(stormy.worker(records=dice.randrange(1, 12)), rounds=8)
        except (Crash, Stop):
            if dice.random() < 0.5:
                stormy.engines = MemoryEngines()
    stormy.broker.faults = lambda point: None
    stormy.work(stormy.worker())
    assert len(struck) > 3
    stormy.check_every_record_has_one_answer()
    assert outcome(stormy) == outcome(calm)


def test_a_worker_that_lost_its_store_still_knows_what_it_has_seen() -> None:
    platform = Platform()
    platform.send(CommandName.CREATE, {"user": "u-anna", **FORM})
    platform.work(platform.worker())
    platform.engines = MemoryEngines()
    platform.send(CommandName.CREATE, {"user": "u-anna", **FORM})
    platform.work(platform.worker())
    assert [each.code for _, each in platform.receipts()] == ["duplicate"]


def test_a_partner_that_joins_later_is_served_without_a_restart() -> None:
    platform = Platform()
    worker = platform.worker()
    platform.work(worker, rounds=3)
    platform.add_partner("P-3")
    platform.send(CommandName.CREATE, {"user": "u-anna", **FORM}, partner="P-3")
    platform.work(worker)
    assert len(platform.admitted()) == 1


def test_a_suspension_that_was_loaded_before_a_message_holds_for_it() -> None:
    platform = Platform()
    worker = platform.worker()
    platform.work(worker, rounds=3)
    suspended = {**DIRECTORY, "status": "suspended"}
    platform._append(Topic.PARTNERS, 0, b"P-1001", suspended, [])
    platform.send(CommandName.CREATE, {"user": "u-anna", **FORM})
    platform.work(worker)
    assert [each.code for _, each in platform.receipts()] == ["partner_suspended"]


def test_a_slow_document_holds_up_its_own_partition_only_and_is_answered_in_the_end() -> None:
    platform = Platform()
    platform.shelf.stuck.add(FILE["object_key"])
    platform.send(CommandName.FILE, filing(FILE), ref="A")
    platform.send(CommandName.CREATE, {"user": "u-anna", **FORM}, ref="A", ce_id="m-2")
    platform.send(CommandName.CREATE, {"user": "u-anna", **FORM}, ref="B")
    platform.send(CommandName.CREATE, {"user": "u-anna", **FORM}, ref="A", partner="P-2")
    worker = platform.worker()
    platform.work(worker, rounds=3)
    assert len(platform.admitted()) == 2
    platform.shelf.stuck.clear()
    while len(platform.admitted()) < 4:
        platform.work(worker, rounds=1)
    platform.check_every_record_has_one_answer()


def test_results_of_every_partition_reach_the_inbox() -> None:
    platform = Platform()
    tenants = [TenantId(f"{n:08x}{TENANT[8:]}") for n in range(20)]
    for tenant in tenants:
        body = {**EARNING, "tenant_id": tenant}
        headers = [("ce_type", CommandName.EARNING.encode()), ("ce_id", b"e-1")]
        platform._append(Topic.INCENTIVE_RESULTS, tenant_partition(tenant, N), tenant.encode(), body, headers)
    platform.work(platform.worker())
    forwarded = platform.broker.records(Topic.CLAIM_COMMANDS)
    assert sorted(record.key or b"" for record in forwarded) == sorted(tenant.encode() for tenant in tenants)
    assert all(tenant_partition(TenantId((r.key or b"").decode()), N) == r.partition for r in forwarded)


@pytest.mark.rule("D29")
def test_a_result_that_cannot_be_read_holds_up_no_other_of_its_customer() -> None:
    platform = Platform()
    right = tenant_partition(TenantId(TENANT), N)
    for name, body in (("e-1", {**EARNING, "amount": "much"}), ("e-2", EARNING), ("e-3", EARNING)):
        headers = [("ce_type", CommandName.EARNING.encode()), ("ce_id", name.encode())]
        platform._append(Topic.INCENTIVE_RESULTS, right, TENANT.encode(), body, headers)
    platform.work(platform.worker())
    (letter,) = platform.broker.records(Topic.DEAD_LETTERS)
    assert letter.header("dlq_reason") == "malformed_result"
    forwarded = platform.broker.records(Topic.CLAIM_COMMANDS)
    assert [each.header("ce_causationid") for each in forwarded] == ["e-2", "e-3"]


def test_a_result_in_the_wrong_partition_is_a_dead_letter_and_the_next_one_is_forwarded() -> None:
    platform = Platform()
    right = tenant_partition(TenantId(TENANT), N)
    headers = [("ce_type", CommandName.EARNING.encode()), ("ce_id", b"e-1")]
    platform._append(Topic.INCENTIVE_RESULTS, (right + 1) % N, TENANT.encode(), EARNING, headers)
    platform.work(platform.worker())
    (letter,) = platform.broker.records(Topic.DEAD_LETTERS)
    assert dict(letter.headers)["dlq_reason"] == b"wrong_partition"
    assert receipts_topic("P-1001") in platform.broker.counts
