"""Handing a mail to a mail server: at least once, always under the same Message-ID."""

from __future__ import annotations

import os
import smtplib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from enum import StrEnum
from typing import NamedTuple

from cpor.runtime.errors import Misconfigured
from schemas.mail import Mail

#: 4xx and 5xx (RFC 5321).
_PASSING, _FINAL = 400, 500
#: The server hangs up.
_CLOSING = 421
SENDER = "CPOR claims <no-reply@cpor.example>"


@dataclass(frozen=True, slots=True)
class Server:
    """Where mails go and in whose name; `seconds` bounds each answer of the server."""

    host: str
    port: int
    sender: str = SENDER
    reply_to: str = ""
    seconds: float = 20.0

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ) -> Server:
        """From CPOR_SMTP, CPOR_MAIL_FROM and CPOR_MAIL_REPLY_TO. Raises Misconfigured."""
        host, _, port = environment.get("CPOR_SMTP", "").rpartition(":")
        if not host or not port.isascii() or not port.isdigit():
            raise Misconfigured("CPOR_SMTP must be the mail server's host:port")
        sender = environment.get("CPOR_MAIL_FROM") or SENDER
        if "@" not in parseaddr(sender)[1]:
            raise Misconfigured("CPOR_MAIL_FROM must be an address such as `CPOR <claims@example.com>`")
        return cls(host, int(port), sender, environment.get("CPOR_MAIL_REPLY_TO", ""))


class Result(StrEnum):
    DELIVERED = "delivered"
    DEFERRED = "deferred"
    BOUNCED = "bounced"


class Outcome(NamedTuple):
    """What became of one attempt; `reply` is the server's, on one line."""

    result: Result
    reply: str


class Post:
    """One connection, kept while it works; for one thread."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._connection: smtplib.SMTP | None = None

    def send(self, mail: Mail) -> Outcome:
        """Never raises for what a server or a network does. A kept connection may have died unseen: then once more."""
        message = message_of(mail, self._server)
        kept = self._connection is not None
        outcome = self._attempt(message, mail.to)
        if outcome is None and kept:
            outcome = self._attempt(message, mail.to)
        return outcome or Outcome(Result.DEFERRED, "no answer")

    def _attempt(self, message: EmailMessage, to: str) -> Outcome | None:
        """None where nobody answers, or only to close the connection."""
        try:
            self._connected().send_message(message, parseaddr(self._server.sender)[1], [to])
        except (OSError, smtplib.SMTPException) as fault:
            self._hang_up()
            return _outcome(fault)
        return Outcome(Result.DELIVERED, "")

    def _connected(self) -> smtplib.SMTP:
        if self._connection is None:
            self._connection = smtplib.SMTP(self._server.host, self._server.port, timeout=self._server.seconds)
        return self._connection

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _outcome(fault: Exception) -> Outcome | None:
    """Only a refused recipient or content bounces. At greeting, log-in or sender it is us whom the server refuses."""
    if isinstance(fault, smtplib.SMTPRecipientsRefused):
        return _refused(*next(iter(fault.recipients.values())))
    if isinstance(fault, smtplib.SMTPDataError):
        return _refused(fault.smtp_code, fault.smtp_error)
    if isinstance(fault, smtplib.SMTPResponseException) and fault.smtp_code != _CLOSING:
        return Outcome(Result.DEFERRED, _line(fault.smtp_code, fault.smtp_error))
    return None


def _refused(code: int, reply: bytes | str) -> Outcome:
    return Outcome(Result.DEFERRED if _PASSING <= code < _FINAL else Result.BOUNCED, _line(code, reply))


def _line(code: int, reply: bytes | str) -> str:
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return " ".join(f"{code} {text}".split())[:300]


def message_of(mail: Mail, server: Server) -> EmailMessage:
    """The same bytes for every attempt."""
    message = EmailMessage(policy=SMTP)
    domain = parseaddr(server.sender)[1].rpartition("@")[2]
    message["Message-ID"] = f"<{mail.mail_id}@{domain}>"
    message["Date"] = datetime.fromtimestamp(mail.at / 1000, UTC)
    message["From"] = _address(*parseaddr(server.sender))
    message["To"] = _address(mail.to_name, mail.to)
    if server.reply_to:
        message["Reply-To"] = server.reply_to
    message["Subject"] = mail.subject
    message["Content-Language"] = mail.language
    message["Auto-Submitted"] = "auto-generated"
    message["X-CPOR-Kind"] = mail.kind.value
    message["X-CPOR-Claim"] = mail.claim_id
    message.set_content(mail.text, cte="quoted-printable")
    message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    boundary = f"cpor-{mail.mail_id}"
    message.set_boundary(boundary)
    return message


def _address(name: str, email: str) -> Address:
    """A name that no header takes (it holds what looks like lines) is left out rather than the mail."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in name).split())
    return Address(plain, addr_spec=email)
