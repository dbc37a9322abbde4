"""The delivery process on a real broker, with the embedded mail sink: Faust as it runs."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cpor.devstack import mail as sink
from cpor.devstack.endpoints import Endpoints
from cpor.domain import ids
from cpor.runtime.clock import SystemClock
from cpor.runtime.errors import ExitCode
from cpor.runtime.record import Output, Record, TopicPartition
from cpor.runtime.settings import CLAIMS_PARTITIONS
from cpor.runtime.topics import FIXED_TOPICS, Topic
from cpor.runtime.transport.kafka import KafkaTransport
from schemas.base import write
from schemas.envelope import read_envelope
from schemas.mail import BOUNCED, DEFERRED, DELIVERED, Mail
from tests.unit.notify.test_delivery import mail

pytestmark = pytest.mark.integration

MAIL = (Topic.MAIL, Topic.NOTIFY_RESEND, Topic.DELIVERIES, Topic.DEAD_LETTERS)


class Post:
    """The sink, a delivery process and the topics between them; every process is ended by its id."""

    def __init__(self, bootstrap: str, home: Path) -> None:
        self.home = home
        self.inbox = home / "inbox"
        self.transport = KafkaTransport(bootstrap, SystemClock())
        specs = [spec for spec in FIXED_TOPICS if spec.name in MAIL]
        counts = {"claims": CLAIMS_PARTITIONS, "partners": 1, "one": 1}
        self.transport.admin().create(specs, counts)
        self.reader = self.transport.reader()
        places = [TopicPartition(Topic.DELIVERIES, p) for p in range(CLAIMS_PARTITIONS)]
        self.reader.assign(dict(self.reader.ends(places)))
        self.told: list[Record] = []
        self.sent = 0
        self.processes: list[subprocess.Popen[bytes]] = []
        port = self._start_sink()
        self.env = os.environ | {"CPOR_KAFKA_BOOTSTRAP": bootstrap, "CPOR_SMTP": f"127.0.0.1:{port}"}

    def _start_sink(self) -> int:
        command = [sys.executable, "-m", sink.MODULE, "--dir", str(self.inbox)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        self.processes.append(process)
        assert process.stdout is not None
        return int(process.stdout.readline().split()[1])

    def deliver(self, module: str = "services.notify.delivery", slot: str = "0") -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", module, "--slot", slot, "--data", str(self.home)]
        with (self.home / "delivery.log").open("ab") as log:
            process = subprocess.Popen(command, env=self.env, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def mail(self, **changes: object) -> Mail:
        self.sent += 1
        return mail(mail_id=ids.name_id(f"{self.home}/{self.sent}"), **changes)

    def put(self, *mails: Mail, value: bytes | None = None) -> None:
        publisher = self.transport.publisher()
        for each in mails:
            publisher.send(Output(Topic.MAIL, 0, b"tenant", value or write(each), []))
        publisher.flush()
        publisher.close()

    def put_and_abort(self, each: Mail) -> None:
        producer = self.transport.producer(f"aborted-{self.home.name}")
        place = TopicPartition(Topic.MAIL, 0)
        before = self.reader.ends([place], uncommitted=True)[place]
        producer.begin()
        producer.send(Output(Topic.MAIL, 0, b"tenant", write(each), []))
        # It must lie on the broker: what never left this process is no aborted record.
        self.until(lambda: self.reader.ends([place], uncommitted=True)[place] > before)
        producer.abort()
        producer.close()

    def ledger(self) -> list[tuple[str, str]]:
        """(mail id, what became of it) so far."""
        self.told += self.reader.poll(50, 1000)
        return [(_id(each), (read_envelope(each.headers).type or "")) for each in self.told]

    def until(self, done: Callable[[], bool], seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < deadline, (self.home / "delivery.log").read_text()[-3000:]
            time.sleep(0.05)

    def close(self) -> None:
        self.reader.close()
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


def _id(record: Record) -> str:
    return read_envelope(record.headers).causation or ""


@pytest.fixture
def post(platform: Endpoints, tmp_path: Path) -> Iterator[Post]:
    made = Post(platform.kafka_bootstrap, tmp_path)
    try:
        yield made
    finally:
        made.close()


def test_mails_are_delivered_deferred_and_bounced_and_aborted_ones_never_seen(post: Post) -> None:
    process = post.deliver()
    good, slow, wrong = post.mail(), post.mail(to="defer-x@n.example"), post.mail(to="bounce-x@n.example")
    aborted = post.mail()
    post.put(good, slow)
    post.put_and_abort(aborted)
    post.put(wrong)
    expected = {(good.mail_id, DELIVERED), (slow.mail_id, DEFERRED), (wrong.mail_id, BOUNCED)}
    post.until(lambda: expected <= set(post.ledger()))
    assert aborted.mail_id not in {name for name, _ in post.ledger()}
    assert [each.message_id for each in sink.received(post.inbox)] == [f"<{good.mail_id}@cpor.example>"]
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == ExitCode.DONE


def test_a_killed_delivery_loses_no_mail_and_repeats_only_under_the_same_id(post: Post) -> None:
    mails = [post.mail() for _ in range(120)]
    post.put(*mails)
    wanted = {each.mail_id for each in mails}
    process = post.deliver()
    post.until(lambda: len(sink.received(post.inbox)) >= 20)
    process.kill()
    process.wait()
    post.deliver()
    post.until(lambda: wanted <= {name for name, _ in post.ledger()})
    arrived = [each.message_id for each in sink.received(post.inbox)]
    assert {f"<{name}@cpor.example>" for name in wanted} <= set(arrived)
    assert len(arrived) < 2 * len(mails)


def test_a_mail_that_cannot_be_read_is_a_dead_letter_and_the_next_is_delivered(post: Post) -> None:
    after = post.mail()
    post.put(after, value=b"{")
    post.put(after)
    post.deliver()
    post.until(lambda: (after.mail_id, DELIVERED) in post.ledger())
    reader = post.transport.reader()
    reader.assign({TopicPartition(Topic.DEAD_LETTERS, 0): 0})
    reasons: set[str | None] = set()

    def found() -> bool:
        reasons.update(letter.header("dlq_reason") for letter in reader.poll(50, 1000))
        return "unreadable_mail" in reasons

    post.until(found)
    reader.close()


def test_a_bug_ends_the_process_and_the_mail_is_there_for_the_next_one(post: Post) -> None:
    """Stock Faust acknowledges the event whose agent raised, and goes on."""
    before, boom, after = post.mail(), post.mail(to="boom@n.example"), post.mail()
    post.put(before, boom, after)
    for _ in range(2):
        assert post.deliver("tests.integration.notify.faulty").wait(60) == ExitCode.STOPPED
    told = {name for name, _ in post.ledger()}
    assert (before.mail_id in told, boom.mail_id in told, after.mail_id in told) == (True, False, False)
    post.deliver()
    post.until(lambda: {(boom.mail_id, DELIVERED), (after.mail_id, DELIVERED)} <= set(post.ledger()))
