"""What the machine's rules stand on: a world that is watched, the claims in it, and words for everybody."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine

from cpor.domain import ids
from cpor.domain.model import ClaimState
from cpor.domain.vocabulary import ClaimId, CommandName, Instant, Status, TenantId, instant_text, parse_instant
from cpor.runtime.record import Output
from cpor.runtime.topics import Topic, receipts_topic
from tests.unit.machine.watch import Watch
from tests.unit.machine.world import STARTS, SUBSCRIPTIONS, World, claim_of
from tests.unit.ops.checker.five import CONTACT, PUT_OFF, REFUSED
from tests.unit.ops.checker.whole import OTHER_TENANT, PARTNERS, N
from tests.unit.review.pipeline import (
    ACKNOWLEDGED,
    OPERATOR,
    REVIEWER,
    TENANT,
    directory_entry,
    sales_form,
    usage_form,
)

#: D1: the first instant of P2023 in the partners' zone.
CHANGE = parse_instant("2023-10-09T22:00:00Z")
TENANTS = (TENANT, OTHER_TENANT)
ADDRESSES = ("kana@contoso.example", "ken@contoso.example", PUT_OFF, REFUSED)
#: Each with what it names; few, so that claims compete.
FORMS: tuple[tuple[str, ...], ...] = (("teams",), ("teams", "intune"), ("exchange",), ("sales",), ("sales", "usage"))


@dataclass(frozen=True)
class Claim:
    ref: str
    by: str
    tenant: TenantId

    @property
    def id(self) -> ClaimId:
        return claim_of(self.by, self.ref)


class Stage(RuleBasedStateMachine):
    """Without rules; `Machine` has them. A script can play it too: it needs nothing of Hypothesis but its base."""

    world: World
    watch: Watch

    def opens(self, start: str, seed: int, records: int, settles: bool) -> None:
        self.world = World(STARTS[start], seed, records, settles=settles)
        self.watch = Watch(self.world)
        self.claims: list[Claim] = []
        self.changed = False

    def has(self, *statuses: Status) -> bool:
        return any(self.status(each) in statuses for each in self.claims)

    # -- who and what there is -----------------------------------------------------------------------------------------

    def pick(self, n: int, *statuses: Status) -> Claim:
        """The n-th claim; of those in one of `statuses` where there is any."""
        fitting = [each for each in self.claims if self.status(each) in statuses] or self.claims
        return fitting[n % len(fitting)]

    def state(self, claim: Claim) -> ClaimState | None:
        return self.watch.states.get(claim.id)

    def status(self, claim: Claim) -> Status | None:
        state = self.state(claim)
        return None if state is None else state.status

    @property
    def is_2023(self) -> bool:
        return self.world.clock.now() >= CHANGE

    def now(self) -> Instant:
        return Instant(self.world.clock.now())

    # -- partners ------------------------------------------------------------------------------------------------------

    def new_claim(self, by: int, tenant: int) -> Claim:
        claim = Claim(f"c{len(self.claims)}", PARTNERS[by % 2], TENANTS[tenant % 2])
        self.claims.append(claim)
        return claim

    def form(self, claim: Claim, kind: int, email: int) -> dict[str, Any]:
        named = FORMS[kind % len(FORMS)]
        asked: dict[str, Any] = {"tenant_id": claim.tenant, **self.contact(email)}
        if not self.is_2023:
            asked["domain"] = "contoso.example"
        if named[0] != "sales":
            return usage_form(*named, **asked)
        if not self.is_2023:
            asked["technical_contact"] = {"name": "Ken", "email": "ken@contoso.example"}
        role = "usage_recognition" if "usage" in named else "build_intent_advisor"
        return sales_form(role, subscription_id=SUBSCRIPTIONS[claim.tenant], **asked)

    def contact(self, email: int) -> dict[str, Any]:
        return {"customer_contact": {**CONTACT, "email": ADDRESSES[email % len(ADDRESSES)]}}

    def acknowledged(self, claim: Claim) -> list[str]:
        state = self.state(claim)
        edition = state.policy if state else ("P2023" if self.is_2023 else "P2020")
        return ACKNOWLEDGED if edition == "P2023" else []

    def says(self, claim: Claim, name: CommandName, data: dict[str, Any] | None = None) -> None:
        self.world.say(claim.ref, name, data, by=claim.by)
        self.watch.look()

    def document(self, claim: Claim, covers: list[str]) -> dict[str, Any]:
        """Put there beforehand; each is another file."""
        self.world.sent += 1
        signed = self.world.clock.now() - int(timedelta(days=30).total_seconds() * 1000)
        return {
            "object_key": f"incoming/{claim.by}/{self.world.sent}.pdf",
            "filename": "sow.pdf",
            "content_type": "application/pdf",
            "size": 2048,
            "sha256": f"{self.world.sent:064x}",
            "description": "Signed statement of work",
            "customer_signed_on": instant_text(Instant(signed))[:10],
            "covers": covers,
        }

    def uploads(self, claim: Claim) -> str | None:
        """Asks for an upload; the document's id where the answer is there."""
        facts = {"filename": "more.pdf", "content_type": "application/pdf", "size": 99}
        self.world.sent += 1
        self.says(claim, CommandName.POE_RESERVE, {**facts, "sha256": f"{self.world.sent:064x}"})
        answers = [json.loads(each.value or b"") for each in self.world.broker.records(receipts_topic(claim.by))]
        found = [each["document_id"] for each in answers if each.get("upload")]
        return found[-1] if found else None

    # -- reviewers, operators, customers -------------------------------------------------------------------------------

    def reviews(self, claim: Claim, name: CommandName, **data: Any) -> None:
        self.world.tell(claim.ref, name, by=claim.by, tenant=claim.tenant, actor=REVIEWER, **data)
        self.watch.look()

    def operates(self, claim: Claim, name: CommandName, **data: Any) -> None:
        self.world.tell(claim.ref, name, by=claim.by, tenant=claim.tenant, actor=OPERATOR, **data)
        self.watch.look()

    def decision(self, claim: Claim, approves: bool, sequence: int) -> Output:
        """Of a reviewer who has seen the claim up to `sequence`."""
        data: dict[str, Any] = {"actor": REVIEWER, "expected_sequence": sequence}
        if not approves:
            data |= {"reasons": [{"code": "insufficient_poe"}], "comment": "Too thin."}
        name = CommandName.REVIEW_APPROVE if approves else CommandName.REVIEW_REJECT
        return self.world.order(claim.id, claim.tenant, name, data)

    def rivals(self, claim: Claim) -> list[ClaimId]:
        return [each.id for each in self.claims if (each.by, each.tenant) != (claim.by, claim.tenant)]

    def answers(self, claim: Claim, answer: str, how: dict[str, Any]) -> None:
        """A no that counts is noted before it is sent."""
        if how["channel"] == "page":
            how = {**how, "token_id": self.world.newest_link(claim.id)}
        elif answer == "decline" and how.get("operator"):
            self.watch.look()
            self.watch.dooms(claim.id, self.now())
        self.world.hears(claim.id, claim.tenant, answer, **how)
        self.watch.look()

    # -- references ----------------------------------------------------------------------------------------------------

    def directory(self, partner: str, **changes: Any) -> None:
        self.refers(Topic.PARTNERS, 0, partner, {**directory_entry(partner), **changes})

    def refers(self, topic: Topic, partition: int, key: str, entry: dict[str, Any]) -> None:
        self.changed = True
        self.world.append(topic, partition, key, entry)
        self.world.run()
        self.watch.look()


def copy_of(output: Output, value: bytes | None = None) -> Output:
    """The same message, or another under the same id."""
    return Output(output.topic, output.partition, output.key, value or output.value, output.headers)


def partition_of(tenant: TenantId) -> int:
    return ids.tenant_partition(tenant, N)
