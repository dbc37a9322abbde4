"""From claim events to a mail in the sink: both halves of notify as processes on a broker of their own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cpor.devstack import mail as sink
from cpor.devstack.platform import open_platform
from cpor.devstack.supervisor import Supervisor
from cpor.domain import ids
from cpor.domain.vocabulary import CommandName
from cpor.runtime.clock import TestClock
from cpor.runtime.record import Output, Record, TopicPartition
from cpor.runtime.settings import CLAIMS_PARTITIONS
from cpor.runtime.topics import FIXED_TOPICS, Topic, partner_topics, updates_topic
from cpor.runtime.transport.kafka import KafkaTransport
from schemas.base import check
from schemas.mail import DEFERRED, DELIVERED, Mail
from schemas.updates import Update
from tests.unit.notify.stage import Stage
from tests.unit.review.pipeline import MONDAY, TENANT, usage_form

pytestmark = pytest.mark.integration

PLACE = ids.tenant_partition(TENANT, CLAIMS_PARTITIONS)


class Chain:
    """A broker with the events of one claim; the workers are ended by their ids."""

    def __init__(self, bootstrap: str, home: Path) -> None:
        self.home = home
        self.clock = TestClock(home / "clock.json")
        self.clock.set(MONDAY)
        self.transport = KafkaTransport(bootstrap, self.clock)
        counts = {"claims": CLAIMS_PARTITIONS, "partners": 1, "one": 1}
        self.transport.admin().create([*FIXED_TOPICS, *partner_topics("P-1"), *partner_topics("P-2")], counts)
        self.spec, self.port = sink.sink_worker(home)
        self.env = os.environ | {
            "CPOR_KAFKA_BOOTSTRAP": bootstrap,
            "CPOR_TEST_CLOCK": str(self.clock.path),
            "CPOR_SMTP": f"127.0.0.1:{self.port}",
            "CPOR_SESSION_MS": "6000",
            "CPOR_TRANSACTION_MS": "3000",
        }
        self.processes: list[subprocess.Popen[bytes]] = []

    def put(self, stage: Stage) -> None:
        """Everything that was said in memory, on the broker."""
        publisher = self.transport.publisher()
        for record in stage.broker.records(Topic.PARTNERS):
            publisher.send(Output(record.topic, 0, record.key, record.value, list(record.headers)))
        for topic in (Topic.CUSTOMERS, Topic.CLAIM_EVENTS):
            for record in stage.broker.records(topic):
                publisher.send(Output(topic, PLACE, record.key, record.value, list(record.headers)))
        publisher.flush()
        publisher.close()

    def start(self, module: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", module, "--slot", "0", "--data", str(self.home)]
        with (self.home / f"{module}.log").open("ab") as log:
            process = subprocess.Popen(command, env=self.env, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def read(self, topic: str, partition: int) -> list[Record]:
        """All committed records of a partition."""
        reader, place = self.transport.reader(), TopicPartition(topic, partition)
        end = reader.ends([place])[place]
        reader.assign({place: 0})
        found: list[Record] = []
        deadline = time.monotonic() + 20
        while reader.position(place) < end:
            found += reader.poll(50, 1000)
            assert time.monotonic() < deadline
        reader.close()
        return found

    def ledger(self) -> list[str | None]:
        return [each.header("ce_type") for each in self.read(Topic.DELIVERIES, PLACE)]

    def until(self, done: Callable[[], Any], seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < deadline, [path.read_text()[-1500:] for path in self.home.glob("*.log")]
            time.sleep(0.1)

    def close(self) -> None:
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.wait()


@pytest.fixture
def chain() -> Iterator[Chain]:
    with (
        tempfile.TemporaryDirectory(prefix="cpor-test-", ignore_cleanup_errors=True) as folder,
        open_platform(Path(folder)) as endpoints,
    ):
        home = Path(folder) / "notify"
        home.mkdir()
        made = Chain(endpoints.kafka_bootstrap, home)
        try:
            with Supervisor(home, [made.spec]):
                yield made
        finally:
            made.close()


def test_a_deferred_mail_outlives_a_kill_and_arrives_once_it_is_time(chain: Chain) -> None:
    stage = Stage()
    stage.file(form=usage_form(partner_contact={"name": "Anna", "email": "defer-1-anna@nordwind.example"}))
    stage.review("c", CommandName.REVIEW_START)
    stage.review("c", CommandName.REVIEW_COMMENT, text="Which month?")
    chain.put(stage)
    notify = chain.start("services.notify")
    chain.start("services.notify.delivery")
    chain.until(lambda: DEFERRED in chain.ledger())
    notify.kill()
    notify.wait()
    chain.start("services.notify")
    chain.clock.set(chain.clock.now() + 420_000)  # greylisted: five minutes, more or less
    chain.until(lambda: DELIVERED in chain.ledger())
    assert chain.ledger() == [DEFERRED, DELIVERED]
    (mail,) = [check(Mail, each.value or b"") for each in chain.read(Topic.MAIL, PLACE)]
    assert [each.value for each in chain.read(Topic.NOTIFY_RESEND, PLACE)] == [
        each.value for each in chain.read(Topic.MAIL, PLACE)
    ]
    (arrived,) = sink.received(chain.home / "mail")
    assert (arrived.message_id, arrived.subject) == (f"<{mail.mail_id}@cpor.example>", mail.subject)
    updates = [check(Update, each.value or b"") for each in chain.read(updates_topic("P-1"), 0)]
    assert [(each.sequence, each.event) for each in updates] == [
        (event.sequence, event.NAME) for event in stage.events("c")
    ]
