"""`cpor doctor` about the mail server: whether it lets us in, tried from here and as delivery met it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cpor.devstack.endpoints import Endpoints
from cpor.devstack.ports import LOOPBACK
from cpor.ops.findings import Finding, Verdict
from cpor.ops.findings_mail import mail_findings
from cpor.ops.instance import Instance
from cpor.runtime.health import Health
from cpor.runtime.mailserver import Tls
from tests.unit.notify.secured import PASSWORD, USER, Authority, Inbox, secured
from tests.unit.notify.test_delivery import running, running_sink


def found(data: Path, port: int, **environment: str) -> list[Finding]:
    endpoints = Endpoints("127.0.0.1:1", "", "", "", data, smtp=f"{LOOPBACK}:{port}")
    return list(mail_findings(Instance(endpoints), {f"CPOR_SMTP_{name}": text for name, text in environment.items()}))


def known(ca: Path, **changes: str) -> dict[str, Any]:
    return {"TLS": "starttls", "CA": str(ca), "USER": USER, "PASSWORD": PASSWORD, **changes}


def test_a_server_that_greets_is_well(tmp_path: Path) -> None:
    with running_sink(tmp_path / "inbox") as port:
        (told,) = found(tmp_path, port)
    assert (told.verdict, told.found) == (Verdict.GOOD, f"{LOOPBACK}:{port} greets")


def test_a_server_that_lets_us_in_is_well_and_a_wrong_password_is_said_to_be_one(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with running(secured(Inbox(), Tls.STARTTLS, authority.context())) as port:
        (right,) = found(tmp_path, port, **known(authority.path))
        (wrong,) = found(tmp_path, port, **known(authority.path, PASSWORD="another"))
        (strange,) = found(tmp_path, port, **known(authority.path, CA=""))
    assert (right.verdict, right.found) == (Verdict.GOOD, f"{LOOPBACK}:{port} greets, starttls, as {USER}")
    assert (wrong.verdict, wrong.found) == (Verdict.BAD, f"{LOOPBACK}:{port} does not let us in: 535")
    assert "CPOR_SMTP_PASSWORD" in (wrong.todo or "")
    assert (strange.verdict, strange.found) == (Verdict.BAD, f"{LOOPBACK}:{port}: CERTIFICATE_VERIFY_FAILED")


def test_settings_that_delivery_refuses_are_said_to_be_wrong(tmp_path: Path) -> None:
    (told,) = found(tmp_path, 25, USER=USER, PASSWORD=PASSWORD)
    assert told.verdict is Verdict.BAD
    assert "no password goes over a plain line" in told.found


@pytest.mark.parametrize("refused", [0, 3])
def test_delivery_that_was_not_let_in_is_shown_though_the_server_greets_us(refused: int, tmp_path: Path) -> None:
    home = tmp_path / "notify-delivery" / "0"
    home.mkdir(parents=True)
    health = Health("notify-delivery", "0", home / "health.json")
    health.counts["refused"] = refused
    health.idle()
    with running_sink(tmp_path / "inbox") as port:
        server, *workers = found(tmp_path, port)
    assert server.verdict is Verdict.GOOD
    assert [(each.verdict, each.what) for each in workers] == [(Verdict.BAD, "notify-delivery-0")] * (refused > 0)
