"""The whole pipeline in memory: partners' messages through intake and review, and everything it wrote as a log.

Only the document store is a stand-in: every file it is asked about is there and good.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from cpor.domain import ids
from cpor.domain.vocabulary import CommandName, Instant, PartnerId, TenantId
from cpor.ops.checker import PipelineLog, read_log
from cpor.runtime.clock import ManualClock
from cpor.runtime.processor import Processor
from cpor.runtime.record import Output
from cpor.runtime.store.engine import MemoryEngines
from cpor.runtime.topics import FIXED_TOPICS, Count, Topic, commands_topic, partner_topics
from cpor.runtime.transport.memory import MemoryBroker, MemoryTransport
from cpor.runtime.worker import Limits, Worker
from schemas.envelope import headers
from services.intake.poe.limits import P2023
from services.intake.worker import Intake
from services.review.worker import Review
from tests.unit.intake.harness import Shelf
from tests.unit.review.pipeline import (
    ACKNOWLEDGED,
    CUSTOMER,
    DAY_MS,
    MONDAY,
    OPERATOR,
    REVIEWER,
    SALES,
    SUBSCRIPTION,
    TENANT,
    directory_entry,
    sales_form,
    usage_form,
)

N = 4
PARTNERS = ("P-1", "P-2")
OTHER_TENANT = TenantId("5a0e1d7a-5b1c-4c7e-9a51-0d7d1a2b3c4d")


class Whole:
    """Intake and review, one process each."""

    def __init__(self, start: int = MONDAY) -> None:
        self.clock = ManualClock(start)
        self.broker = MemoryBroker(self.clock)
        counts = {Count.CLAIMS: N, Count.PARTNERS: 2, Count.ONE: 1}
        for spec in [*FIXED_TOPICS, *(spec for partner in PARTNERS for spec in partner_topics(partner))]:
            self.broker.create(spec.name, counts[spec.count])
        self._load_references()
        self.workers: list[Worker] = []
        for processor in (Intake(Shelf(), Shelf(), P2023, N, 2), Review(N)):
            self.hire(processor)
        self.sent = 0

    def hire(self, processor: Processor, limits: Limits | None = None, store: MemoryEngines | None = None) -> Worker:
        """One more process, by default with a store of its own."""
        made = Worker(processor, MemoryTransport(self.broker), store or MemoryEngines(), self.clock, "0", limits)
        self.workers.append(made)
        return made

    def _load_references(self) -> None:
        for partner in PARTNERS:
            self.append(Topic.PARTNERS, 0, partner, directory_entry(partner))
        for tenant in (TENANT, OTHER_TENANT):
            there = ids.tenant_partition(tenant, N)
            self.append(Topic.CUSTOMERS, there, tenant, {**CUSTOMER, "tenant_id": tenant})
        self.append(Topic.SUBSCRIPTIONS, ids.tenant_partition(TENANT, N), SUBSCRIPTION, SALES)

    def append(self, topic: str, partition: int, key: str, value: Any, told: Iterable[tuple[str, bytes]] = ()) -> None:
        content = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.broker.append(Output(topic, partition, key.encode(), content, list(told)))

    def say(
        self, ref: str, name: str, data: Any = None, *, by: str = "P-1", ce_id: str | None = None, tell: bool = True
    ) -> None:
        """A partner's message; bytes are sent as they are."""
        self.sent += 1
        told = [("ce_specversion", b"1.0"), ("ce_type", name.encode())]
        if tell:
            told.append(("ce_id", (ce_id or f"m-{self.sent}").encode()))
        value = data if isinstance(data, bytes) else {"user": "u-anna", **(data or {})}
        self.append(commands_topic(by), ids.murmur2(ref.encode()) % 2, ref, value, told)
        self.run()

    def tell(self, ref: str, name: CommandName, *, by: str = "P-1", tenant: TenantId = TENANT, **data: Any) -> None:
        """A command of a reviewer, an operator or a service."""
        self.sent += 1
        claim = ids.claim_id(PartnerId(by), ref)
        told = headers(name, ids.name_id(f"tool/{self.sent}"), "/tools/t", Instant(self.clock.now()), claim)
        self.append(Topic.CLAIM_COMMANDS, ids.tenant_partition(tenant, N), tenant, {"claim_id": claim, **data}, told)
        self.run()

    def review(self, ref: str, name: CommandName, **data: Any) -> None:
        self.tell(ref, name, actor=REVIEWER, **data)

    def operate(self, ref: str, name: CommandName, **data: Any) -> None:
        self.tell(ref, name, actor=OPERATOR, **data)

    def run(self) -> None:
        while any(self._rounds()):
            self.clock.tick()
        self.clock.tick(1_000)

    def _rounds(self) -> list[int]:
        """One round of each worker; how many records each took."""
        return [worker.step() for worker in self.workers]

    def days(self, number: float) -> None:
        self.clock.tick(int(number * DAY_MS))

    def log(self) -> PipelineLog:
        return read_log(self.broker.records, PARTNERS, N, services=("intake", "review"))

    # -- longer steps ----------------------------------------------------------------------------------------------

    def file(
        self,
        ref: str,
        form: dict[str, Any] | None = None,
        *,
        by: str = "P-1",
        digest: str = "a",
        acknowledged: Iterable[str] = ACKNOWLEDGED,
    ) -> None:
        sent = form or usage_form()
        document = {
            "object_key": f"incoming/{by}/{ref}.pdf",
            "filename": "sow.pdf",
            "content_type": "application/pdf",
            "size": 2048,
            "sha256": digest * 64,
            "description": "Signed statement of work",
            "customer_signed_on": "2023-05-15",
            "covers": sent["workloads"],
        }
        data = {**sent, "documents": [document], "acknowledgements": list(acknowledged)}
        self.say(ref, CommandName.FILE, data, by=by)

    def approve(self, ref: str, *, by: str = "P-1", **data: Any) -> None:
        self.review(ref, CommandName.REVIEW_START, by=by)
        self.review(ref, CommandName.REVIEW_APPROVE, by=by, **data)

    def import_legacy(self, *, ends_on: str) -> None:
        self.operate(
            "legacy",
            CommandName.OPS_IMPORT_LEGACY,
            claim_ref="legacy",
            partner_id="P-1",
            location_id="4711001",
            tenant_id=TENANT,
            subscription_id=SUBSCRIPTION,
            partner_role="build_intent_advisor",
            ends_on=ends_on,
        )

    def completed(self, ref: str, approval: int, *, by: str = "P-1") -> None:
        self.days(8)
        self.tell(ref, CommandName.CONSENT_OUTCOME, by=by, outcome="completed", approval=approval)


def a_life() -> Whole:
    """A bit of everything: drafts, competition, displacement, revocation, disputes, refusals, duplicates, nonsense."""
    whole = Whole()
    whole.say("draft", CommandName.CREATE, usage_form("exchange"))
    whole.say("draft", CommandName.COMMENT, {"text": "Papers follow."})
    whole.say("draft", CommandName.COMMENT, {"text": "Papers follow."}, ce_id="again")
    whole.say("draft", CommandName.COMMENT, {"text": "Papers follow."}, ce_id="again")
    whole.say("draft", CommandName.COMMENT, {"text": "Other words."}, ce_id="again")
    whole.say("draft", CommandName.SUBMIT, {"acknowledgements": ACKNOWLEDGED})
    whole.say("draft", CommandName.EDIT, {"claim_name": "Another name"})
    whole.say("draft", CommandName.CANCEL)
    whole.say("nobody", CommandName.COMMENT, {"text": "Is anybody there?"})
    whole.say("draft", CommandName.COMMENT, b"[" * 1000)
    whole.say("draft", "cpor.claim.unheard_of.v1", {})
    whole.say("draft", CommandName.COMMENT, {"text": "Who am I?"}, tell=False)
    _usage_claims(whole)
    _subscription_claims(whole)
    return whole


def _usage_claims(whole: Whole) -> None:
    """The incumbent loses one of its units to a challenger and the other to the customer's no."""
    whole.file("first", usage_form("teams", "intune"))
    whole.approve("first")
    whole.completed("first", 3)
    whole.file("rival", usage_form("teams"), by="P-2")
    whole.approve("rival", by="P-2")
    whole.review("rival", CommandName.REVIEW_APPROVE, by="P-2", displaces=[ids.claim_id(PartnerId("P-1"), "first")])
    whole.tell("first", CommandName.CONSENT_OUTCOME, outcome="declined", approval=3)
    whole.file("weak", usage_form("sharepoint"))
    whole.review("weak", CommandName.REVIEW_START)
    whole.review("weak", CommandName.REVIEW_REJECT, reasons=[{"code": "insufficient_poe"}], comment="Too thin.")
    whole.say("weak", CommandName.DISPUTE, {"justification": "It says all on page 4."})
    whole.review("weak", CommandName.REVIEW_REJECT, reasons=[{"code": "insufficient_poe"}], comment="It does not.")
    whole.say("weak", CommandName.COMMENT, {"text": "A pity."})


def _subscription_claims(whole: Whole) -> None:
    """A legacy association is replaced, a second role joins, one is given up."""
    whole.import_legacy(ends_on="2025-06-30")
    whole.file("advice", sales_form())
    whole.approve("advice")
    whole.file("usage", sales_form("usage_recognition"), digest="b")
    whole.approve("usage")
    whole.completed("advice", 3)
    whole.say("usage", CommandName.DISASSOCIATE, {"reason": "No longer ours."})
