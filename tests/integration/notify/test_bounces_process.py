"""Mails that come back, from the sink's report to the ledger, on a real broker: as processes that may be killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cpor.devstack import mail as sink
from cpor.devstack.endpoints import Endpoints
from cpor.domain import ids
from cpor.domain.vocabulary import Instant
from cpor.runtime.errors import ExitCode
from cpor.runtime.health import is_fresh, read_health
from cpor.runtime.record import Output
from cpor.runtime.topics import Topic
from schemas.base import write
from schemas.envelope import headers, read_envelope
from schemas.mail import BOUNCED, DELIVERED, AboutMail, Delivered, Mail
from services.notify.inbox import PROCESSED, UNKNOWN, MaildirInbox
from tests.integration.notify.imap import PASSWORD, USER, imap_server, mail_program
from tests.integration.notify.test_delivery_process import Post
from tests.unit.notify import dsns
from tests.unit.notify.secured import Authority

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]


class Returning(Post):
    """The sink gives mails back into a Maildir, and a process reads it."""

    def __init__(self, bootstrap: str, home: Path) -> None:
        super().__init__(bootstrap, home)
        self.mailbox = MaildirInbox(home / "bounces")
        self.env |= {"CPOR_BOUNCES": f"maildir:{home / 'bounces'}", "CPOR_BOUNCES_SECONDS": "0.1"}

    def _start_sink(self) -> int:
        more = ["--bounces", str(self.home / "bounces")]
        process = subprocess.Popen(
            [sys.executable, "-m", sink.MODULE, "--dir", str(self.inbox), *more], stdout=subprocess.PIPE
        )
        self.processes.append(process)
        assert process.stdout is not None
        return int(process.stdout.readline().split()[1])

    def read_bounces(self, module: str = "services.notify.bounces") -> subprocess.Popen[bytes]:
        return self.deliver(module)

    def put_delivered(self, *mails: Mail) -> None:
        """As delivery tells."""
        publisher = self.transport.publisher()
        for each in mails:
            about = {name: getattr(each, name) for name in AboutMail.model_fields}
            entry = Delivered(**about, attempt=1, at=Instant(0))
            told = headers(
                DELIVERED, ids.derived_id(each.mail_id, DELIVERED, 1), "/x", entry.at, each.claim_id, each.mail_id
            )
            publisher.send(Output(Topic.DELIVERIES, 0, b"tenant", write(entry), told))
        publisher.flush()
        publisher.close()

    def comes_back(self, *mails: Mail) -> None:
        for number, each in enumerate(mails):
            raw = dsns.POSTFIX.replace(dsns.NAME.encode(), each.mail_id.encode())
            (self.home / "bounces" / "new" / f"{number:06}.{each.mail_id}.host").write_bytes(raw)

    def lie(self) -> tuple[int, int, int]:
        box = self.mailbox
        return len(box.waiting()), box.number_in(PROCESSED), box.number_in(UNKNOWN)

    def health(self) -> dict[str, Any]:
        return read_health(self.home / "notify-bounces" / "0" / "health.json") or {}

    def names(self) -> list[str | None]:
        """The ids of all bounces that were told."""
        self.ledger()
        told = [read_envelope(each.headers) for each in self.told]
        return [each.id for each in told if each.type == BOUNCED]


@pytest.fixture
def post(platform: Endpoints, tmp_path: Path) -> Iterator[Returning]:
    made = Returning(platform.kafka_bootstrap, tmp_path)
    try:
        yield made
    finally:
        made.close()


def bounce_of(mail: Mail) -> str:
    return ids.derived_id(mail.mail_id, BOUNCED, 1)


@pytest.mark.rule("D20")
def test_a_mail_that_was_delivered_and_comes_back_is_told_of_and_one_that_is_late_is_not(post: Returning) -> None:
    post.deliver()
    process = post.read_bounces()
    good, back, late = post.mail(), post.mail(to="dsn-kana@n.example"), post.mail(to="dsn-delay-kana@n.example")
    (post.home / "bounces" / "new" / "1.reply.host").write_bytes(dsns.REPLY)
    post.put(good, back, late)
    post.until(lambda: (back.mail_id, BOUNCED) in post.ledger() and post.lie() == (0, 2, 1))
    assert sorted(post.ledger()) == sorted(
        [(good.mail_id, DELIVERED), (back.mail_id, DELIVERED), (late.mail_id, DELIVERED), (back.mail_id, BOUNCED)]
    )
    assert b"@" not in b"".join(each.value or b"" for each in post.told)
    wanted = {"bounced": 1, "delayed": 1, "unknown": 1}  # told of at times of its own
    post.until(lambda: {name: post.health().get("counts", {}).get(name) for name in wanted} == wanted)
    assert is_fresh(post.health())
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == ExitCode.DONE


def test_who_is_killed_between_telling_and_moving_tells_it_again_under_the_same_id_at_most(post: Returning) -> None:
    back = post.mail()
    post.put_delivered(back)
    post.comes_back(back)
    for _ in range(2):
        assert post.read_bounces("tests.integration.notify.faulty_bounces").wait(60) == -signal.SIGKILL
        post.until(lambda: bounce_of(back) in post.names())
        assert post.lie() == (1, 0, 0)
    post.read_bounces()
    post.until(lambda: post.lie() == (0, 1, 0))
    assert set(post.names()) == {bounce_of(back)}


def test_who_is_killed_at_any_time_loses_no_mail(post: Returning) -> None:
    mails = [post.mail() for _ in range(200)]
    post.put_delivered(*mails)
    post.comes_back(*mails)
    for left in (150, 70):
        process = post.read_bounces()
        post.until(lambda left=left: post.lie()[0] <= left)  # type: ignore[misc]
        process.kill()
        process.wait()
    post.read_bounces()
    post.until(lambda: post.lie() == (0, 200, 0))
    assert set(post.names()) == {bounce_of(each) for each in mails}


def test_a_mailbox_over_imap_is_read_like_any_other_and_waited_for(post: Returning, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    back = post.mail()
    post.put_delivered(back)
    with imap_server(authority.context()) as port:
        post.env |= {
            "CPOR_BOUNCES": f"imaps://{USER}@127.0.0.1:{port}/INBOX",
            "CPOR_BOUNCES_PASSWORD": PASSWORD,
            "CPOR_BOUNCES_CA": str(authority.path),
        }
        with mail_program(port, authority.path) as people:
            people.append("INBOX", dsns.POSTFIX.replace(dsns.NAME.encode(), back.mail_id.encode()))
            people.append("INBOX", dsns.HOLIDAY)
            post.read_bounces()
            post.until(lambda: bounce_of(back) in post.names())
            post.until(lambda: post.health().get("counts", {}).get("unknown") == 1)
            for folder, number in (("INBOX", 0), (PROCESSED, 1), (UNKNOWN, 1)):
                assert people.folder_status(folder, ["MESSAGES"]) == {b"MESSAGES": number}
    post.until(lambda: post.health()["state"] == "without its mailbox")
    assert PASSWORD not in (post.home / "delivery.log").read_text()
