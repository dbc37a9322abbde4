"""The mail sink of the embedded platform: takes every mail and writes it into a directory as an `.eml` file.

`python -m cpor.devstack.mail --dir DIR --port PORT` (0: one that the system chooses) serves on the loopback interface
and prints `listening PORT`. Addresses for demos and tests, by the beginning of their local part:

    defer-N-…    450 for the first N attempts of a mail (`defer-…`: always), then taken
    bounce-…     550
    dsn-…        taken, and a report that it could not be delivered comes back (`dsn-delay-…`: that it is late)

Reports come back into a Maildir, where `--bounces` names one.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cpor.devstack.ports import LOOPBACK, kept_ports
from cpor.devstack.returning import comes_back, give_back
from cpor.devstack.supervisor import WorkerSpec

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope, Session

MODULE = "cpor.devstack.mail"
LARGEST = 2 * 1024 * 1024
_DEFER = re.compile(r"defer-(?:(\d+)-)?")
_OF_REPORTS = re.compile(r" (RET|ENVID|NOTIFY|ORCPT)=\S+", re.IGNORECASE)
_ENVID = re.compile(r" (ENVID=\S+)", re.IGNORECASE)
_UNSAFE = re.compile(r"[^A-Za-z0-9.@_-]")


class Sink:
    """aiosmtpd's handler. A mail that comes twice is written twice: doubles are for the reader to see."""

    def __init__(self, directory: Path, bounces: Path | None = None) -> None:
        self._directory, self._bounces = directory, bounces
        directory.mkdir(parents=True, exist_ok=True)
        self._number = len(list(directory.glob("*.eml")))
        self._attempts: Counter[str] = Counter()

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Commands may come together (RFC 2920): each line is taken when its turn comes. Reports may be asked for."""
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", "250-DSN", responses[-1]]

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("bounce-"):
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.original_content or b""
        for address in envelope.rcpt_tos:
            if self._defers(address, content):
                return "450 4.2.0 greylisted, try again later"
        self._write(envelope.rcpt_tos[0], content)
        named = [each.partition("=")[2] for each in envelope.mail_options if each.upper().startswith("ENVID=")]
        for address in filter(comes_back, envelope.rcpt_tos):
            if self._bounces is not None:
                give_back(self._bounces, address, content, "".join(named))
        return "250 2.0.0 taken"

    def _defers(self, address: str, content: bytes) -> bool:
        asked = _DEFER.match(address)
        if asked is None:
            return False
        mail = f"{address}/{message_from_bytes(content)['Message-ID']}"
        self._attempts[mail] += 1
        return asked[1] is None or self._attempts[mail] <= int(asked[1])

    def _write(self, address: str, content: bytes) -> None:
        """Whole or not at all: a reader never sees half a mail."""
        self._number += 1
        path = self._directory / f"{self._number:06}-{_UNSAFE.sub('_', address)[:80]}.eml"
        fresh = path.with_suffix(".new")
        fresh.write_bytes(content)
        fresh.replace(path)


@dataclass(frozen=True, slots=True)
class Received:
    """A mail in the sink."""

    path: Path
    message: EmailMessage

    @property
    def message_id(self) -> str:
        return str(self.message["Message-ID"])

    @property
    def to(self) -> str:
        return str(self.message["To"])

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    def body(self, kind: str = "plain") -> str:
        """Its text (`plain`) or `html`."""
        part = self.message.get_body((kind,))
        return "" if part is None else str(part.get_content())


def received(directory: Path) -> list[Received]:
    """What the sink holds, in the order in which it came."""
    return [Received(path, parsed(path.read_bytes())) for path in sorted(directory.glob("*.eml"))]


def parsed(raw: bytes) -> EmailMessage:
    """A mail as it came over the line."""
    message: Any = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def sink_worker(data: Path) -> tuple[WorkerSpec, int]:
    """The sink as a supervised process (it dies with its supervisor) and its port, the same after a restart. Its mails
    lie in `<data>/mail`, what comes back in `<data>/bounces`.
    """
    port = sink_port(data)
    return sink_spec(mail_dir(data), port, bounces_dir(data)), port


def mail_dir(data: Path) -> Path:
    return data / "mail"


def bounces_dir(data: Path) -> Path:
    return data / "bounces"


def sink_port(data: Path) -> int:
    """Where the sink of this data directory listens; asked before it does."""
    data.mkdir(parents=True, exist_ok=True)
    return kept_ports(data / "mail-port.json", ["mail"])["mail"]


def sink_spec(directory: Path, port: int, bounces: Path | None = None) -> WorkerSpec:
    back = () if bounces is None else ("--bounces", str(bounces))
    told = ("--dir", str(directory), "--port", str(port), *back)
    return WorkerSpec("mail-0", (sys.executable, "-m", MODULE, *told))


async def serve(directory: Path, port: int, bounces: Path | None = None) -> asyncio.Server:
    """Listening when it returns."""
    sink = Sink(directory, bounces)
    return await asyncio.get_running_loop().create_server(lambda: server_of(sink), LOOPBACK, port)


def server_of(sink: Sink) -> SMTP:
    """A connection's server. Its library knows no DSN (RFC 3461): what is asked for there is taken out of commands."""
    from aiosmtpd.smtp import SMTP  # slow to import, and most who ask here only want to read mails

    class Reporting(SMTP):
        async def smtp_MAIL(self, arg: str | None) -> None:
            await super().smtp_MAIL(_OF_REPORTS.sub("", arg or ""))
            if self.envelope is not None:
                self.envelope.mail_options += _ENVID.findall(arg or "")

        async def smtp_RCPT(self, arg: str | None) -> None:
            await super().smtp_RCPT(_OF_REPORTS.sub("", arg or ""))

    return Reporting(sink, data_size_limit=LARGEST, enable_SMTPUTF8=True, ident="cpor", timeout=60)


def port_of(server: asyncio.Server) -> int:
    return int(server.sockets[0].getsockname()[1])


async def _until_asked(directory: Path, port: int, bounces: Path | None) -> None:
    server = await serve(directory, port, bounces)
    print(f"listening {port_of(server)}", flush=True)
    asked = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    await asked.wait()
    os._exit(0)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog=f"python -m {MODULE}", description="A mail sink for one machine.")
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--bounces", type=Path)
    told = parser.parse_args(arguments)
    asyncio.run(_until_asked(told.dir, told.port, told.bounces))


if __name__ == "__main__":
    main()
