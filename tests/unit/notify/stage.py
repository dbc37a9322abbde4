"""Review and notify under the real kernel on one in-memory broker; consent and deadlines are played by the tests."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from cpor.domain import ids
from cpor.domain.vocabulary import Clock, CommandName, Instant, instant_text
from cpor.runtime.record import Output, Record
from cpor.runtime.store.engine import MemoryEngines
from cpor.runtime.topics import Topic, updates_topic
from cpor.runtime.transport.memory import MemoryTransport
from cpor.runtime.worker import Worker
from schemas import consent, deadlines
from schemas.base import check
from schemas.envelope import headers, read_envelope
from schemas.mail import DEFERRED, DELIVERED, AboutMail, Mail
from schemas.updates import Update
from services.notify.drafts import Settings
from services.notify.worker import Notify
from tests.unit.review.pipeline import TENANT, N, Pipeline, of

SETTINGS = Settings(N, "https://consent.example/answer", "operations@cpor.example")
HERE = ids.tenant_partition(TENANT, N)


class Stage(Pipeline):
    """One review worker and one notify worker."""

    settings: Settings = SETTINGS

    def __post_init__(self) -> None:
        super().__post_init__()
        self.notify_engines = MemoryEngines()
        self.notify = self.fresh_notify()

    def fresh_notify(self) -> Worker:
        return Worker(Notify(self.settings), MemoryTransport(self.broker), self.notify_engines, self.clock, "0")

    def tell(self) -> None:
        """Let notify catch up."""
        while self.notify.step():
            pass

    def tell_until(self, done: Callable[[], bool]) -> None:
        """Let notify go on until then: what it waits for is looked at again after a while of real time."""
        until = time.monotonic() + 10
        while not done():
            assert time.monotonic() < until
            self.notify.step()

    # -- played by the tests ------------------------------------------------------------------------------------------

    def consent_asks(self, ref: str = "c", notice: consent.Notice = consent.Notice.APPROVED, by: str = "P-1") -> str:
        """Consent, which follows the claim's events, asks for the customer's notice; the event's id."""
        self.tell()
        state = self.claim(ref, by)
        approval = state.sequence if notice == consent.Notice.APPROVED else None
        cause = ids.event_id(state.claim_id, state.sequence)
        value = {"claim_id": state.claim_id, "at": self.now(), "notice": notice, "token": "tok/1"}
        return self.said(Topic.CONSENT_EVENTS, consent.REQUESTED, value | {"approval": approval}, cause)

    def consent_holds(self, ref: str = "c") -> str:
        """An answer of the customer is held for a check; the event's id."""
        self.tell()
        state = self.claim(ref)
        approval = {} if state.approval is None else {"approval": state.approval.sequence}
        value = {"claim_id": state.claim_id, "at": self.now(), **approval}
        return self.said(Topic.CONSENT_EVENTS, consent.HELD, value, "answer/1")

    def deadline(self, kind: str, clock: Clock, ref: str = "c") -> str:
        self.tell()
        state = self.claim(ref)
        running = state.clock(clock)
        assert running is not None
        value = {
            "claim_id": state.claim_id, "clock": clock, "started_by": running.started_by, "rung": 0,
            "due": instant_text(running.due), "fired_at": self.now(),
        }  # fmt: skip
        return self.said(Topic.DEADLINE_EVENTS, kind, value, ids.event_id(state.claim_id, running.started_by))

    def delivery(self, kind: str, mail: Mail, attempt: int = 1, next_at: int | None = None) -> None:
        about = json.loads(mail.model_dump_json(include=set(AboutMail.model_fields), exclude_none=True))
        value = {**about, "attempt": attempt, "at": self.now()}
        if kind == DEFERRED:
            value |= {"next_at": instant_text(next_at or self.clock.now()), "reply": "450 later"}
        elif kind != DELIVERED:
            value |= {"reply": "550 never"}
        self.said(Topic.DELIVERIES, kind, value, mail.mail_id)

    def said(self, topic: Topic, kind: str, value: dict[str, Any], cause: str) -> str:
        self.sent += 1
        name = ids.derived_id(cause, kind, self.sent)
        told = headers(kind, name, "/services/x", Instant(self.clock.now()), value["claim_id"], cause)
        self.broker.append(Output(topic, HERE, TENANT.encode(), json.dumps(value).encode(), told))
        return name

    def now(self) -> str:
        return instant_text(self.clock.now())

    # -- reading back -------------------------------------------------------------------------------------------------

    def updates(self, by: str = "P-1") -> list[Update]:
        return [check(Update, record.value or b"") for record in self.broker.records(updates_topic(by))]

    def mail_records(self, topic: Topic = Topic.MAIL) -> list[Record]:
        return self.broker.records(topic)

    def mails(self, topic: Topic = Topic.MAIL) -> list[Mail]:
        return [check(Mail, record.value or b"") for record in self.mail_records(topic)]

    def kinds(self) -> list[str]:
        return [mail.kind.value for mail in self.mails()]

    def audit_told(self) -> None:
        """One update an event, in order; no mail id twice; a mail's id follows the recipe (contract §2, D30)."""
        told = {by: [(each.claim_id, each.sequence) for each in self.updates(by)] for by in self.partners}
        made = [(each.claim_id, each.sequence) for each in self.events()]
        assert sorted(each for one in told.values() for each in one) == sorted(made)
        for one in told.values():
            for claim in {claim for claim, _ in one}:
                sequences = [number for each, number in one if each == claim]
                assert sequences == list(range(1, len(sequences) + 1))
        mails = self.mails()
        assert len({mail.mail_id for mail in mails}) == len(mails)
        for mail in mails:
            assert mail.mail_id == ids.mail_id(mail.cause, mail.kind, mail.to)
        for record, mail in zip(self.mail_records(), mails, strict=True):
            assert (record.partition, read_envelope(record.headers).id) == (HERE, mail.mail_id)


REVIEW_REJECT = CommandName.REVIEW_REJECT
REMINDER, MISSED = deadlines.REMINDER, deadlines.MISSED
claim_of = of
