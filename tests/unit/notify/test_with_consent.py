"""The customer's notices from review through consent to notify and delivery, all real, on one broker in memory."""

from __future__ import annotations

import pytest

from cpor.domain.vocabulary import CommandName, Instant
from cpor.runtime.record import Record
from cpor.runtime.store.engine import MemoryEngines
from cpor.runtime.topics import Topic
from cpor.runtime.transport.memory import MemoryTransport
from cpor.runtime.worker import Limits, Worker
from schemas.base import read
from schemas.mail import Mail
from services.consent.tokens import Tokens
from services.consent.worker import Consent
from services.notify.delivery import told
from services.notify.smtp import Outcome, Result
from tests.unit.notify.stage import Stage
from tests.unit.review.pipeline import DAY_MS, N

EAGER = Limits(poll_ms=0, idle_seconds=0, gate_seconds=0, pause_seconds=0)
WRONG = "kana@contoso.example"
RIGHT = "kana.ito@contoso.example"


class Life(Stage):
    """`run` lets all four work, in the order of their topics, until nothing is left; mails to `dead` ones bounce."""

    def __post_init__(self) -> None:
        super().__post_init__()
        processor = Consent(N, 60_000, Tokens("a key that is long enough to be no guess"))
        self.consent = Worker(processor, MemoryTransport(self.broker), MemoryEngines(), self.clock, "0", EAGER)
        self.dead: set[str] = set()
        self.delivered = 0

    def run(self) -> None:
        super().run()
        while self.worker.step() + self.notify.step() + self.consent.step() + self.post():
            pass

    def post(self) -> int:
        """What delivery does, without a network; the number of mails it took."""
        fresh = self.broker.records(Topic.MAIL)[self.delivered :]
        for record in fresh:
            self.broker.append(told(record, *self.handed_over(record), at=Instant(self.clock.now())))
        self.delivered += len(fresh)
        return len(fresh)

    def handed_over(self, record: Record) -> tuple[Mail, int, Outcome]:
        mail = read(Mail, record.value or b"")
        bounced = Outcome(Result.BOUNCED, "550 5.1.1 no such user")
        return mail, 1, bounced if mail.to in self.dead else Outcome(Result.DELIVERED, "")

    def notices(self) -> list[tuple[str, str]]:
        """Kind and address of the customer's mails."""
        return [(mail.kind.value, mail.to) for mail in self.mails() if mail.recipient == "customer"]


@pytest.mark.rule("R47", "D3")
def test_a_customer_hears_twice_and_the_partner_when_it_is_official() -> None:
    life = Life()
    life.approved()
    life.run()
    assert life.notices() == [("customer_requested", WRONG), ("customer_approved", WRONG)]
    life.pass_days(9)
    life.run()
    life.run()
    assert life.kinds()[-1] == "official"
    life.audit_told()


@pytest.mark.rule("D20")
def test_a_bounced_notice_is_told_to_the_partner_and_goes_to_the_corrected_address() -> None:
    life = Life()
    life.dead = {WRONG}
    life.approved()
    life.run()
    assert "notice_undelivered" in life.kinds()
    contact = {"name": "Kana Ito", "title": "CIO", "email": RIGHT}
    life.partner("c", CommandName.EDIT, {"customer_contact": contact})
    life.run()
    assert life.notices()[-1] == ("customer_approved", RIGHT)
    life.clock.tick(9 * DAY_MS)
    life.run()
    life.run()
    assert life.kinds()[-1] == "official"
    life.audit_told()
