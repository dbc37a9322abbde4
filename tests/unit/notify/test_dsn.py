"""What comes back is understood in the shapes that mail systems use, and nothing else is taken for it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.dsn import LARGEST, MOST_LINES, Fate, Report, in_words, read_report
from tests.unit.notify import dsns
from tests.unit.notify.dsns import NAME, OTHER

FAILED, DELAYED = Fate.FAILED, Fate.DELAYED


@pytest.mark.parametrize(
    ("shape", "status"),
    [
        ("POSTFIX", "5.1.1"),
        ("POSTFIX_EXPIRED", "4.4.7"),
        ("EXIM", "5.0.0"),
        ("GMAIL", "5.1.1"),
        ("EXCHANGE", "5.1.10"),
        ("BY_ENVELOPE", "5.2.1"),
        ("BY_TEXT", "5.7.1"),
        ("JAPANESE", "5.1.1"),
        ("SEVERAL", "5.2.2"),
        ("GLOBAL", "5.1.1"),
        ("WRAPPED", "5.1.1"),
        ("QMAIL", ""),
        ("OLD_EXCHANGE", "5.1.1"),
        ("BROKEN", "5.1.1"),
    ],
)
@pytest.mark.rule("D20")
def test_a_mail_that_did_not_reach_its_recipient_is_recognised_in_every_shape(shape: str, status: str) -> None:
    raw: bytes = getattr(dsns, shape)
    assert read_report(raw) == Report(FAILED, NAME, status)
    assert read_report(raw.replace(b"\n", b"\r\n")) == Report(FAILED, NAME, status)


@pytest.mark.parametrize(("shape", "status"), [("POSTFIX_DELAYED", "4.4.1"), ("OLD_EXIM_WARNING", "")])
def test_a_delay_is_no_failure(shape: str, status: str) -> None:
    assert read_report(getattr(dsns, shape)) == Report(DELAYED, NAME, status)


def test_a_mail_that_was_passed_on_needs_nobody() -> None:
    assert read_report(dsns.RELAYED) == Report(Fate.OTHER, NAME, "2.1.9")


@pytest.mark.parametrize("shape", ["REPLY", "HOLIDAY", "RECEIPT"])
def test_what_people_and_their_programs_answer_is_no_report(shape: str) -> None:
    assert read_report(getattr(dsns, shape)).fate is None


@pytest.mark.parametrize("shape", ["STRANGE", "ABOUT_A_REPORT"])
def test_a_report_about_another_mail_names_none_of_ours(shape: str) -> None:
    assert read_report(getattr(dsns, shape)).mail_id is None


def test_the_mails_before_ours_in_a_thread_are_not_the_one_that_came_back() -> None:
    headers = dsns.OURS.replace(f"Message-ID: <{NAME}@cpor.example>\n", "")
    raw = dsns.report("Not delivered.", f"Reporting-MTA: dns; mx\n\n{dsns.recipient('failed', '5.1.1')}", headers)
    assert OTHER in headers
    assert read_report(raw) == Report(FAILED, None, "5.1.1")


def test_a_text_that_names_two_of_ours_says_of_neither_that_it_came_back() -> None:
    text = f"About {NAME}@cpor.example or {OTHER}@cpor.example"
    raw = dsns.report(text, f"Reporting-MTA: dns; mx\n\n{dsns.recipient('failed', '5.1.1')}", returned="")
    assert read_report(raw).mail_id is None


def test_the_address_that_it_was_sent_back_to_names_the_mail() -> None:
    raw = dsns.report("Not delivered.", f"Reporting-MTA: dns; mx\n\n{dsns.recipient('failed', '5.1.1')}", returned="")
    back = raw.replace(b"To: no-reply@", f"To: bounces+{NAME}@".encode(), 1)
    assert read_report(back) == Report(FAILED, NAME, "5.1.1")


def test_without_an_action_the_status_says_what_became_of_it() -> None:
    for status, fate in (("5.1.1", FAILED), ("4.2.2", DELAYED), ("2.0.0", Fate.OTHER)):
        assert (
            read_report(dsns.POSTFIX.replace(b"Action: failed\nStatus: 5.1.1", f"Status: {status}".encode())).fate
            == fate
        )


def test_what_is_kept_of_a_report_is_a_code_and_our_own_words() -> None:
    assert in_words("5.1.1") == "5.1.1 no such mailbox"
    assert in_words("5.1.9") == "5.1.9 the address"
    assert in_words("5.9.9") == "5.9.9"
    assert in_words("") == "undeliverable"


# -- hostile ----------------------------------------------------------------------------------------------------------


def nested(depth: int, line: bytes) -> bytes:
    """Parts within parts, with lines that each level's boundary is looked for in."""
    head = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (level, level) for level in range(depth)
    )
    return b"From: MAILER-DAEMON@x.example\nMIME-Version: 1.0\n" + head + line * (LARGEST // len(line))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\0" * 1000,
        b"\xff\xfe" * 1000,
        b"From: MAILER-DAEMON@x.example\nContent-Type: multipart/report; report-type=delivery-status\n\n",
        b"Content-Type: multipart/report; boundary=\n\n--\n----\n",
        b"Content-Type: message/delivery-status\nContent-Transfer-Encoding: base64\n\n!!!!",
        b"Content-Type: message/delivery-status; charset=nonsense\n\nAction\nStatus 5.1.1\n\n\n:\n",
        b"From: MAILER-DAEMON@x.example\nContent-Type: text/plain; charset=nonsense\n\n550 5.1.1 <x@y>",
        nested(5_000, b"-\n"),
        nested(200, b"-\n"),
        nested(60, b"--b\n"),
        b"Content-Type: message/rfc822\n\n" * 20_000,
        b"From: MAILER-DAEMON@x.example\nX: " + b"a" * LARGEST,
        b"From: MAILER-DAEMON@x.example\nContent-Type: text/html\n\n" + b"<" * LARGEST,
        b"From: MAILER-DAEMON@x.example\n\n" + b"References: <a@b>\n x\n" * 30_000,
        b"From: MAILER-DAEMON@x.example\n\n" + b">>>>>>>> > > > \n" * 60_000,
        b"From: MAILER-DAEMON@x.example\n\n" + b"\n" * LARGEST,
        b"From: MAILER-DAEMON@x.example\n\n" + b"Message-ID:" + b" " * LARGEST,
    ],
    ids=range(18),
)
@pytest.mark.timeout(30)
def test_whatever_comes_is_looked_at_and_put_aside(raw: bytes) -> None:
    assert read_report(raw).mail_id is None


@pytest.mark.timeout(30)
def test_a_report_is_found_before_a_returned_mail_of_any_size() -> None:
    huge = dsns.EXIM.replace(b"Good day,", b"Good day,\n" + b"x" * 70 * MOST_LINES)
    assert len(huge) > LARGEST
    assert read_report(huge) == Report(FAILED, NAME, "5.0.0")


SHAPES = [value for value in vars(dsns).values() if isinstance(value, bytes)]


@given(st.integers(0, 2**32))
def test_a_damaged_report_breaks_nothing(seed: int) -> None:
    chance = random.Random(seed)
    raw = bytearray(chance.choice(SHAPES))
    for _ in range(chance.randint(1, 8)):
        place = chance.randrange(len(raw))
        raw[place : place + chance.choice((0, 1, 40))] = bytes([chance.randrange(256)])
    report = read_report(bytes(raw))
    assert report.mail_id is None or len(report.mail_id) == len(NAME)
