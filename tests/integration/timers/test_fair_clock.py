"""The fair clock on a real broker: what lay on a topic in time wins, however late its reader is (D19)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cpor.devstack.platform import open_platform
from cpor.domain import ids
from cpor.domain.vocabulary import Clock, CommandName
from cpor.runtime.clock import TestClock
from cpor.runtime.processor import Processor
from cpor.runtime.record import Output, Record, TopicPartition
from cpor.runtime.store.engine import MemoryEngines
from cpor.runtime.topics import FIXED_TOPICS, Topic, partner_topics
from cpor.runtime.transport.kafka import KafkaTransport
from cpor.runtime.worker import Limits, Worker
from services.consent.tokens import Tokens
from services.consent.worker import Consent
from services.deadlines.worker import Deadlines
from tests.unit.consent.stage import KEY
from tests.unit.consent.stage import Stage as ConsentStage
from tests.unit.deadlines.stage import SOURCE
from tests.unit.deadlines.stage import Stage as DeadlinesStage
from tests.unit.review.pipeline import MONDAY, TENANT

N = 2
GRACE = 300
HOUR = 3_600_000
HERE = ids.tenant_partition(TENANT, N)
LIMITS = Limits(poll_ms=20, gate_seconds=0.05, idle_seconds=0.05)


class Bed:
    """A broker with all topics and a test clock; one worker at a time."""

    def __init__(self, bootstrap: str, folder: Path) -> None:
        self.clock = TestClock(folder / "clock.json")
        self.clock.set(MONDAY)
        self.transport = KafkaTransport(bootstrap, self.clock, session_ms=6_000, transaction_ms=5_000)
        admin = self.transport.admin()
        admin.create([*FIXED_TOPICS, *partner_topics("P-1")], {"claims": N, "partners": 2, "one": 1})
        admin.close()

    def publish(self, topic: str, *records: Record, partition: int = HERE) -> None:
        publisher = self.transport.publisher()
        for each in records:
            publisher.send(Output(topic, partition, each.key, each.value, list(each.headers)))
        publisher.flush()
        publisher.close()

    def worker(self, processor: Processor) -> Worker:
        return Worker(processor, self.transport, MemoryEngines(), self.clock, "0", LIMITS)

    def said(self, topic: str) -> list[Record]:
        reader = self.transport.reader()
        tp = TopicPartition(topic, HERE)
        reader.assign({tp: 0})
        found: list[Record] = []
        end = reader.ends([tp])[tp]
        while reader.position(tp) < end:
            found += reader.poll(100, 1_000)
        reader.close()
        return found

    def intake_commits(self, offset: int) -> None:
        member = self.transport.membership("cpor.intake", "0", Topic.INTAKE_SLOTS)
        until(lambda: member.poll() is not None)
        producer = self.transport.producer("cpor.intake.0")
        producer.begin()
        producer.send_positions({SOURCE: offset}, member.token())
        producer.commit()
        producer.close()
        member.close()


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"


def steps(worker: Worker, enough: Callable[[], bool], seconds: float = 30) -> None:
    def step() -> bool:
        worker.step()
        return enough()

    until(step, seconds)


@pytest.fixture(scope="module")
def bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    """A broker of its own: groups and topics have fixed names."""
    folder = tmp_path_factory.mktemp("fair-clock")
    with open_platform(folder, keep=False) as endpoints:
        yield Bed(endpoints.kafka_bootstrap, folder)


def outcomes(bed: Bed) -> list[str]:
    found = [each for each in bed.said(Topic.CLAIM_COMMANDS) if each.header("ce_type") == CommandName.CONSENT_OUTCOME]
    return [json.loads(each.value or b"")["outcome"] for each in found]


def expiries(bed: Bed) -> int:
    found = [each.header("ce_type") for each in bed.said(Topic.CLAIM_COMMANDS)]
    return found.count(CommandName.DEADLINE_EXPIRED)


@pytest.mark.integration
@pytest.mark.timeout(180)
def test_time_outs_wait_for_intake_and_answers_in_time_win_on_a_real_broker(bed: Bed) -> None:
    asking, waiting = DeadlinesStage(), ConsentStage()
    asking.asked()
    waiting.approved("d", form=None)
    waiting.run()
    events = [*asking.event_records(), *waiting.event_records()]
    bed.publish(Topic.CLAIM_EVENTS, *events)
    message = Record(*SOURCE, 0, 0, b"c", b"{}", ())
    bed.publish(SOURCE.topic, message, message, partition=SOURCE.partition)
    bed.intake_commits(1)

    consent = bed.worker(Consent(N, GRACE, Tokens(KEY)))
    steps(consent, lambda: len(bed.said(Topic.CONSENT_EVENTS)) == 3)
    deadlines = bed.worker(Deadlines(N, GRACE))
    steps(deadlines, lambda: deadlines.health.records >= len(events))

    waiting.stopped = True
    waiting.answers("decline", "phone", ref="d")
    bed.publish(Topic.CONSENT_RESPONSES, waiting.broker.records(Topic.CONSENT_RESPONSES)[0])
    bed.clock.set(asking.clock_of(Clock.PARTNER_ANSWER).due + HOUR)
    consent.close()
    again = bed.worker(Consent(N, GRACE, Tokens(KEY)))
    steps(again, lambda: outcomes(bed) != [])

    steps(deadlines, lambda: deadlines.gate.held > 0)
    for _ in range(20):
        deadlines.step()
    assert expiries(bed) == 0, "intake has not read the second message"
    bed.intake_commits(2)
    steps(deadlines, lambda: expiries(bed) > 0)
    for _ in range(20):
        deadlines.step()
        again.step()
    assert expiries(bed) == 1
    assert outcomes(bed) == ["declined"]
    deadlines.close()
    again.close()
