"""The mail server that takes our mails: where it is, how we prove who we are, and that it is the right one."""

from __future__ import annotations

import os
import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from enum import StrEnum
from pathlib import Path

from cpor.runtime.errors import Misconfigured
from cpor.runtime.settings import with_secrets

CONNECTIONS, MOST_CONNECTIONS = 8, 64
MAILS, MOST_MAILS = 100, 10_000
SENDER = "CPOR claims <no-reply@cpor.example>"


class Tls(StrEnum):
    """How the line is kept private: not at all, from STARTTLS on (RFC 3207), or from its first byte (RFC 8314)."""

    OFF = "off"
    STARTTLS = "starttls"
    TLS = "tls"


@dataclass(frozen=True, slots=True)
class Server:
    """Where mails go and in whose name; `seconds` bounds each answer of the server."""

    host: str
    port: int
    sender: str = SENDER
    reply_to: str = ""
    seconds: float = 20.0
    #: How many mails may be handed over at once, and how many over one connection before it is made anew.
    connections: int = CONNECTIONS
    mails: int = MAILS
    tls: Tls = Tls.OFF
    user: str = ""
    password: str = field(default="", repr=False)
    #: A file of certificates to trust instead of the machine's.
    ca: str = ""

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None) -> Server:
        """From CPOR_SMTP…, CPOR_MAIL_FROM and CPOR_MAIL_REPLY_TO; docs/configuration.md tells of each.

        Raises Misconfigured, also where a password would go over a plain line, to whatever host.
        """
        env = with_secrets(os.environ if environment is None else environment)
        host, _, port = env.get("CPOR_SMTP", "").rpartition(":")
        if not host or not port.isascii() or not port.isdigit():
            raise Misconfigured("CPOR_SMTP must be the mail server's host:port")
        sender = env.get("CPOR_MAIL_FROM") or SENDER
        if "@" not in parseaddr(sender)[1]:
            raise Misconfigured("CPOR_MAIL_FROM must be an address such as `CPOR <claims@example.com>`")
        server = cls(
            host,
            int(port),
            sender,
            env.get("CPOR_MAIL_REPLY_TO", ""),
            connections=_number(env, "CPOR_SMTP_CONNECTIONS", CONNECTIONS, MOST_CONNECTIONS),
            mails=_number(env, "CPOR_SMTP_MAILS", MAILS, MOST_MAILS),
            tls=_tls(env),
            user=env.get("CPOR_SMTP_USER", ""),
            password=env.get("CPOR_SMTP_PASSWORD", ""),
            ca=env.get("CPOR_SMTP_CA", ""),
        )
        _check(server)
        return server

    def connect(self) -> smtplib.SMTP:
        """A connection that may hand mails over. Raises OSError (a certificate that is not trusted is one) and
        smtplib.SMTPException.
        """
        if self.tls == Tls.TLS:
            connection: smtplib.SMTP = smtplib.SMTP_SSL(
                self.host, self.port, timeout=self.seconds, context=_context(self.ca)
            )
        else:
            connection = smtplib.SMTP(self.host, self.port, timeout=self.seconds)
        try:
            self._enter(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _enter(self, connection: smtplib.SMTP) -> None:
        if self.tls == Tls.STARTTLS:
            connection.starttls(context=_context(self.ca))
        if self.user:
            connection.login(self.user, self.password)


def _context(ca: str) -> ssl.SSLContext:
    """Verifies the certificate and its name."""
    return ssl.create_default_context(cafile=ca or None)


def _number(env: Mapping[str, str], name: str, usual: int, most: int) -> int:
    told = env.get(name) or str(usual)
    if not told.isascii() or not told.isdigit() or not 1 <= int(told) <= most:
        raise Misconfigured(f"{name} must be a number from 1 to {most}")
    return int(told)


def _tls(env: Mapping[str, str]) -> Tls:
    try:
        return Tls(env.get("CPOR_SMTP_TLS") or Tls.OFF)
    except ValueError:
        raise Misconfigured("CPOR_SMTP_TLS must be off, starttls or tls") from None


def _check(server: Server) -> None:
    if bool(server.user) != bool(server.password):
        raise Misconfigured("CPOR_SMTP_USER and CPOR_SMTP_PASSWORD (or CPOR_SMTP_PASSWORD_FILE) go together")
    if server.user and server.tls == Tls.OFF:
        raise Misconfigured("CPOR_SMTP_USER needs CPOR_SMTP_TLS=starttls or tls: no password goes over a plain line")
    if server.ca and server.tls == Tls.OFF:
        raise Misconfigured("CPOR_SMTP_CA needs CPOR_SMTP_TLS=starttls or tls: a plain line shows no certificate")
    if server.ca:
        _check_ca(Path(server.ca))


def _check_ca(path: Path) -> None:
    try:
        _context(str(path))
    except OSError as fault:
        raise Misconfigured(f"CPOR_SMTP_CA names {path}, which holds no certificates: {type(fault).__name__}") from None
