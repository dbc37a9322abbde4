"""The customer's notices from review through consent to notify and delivery, all real, on one broker in memory."""

from __future__ import annotations

import pytest

from cpor.domain.model import ConsentStage
from cpor.domain.vocabulary import CommandName, EventName, Instant
from cpor.runtime.record import Output, Record
from cpor.runtime.store.engine import MemoryEngines
from cpor.runtime.topics import Topic
from cpor.runtime.transport.memory import MemoryTransport
from cpor.runtime.worker import Limits, Worker
from schemas.base import read
from schemas.mail import Mail, MailKind
from services.consent.tokens import Tokens
from services.consent.worker import Consent
from services.notify.delivery import told
from services.notify.smtp import Outcome, Result
from tests.unit.notify.stage import Stage
from tests.unit.review.pipeline import DAY_MS, OPERATOR, N, of, usage_form

EAGER = Limits(poll_ms=0, idle_seconds=0, gate_seconds=0, pause_seconds=0)
WRONG = "kana@contoso.example"
RIGHT = "kana.ito@contoso.example"
COMPLETED = EventName.CONSENT_COMPLETED.ce_type


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

    def comes_back(self) -> None:
        """The newest notice, which a server had taken, comes back."""
        record = next(each for each in reversed(self.broker.records(Topic.MAIL)) if is_notice(each))
        mail = read(Mail, record.value or b"")
        back = Outcome(Result.BOUNCED, "came back: 5.1.1 no such mailbox")
        self.broker.append(told(record, mail, 1, back, at=Instant(self.clock.now())))

    def tasks(self) -> list[str]:
        """Subjects of what operators were told to see to."""
        return [mail.subject for mail in self.mails() if mail.kind == "operator_task"]

    def notices(self) -> list[tuple[str, str]]:
        """Kind and address of the customer's mails."""
        return [(mail.kind.value, mail.to) for mail in self.mails() if mail.recipient == "customer"]


def is_notice(record: Record) -> bool:
    return read(Mail, record.value or b"").recipient == "customer"


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


@pytest.mark.rule("D20")
def test_a_notice_that_comes_back_days_after_its_delivery_suspends_the_wait_until_a_new_one_arrives() -> None:
    life = Life()
    life.approved()
    life.run()
    life.clock.tick(3 * DAY_MS)
    life.comes_back()
    life.comes_back()
    life.run()
    assert life.claim().consent.stage == ConsentStage.SUSPENDED
    assert life.tasks() == ["To do: the customer's notice bounced, claim c"]
    life.clock.tick(9 * DAY_MS)
    life.run()
    assert life.claim().consent.stage == ConsentStage.SUSPENDED
    contact = {"name": "Kana Ito", "title": "CIO", "email": RIGHT}
    life.inside("c", CommandName.OPS_RESEND_NOTICE, actor=OPERATOR, customer_contact=contact)
    life.run()
    assert life.notices()[-1] == ("customer_approved", RIGHT)
    life.clock.tick(9 * DAY_MS)
    life.run()
    life.run()
    assert life.kinds()[-1] == "official"
    life.audit_told()


@pytest.mark.rule("D20")
def test_a_notice_that_comes_back_after_the_wait_is_a_task_and_changes_nothing() -> None:
    life = Life()
    life.approved()
    life.run()
    life.pass_days(9)
    life.run()
    life.run()
    official = life.claim()
    assert official.consent.stage == ConsentStage.COMPLETED
    for _ in range(2):
        life.comes_back()
        life.run()
    assert life.tasks() == ["To do: the customer's notice bounced after the wait, claim c"]
    assert life.claim() == official
    life.audit_told()


def test_a_notice_that_comes_back_after_the_wait_is_a_task_whichever_notify_reads_first() -> None:
    """The topics of claims and of deliveries have no order among them."""
    life = Life()
    life.approved()
    life.run()
    life.pass_days(9)
    while life.worker.step() + life.consent.step():
        pass
    assert life.claim().consent.stage == ConsentStage.COMPLETED
    late = [each for each in life.broker.records(Topic.CLAIM_EVENTS) if each.header("ce_type") == COMPLETED]
    notify = Life()
    for topic in (Topic.PARTNERS, Topic.CUSTOMERS, Topic.CLAIM_EVENTS, Topic.CONSENT_EVENTS):
        for record in life.broker.records(topic):
            if record not in late:
                notify.broker.append(Output(topic, record.partition, record.key, record.value, list(record.headers)))
    notify.tell_until(lambda: len(notify.notices()) == 2)
    notify.comes_back()
    notify.tell()
    assert notify.tasks() == []
    for record in late:
        notify.broker.append(Output(record.topic, record.partition, record.key, record.value, list(record.headers)))
    notify.tell()
    assert notify.tasks() == ["To do: the customer's notice bounced after the wait, claim c"]


@pytest.mark.rule("R48", "D17")
def test_what_was_lost_to_another_claim_during_the_wait_is_not_told_of_as_official() -> None:
    life = Life()
    life.approved()
    life.approved("rival", "P-2", usage_form("teams"), 2, displaces=[of("c")])
    life.run()
    life.pass_days(9)
    life.run()
    life.run()
    (text,) = [each.text for each in life.mails() if (each.kind, each.claim_id) == (MailKind.OFFICIAL, of("c"))]
    assert "partner of record of Contoso for Intune." in " ".join(text.split())
