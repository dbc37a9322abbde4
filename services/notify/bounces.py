"""`python -m services.notify.bounces --slot 0 --data DIR`: reads the mailbox to which mails come back.

A mail that a server took may come back days later. Its report is told of on `cpor.notify.deliveries` as
`cpor.delivery.bounced.v1`, and is moved away only when the broker has it: who is killed in between tells it again,
under the same id. Mails that nobody here understands lie in a folder of their own for an operator.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import NoReturn

import structlog

from cpor.domain import ids
from cpor.domain.vocabulary import Instant
from cpor.runtime.clock import Clock, wall_ms
from cpor.runtime.errors import Misconfigured
from cpor.runtime.health import Health
from cpor.runtime.main import asked_to_end, start_process
from cpor.runtime.record import Output
from cpor.runtime.settings import Settings
from cpor.runtime.topics import Topic
from cpor.runtime.transport.kafka import KafkaTransport
from cpor.runtime.transport.port import Publisher
from cpor.runtime.view import View
from cpor.runtime.watchdog import Watchdog
from schemas.base import write
from schemas.envelope import headers
from schemas.mail import BOUNCED, Bounced
from services.notify.dsn import LARGEST, Fate, Report, in_words, read_report
from services.notify.inbox import PROCESSED, UNKNOWN, Inbox, Letter, Opener, Unreachable, source_of
from services.notify.sent import SHAPE, Book, Sent

SERVICE = "notify-bounces"
SOURCE = "/services/notify/bounces"
#: Between two looks, seconds: usually, and under a test clock, whose mover waits for them.
PAUSE, PAUSE_TESTED = 30.0, 0.05
#: Within how much of a pause a signal is heard, seconds.
ATTENTION = 0.05
#: After a mailbox could not be reached, seconds.
PAUSE_AFTER_FAULT = 30.0
#: Mails that are read before the broker is waited for.
BATCH = 50
#: How long a report about a mail that the ledger does not know waits for it, ms: delivery tells of a mail after it
#: was taken, and may be down meanwhile.
PATIENCE_MS = 3_600_000
#: How it stands with the mailbox, in the health file: `began` is when the last whole look began, ms of wall time.
COUNTS = ("bounced", "delayed", "waiting", UNKNOWN, "began")

log = structlog.get_logger("cpor.bounces")


class Bounces:
    """One look at the mailbox after the other. `alive` is called for every mail."""

    def __init__(
        self,
        inbox: Inbox,
        book: Book,
        publisher: Publisher,
        clock: Clock,
        health: Health,
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        self._inbox, self._book, self._publisher = inbox, book, publisher
        self._clock, self._health, self._alive = clock, health, alive
        #: Reports that wait for the ledger, by their keys: they are not read again each time.
        self._waiting: dict[str, tuple[Report, int]] = {}

    def look(self) -> None:
        """Take up all there is. Raises Unreachable, and PublishFailed where the broker does not take what is told."""
        began, keys = wall_ms(), self._inbox.waiting()
        if keys and not self._book.is_current():
            self._health.waits("waiting for Kafka")
            return
        self._waiting = {key: self._waiting[key] for key in keys if key in self._waiting}
        for batch in _batches(keys):
            self._take(batch)
        counts = {"waiting": len(self._waiting), UNKNOWN: self._inbox.number_in(UNKNOWN), "began": began}
        for name, number in counts.items():
            self._health.counts[name] = number
        self._health.idle()

    def _take(self, keys: Sequence[str]) -> None:
        """Mails are moved after the broker has what they say."""
        moves: dict[str, list[str]] = {PROCESSED: [], UNKNOWN: []}
        for key in keys:
            self._alive()
            folder = self._judge(key)
            if folder is not None:
                moves[folder].append(key)
                self._waiting.pop(key, None)
        self._publisher.flush()
        self._alive()
        for folder, some in moves.items():
            if some:
                self._inbox.move(some, folder)

    def _judge(self, key: str) -> str | None:
        """Where the mail belongs once all is told; None while it waits, or where it is gone."""
        known = self._waiting.get(key) or _report_of(self._inbox.read(key, LARGEST))
        if known is None:
            return None
        report, came_at = known
        if report.fate is None or report.mail_id is None:
            log.warning("no report of a mail of ours: it is for an operator to look at", key=key)
            return UNKNOWN
        sent = self._book.find(report.mail_id)
        if sent is not None:
            self._tell(report, sent)
            return PROCESSED
        if wall_ms() - came_at < PATIENCE_MS:
            self._waiting[key] = known
            return None
        log.warning("a report about a mail that nobody sent", key=key)
        return UNKNOWN

    def _tell(self, report: Report, sent: Sent) -> None:
        log.info("report", mail=report.mail_id, fate=report.fate, status=report.status, known=sent.bounced)
        self._health.counts["delayed"] += report.fate is Fate.DELAYED
        if report.fate is Fate.FAILED and not sent.bounced:
            self._publisher.send(told(report, sent, Instant(self._clock.now())))
            self._health.records += 1
            self._health.counts["bounced"] += 1


def told(report: Report, sent: Sent, at: Instant) -> Output:
    """The ledger's entry, in the tenant's partition; its id is that of a bounce of the attempt that had arrived."""
    entry = Bounced(**sent.about.names(), attempt=sent.attempt, at=at, reply=f"came back: {in_words(report.status)}")
    name = ids.derived_id(entry.mail_id, BOUNCED, sent.attempt)
    heads = headers(BOUNCED, name, SOURCE, at, entry.claim_id, entry.mail_id)
    return Output(Topic.DELIVERIES, sent.partition, sent.tenant, write(entry), heads)


def _report_of(letter: Letter | None) -> tuple[Report, int] | None:
    return None if letter is None else (read_report(letter.content), letter.came_at)


def _batches(keys: Sequence[str]) -> Iterator[list[str]]:
    rest = iter(keys)
    while batch := list(islice(rest, BATCH)):
        yield batch


# -- the process ------------------------------------------------------------------------------------------------------


def main() -> NoReturn:
    start_process(SERVICE, lambda settings: partial(_work, source_of(), _pause(settings)))


def _pause(settings: Settings) -> float:
    told = os.environ.get("CPOR_BOUNCES_SECONDS") or str(PAUSE)
    try:
        seconds = float(told)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= 3600:
        raise Misconfigured("CPOR_BOUNCES_SECONDS must be a number from 0.1 to 3600")
    return seconds if settings.test_clock is None else min(seconds, PAUSE_TESTED)


def _work(opener: Opener, pause: float, settings: Settings, health: Health) -> None:
    stopping = asked_to_end()
    health.counts.update(dict.fromkeys(COUNTS, 0))
    inbox, clock = opener(), settings.clock()
    transport = KafkaTransport(settings.kafka_bootstrap, clock)
    watchdog = Watchdog(settings.watchdog_seconds)
    view = View(transport, settings.home / "sent.sqlite", SHAPE, clock)
    view.start()
    bounces = Bounces(inbox, Book(view), transport.publisher(), clock, health, watchdog.alive)
    watchdog.start()
    log.info("started", data=str(settings.home))
    while not stopping():
        next_look = time.monotonic() + _look(bounces, health, pause)
        while not stopping() and time.monotonic() < next_look:
            time.sleep(ATTENTION)
            watchdog.alive()
            health.write()


def _look(bounces: Bounces, health: Health, pause: float) -> float:
    """How long to wait until the next."""
    try:
        bounces.look()
        return pause
    except Unreachable as fault:
        log.warning("the mailbox cannot be reached", cause=str(fault))
        health.waits("without its mailbox")
        return max(pause, PAUSE_AFTER_FAULT)


if __name__ == "__main__":
    main()
