"""A mail as bytes: the same for every attempt.

Put together from parts that are encoded once, for it is done for every mail: the standard library's newer classes
take ten times as long, most of it for reading back the headers they were given.
"""

from __future__ import annotations

from binascii import b2a_qp
from datetime import UTC, datetime
from email.header import Header
from email.utils import format_datetime, formataddr, parseaddr

from cpor.domain import ids
from schemas.mail import Mail, Recipient

#: Characters of a line (RFC 5322); longer ones are folded.
_LINE = 78
_PLAIN = b'text/plain; charset="utf-8"'
_HTML = b'text/html; charset="utf-8"'
#: A mail program offers to put it into the calendar; the name is one that any of them can write to a disk.
_CALENDAR = (
    b'text/calendar; charset="utf-8"; method=PUBLISH; name="deadline.ics"\r\n'
    b'Content-Disposition: attachment; filename="deadline.ics"'
)


def message_bytes(mail: Mail, sender: str, reply_to: str = "") -> bytes:
    """Headers, both forms of the text, and the calendar file if there is one; lines end with CRLF. `sender` is an
    address, with a name or without.
    """
    kind, body = _body(mail)
    head = "".join(f"{name}: {value}\r\n" for name, value in _headers(mail, sender, reply_to))
    return b"%bContent-Type: %b\r\n\r\n%b" % (head.encode("ascii"), kind, body)


def _body(mail: Mail) -> tuple[bytes, bytes]:
    """Content type and content."""
    text = _joined(b"alternative", f"text-{mail.mail_id}", _part(_PLAIN, mail.text), _part(_HTML, mail.html))
    if mail.calendar is None:
        return text
    return _joined(b"mixed", f"parts-{mail.mail_id}", _nested(*text), _part(_CALENDAR, mail.calendar))


def _joined(how: bytes, boundary: str, *parts: bytes) -> tuple[bytes, bytes]:
    """No boundary begins another one."""
    edge = boundary.encode()
    body = b"".join(b"--%b\r\n%b" % (edge, part) for part in parts)
    return b'multipart/%b;\r\n boundary="%b"' % (how, edge), b"%b--%b--\r\n" % (body, edge)


def _nested(kind: bytes, content: bytes) -> bytes:
    return b"Content-Type: %b\r\n\r\n%b\r\n" % (kind, content)


def _headers(mail: Mail, sender: str, reply_to: str) -> list[tuple[str, str]]:
    name, address = parseaddr(sender)
    domain = address.rpartition("@")[2]
    thread = f"<{thread_id(mail)}@{domain}>"
    told = [
        ("Message-ID", f"<{mail.mail_id}@{domain}>"),
        ("In-Reply-To", thread),
        ("References", thread),
        ("Date", format_datetime(datetime.fromtimestamp(mail.at / 1000, UTC))),
        ("From", _address(name, address)),
        ("To", _address(mail.to_name, mail.to)),
        ("Reply-To", reply_to),
        ("Subject", _text(mail.subject, "Subject")),
        ("Content-Language", mail.language),
        ("Auto-Submitted", "auto-generated"),
        ("X-CPOR-Kind", mail.kind.value),
        ("X-CPOR-Claim", mail.claim_id),
        ("MIME-Version", "1.0"),
    ]
    return [(each, value) for each, value in told if value]


#: Who reads each other's mails: the partner's contact and its users.
_SIDES = {Recipient.PARTNER_USER: Recipient.PARTNER}


def thread_id(mail: Mail) -> str:
    """Of the message, never sent, to which all mails of a claim to one side are answers: mail programs show them
    together, and neither side learns anything of the other's.
    """
    side = _SIDES.get(mail.recipient, mail.recipient)
    return ids.name_id(f"{mail.claim_id}/thread/{side.value}")


def _part(kind: bytes, text: str) -> bytes:
    head = b"Content-Type: %b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" % kind
    plain = text.replace("\r\n", "\n").replace("\r", "\n").encode()
    return b"%b%b\r\n" % (head, b2a_qp(plain, istext=True).replace(b"\n", b"\r\n"))


def _address(name: str, email: str) -> str:
    """A name is one line, and stands as encoded words where it is long or foreign."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in name).split())
    if _fits(plain, "To"):
        return formataddr((plain, email))
    return f"{_words(plain, 'To')}\r\n <{email}>"


def _text(text: str, header: str) -> str:
    return text if _fits(text, header) else _words(text, header)


def _fits(text: str, header: str) -> bool:
    """Whether it can stand as it is."""
    return text.isascii() and "=?" not in text and len(header) + 2 + len(text) <= _LINE


def _words(text: str, header: str) -> str:
    return Header(text, "utf-8", header_name=header).encode(linesep="\r\n")
