"""Handing a mail to a mail server: at least once, always under the same Message-ID."""

from __future__ import annotations

import re
import smtplib
import ssl
import threading
import time
from contextlib import suppress
from email.utils import parseaddr
from enum import StrEnum
from typing import NamedTuple

import structlog

from cpor.runtime.mailserver import Server
from schemas.mail import Mail
from services.notify.mime import message_bytes

Reply = tuple[int, bytes]

#: 4xx and 5xx (RFC 5321).
_PASSING, _FINAL = 400, 500
#: The server hangs up: it has no room for us now.
_CLOSING = 421
_OK, _GO_ON = 250, 354
_TAKEN = (250, 251)
#: A line that begins with one gets another, or it might end the mail.
_DOT = re.compile(rb"^\.", re.MULTILINE)
#: How long nobody connects after a 421, seconds: twice as long after each further one.
FIRST_REST, LONGEST_REST = 1.0, 30.0
#: How long one mail waits for such a server before its attempt counts, seconds: far less than a handling may take.
PATIENCE = 45.0

log = structlog.get_logger("cpor.delivery")


class Result(StrEnum):
    DELIVERED = "delivered"
    DEFERRED = "deferred"
    BOUNCED = "bounced"


class Outcome(NamedTuple):
    """What became of one attempt; `reply` is the server's, on one line. `ours`: it is us whom the server refuses (a
    wrong password, a certificate that we do not trust, a sender that it does not take), not the mail or its address.
    """

    result: Result
    reply: str
    ours: bool = False


class Rest:
    """One server's word that it has no room (421), heard by all its connections."""

    def __init__(self, first: float = FIRST_REST, longest: float = LONGEST_REST) -> None:
        self._first = first
        self._longest = longest
        self._next = first
        self._until = 0.0
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Who is told so while all rest already makes it no longer."""
        with self._lock:
            now = time.monotonic()
            if now >= self._until:
                self._until = now + self._next
                self._next = min(self._next * 2, self._longest)

    def over(self) -> None:
        """A mail went through."""
        if self._next != self._first:
            with self._lock:
                self._next = self._first

    def left(self) -> float:
        """Seconds."""
        return max(0.0, self._until - time.monotonic())


class Post:
    """One connection, kept while it works, for `server.mails` mails; for one thread at a time."""

    def __init__(self, server: Server, rest: Rest | None = None, patience: float = PATIENCE) -> None:
        self._server = server
        self._sender = parseaddr(server.sender)[1]
        self._rest = rest or Rest()
        self._patience = patience
        self._connection: smtplib.SMTP | None = None
        self._carried = 0

    def send(self, mail: Mail) -> Outcome:
        """Never raises for what a server or a network does.

        A server without room keeps nobody's attempt: for a while the mail waits here, with all the others.
        """
        content = message_bytes(mail, self._server.sender, self._server.reply_to)
        until = time.monotonic() + self._patience
        while True:
            if self._rest.left() > 0:
                time.sleep(min(self._rest.left(), max(0.0, until - time.monotonic())))
            outcome = self._once(content, mail) or Outcome(Result.DEFERRED, "no answer")
            if _is_closing(outcome):
                self._rest.begin()
            if not _is_closing(outcome) or time.monotonic() + self._rest.left() > until:
                return outcome

    def _once(self, content: bytes, mail: Mail) -> Outcome | None:
        """A kept connection may have died unseen, or be told so only now: then on a fresh one."""
        kept = self._connection is not None
        outcome = self._attempt(content, mail)
        if kept and (outcome is None or _is_closing(outcome)):
            outcome = self._attempt(content, mail)
        return outcome

    def _attempt(self, content: bytes, mail: Mail) -> Outcome | None:
        """None where nobody answers."""
        try:
            hand_over(self._connected(), self._sender, mail.to, content, mail.mail_id)
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError) as fault:
            outcome = _outcome(fault)  # of this mail; the connection is in order, but for a 421
        except (OSError, smtplib.SMTPException) as fault:
            self._hang_up()
            return _outcome(fault)
        else:
            outcome = Outcome(Result.DELIVERED, "")
            self._rest.over()
        self._carried += 1
        if self._carried >= self._server.mails or _is_closing(outcome):
            self._say_goodbye()
        return outcome

    def _connected(self) -> smtplib.SMTP:
        if self._connection is None:
            self._connection, self._carried = self._server.connect(), 0
        return self._connection

    def _say_goodbye(self) -> None:
        if self._connection is not None:
            with suppress(OSError, smtplib.SMTPException):
                self._connection.quit()
        self._hang_up()

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Posts:
    """As many connections as there are mails at once, each used by one thread at a time, the last used first."""

    def __init__(self, server: Server, rest: Rest | None = None) -> None:
        self._server = server
        self._rest = rest or Rest()
        self._idle: list[Post] = []

    def send(self, mail: Mail) -> Outcome:
        try:
            post = self._idle.pop()
        except IndexError:
            post = Post(self._server, self._rest)
        try:
            outcome = post.send(mail)
        finally:
            self._idle.append(post)
        if outcome.ours:
            log.error("the mail server does not let us in", smtp=self._server.host, reply=outcome.reply)
        return outcome


def hand_over(smtp: smtplib.SMTP, sender: str, to: str, content: bytes, name: str) -> None:
    """One mail; in two round trips instead of four where the server takes commands together (RFC 2920). `name` is what
    a report about it is to name.

    Raises what `smtplib` raises.
    """
    smtp.ehlo_or_helo_if_needed()
    of_mail, of_recipient = _reports(smtp, name)
    if not smtp.has_extn("pipelining"):
        smtp.sendmail(sender, [to], content, of_mail, of_recipient)
        return
    size = [f"SIZE={len(content)}"] if smtp.has_extn("size") else []
    by, to_whom = " ".join((f"<{sender}>", *size, *of_mail)), " ".join((f"<{to}>", *of_recipient))
    smtp.send(f"MAIL FROM:{by}\r\nRCPT TO:{to_whom}\r\nDATA\r\n")
    by_sender, by_recipient, data = _answer(smtp), _answer(smtp), _answer(smtp)
    wanted = by_recipient[0] in _TAKEN
    if data[0] == _GO_ON:
        smtp.send(b"%b.\r\n" % (_DOT.sub(b"..", content) if wanted else b""))
        data = _answer(smtp)
    if data[0] != _OK or not wanted:
        smtp.rset()
        raise _fault(sender, to, by_sender, by_recipient, data)


def _reports(smtp: smtplib.SMTP, name: str) -> tuple[list[str], list[str]]:
    """Which reports we want of the mail, by what name, with no more of it than its headers (RFC 3461)."""
    if not smtp.has_extn("dsn"):
        return [], []
    return ["RET=HDRS", f"ENVID={name}"], ["NOTIFY=FAILURE,DELAY"]


def _answer(smtp: smtplib.SMTP) -> Reply:
    """Nothing follows on a 421."""
    reply = smtp.getreply()
    if reply[0] == _CLOSING:
        raise smtplib.SMTPResponseException(*reply)
    return reply


def _fault(sender: str, to: str, by_sender: Reply, by_recipient: Reply, data: Reply) -> smtplib.SMTPException:
    if by_sender[0] != _OK:
        return smtplib.SMTPSenderRefused(*by_sender, sender)
    if by_recipient[0] not in _TAKEN:
        return smtplib.SMTPRecipientsRefused({to: by_recipient})
    return smtplib.SMTPDataError(*data)


#: A line that broke, though it is said in terms of TLS.
_BROKEN = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)


def _outcome(fault: Exception) -> Outcome | None:
    """Only a refused recipient or content bounces. At greeting, log-in or sender it is us whom the server refuses.

    None where nobody answered.
    """
    if isinstance(fault, smtplib.SMTPRecipientsRefused):
        return _refused(*next(iter(fault.recipients.values())))
    if isinstance(fault, smtplib.SMTPDataError):
        return _refused(fault.smtp_code, fault.smtp_error)
    if isinstance(fault, smtplib.SMTPResponseException):
        line = _line(fault.smtp_code, fault.smtp_error)
        return Outcome(Result.DEFERRED, line, ours=fault.smtp_code >= _FINAL)
    if _is_of_tls(fault) or _is_of_log_in(fault):
        return Outcome(Result.DEFERRED, " ".join(str(fault).split())[:300], ours=True)
    return None


def _is_of_tls(fault: Exception) -> bool:
    """A certificate that we do not trust, or a server that speaks no TLS there."""
    return isinstance(fault, ssl.SSLError) and not isinstance(fault, _BROKEN)


def _is_of_log_in(fault: Exception) -> bool:
    """A server that offers no STARTTLS or no log-in that we know; every fault of smtplib is an OSError."""
    return isinstance(fault, smtplib.SMTPException) and not isinstance(fault, smtplib.SMTPServerDisconnected)


def _is_closing(outcome: Outcome | None) -> bool:
    return outcome is not None and outcome.reply.startswith(f"{_CLOSING} ")


def _refused(code: int, reply: bytes | str) -> Outcome:
    return Outcome(Result.DEFERRED if _PASSING <= code < _FINAL else Result.BOUNCED, _line(code, reply))


def _line(code: int, reply: bytes | str) -> str:
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return " ".join(f"{code} {text}".split())[:300]
