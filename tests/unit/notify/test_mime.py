"""A mail as bytes reads as what it was made of, whatever stands in it."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.mail import Mail
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
