"""From a partner's record to the mail in the sink, and how fast mails that are rendered already go out."""

from __future__ import annotations

import re
import smtplib
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from bench.latency import waits_row
from bench.stage import Say
from bench.world import COUNTS, World
from cpor.devstack.mail import mail_dir, sink_port, sink_spec
from cpor.devstack.probe import answers
from cpor.devstack.supervisor import Supervisor, WorkerSpec
from cpor.domain import ids
from cpor.domain.vocabulary import Instant, PartnerId
from cpor.ops.running import Plan, run_workers
from cpor.runtime.clock import wall_ms
from cpor.runtime.health import is_fresh, read_health
from cpor.runtime.mailserver import SENDER
from cpor.runtime.record import Output
from cpor.runtime.settings import CLAIMS_PARTITIONS
from cpor.runtime.topics import FIXED_TOPICS, Topic, commands_topic
from schemas.base import write
from schemas.envelope import headers
from schemas.mail import MAIL, Mail, MailKind, Recipient
from services.notify.mime import message_bytes

PER_SECOND = 50
#: Not counted: the first mails of a process that has just started.
WARM_UP = 100
PATIENCE = 120.0
CONNECTIONS = (1, 8)
_CLAIM = re.compile(rb"^X-CPOR-Claim: ([0-9a-f-]+)\r?$", re.MULTILINE)
_KIND = re.compile(rb"^X-CPOR-Kind: (\w+)\r?$", re.MULTILINE)


# -- from a partner's record to the mail ----------------------------------------------------------------------------


def mail_latency(world: World, say: Say) -> list[dict[str, Any]]:
    """Two ways to a mail, at 50 claims a second: filing (with a document in S3; the customer's notice, by consent) and
    withdrawing (the partner's own). From the broker's append of the record to the mail's arrival, one clock.
    """
    world.prepare()
    world.upload()
    rows = []
    with run_workers(Plan(world.endpoints.data_dir), world.endpoints, say) as running:
        inbox = Path(running.instance.endpoints.mail_dir)
        for what, kind, commands in (
            ("file with document → customer's notice", MailKind.CUSTOMER_REQUESTED, world.files(documents=True)),
            ("withdraw → partner's mail", MailKind.WITHDRAWN, world.withdrawals()),
        ):
            say(what)
            rows.append(_one_way(world, inbox, what, kind, commands))
    return rows


def _one_way(world: World, inbox: Path, what: str, kind: MailKind, commands: Iterator[Output]) -> dict[str, Any]:
    began, sent_at = time.monotonic(), wall_ms()
    sent = send_steadily(world, commands)
    took = time.monotonic() - began
    arrived = _await_mails(inbox, kind, len(world.claims))
    appended = {
        ids.claim_id(PartnerId(world.partner), (record.key or b"").decode()): record.appended_at
        for record in world.read_all([commands_topic(world.partner)])
        if record.appended_at >= sent_at
    }
    counted = sorted(appended, key=lambda claim: appended[claim])[WARM_UP:]
    return waits_row(what, sent / took, [arrived[claim] - appended[claim] for claim in counted])


def send_steadily(world: World, commands: Iterable[Output]) -> int:
    """One command every 20 ms, each at its own instant whatever the one before took; how many."""
    began, number = time.monotonic(), 0
    for number, command in enumerate(commands, start=1):
        time.sleep(max(0.0, began + number / PER_SECOND - time.monotonic()))
        world.publisher.send(command)
    world.publisher.flush()
    return number


def _await_mails(inbox: Path, kind: MailKind, count: int) -> dict[str, float]:
    """Claim → when its mail of that kind was there, ms since the epoch."""
    arrived: dict[str, float] = {}
    known: set[str] = set()
    deadline = time.monotonic() + PATIENCE
    while len(arrived) < count:
        for path in inbox.glob("*.eml"):
            if path.name not in known:
                known.add(path.name)
                arrived |= arrival(path, kind)
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(arrived)} of {count} mails arrived; logs are in the data directory")
        time.sleep(0.2)
    return arrived


def arrival(path: Path, kind: MailKind) -> dict[str, float]:
    content = path.read_bytes()
    claim, told = _CLAIM.search(content), _KIND.search(content)
    if claim is None or told is None or told[1].decode() != kind:
        return {}
    return {claim[1].decode(): path.stat().st_mtime_ns / 1e6}


# -- how fast mails go out --------------------------------------------------------------------------------------------


def delivery_rate(world: World, mails: int, pairs: int, say: Say) -> list[dict[str, Any]]:
    """Mails a second of one delivery process, and of bare smtplib with mails that are bytes already, in turns."""
    admin = world.transport.admin()
    admin.create(FIXED_TOPICS, COUNTS)
    admin.close()
    rates: dict[str, list[float]] = {}
    with post_office(world) as (inbox, port, pid):
        process = psutil.Process(pid)
        for turn in range(pairs):
            say(f"turn {turn + 1} of {pairs}")
            for connections in CONNECTIONS:
                rates.setdefault(f"bare smtplib, {connections} connections", []).append(_bare(port, mails, connections))
            cpu = sum(process.cpu_times()[:2])
            rates.setdefault(FAUST, []).append(_through_faust(world, inbox, mails, turn))
            rates.setdefault(CPU, []).append(1000 * (sum(process.cpu_times()[:2]) - cpu) / mails)
    return rate_rows(rates, mails)


FAUST = "delivery through Faust, 8 connections"
CPU = "cpu_ms_per_mail"


def rate_rows(rates: dict[str, list[float]], mails: int) -> list[dict[str, Any]]:
    """Medians of the turns, and shares of what bare smtplib made with as many connections."""
    cpu = median(rates.pop(CPU))
    bound = median(rates[f"bare smtplib, {CONNECTIONS[-1]} connections"])
    return [
        {
            "what": what,
            "mails": f"{len(found)} x {mails:,}",
            "per_second": round(median(found)),
            "from_to": f"{min(found):.0f}-{max(found):.0f}",
            "of_bare": round(median(found) / bound, 2),
            "cpu_ms_per_mail": round(cpu, 2) if what == FAUST else "",
        }
        for what, found in rates.items()
    ]


@contextmanager
def post_office(world: World) -> Iterator[tuple[Path, int, int]]:
    """The sink and a delivery process; where mails arrive, the sink's port, and the process's id."""
    home = world.endpoints.data_dir
    inbox, port = mail_dir(home), sink_port(home)
    env = world.endpoints.env() | {"CPOR_SMTP": f"127.0.0.1:{port}"}
    command = (sys.executable, "-m", "services.notify.delivery", "--slot", "0", "--data", str(home))
    health = home / "notify-delivery" / "0" / "health.json"
    with Supervisor(home, [sink_spec(inbox, port), WorkerSpec("delivery", command, env)]) as supervisor:
        deadline = time.monotonic() + PATIENCE
        while not (answers(f"127.0.0.1:{port}") and _has_partitions(health)):
            if time.monotonic() > deadline:
                raise TimeoutError("delivery does not come up; its log is in the data directory")
            time.sleep(0.1)
        yield inbox, port, supervisor.state("delivery").pid or 0


def _has_partitions(health: Path) -> bool:
    told = read_health(health)
    return told is not None and is_fresh(told) and bool(told["slots"])


def _through_faust(world: World, inbox: Path, mails: int, turn: int) -> float:
    """From the first arrival to the last; every mail is of a claim of its own."""
    before = set(inbox.glob("*.eml"))
    for number in range(mails):
        one = rendered(f"{world.partner}/{turn}/{number}")
        told = headers(MAIL, one.mail_id, "/bench", Instant(one.at), one.claim_id, one.cause)
        world.publisher.send(Output(Topic.MAIL, number % CLAIMS_PARTITIONS, b"tenant", write(one), told))
    world.publisher.flush(60)
    deadline = time.monotonic() + PATIENCE + mails / 20
    while len(fresh := set(inbox.glob("*.eml")) - before) < mails:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(fresh)} of {mails} mails arrived")
        time.sleep(0.2)
    arrivals = [path.stat().st_mtime for path in fresh]
    return (mails - 1) / (max(arrivals) - min(arrivals))


def _bare(port: int, mails: int, connections: int) -> float:
    """As many mails of the same size, by threads with a connection each and nothing else to do."""
    content = message_bytes(rendered("bare"), SENDER)
    ready = threading.Barrier(connections + 1)

    def send(count: int) -> None:
        with smtplib.SMTP("127.0.0.1", port) as connection:
            connection.ehlo()
            ready.wait()
            for _ in range(count):
                connection.sendmail("no-reply@cpor.example", ["anna@partner.example"], content)

    with ThreadPoolExecutor(connections) as threads:
        running = [threads.submit(send, mails // connections) for _ in range(connections)]
        ready.wait()
        began = time.monotonic()
        for each in running:
            each.result()
        return mails / (time.monotonic() - began)


def rendered(name: str) -> Mail:
    """A mail as long as the average one: 5.7 kB on the line."""
    mail_id = ids.name_id(f"bench/{name}")
    return Mail(
        mail_id=mail_id,
        claim_id=ids.name_id(f"bench/claim/{name}"),
        kind=MailKind.APPROVED,
        recipient=Recipient.PARTNER,
        cause=mail_id,
        to="anna@partner.example",
        to_name="Anna Huber",
        language="en",
        subject="Claim ref-17 is approved (Bench customer)",
        text="The association of Bench partner with Bench customer is approved.\n" * 13,
        html="<p>The association of Bench partner with Bench customer is <b>approved</b>.</p>\n" * 50,
        at=Instant(1_709_539_200_000),
    )
