"""A mail as bytes: the same for every attempt.

Put together from parts that are encoded once, for it is done for every mail: the standard library's newer classes
take ten times as long, most of it for reading back the headers they were given.
"""

from __future__ import annotations

from binascii import b2a_qp
from datetime import UTC, datetime
from email.header import Header
from email.utils import format_datetime, formataddr, parseaddr

from schemas.mail import Mail

#: Characters of a line (RFC 5322); longer ones are folded.
_LINE = 78


def message_bytes(mail: Mail, sender: str, reply_to: str = "") -> bytes:
    """Headers and both forms of the text, lines ending with CRLF. `sender` is an address, with a name or without."""
    boundary = f"cpor-{mail.mail_id}"
    parts = ((b"plain", mail.text), (b"html", mail.html))
    body = [b"--%b\r\n%b" % (boundary.encode(), _part(kind, text)) for kind, text in parts]
    head = "".join(f"{name}: {value}\r\n" for name, value in _headers(mail, sender, reply_to, boundary))
    return b"%b\r\n%b--%b--\r\n" % (head.encode("ascii"), b"".join(body), boundary.encode())


def _headers(mail: Mail, sender: str, reply_to: str, boundary: str) -> list[tuple[str, str]]:
    name, address = parseaddr(sender)
    told = [
        ("Message-ID", f"<{mail.mail_id}@{address.rpartition('@')[2]}>"),
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
        ("Content-Type", f'multipart/alternative;\r\n boundary="{boundary}"'),
    ]
    return [(each, value) for each, value in told if value]


def _part(kind: bytes, text: str) -> bytes:
    head = b'Content-Type: text/%b; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n' % kind
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
