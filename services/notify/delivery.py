"""`python -m services.notify.delivery --slot 0 --data DIR`: delivers mails, through Faust (architecture §5).

At least once: a mail may arrive twice, always under one Message-ID. What became of each attempt is told on
`cpor.notify.deliveries` before its record is acknowledged. A mail that must wait is not waited for here: notify's
kernel half sends it again, so one greylisted address never holds up a partition.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import structlog

from cpor.domain import ids
from cpor.domain.vocabulary import Instant, parse_instant
from cpor.runtime import faust_app
from cpor.runtime.clock import Clock
from cpor.runtime.errors import Reject
from cpor.runtime.faust_app import Guard, Handle, Limits, Send
from cpor.runtime.faust_tail import read_tail
from cpor.runtime.health import Health
from cpor.runtime.mailserver import Server
from cpor.runtime.main import start_process
from cpor.runtime.record import Output, Record, TopicPartition, last_header
from cpor.runtime.settings import Settings
from cpor.runtime.topics import Topic
from schemas.base import read, write
from schemas.envelope import SUBJECT, TYPE, headers
from schemas.mail import ATTEMPT, BOUNCED, DEFERRED, DELIVERED, FIRST_AT, AboutMail, Bounced, Deferred, Delivered, Mail
from services.notify.ledger import NEWEST, Ledger
from services.notify.smtp import Outcome, Posts, Result
from services.notify.waits import GIVE_UP_MS, HOUR_MS, next_attempt

SERVICE = "notify-delivery"
SOURCE = "/services/notify/delivery"
TOPICS = (Topic.MAIL, Topic.NOTIFY_RESEND)
#: Seconds. A rebalance costs Faust more than it costs the kernel, and to wait for a lost process costs mails nothing.
SHORTEST_SESSION = 6.0
#: Seconds. Who moves a test clock waits after each step until the last mail is off the books.
COMMIT_SECONDS_TESTED = 0.05
#: An entry's type → how it is counted.
KINDS = {DELIVERED: "delivered", DEFERRED: "deferred", BOUNCED: "bounced"}
_ADDRESS = re.compile(r"<?[^\s<>@]+@[^\s<>@]+>?")
#: Counts the attempts since the last mail that went out in which the server did not let us in.
REFUSED = "refused"

log = structlog.get_logger("cpor.delivery")


class Delivery:
    """Handles one record: hands the mail over and tells what became of it. `width` mails may be on their way at once.

    `done` hears the kind of every entry, and whether it was us whom the server refused.
    """

    def __init__(
        self,
        deliver: Callable[[Mail], Outcome],
        clock: Clock,
        ledger: Ledger,
        width: int = 1,
        done: Callable[[str, bool], None] = lambda kind, ours: None,
    ) -> None:
        self._deliver = deliver
        self._clock = clock
        self._ledger = ledger
        self._done = done
        self._threads = ThreadPoolExecutor(width, "smtp")

    async def __call__(self, record: Record, send: Send) -> None:
        mail, attempt = self._read(record)
        if await self._ledger.has(record, mail.mail_id, attempt):
            log.info("settled already", mail=mail.mail_id, attempt=attempt)
            return
        outcome = await asyncio.get_running_loop().run_in_executor(self._threads, self._deliver, mail)
        entry = told(record, mail, attempt, outcome, Instant(self._clock.now()))
        await send(entry)
        self._done(kind_of(entry), outcome.ours)

    def _read(self, record: Record) -> tuple[Mail, int]:
        attempt = record.header(ATTEMPT) or "1"
        try:
            first_of(record, Instant(0))
            return read(Mail, record.value or b""), int(attempt)
        except ValueError as fault:
            raise Reject("unreadable_mail", str(fault)[:300], record=record.origin) from fault


def told(record: Record, mail: Mail, attempt: int, outcome: Outcome, at: Instant) -> Output:
    """The ledger's entry of an attempt, in the tenant's partition."""
    kind, entry = _entry(mail, attempt, outcome, first_of(record, at), at)
    name = ids.derived_id(mail.mail_id, kind, attempt)
    about = headers(kind, name, SOURCE, at, mail.claim_id, mail.mail_id)
    return Output(Topic.DELIVERIES, record.partition, record.key, write(entry), about)


def first_of(record: Record, at: Instant) -> Instant:
    """When the mail was tried first: now, where it says nothing else. Raises ValueError."""
    said = record.header(FIRST_AT)
    return at if said is None else parse_instant(said)


def kind_of(entry: Output) -> str:
    """`delivered`, `deferred` or `bounced`."""
    return KINDS[(last_header(entry.headers, TYPE) or b"").decode()]


def _entry(mail: Mail, attempt: int, outcome: Outcome, first_at: Instant, at: Instant) -> tuple[str, AboutMail]:
    own = {**mail.names(), "attempt": attempt, "at": at}
    # Servers like to repeat the address, and the ledger is kept for ever.
    reply = _ADDRESS.sub("<address>", outcome.reply)
    if outcome.result == Result.DELIVERED:
        return DELIVERED, Delivered(**own)
    if outcome.result == Result.BOUNCED:
        return BOUNCED, Bounced(**own, reply=reply)
    next_at = next_attempt(mail.mail_id, attempt, reply, first_at, at)
    if next_at is None:
        return BOUNCED, Bounced(**own, reply=f"gave up after {GIVE_UP_MS // HOUR_MS} h: {reply}")
    return DEFERRED, Deferred(**own, next_at=next_at, reply=reply, first_at=first_at)


def app_of(settings: Settings, handle: Handle, limits: Limits, width: int, ledger: Ledger) -> faust_app.SafeApp:
    """Mails of one claim are delivered in their order, those of different claims side by side."""
    session = max(settings.session_ms / 1000, SHORTEST_SESSION)
    commits = faust_app.COMMIT_SECONDS if settings.test_clock is None else COMMIT_SECONDS_TESTED
    app = faust_app.new_app(
        SERVICE, settings.slot, settings.kafka_bootstrap, settings.home, session=session, commits=commits
    )
    app.when_lost = ledger.forget
    guard = Guard(SERVICE, handle, faust_app.sender(app), limits)
    faust_app.agent_on(app, TOPICS, guard, width, lambda record: last_header(record.headers, SUBJECT))
    return app


def ledger_of(settings: Settings) -> Ledger:
    async def tail(partition: int, since: int | None) -> Sequence[Record]:
        place = TopicPartition(Topic.DELIVERIES, partition)
        return await read_tail(settings.kafka_bootstrap, place, NEWEST, since)

    return Ledger(tail)


def serve(server: Server, settings: Settings, health: Health) -> None:
    """Until a signal asks for an end, or a fault stops it; never returns."""
    limits = Limits()
    health.counts.update(dict.fromkeys((*KINDS.values(), REFUSED), 0))

    def count(kind: str, ours: bool) -> None:
        health.records += 1
        health.counts[kind] += 1
        health.counts[REFUSED] = health.counts[REFUSED] + ours if kind != KINDS[DELIVERED] else 0

    ledger = ledger_of(settings)
    handle = Delivery(Posts(server).send, settings.clock(), ledger, server.connections, count)
    log.info("started", smtp=f"{server.host}:{server.port}", tls=server.tls.value, user=server.user or None)
    faust_app.run(app_of(settings, handle, limits, server.connections, ledger), health, limits)


if __name__ == "__main__":
    start_process(SERVICE, lambda settings: partial(serve, Server.read()))
