"""The bench's mails and what it makes of their figures."""

from __future__ import annotations

import os
from pathlib import Path

from bench.mail import CPU, FAUST, arrival, rate_rows, rendered
from cpor.runtime.mailserver import SENDER
from schemas.mail import MailKind
from services.notify.mime import message_bytes


def test_a_rate_is_a_median_and_a_share_of_what_bare_smtplib_made_with_as_many_connections() -> None:
    rates = {
        "bare smtplib, 1 connections": [100.0, 120.0, 110.0],
        "bare smtplib, 8 connections": [400.0, 380.0, 500.0],
        FAUST: [200.0, 300.0, 100.0],
        CPU: [1.0, 2.0, 3.0],
    }
    one, _, faust = rate_rows(rates, 500)
    assert (one["per_second"], one["from_to"], one["mails"], one["cpu_ms_per_mail"]) == (110, "100-120", "3 x 500", "")
    assert (faust["per_second"], faust["of_bare"], faust["cpu_ms_per_mail"]) == (200, 0.5, 2.0)


def test_a_mail_arrived_when_its_file_was_written_and_counts_for_its_kind_alone(tmp_path: Path) -> None:
    mail = rendered("one")
    path = tmp_path / "000001-anna.eml"
    path.write_bytes(message_bytes(mail, SENDER))
    os.utime(path, ns=(0, 1_709_539_200_123_000_000))
    assert arrival(path, MailKind.APPROVED) == {mail.claim_id: 1_709_539_200_123.0}
    assert arrival(path, MailKind.WITHDRAWN) == {}


def test_the_benchs_mails_are_as_long_as_real_ones_and_differ_in_their_ids() -> None:
    assert 5_000 < len(message_bytes(rendered("one"), SENDER)) < 6_500
    assert rendered("one").mail_id != rendered("two").mail_id
