"""The sink's reports are reports: who reads them finds the mail, and nothing comes back that should not."""

from __future__ import annotations

import asyncio
import smtplib
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from cpor.devstack import mail as sink
from cpor.runtime.mailserver import Server
from services.notify.dsn import Fate, Report, read_report
from services.notify.inbox import MaildirInbox
from services.notify.mime import message_bytes
from services.notify.smtp import Outcome, Post, Result
from tests.unit.notify.test_delivery import mail, running


@pytest.mark.parametrize(
    ("address", "reports"),
    [
        ("dsn-kana@contoso.example", [(Fate.FAILED, "5.1.1")]),
        ("dsn-delay-kana@contoso.example", [(Fate.DELAYED, "4.4.1")]),
        ("kana@contoso.example", []),
    ],
)
def test_a_mail_to_such_an_address_is_taken_and_comes_back(
    tmp_path: Path, address: str, reports: list[tuple[Fate, str]]
) -> None:
    sent = mail(to=address)
    with (
        running(lambda: sink.serve(tmp_path / "mail", 0, tmp_path / "bounces")) as port,
        smtplib.SMTP("127.0.0.1", port) as server,
    ):
        server.sendmail("no-reply@cpor.example", [address], message_bytes(sent, "no-reply@cpor.example"))
    assert [each.to for each in sink.received(tmp_path / "mail")] != []
    inbox = MaildirInbox(tmp_path / "bounces")
    found = [inbox.read(key, 1_000_000) for key in inbox.waiting()]
    assert [read_report(each.content) for each in found if each] == [
        Report(fate, sent.mail_id, status) for fate, status in reports
    ]


class OneByOne(sink.Sink):
    """Takes one command at a time."""

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        told = await super().handle_EHLO(server, session, envelope, hostname, responses)
        return [each for each in told if "PIPELINING" not in each]


@pytest.mark.parametrize("kind", [sink.Sink, OneByOne])
def test_delivery_asks_for_reports_that_name_the_mail_and_hold_no_more_than_its_headers(
    tmp_path: Path, kind: type[sink.Sink]
) -> None:
    there = kind(tmp_path / "mail", tmp_path / "bounces")

    async def serve() -> asyncio.Server:
        return await asyncio.get_running_loop().create_server(lambda: sink.server_of(there), "127.0.0.1", 0)

    sent = mail(to="dsn-kana@contoso.example")
    with running(serve) as port:
        assert Post(Server("127.0.0.1", port, seconds=5)).send(sent) == Outcome(Result.DELIVERED, "")
    inbox = MaildirInbox(tmp_path / "bounces")
    letter = inbox.read(inbox.waiting()[0], 1_000_000)
    assert letter is not None
    assert f"Original-Envelope-Id: {sent.mail_id}".encode() in letter.content
    nameless = letter.content.replace(b"Message-ID", b"X-Lost").replace(b"References", b"X-Lost")
    assert read_report(nameless) == Report(Fate.FAILED, sent.mail_id, "5.1.1")
