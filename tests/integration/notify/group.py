"""Several delivery processes on one broker, and what they must have done in the end."""

from __future__ import annotations

import signal
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

from cpor.devstack import mail as sink
from cpor.domain import ids
from cpor.runtime.health import is_fresh, read_health
from cpor.runtime.record import Output
from cpor.runtime.settings import CLAIMS_PARTITIONS
from cpor.runtime.topics import Topic
from schemas.base import write
from schemas.envelope import headers
from schemas.mail import DELIVERED, MAIL, Mail
from tests.integration.notify.test_delivery_process import Post

ALL = list(range(CLAIMS_PARTITIONS))
#: Claims whose mails have an order.
CLAIMS = 24


class Group(Post):
    """Delivery processes by slot; a session of theirs is as short as a broker allows."""

    def __init__(self, bootstrap: str, home: Path) -> None:
        super().__init__(bootstrap, home)
        self.env |= {"CPOR_SESSION_MS": "6000"}
        self.producer = self.transport.producer(f"notify-{home.name}")
        self.mails: list[Mail] = []
        self.slots: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, *slots: str) -> None:
        for slot in slots:
            self.slots[slot] = self.deliver(slot=slot)

    def feed(self, count: int) -> None:
        """So many mails, over all partitions, in transactions as notify writes them: each leaves a gap."""
        for first in range(0, count, 20):
            self.producer.begin()
            for number in range(first, min(count, first + 20)):
                self._send(len(self.mails), number % CLAIMS)
            self.producer.commit()

    def _send(self, number: int, claim: int) -> None:
        one = self.mail(claim_id=ids.name_id(f"claim/{claim}"), subject=f"Mail {number}")
        self.mails.append(one)
        told = headers(MAIL, one.mail_id, "/services/notify", one.at, one.claim_id, one.cause)
        self.producer.send(Output(Topic.MAIL, claim % CLAIMS_PARTITIONS, b"tenant", write(one), told))

    def health(self, slot: str) -> dict[str, Any] | None:
        return read_health(self.home / "notify-delivery" / slot / "health.json")

    def owns(self, slot: str) -> list[int]:
        told = self.health(slot)
        return sorted(told["slots"]) if told is not None and is_fresh(told) else []

    def until_owned(self, *slots: str) -> None:
        """They, and no others, have the partitions among them, each some."""

        def shared() -> bool:
            shares = [self.owns(slot) for slot in slots]
            return all(shares) and sorted(p for each in shares for p in each) == ALL

        self.until(shared, 90)

    def arrived(self) -> int:
        return sum(1 for _ in self.inbox.glob("*.eml"))

    def until_more_arrived(self, number: int) -> None:
        wanted = min(self.arrived() + number, len(self.mails))
        self.until(lambda: self.arrived() >= wanted, 120)

    def until_told(self) -> None:
        """Of every mail it is on record that it arrived."""
        wanted = {(each.mail_id, DELIVERED) for each in self.mails}
        self.until(lambda: wanted <= set(self.ledger()), 180)

    def audit(self) -> int:
        """Every mail arrived; one that came again is the same to the byte; those of a claim came in order.

        The number of mails that came again.
        """
        got: dict[str, list[bytes]] = defaultdict(list)
        for each in sink.received(self.inbox):
            got[each.message_id].append(each.path.read_bytes())
        names = {f"<{each.mail_id}@cpor.example>": each for each in self.mails}
        assert set(got) == set(names)
        assert all(len(set(copies)) == 1 for copies in got.values())
        firsts: dict[str, list[str]] = defaultdict(list)
        for name in got:
            firsts[names[name].claim_id].append(name)
        order = list(names)
        assert all(mine == sorted(mine, key=order.index) for mine in firsts.values())
        return sum(len(copies) - 1 for copies in got.values())

    def close(self) -> None:
        self.producer.close()
        for process in self.slots.values():
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
        super().close()
