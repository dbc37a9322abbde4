"""A mail as bytes reads as what it was made of, whatever stands in it."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.base import read, write
from schemas.mail import Mail, Recipient
from services.notify.mime import message_bytes
from services.notify.outbox import written
from tests.unit.notify.samples import AT, Sample, samples

SENDER = "CPOR claims <no-reply@cpor.example>"
SAMPLES = {each.name: each for each in samples()}
ANY_TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n\t"), max_size=400)


def made(sample: Sample, **changes: object) -> Mail:
    return written(sample.told, sample.draft).model_copy(update=changes)


def read_back(mail: Mail, reply_to: str = "") -> EmailMessage:
    return message_from_bytes(message_bytes(mail, SENDER, reply_to), policy=policy.default)


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


@pytest.mark.parametrize("name", SAMPLES)
def test_every_mail_reads_as_it_was_written(name: str) -> None:
    mail = made(SAMPLES[name])
    message = read_back(mail, "help@cpor.example")
    assert not message.defects
    assert (message["Subject"], body(message, "plain"), body(message, "html")) == (mail.subject, mail.text, mail.html)
    assert message["Message-ID"] == f"<{mail.mail_id}@cpor.example>"
    assert message["To"].addresses[0].addr_spec == mail.to
    assert message["Reply-To"] == "help@cpor.example"
    assert round(parsedate_to_datetime(message["Date"]).timestamp() * 1000) == AT
    assert (message["X-CPOR-Kind"], message["X-CPOR-Claim"]) == (mail.kind.value, mail.claim_id)


@pytest.mark.parametrize("name", SAMPLES)
def test_it_reads_like_the_message_the_standard_library_makes(name: str) -> None:
    mail = made(SAMPLES[name])
    wanted = EmailMessage(policy=policy.SMTP)
    wanted.set_content(mail.text)
    wanted.add_alternative(mail.html, subtype="html")
    if mail.calendar is not None:
        wanted.add_attachment(
            mail.calendar.encode(), "text", "calendar", filename="deadline.ics", params={"method": "PUBLISH"}
        )
    ours, theirs = ([_leaf(part) for part in message.walk()] for message in (read_back(mail), _again(wanted)))
    assert ours == theirs


def _again(message: EmailMessage) -> EmailMessage:
    return message_from_bytes(bytes(message), policy=policy.default)


def _leaf(part: Any) -> tuple[str, str | None, str | None, str]:
    kept = ("text/plain", "text/html")
    raw = "" if part.is_multipart() else part.get_payload(decode=True).decode().replace("\r\n", "\n")
    about = part.get_content_disposition(), part.get_filename()
    return part.get_content_type(), *about, raw if part.get_content_type() in kept else raw.strip()


def test_text_comes_first_and_the_calendar_file_is_an_attachment_with_a_plain_name() -> None:
    mail = made(SAMPLES["rejected-1"])
    parts = list(read_back(mail).walk())
    kinds = ["multipart/mixed", "multipart/alternative", "text/plain", "text/html", "text/calendar"]
    assert [part.get_content_type() for part in parts] == kinds
    assert (parts[-1].get_content_disposition(), parts[-1].get_filename()) == ("attachment", "deadline.ics")
    assert (parts[-1].get_param("method"), parts[-1].get_content_charset()) == ("PUBLISH", "utf-8")
    assert _leaf(parts[-1])[-1] == str(mail.calendar).replace("\r\n", "\n").strip()


def test_no_boundary_begins_another() -> None:
    edges = [part.get_boundary() or "" for part in read_back(made(SAMPLES["rejected-1"])).walk() if part.is_multipart()]
    assert len(edges) == 2
    assert not any(one != other and one.startswith(other) for one in edges for other in edges)


def test_the_mails_of_a_claim_to_one_side_are_one_thread() -> None:
    threads: dict[Recipient, set[str]] = {}
    for sample in SAMPLES.values():
        message = read_back(made(sample))
        assert message["In-Reply-To"] == message["References"] != message["Message-ID"]
        threads.setdefault(sample.draft.to.recipient, set()).add(str(message["References"]))
    assert {len(each) for each in threads.values()} == {1}
    assert threads[Recipient.PARTNER] == threads[Recipient.PARTNER_USER]
    assert len({each for found in threads.values() for each in found}) == 3


def test_other_claims_are_other_threads() -> None:
    mail = made(SAMPLES["approved-1"])
    assert read_back(mail)["References"] != read_back(mail.model_copy(update={"claim_id": mail.mail_id}))["References"]


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.rule("R47")
def test_a_mail_says_that_a_machine_wrote_it_and_that_no_list_can_be_left(name: str) -> None:
    """A "no" of the customer is told with its meaning, never taken from a button of the mail program."""
    mail = made(SAMPLES[name])
    message = read_back(mail)
    assert (message["Auto-Submitted"], message["Content-Language"]) == ("auto-generated", mail.language)
    assert not [header for header in message.keys() if header.lower().startswith(("list-", "precedence"))]  # noqa: SIM118


@pytest.mark.parametrize("name", SAMPLES)
def test_every_attempt_has_the_same_bytes(name: str) -> None:
    """Also after a mail has been on the log."""
    mail = made(SAMPLES[name])
    again = read(Mail, write(mail))
    assert message_bytes(again, SENDER) == message_bytes(made(SAMPLES[name]), SENDER)


@settings(deadline=None)
@given(text=ANY_TEXT, html=ANY_TEXT)
def test_no_text_is_changed_on_its_way(text: str, html: str) -> None:
    message = read_back(made(SAMPLES["approved-1"], text=text, html=html))
    assert (body(message, "plain"), body(message, "html")) == (text, html)


@settings(deadline=None)
@given(subject=st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=180))
def test_a_subject_in_any_language_reads_as_it_was_written(subject: str) -> None:
    message = read_back(made(SAMPLES["approved-1"], subject=subject))
    assert str(message["Subject"]).split() == subject.split()


@settings(deadline=None)
@given(name=st.text(max_size=200))
def test_no_name_changes_the_address_or_forges_a_header(name: str) -> None:
    mail = made(SAMPLES["approved-1"], to_name=name)
    content = message_bytes(mail, SENDER)
    head = content.split(b"\r\n\r\n")[0]
    names = [line.partition(b":")[0] for line in head.split(b"\r\n") if not line.startswith(b" ")]
    assert names == [line.partition(b":")[0] for line in _plain_head().split(b"\r\n") if not line.startswith(b" ")]
    assert b"<%b>" % mail.to.encode() in head or b" %b\r\n" % mail.to.encode() in head


def _plain_head() -> bytes:
    return message_bytes(made(SAMPLES["approved-1"], to_name="Anna"), SENDER).split(b"\r\n\r\n")[0]


@pytest.mark.parametrize("name", SAMPLES)
def test_no_line_is_longer_than_a_server_takes_and_all_is_ascii(name: str) -> None:
    mail = made(SAMPLES[name], subject="Ü" * 170, to_name="長い名前 " * 30)
    content = message_bytes(mail, SENDER)
    assert content.isascii()
    assert max(map(len, content.split(b"\r\n"))) <= 200
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert b"\r" not in content.replace(b"\r\n", b"")
