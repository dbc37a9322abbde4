"""Handing a mail to a mail server: at least once, always under the same Message-ID."""

from __future__ import annotations

import os
import re
import smtplib
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from enum import StrEnum
from typing import NamedTuple

from cpor.runtime.errors import Misconfigured
from schemas.mail import Mail
from services.notify.mime import message_bytes

Reply = tuple[int, bytes]

#: 4xx and 5xx (RFC 5321).
_PASSING, _FINAL = 400, 500
#: The server hangs up.
_CLOSING = 421
_OK, _GO_ON = 250, 354
_TAKEN = (250, 251)
#: A line that begins with one gets another, or it might end the mail.
_DOT = re.compile(rb"^\.", re.MULTILINE)
CONNECTIONS = 8
MOST_CONNECTIONS = 64
SENDER = "CPOR claims <no-reply@cpor.example>"


@dataclass(frozen=True, slots=True)
class Server:
    """Where mails go and in whose name; `seconds` bounds each answer of the server."""

    host: str
    port: int
    sender: str = SENDER
    reply_to: str = ""
    seconds: float = 20.0
    #: How many mails may be handed over at once.
    connections: int = CONNECTIONS

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ) -> Server:
        """From CPOR_SMTP, CPOR_SMTP_CONNECTIONS, CPOR_MAIL_FROM and CPOR_MAIL_REPLY_TO. Raises Misconfigured."""
        host, _, port = environment.get("CPOR_SMTP", "").rpartition(":")
        if not host or not port.isascii() or not port.isdigit():
            raise Misconfigured("CPOR_SMTP must be the mail server's host:port")
        sender = environment.get("CPOR_MAIL_FROM") or SENDER
        if "@" not in parseaddr(sender)[1]:
            raise Misconfigured("CPOR_MAIL_FROM must be an address such as `CPOR <claims@example.com>`")
        wanted = environment.get("CPOR_SMTP_CONNECTIONS") or str(CONNECTIONS)
        if not wanted.isascii() or not wanted.isdigit() or not 1 <= int(wanted) <= MOST_CONNECTIONS:
            raise Misconfigured(f"CPOR_SMTP_CONNECTIONS must be a number from 1 to {MOST_CONNECTIONS}")
        reply_to = environment.get("CPOR_MAIL_REPLY_TO", "")
        return cls(host, int(port), sender, reply_to, connections=int(wanted))


class Result(StrEnum):
    DELIVERED = "delivered"
    DEFERRED = "deferred"
    BOUNCED = "bounced"


class Outcome(NamedTuple):
    """What became of one attempt; `reply` is the server's, on one line."""

    result: Result
    reply: str


class Post:
    """One connection, kept while it works; for one thread at a time."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._sender = parseaddr(server.sender)[1]
        self._connection: smtplib.SMTP | None = None

    def send(self, mail: Mail) -> Outcome:
        """Never raises for what a server or a network does. A kept connection may have died unseen: then once more."""
        content = message_bytes(mail, self._server.sender, self._server.reply_to)
        kept = self._connection is not None
        outcome = self._attempt(content, mail.to)
        if outcome is None and kept:
            outcome = self._attempt(content, mail.to)
        return outcome or Outcome(Result.DEFERRED, "no answer")

    def _attempt(self, content: bytes, to: str) -> Outcome | None:
        """None where nobody answers, or only to close the connection."""
        try:
            hand_over(self._connected(), self._sender, to, content)
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError) as fault:
            return _outcome(fault)  # of this mail; the connection is in order
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


class Posts:
    """As many connections as there are mails at once, each used by one thread at a time, the last used first."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._idle: list[Post] = []

    def send(self, mail: Mail) -> Outcome:
        try:
            post = self._idle.pop()
        except IndexError:
            post = Post(self._server)
        try:
            return post.send(mail)
        finally:
            self._idle.append(post)


def hand_over(smtp: smtplib.SMTP, sender: str, to: str, content: bytes) -> None:
    """One mail; in two round trips instead of four where the server takes commands together (RFC 2920).

    Raises what `smtplib` raises.
    """
    smtp.ehlo_or_helo_if_needed()
    if not smtp.has_extn("pipelining"):
        smtp.sendmail(sender, [to], content)
        return
    size = f" SIZE={len(content)}" if smtp.has_extn("size") else ""
    smtp.send(f"MAIL FROM:<{sender}>{size}\r\nRCPT TO:<{to}>\r\nDATA\r\n")
    by_sender, by_recipient, data = smtp.getreply(), smtp.getreply(), smtp.getreply()
    wanted = by_recipient[0] in _TAKEN
    if data[0] == _GO_ON:
        smtp.send(b"%b.\r\n" % (_DOT.sub(b"..", content) if wanted else b""))
        data = smtp.getreply()
    _check(smtp, sender, to, by_sender, by_recipient, data)


def _check(smtp: smtplib.SMTP, sender: str, to: str, by_sender: Reply, by_recipient: Reply, data: Reply) -> None:
    if data[0] == _OK and by_recipient[0] in _TAKEN:
        return
    if _CLOSING in (by_sender[0], by_recipient[0], data[0]):
        raise smtplib.SMTPServerDisconnected("the server closes the connection")
    smtp.rset()
    if by_sender[0] != _OK:
        raise smtplib.SMTPSenderRefused(*by_sender, sender)
    if by_recipient[0] not in _TAKEN:
        raise smtplib.SMTPRecipientsRefused({to: by_recipient})
    raise smtplib.SMTPDataError(*data)


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
