"""What `cpor status` tells: who reads what, what waits, and when an instance is at rest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from cpor.devstack.endpoints import Endpoints
from cpor.ops.figures import READERS, Worker, first_records, inputs, read_mails, read_workers
from cpor.ops.findings import Verdict
from cpor.ops.findings_mail import bounce_findings
from cpor.ops.instance import Instance
from cpor.ops.rest import due_timers, has_told
from cpor.ops.status import mail_line
from cpor.runtime.clock import ManualClock
from cpor.runtime.health import Health
from cpor.runtime.processor import Processor
from cpor.runtime.record import Output, TopicPartition
from cpor.runtime.topics import FIXED_TOPICS
from cpor.runtime.transport.memory import MemoryBroker, MemoryTransport
from services.consent.tokens import Tokens
from services.consent.worker import Consent
from services.deadlines.worker import Deadlines
from services.intake.worker import Intake
from services.notify import delivery
from services.notify.drafts import Settings
from services.notify.worker import Notify
from services.review.worker import Review

ALL_TOPICS = [spec.name for spec in FIXED_TOPICS] + ["cpor.partners.P-1.commands", "cpor.partners.P-1.receipts"]
WORKER = Worker("deadlines", "0", "idle", 1, 8, 0, 0, 0, 0, 0, None, at=2_000, clock=500, next_timer=900)
HERE = TopicPartition("in", 0)


def processors() -> Iterable[Processor]:
    yield Review(8)
    yield Consent(8, 1_000, Tokens("k" * 32))
    yield Deadlines(8, 1_000)
    yield Notify(Settings(8))


def test_every_input_of_every_service_is_counted() -> None:
    told = {service: set(topics) for service, topics in inputs(ALL_TOPICS).items()}
    for each in processors():
        assert told[each.service] == set(each.sources(ALL_TOPICS)), each.service
    assert told["intake"] == set(Intake.sources(Intake.__new__(Intake), ALL_TOPICS))
    assert told["notify-delivery"] == set(delivery.TOPICS)
    assert READERS.keys() == told.keys()


def test_markers_of_transactions_are_no_waiting_records() -> None:
    broker = MemoryBroker(ManualClock())
    broker.create("in", 1)
    transport = MemoryTransport(broker)
    broker.append(Output(*HERE, b"k", b"v", []))
    producer = transport.producer("p")
    producer.begin()
    producer.send(Output(*HERE, b"k", b"v", []))
    producer.commit()
    reader = transport.reader()
    ends = reader.ends([HERE])
    records = broker.records("in", 0)
    assert first_records(reader, {HERE: 0}, ends) == {HERE: records[0].appended_at}
    assert first_records(reader, {HERE: records[-1].offset + 1}, ends) == {}
    assert first_records(reader, {}, ends) == {}


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    return Instance(Endpoints("127.0.0.1:1", "", "", "", tmp_path, smtp="127.0.0.1:1", mail_dir=str(tmp_path / "mail")))


def health(instance: Instance, service: str, **counts: int) -> Health:
    (instance.data / service / "0").mkdir(parents=True)
    told = Health(service, "0", instance.data / service / "0" / "health.json")
    told.counts.update(counts)
    return told


def test_workers_are_listed_in_the_order_of_a_claims_way(instance: Instance) -> None:
    for service in ("notify-delivery", "consent", "intake", "review"):
        health(instance, service).idle()
    assert [each.service for each in read_workers(instance)] == ["intake", "review", "consent", "notify-delivery"]


def test_mails_are_counted_from_delivery_and_from_the_sink(instance: Instance) -> None:
    health(instance, "notify-delivery", delivered=7, deferred=2).idle()
    (instance.data / "mail").mkdir()
    for number in range(3):
        (instance.data / "mail" / f"{number}.eml").touch()
    mails = read_mails(instance, read_workers(instance))
    assert (mails.delivered, mails.deferred, mails.bounced, mails.in_sink, mails.answers) == (7, 2, 0, 3, False)
    assert "127.0.0.1:1 does not answer" in mail_line(mails).plain
    assert "came back" not in mail_line(mails).plain


def test_mails_that_came_back_are_counted_where_their_mailbox_is_read(instance: Instance) -> None:
    told = health(instance, "notify-bounces", bounced=3, waiting=1)
    told.idle()
    mails = read_mails(instance, read_workers(instance))
    assert (mails.came_back, mails.waiting) == (3, 1)
    assert mail_line(mails).plain.endswith("; 3 came back later")
    assert [each.verdict for each in bounce_findings(instance)] == [Verdict.GOOD]
    told.counts["unknown"] = 2
    told.ended("running", "")
    assert mail_line(read_mails(instance, read_workers(instance))).plain.endswith(", 2 that nobody understands")
    (finding,) = bounce_findings(instance)
    assert (finding.verdict, finding.found) == (Verdict.WARN, "2 mails that nobody understands")


def test_a_mailbox_that_cannot_be_reached_is_a_finding(instance: Instance) -> None:
    health(instance, "notify-bounces").waits("without its mailbox")
    assert [each.found for each in bounce_findings(instance)] == ["notify-bounces-0 is without its mailbox"]


@pytest.mark.parametrize(
    ("worker", "has"),
    [
        (WORKER, True),
        (replace(WORKER, at=999), False),
        (replace(WORKER, clock=399), False),
        (replace(WORKER, state="restoring"), False),
        (replace(WORKER, service="notify-delivery", clock=None, at=0), True),
        (replace(WORKER, service="notify-bounces", clock=None, counts={"began": 1_000}), True),
        (replace(WORKER, service="notify-bounces", clock=None, at=1_500, counts={"began": 999}), False),
    ],
)
def test_a_worker_has_told_when_it_made_a_round_since_by_the_clock_as_it_is_now(worker: Worker, *, has: bool) -> None:
    assert has_told(worker, asked=1_000, shown=400) is has


def test_a_timer_that_is_due_and_stands_is_named_with_its_worker() -> None:
    assert [*due_timers([WORKER])] == []
    assert [*due_timers([replace(WORKER, clock=900)])] == ["deadlines-0: a due timer has not fired"]
    assert [*due_timers([replace(WORKER, clock=901, timers_held=2)])] == ["deadlines-0: 2 due timers are held back"]
