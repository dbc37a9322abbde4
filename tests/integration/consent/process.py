"""The page as a real process on a real Kafka, with claims that review and consent made in memory."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from html import unescape
from pathlib import Path

import urllib3

from cpor.devstack.ports import LOOPBACK, free_ports
from cpor.domain import ids
from cpor.domain.vocabulary import TenantId
from cpor.runtime.clock import ManualClock, TestClock, wall_ms
from cpor.runtime.record import Output, Record, TopicPartition
from cpor.runtime.settings import CLAIMS_PARTITIONS
from cpor.runtime.topics import FIXED_TOPICS, Topic
from cpor.runtime.transport.kafka import KafkaTransport
from cpor.runtime.transport.port import Transport
from services.consent.page.knowledge import SHAPE
from tests.unit.consent.stage import KEY, Stage
from tests.unit.review.pipeline import TENANT

PLACE = TopicPartition(Topic.CONSENT_RESPONSES, ids.tenant_partition(TenantId(TENANT), CLAIMS_PARTITIONS))
READY_SECONDS = 60.0
WAIT_SECONDS = 30.0
MINUTE = 60_000


class Site:
    """A page that runs, and what a customer's browser does with it. `log`: what the process wrote."""

    def __init__(self, bootstrap: str, home: Path) -> None:
        self.home, self.log = home, home / "page.log"
        self.clock = TestClock(home / "clock.json")
        self.clock.set(wall_ms())
        self.transport = KafkaTransport(bootstrap, self.clock)
        self._create()
        self.address = f"{LOOPBACK}:{free_ports(1)[0]}"
        self.http = urllib3.PoolManager(retries=False, timeout=WAIT_SECONDS)
        self.env = os.environ | {
            "CPOR_KAFKA_BOOTSTRAP": bootstrap,
            "CPOR_CONSENT_KEY": KEY,
            "CPOR_CONSENT_LISTEN": self.address,
            "CPOR_CONSENT_URL": f"http://{self.address}/",
            "CPOR_MAIL_REPLY_TO": "Claims <claims@cpor.example>",
            "CPOR_CLAIMS_PARTITIONS": str(CLAIMS_PARTITIONS),
            "CPOR_TEST_CLOCK": str(self.clock.path),
        }
        self.process = self._start()

    def _create(self) -> None:
        with closing(self.transport.admin()) as admin:
            specs = [spec for spec in FIXED_TOPICS if spec.name in SHAPE.topics]
            admin.create(specs, {"claims": CLAIMS_PARTITIONS, "partners": 1, "one": 1})

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "services.consent.page", "--slot", "0", "--data", str(self.home)]
        with self.log.open("ab") as log:
            return subprocess.Popen(command, env=self.env, stdout=log, stderr=log)

    def await_ready(self) -> None:
        until(lambda: self.process.poll() is not None or self.status("readyz") == 200, READY_SECONDS)
        assert self.process.poll() is None, self.log.read_text()

    def restart(self) -> None:
        self.end()
        self.process = self._start()
        self.await_ready()

    def end(self) -> int:
        """Asks the process to end; its exit code."""
        self.process.terminate()
        return self.process.wait(20)

    # -- a customer -----------------------------------------------------------------------------------------------

    def status(self, path: str) -> int | None:
        """None where nobody listens."""
        try:
            return self.http.request("GET", f"http://{self.address}/{path}").status
        except urllib3.exceptions.HTTPError:
            return None

    def opens(self, token: str) -> urllib3.BaseHTTPResponse:
        return self.http.request("GET", f"http://{self.address}/", fields={"token": token, "lang": "en"})

    def presses(self, page: urllib3.BaseHTTPResponse, answer: str) -> urllib3.BaseHTTPResponse:
        """The button's own answer: where it leads to is not followed."""
        fields = dict(re.findall(r'name="(token|form|lang)" value="([^"]*)"', page.data.decode()))
        return self.post(**fields, answer=answer)

    def post(self, **fields: str) -> urllib3.BaseHTTPResponse:
        where = f"http://{self.address}/answer"
        return self.http.request("POST", where, fields=fields, encode_multipart=False, redirect=False)

    # -- the log --------------------------------------------------------------------------------------------------

    def claim(self, ref: str) -> str:
        """An approved claim of this run on Kafka, its notice delivered a minute ago; the token of its link."""
        stage = Stage(clock=ManualClock(self.clock.now()))
        stage.approved(ref)
        stage.run()
        stage.arrives(ref=ref)
        copied(stage, self.transport)
        self.clock.set(self.clock.now() + MINUTE)
        return stage.requests(ref)[-1][1].token

    def end_of_answers(self) -> int:
        with closing(self.transport.reader()) as reader:
            return reader.ends([PLACE])[PLACE]

    def answers_since(self, start: int) -> list[Record]:
        """What lies on the log now: nothing is waited for."""
        with closing(self.transport.reader()) as reader:
            reader.assign({PLACE: start})
            end, found = reader.ends([PLACE])[PLACE], list[Record]()
            while reader.position(PLACE) < end:
                found += reader.poll(100, 100)
            return found


def copied(stage: Stage, transport: Transport) -> None:
    """What review and consent wrote in memory, on a real broker."""
    with closing(transport.publisher()) as publisher:
        for topic in SHAPE.topics:
            for each in stage.broker.records(Topic(topic)):
                place = 0 if topic == Topic.PARTNERS else PLACE.partition
                publisher.send(Output(topic, place, each.key, each.value, list(each.headers)))
        publisher.flush()


def words(page: urllib3.BaseHTTPResponse) -> str:
    """What a reader sees, on one line."""
    text = re.sub(r"<(head|style).*?</\1>|<[^>]*>", " ", page.data.decode(), flags=re.DOTALL)
    return " ".join(unescape(text).split())


def until(found: Callable[[], object], seconds: float = WAIT_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@contextmanager
def serving(bootstrap: str, home: Path) -> Iterator[Site]:
    site = Site(bootstrap, home)
    try:
        site.await_ready()
        yield site
    finally:
        if site.process.poll() is None:
            site.process.kill()
            site.process.wait()
        site.http.clear()
