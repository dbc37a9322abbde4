"""`python -m services.notify.delivery --slot 0 --data DIR`: delivers mails, through Faust (architecture §5).

At least once: a mail may arrive twice, always under one Message-ID. What became of each attempt is told on
`cpor.notify.deliveries` before its record is acknowledged. A mail that must wait is not waited for here: notify's
kernel half sends it again, so one greylisted address never holds up a partition.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog

from cpor.domain import ids
from cpor.domain.vocabulary import Instant
from cpor.runtime import faust_app, logs
from cpor.runtime.clock import Clock
from cpor.runtime.errors import Misconfigured, Reject
from cpor.runtime.faust_app import Guard, Handle, Limits, Send
from cpor.runtime.faust_tail import read_tail
from cpor.runtime.main import locked
from cpor.runtime.record import Output, Record, TopicPartition, last_header
from cpor.runtime.settings import Settings
from cpor.runtime.topics import Topic
from schemas.base import read, write
from schemas.envelope import SUBJECT, TYPE, headers
from schemas.mail import ATTEMPT, BOUNCED, DEFERRED, DELIVERED, AboutMail, Bounced, Deferred, Delivered, Mail
from services.notify.ledger import NEWEST, Ledger
from services.notify.smtp import Outcome, Posts, Result, Server

SERVICE = "notify-delivery"
SOURCE = "/services/notify/delivery"
TOPICS = (Topic.MAIL, Topic.NOTIFY_RESEND)
MINUTE_MS = 60_000
#: Seconds. A rebalance costs Faust more than it costs the kernel, and to wait for a lost process costs mails nothing.
SHORTEST_SESSION = 6.0
#: An entry's type → how it is counted.
KINDS = {DELIVERED: "delivered", DEFERRED: "deferred", BOUNCED: "bounced"}
_ADDRESS = re.compile(r"<?[^\s<>@]+@[^\s<>@]+>?")
#: How long a deferred mail waits after its 1st, 2nd … attempt, minutes; after the last it has bounced.
WAITS = (1, 5, 15, 60, 240, 720, 1440)

log = structlog.get_logger("cpor.delivery")


class Delivery:
    """Handles one record: hands the mail over and tells what became of it. `width` mails may be on their way at once.

    `done` hears the kind of every entry.
    """

    def __init__(
        self,
        deliver: Callable[[Mail], Outcome],
        clock: Clock,
        ledger: Ledger,
        width: int = 1,
        done: Callable[[str], None] = lambda kind: None,
    ) -> None:
        self._deliver = deliver
        self._clock = clock
        self._ledger = ledger
        self._done = done
        self._threads = ThreadPoolExecutor(width, "smtp")

    async def __call__(self, record: Record, send: Send) -> None:
        mail, attempt = self._read(record)
        if await self._ledger.has(record.partition, mail.mail_id, attempt):
            log.info("known already", mail=mail.mail_id, attempt=attempt)
            return
        outcome = await asyncio.get_running_loop().run_in_executor(self._threads, self._deliver, mail)
        entry = told(record, mail, attempt, outcome, Instant(self._clock.now()))
        await send(entry)
        self._done(kind_of(entry))

    def _read(self, record: Record) -> tuple[Mail, int]:
        attempt = record.header(ATTEMPT) or "1"
        try:
            return read(Mail, record.value or b""), int(attempt)
        except ValueError as fault:
            raise Reject("unreadable_mail", str(fault)[:300], record=record.origin) from fault


def told(record: Record, mail: Mail, attempt: int, outcome: Outcome, at: Instant) -> Output:
    """The ledger's entry of an attempt, in the tenant's partition."""
    kind, entry = _entry(mail, attempt, outcome, at)
    name = ids.derived_id(mail.mail_id, kind, attempt)
    about = headers(kind, name, SOURCE, at, mail.claim_id, mail.mail_id)
    return Output(Topic.DELIVERIES, record.partition, record.key, write(entry), about)


def kind_of(entry: Output) -> str:
    """`delivered`, `deferred` or `bounced`."""
    return KINDS[(last_header(entry.headers, TYPE) or b"").decode()]


def _entry(mail: Mail, attempt: int, outcome: Outcome, at: Instant) -> tuple[str, AboutMail]:
    about: dict[str, Any] = {name: getattr(mail, name) for name in AboutMail.model_fields}
    own = {**about, "attempt": attempt, "at": at}
    # Servers like to repeat the address, and the ledger is kept for ever.
    reply = _ADDRESS.sub("<address>", outcome.reply)
    if outcome.result == Result.DELIVERED:
        return DELIVERED, Delivered(**own)
    if outcome.result == Result.DEFERRED and attempt <= len(WAITS):
        next_at = Instant(at + WAITS[attempt - 1] * MINUTE_MS)
        return DEFERRED, Deferred(**own, next_at=next_at, reply=reply)
    given_up = "gave up: " if outcome.result == Result.DEFERRED else ""
    return BOUNCED, Bounced(**own, reply=f"{given_up}{reply}")


def app_of(settings: Settings, handle: Handle, limits: Limits, width: int, ledger: Ledger) -> faust_app.SafeApp:
    """Mails of one claim are delivered in their order, those of different claims side by side."""
    session = max(settings.session_ms / 1000, SHORTEST_SESSION)
    app = faust_app.new_app(SERVICE, settings.slot, settings.kafka_bootstrap, settings.home, session=session)
    app.when_lost = ledger.forget
    guard = Guard(SERVICE, handle, faust_app.sender(app), limits)
    faust_app.agent_on(app, TOPICS, guard, width, lambda record: last_header(record.headers, SUBJECT))
    return app


def ledger_of(settings: Settings) -> Ledger:
    return Ledger(
        lambda partition: read_tail(settings.kafka_bootstrap, TopicPartition(Topic.DELIVERIES, partition), NEWEST)
    )


def main() -> None:
    try:
        settings, server = Settings.read(SERVICE, sys.argv[1:]), Server.read()
    except Misconfigured as fault:
        sys.exit(f"{SERVICE}: {fault}")
    logs.configure(SERVICE, settings.slot)
    limits = Limits()
    with locked(settings.home):
        health = settings.health()
        health.waits("starting")
        health.counts.update(dict.fromkeys(KINDS.values(), 0))

        def count(kind: str) -> None:
            health.records += 1
            health.counts[kind] += 1

        ledger = ledger_of(settings)
        handle = Delivery(Posts(server).send, settings.clock(), ledger, server.connections, count)
        log.info("started", smtp=f"{server.host}:{server.port}")
        faust_app.run(app_of(settings, handle, limits, server.connections, ledger), health, limits)


if __name__ == "__main__":
    main()
