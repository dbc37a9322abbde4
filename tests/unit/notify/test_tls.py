"""Mails over TLS to a server that asks who we are: a real one, with an authority of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from cpor.devstack.ports import LOOPBACK
from cpor.runtime.errors import Misconfigured
from cpor.runtime.mailserver import Server, Tls
from services.notify.smtp import Outcome, Post, Posts, Result
from tests.unit.notify.secured import PASSWORD, USER, Authority, Inbox, secured
from tests.unit.notify.test_delivery import mail, running, running_sink

#: aiosmtpd does not see TLS that begins with the first byte.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH")
BOTH = pytest.mark.parametrize("tls", [Tls.STARTTLS, Tls.TLS])


@contextmanager
def server(folder: Path, tls: Tls, inbox: Inbox, **changes: Any) -> Iterator[Server]:
    """`name`: whom its certificate is for; `trusted`: whose we trust; else as `Server` has them."""
    authority = Authority(folder)
    name, trusted = changes.pop("name", None), changes.pop("trusted", authority)
    with running(secured(inbox, tls, authority.context(name))) as port:
        told: dict[str, Any] = {"user": USER, "password": PASSWORD, "ca": str(trusted.path), **changes}
        yield Server(LOOPBACK, port, seconds=5, tls=tls, **told)


@BOTH
def test_a_mail_goes_over_tls_to_a_server_that_knows_us(tls: Tls, tmp_path: Path) -> None:
    inbox = Inbox()
    with server(tmp_path, tls, inbox) as told:
        post = Post(told)
        assert [post.send(mail()).result for _ in range(3)] == [Result.DELIVERED] * 3
    assert (inbox.arrived, inbox.secure, inbox.logins) == ([mail().to] * 3, {True}, 1)


@BOTH
def test_a_wrong_password_is_our_fault_and_bounces_nobody(
    tls: Tls, tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    inbox = Inbox()
    with server(tmp_path, tls, inbox, password="another") as told:
        outcome = Posts(told).send(mail())
    assert (outcome.result, outcome.reply[:4], outcome.ours) == (Result.DEFERRED, "535 ", True)
    assert inbox.arrived == []
    said = capsys.readouterr()
    assert "the mail server does not let us in" in said.out + said.err + caplog.text
    assert "another" not in said.out + said.err + caplog.text


@BOTH
@pytest.mark.parametrize("what", ["signed by another", "for another name"])
def test_no_mail_and_no_password_goes_to_a_server_that_cannot_say_who_it_is(
    tls: Tls, what: str, tmp_path: Path
) -> None:
    inbox = Inbox()
    (tmp_path / "other").mkdir()
    trusted = Authority(tmp_path / "other", "another")
    wrong: dict[str, Any] = {"trusted": trusted} if what == "signed by another" else {"name": x509.DNSName("x.example")}
    with server(tmp_path, tls, inbox, **wrong) as told:
        outcome = Post(told).send(mail())
    assert (outcome.result, outcome.ours) == (Result.DEFERRED, True)
    assert "certificate verify failed" in outcome.reply
    assert (inbox.arrived, inbox.logins) == ([], 0)


@BOTH
def test_without_a_ca_file_only_what_the_machine_trusts_is_trusted(tls: Tls, tmp_path: Path) -> None:
    with server(tmp_path, tls, Inbox(), ca="") as told:
        assert Post(told).send(mail()).ours


def test_a_server_without_starttls_gets_neither_password_nor_mail(tmp_path: Path) -> None:
    with running_sink(tmp_path) as port:
        told = Server(LOOPBACK, port, seconds=5, tls=Tls.STARTTLS, user=USER, password=PASSWORD)
        outcome = Post(told).send(mail())
    assert outcome == Outcome(Result.DEFERRED, "STARTTLS extension not supported by server.", ours=True)
    assert list(tmp_path.glob("*.eml")) == []


def test_a_server_that_speaks_no_tls_where_it_should_is_told_as_our_fault(tmp_path: Path) -> None:
    with running_sink(tmp_path) as port:
        outcome = Post(Server(LOOPBACK, port, seconds=5, tls=Tls.TLS)).send(mail())
    assert (outcome.result, outcome.ours) == (Result.DEFERRED, True)


# -- how it is told ----------------------------------------------------------------------------------------------------

TOLD = {"CPOR_SMTP": "mail.example:587"}
KNOWN = {"CPOR_SMTP_USER": USER, "CPOR_SMTP_PASSWORD": PASSWORD}


def test_tls_user_and_authority_are_told_by_the_environment_and_the_password_by_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text(f"{PASSWORD}\n")
    ca = Authority(tmp_path).path
    told = {**TOLD, "CPOR_SMTP_TLS": "starttls", "CPOR_SMTP_CA": str(ca), "CPOR_SMTP_USER": USER}
    server = Server.read({**told, "CPOR_SMTP_PASSWORD_FILE": str(secret), "CPOR_SMTP_MAILS": "7"})
    assert (server.tls, server.user, server.password, server.ca) == (Tls.STARTTLS, USER, PASSWORD, str(ca))
    assert (server.mails, server.connections) == (7, 8)
    assert PASSWORD not in repr(server)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        (KNOWN, "no password goes over a plain line"),
        ({**KNOWN, "CPOR_SMTP": "127.0.0.1:25"}, "no password goes over a plain line"),
        ({**KNOWN, "CPOR_SMTP_TLS": "off"}, "no password goes over a plain line"),
        ({"CPOR_SMTP_TLS": "yes"}, "off, starttls or tls"),
        ({"CPOR_SMTP_TLS": "tls", "CPOR_SMTP_USER": USER}, "go together"),
        ({"CPOR_SMTP_TLS": "tls", "CPOR_SMTP_PASSWORD": PASSWORD}, "go together"),
        ({"CPOR_SMTP_TLS": "tls", "CPOR_SMTP_CA": "/nowhere/ca.pem"}, "holds no certificates: FileNotFoundError"),
        ({"CPOR_SMTP_CA": "/nowhere/ca.pem"}, "shows no certificate"),
        ({"CPOR_SMTP_TLS": "tls", "CPOR_SMTP_USER": USER, "CPOR_SMTP_PASSWORD_FILE": "/nowhere"}, "cannot be read"),
        ({"CPOR_SMTP_MAILS": "0"}, "from 1 to"),
        ({"CPOR_SMTP_CONNECTIONS": "65"}, "from 1 to 64"),
    ],
)
def test_delivery_does_not_start_with_settings_that_would_be_unsafe_or_mean_nothing(
    changes: dict[str, str], why: str
) -> None:
    with pytest.raises(Misconfigured, match=why) as fault:
        Server.read({**TOLD, **changes})
    assert PASSWORD not in str(fault.value)
