"""Review and consent on one broker in memory; customers, operators and the mail's delivery as they write."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

from cpor.domain import ids
from cpor.domain.model import ClaimState
from cpor.domain.vocabulary import Clock, CommandName, Instant, TenantId, instant_text, parse_instant
from cpor.runtime.clock import ManualClock
from cpor.runtime.record import Output, Record
from cpor.runtime.store.engine import MemoryEngines
from cpor.runtime.topics import Topic
from cpor.runtime.transport.memory import MemoryTransport
from cpor.runtime.worker import Limits, Worker
from schemas.base import Message, check
from schemas.consent import CHECKED, RESPONSE, Checked, Requested, Response
from schemas.envelope import headers, read_envelope
from schemas.mail import BOUNCED, DELIVERED, AboutMail, Bounced, Delivered, MailKind, Recipient
from schemas.registry import MESSAGES
from services.consent.tokens import Tokens
from services.consent.worker import Consent
from tests.unit.review.pipeline import OPERATOR, TENANT, N, Pipeline, of

GRACE = 60_000
KEY = "a key that is long enough to be no guess"
EAGER = Limits(poll_ms=0, idle_seconds=0, gate_seconds=0, pause_seconds=0)
#: Reads its backlog one record a round, while everything that is due is due at once.
SLOW = replace(EAGER, records=1)
PARTITION = ids.tenant_partition(TENANT, N)


class Crash(BaseException):
    """The process dies here."""


@dataclass
class Stage(Pipeline):
    """`run` runs both until neither has anything to do; either stops and goes on when a test says so."""

    rows: MemoryEngines = field(default_factory=MemoryEngines)
    stopped: bool = False
    review_stopped: bool = False
    limits: Limits = EAGER

    def __post_init__(self) -> None:
        super().__post_init__()
        self.consent = self.fresh_consent()

    def fresh_consent(self) -> Worker:
        processor = Consent(N, GRACE, Tokens(KEY))
        return Worker(processor, MemoryTransport(self.broker), self.rows, self.clock, "0", self.limits)

    def run(self) -> None:
        while (0 if self.review_stopped else self.worker.step()) + (0 if self.stopped else self.consent.step()):
            pass
        self.clock.tick(1_000)

    def run_consent(self) -> None:
        """Consent alone, as far as it comes."""
        while self.consent.step():
            pass

    def pass_to(self, instant: int) -> None:
        self.clock.tick(max(0, instant - self.clock.now()))
        self.run()

    def goes_on(self) -> None:
        self.stopped = False
        self.run()

    def restart(self, *, store_lost: bool = False) -> None:
        self.broker.faults = lambda point: None
        self.rows = MemoryEngines() if store_lost else self.rows
        self.consent = self.fresh_consent()

    def crash_at(self, point: str) -> None:
        def faults(here: str) -> None:
            if here == point:
                raise Crash

        self.broker.faults = faults

    # -- the outside world ----------------------------------------------------------------------------------------

    def answers(
        self, answer: str = "decline", channel: str = "page", ref: str = "c", tenant: str = TENANT, **more: Any
    ) -> None:
        """An answer lies on its topic; by page with the newest link, by phone or mail taken by an operator."""
        if channel == "page":
            more = {"token_id": self.request(ref) if self.requests(ref) else None} | more
        else:
            more = {"operator": "o-1"} | more
        said = {"claim_id": of(ref), "answer": answer, "channel": channel, **more}
        value = json.dumps({name: each for name, each in said.items() if each is not None}).encode()
        check(Response, value)
        self._respond(RESPONSE, value, f"/customers/{tenant}", ref, tenant)

    def _respond(self, ce_type: str, value: bytes, source: str, ref: str, tenant: str) -> None:
        self.sent += 1
        spoken = headers(ce_type, ids.name_id(f"answer/{self.sent}"), source, Instant(self.clock.now()), of(ref))
        there = ids.tenant_partition(TenantId(tenant), N)
        self.broker.append(Output(Topic.CONSENT_RESPONSES, there, tenant.encode(), value, spoken))
        self.run()

    def doubtful(self, answer: str = "decline", *doubts: str, **more: Any) -> str:
        """An answer by page that may be a program's; its id."""
        self.answers(answer, doubts=list(doubts or ("no_visit",)), **more)
        return ids.name_id(f"answer/{self.sent}")

    def finds(self, finding: str, answer: str, ref: str = "c", tenant: str = TENANT) -> None:
        """An operator checked an answer that was held."""
        said = {"claim_id": of(ref), "response_id": answer, "finding": finding, "operator": "o-1"}
        value = json.dumps(said).encode()
        check(Checked, value)
        self._respond(CHECKED, value, "/operators/o-1", ref, tenant)

    def by_phone(self, answer: str = "decline", answered_at: int | None = None, **more: Any) -> None:
        came = {} if answered_at is None else {"answered_at": instant_text(Instant(answered_at))}
        self.answers(answer, "phone", **came, **more)

    def arrives(self, request: str | None = None, ref: str = "c") -> None:
        self._delivery(Delivered, DELIVERED, request or self.request(ref), ref)

    def bounces(self, request: str | None = None, ref: str = "c") -> None:
        self._delivery(Bounced, BOUNCED, request or self.request(ref), ref, reply="550 no such user")

    def _delivery(self, model: type[AboutMail], ce_type: str, request: str, ref: str, **more: Any) -> None:
        told = model(
            mail_id=ids.mail_id(request, "customer_approved", "kana@contoso.example"),
            claim_id=of(ref),
            kind=MailKind.CUSTOMER_APPROVED,
            recipient=Recipient.CUSTOMER,
            cause=request,
            **{"attempt": 1, "at": Instant(self.clock.now()), **more},
        )
        spoken = headers(ce_type, ids.derived_id(told.mail_id, ce_type), "/services/notify", Instant(0), of(ref))
        self.broker.append(
            Output(Topic.DELIVERIES, PARTITION, TENANT.encode(), told.model_dump_json().encode(), spoken)
        )
        self.run()

    def resend(self, **data: Any) -> None:
        self.inside("c", CommandName.OPS_RESEND_NOTICE, actor=OPERATOR, **data)
        self.run()

    # -- longer steps ---------------------------------------------------------------------------------------------

    def waiting(self, *, delivered: bool = True) -> int:
        """An approved claim whose customer was told; the end of the wait."""
        self.approved()
        self.run()
        if delivered:
            self.arrives()
        return self.due()

    def due(self) -> int:
        running = self.claim().clock(Clock.CONSENT_WAIT)
        assert running is not None
        return running.due

    def approves(self) -> None:
        self.review("c", CommandName.REVIEW_START)
        self.review("c", CommandName.REVIEW_APPROVE)
        self.run()

    # -- reading back ---------------------------------------------------------------------------------------------

    def request(self, ref: str = "c") -> str:
        """Id of the newest request."""
        return self.requests(ref)[-1][0]

    def requests(self, ref: str = "c") -> list[tuple[str, Requested]]:
        """Id and data of every `cpor.consent.requested.v1`."""
        found = [each for each in self.said(Topic.CONSENT_EVENTS, ref) if short(each) == "requested"]
        return [(each.header("ce_id") or "", check(Requested, each.value or b"")) for each in found]

    def told(self, ref: str = "c") -> list[str]:
        """Everything on `cpor.consent.events` of a claim, in order; a reason stands behind a colon."""
        found: list[str] = []
        for each in self.said(Topic.CONSENT_EVENTS, ref):
            data = json.loads(each.value or b"")
            reason = data.get("reason") or data.get("notice")
            found.append(short(each) + (f": {reason}" if reason else ""))
        return found

    def outcomes(self) -> list[str]:
        """What review was told."""
        found = self.said(Topic.CLAIM_COMMANDS, None)
        return [
            json.loads(each.value or b"")["outcome"]
            for each in found
            if each.header("ce_type") == CommandName.CONSENT_OUTCOME
        ]

    def said(self, topic: Topic, ref: str | None) -> list[Record]:
        """Records of a topic, of one claim where `ref` is given; each as its schema says."""
        found = [each for each in self.broker.records(topic) if ref is None or each.header("ce_subject") == of(ref)]
        for each in found:
            told = read_envelope(each.headers)
            if told.source == "/services/consent":
                model: type[Message] = MESSAGES[told.type or ""].model
                check(model, each.value or b"")
        return found

    def reasons(self) -> list[str]:
        return [each.code for each in self.claim().reasons]


#: A Monday under P2020.
IN_2020 = parse_instant("2023-03-06T08:00:00Z")


def of_2020() -> tuple[Stage, int]:
    """Approved under P2020, the notice delivered; the end of the seven days."""
    stage = Stage(clock=ManualClock(IN_2020))
    stage.submitted_2020()
    stage.approves()
    stage.arrives()
    return stage, stage.due()


def short(record: Record) -> str:
    return (record.header("ce_type") or "").removeprefix("cpor.consent.").removesuffix(".v1")


def stage_of(claim: ClaimState) -> str:
    return claim.consent.stage.value
