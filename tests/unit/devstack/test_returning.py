"""The sink's reports are reports: who reads them finds the mail, and nothing comes back that should not."""

from __future__ import annotations

import smtplib
from pathlib import Path

import pytest

from cpor.devstack import mail as sink
from services.notify.dsn import Fate, Report, read_report
from services.notify.inbox import MaildirInbox
from services.notify.mime import message_bytes
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
