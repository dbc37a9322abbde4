"""A claim on the stage: how its partner and its reviewer speak of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from cpor.domain.ids import claim_id
from cpor.domain.vocabulary import (
    Acknowledgement,
    ActorKind,
    Code,
    CommandName,
    EligibilityOutcome,
    EventName,
    InformationReason,
    PartnerId,
    RejectionReason,
    SubscriptionState,
    TenantId,
    WithdrawReason,
)
from cpor.ops.demo.asks import Decide, Put, Refer, Respond, Result, Say, SayRaw, Story, Upload
from cpor.ops.demo.material import Proof, Subject
from cpor.ops.inbox import by_reviewer
from cpor.ops.partner_client import Receipt
from schemas.consent import Answer

REVIEWERS = ("r-okafor", "r-lindqvist", "r-tanaka")
OPERATOR = "o-weber"
ACKNOWLEDGED = [each.value for each in Acknowledgement]


@dataclass(frozen=True)
class Act:
    """One claim: `today` is the local day on the demo's clock, as it is when asked."""

    subject: Subject
    clock: Callable[[], date]

    @property
    def partner_id(self) -> str:
        return self.subject.home.partner_id

    @property
    def claim_ref(self) -> str:
        return self.subject.claim_ref

    @property
    def claim_id(self) -> str:
        return claim_id(PartnerId(self.partner_id), self.claim_ref)

    @property
    def tenant_id(self) -> TenantId:
        return TenantId(self.subject.customer.tenant_id)

    @property
    def reviewer(self) -> str:
        return REVIEWERS[self.subject.number % len(REVIEWERS)]

    def proof(self, **changes: Any) -> Proof:
        return self.subject.proof(self.clock(), **changes)

    # -- the partner --------------------------------------------------------------------------------------------

    def say(
        self,
        command: CommandName,
        data: dict[str, Any],
        *,
        expect: Code = Code.ACCEPTED,
        user: str = "u-claims",
        message_id: str | None = None,
    ) -> Say:
        return Say(self.partner_id, self.claim_ref, command, {"user": user, **data}, expect, message_id)

    def raw(self, value: bytes, *headers: tuple[str, bytes], expect: Code) -> SayRaw:
        return SayRaw(self.partner_id, self.claim_ref, value, headers, expect)

    @property
    def acknowledged(self) -> list[str]:
        return ACKNOWLEDGED

    def form(self, **changes: Any) -> dict[str, Any]:
        return self.subject.form(**changes)

    def create(self, **changes: Any) -> Say:
        return self.say(CommandName.CREATE, self.form(**changes))

    def put(self, proof: Proof, **settings: Any) -> Put:
        return Put(self.partner_id, f"{self.claim_ref}/{proof.filename}", proof, **settings)

    def file(
        self,
        documents: Sequence[Any],
        *,
        expect: Code = Code.ACCEPTED,
        message_id: str | None = None,
        **changes: Any,
    ) -> Say:
        data = {**self.form(**changes), "documents": list(documents), "acknowledgements": self.acknowledged}
        return self.say(CommandName.FILE, data, expect=expect, message_id=message_id)

    def reserve(self, proof: Proof, **settings: Any) -> Say:
        return self.say(CommandName.POE_RESERVE, proof.declared(), **settings)

    def upload(self, reserved: Receipt, proof: Proof) -> Upload:
        return Upload(reserved.value["upload"], proof)

    def attach(self, reserved: Receipt, proof: Proof, **settings: Any) -> Say:
        data = {"document_id": reserved.value["document_id"], **proof.said()}
        return self.say(CommandName.POE_ATTACH, data, **settings)

    def submit(self, **settings: Any) -> Say:
        return self.say(CommandName.SUBMIT, {"acknowledgements": self.acknowledged}, **settings)

    def comment(self, text: str, **settings: Any) -> Say:
        return self.say(CommandName.COMMENT, {"text": text}, **settings)

    def edit(self, **changes: Any) -> Say:
        return self.say(CommandName.EDIT, changes, user="u-global")

    def resubmit(self, comment: str | None = None, **settings: Any) -> Say:
        return self.say(CommandName.RESUBMIT, {"comment": comment}, user="u-billing", **settings)

    def dispute(self, justification: str, documents: Sequence[str] = (), **settings: Any) -> Say:
        data = {"justification": justification, "document_ids": list(documents)}
        return self.say(CommandName.DISPUTE, data, user="u-billing", **settings)

    def withdraw(self, reason: WithdrawReason, **settings: Any) -> Say:
        return self.say(CommandName.WITHDRAW, {"reason": reason}, user="u-global", **settings)

    def disassociate(self, reason: str, **settings: Any) -> Say:
        return self.say(CommandName.DISASSOCIATE, {"reason": reason}, user="u-global", **settings)

    def cancel(self, **settings: Any) -> Say:
        return self.say(CommandName.CANCEL, {}, **settings)

    # -- the reviewer ---------------------------------------------------------------------------------------------

    def review(self, command: CommandName, expect: Code | None = None, **data: Any) -> Decide:
        told = by_reviewer(self.reviewer, **data)
        return Decide(command, self.claim_id, self.tenant_id, told, f"/reviewers/{self.reviewer}", expect)

    def start(self) -> Decide:
        return self.review(CommandName.REVIEW_START)

    def approve(self, *, expect: Code | None = None, displaces: Sequence[str] = ()) -> Decide:
        return self.review(CommandName.REVIEW_APPROVE, expect, displaces=list(displaces))

    def ask(self, reason: InformationReason, comment: str, *, remove: Sequence[str] = ()) -> Decide:
        told = [{"code": reason.value}]
        name = CommandName.REVIEW_REQUEST_INFORMATION
        return self.review(name, reasons=told, comment=comment, remove_workloads=list(remove))

    def reject(self, reason: RejectionReason, comment: str) -> Decide:
        return self.review(CommandName.REVIEW_REJECT, reasons=[{"code": reason.value}], comment=comment)

    # -- the customer -----------------------------------------------------------------------------------------------

    def declines(self, expect: str = EventName.REJECTED) -> Respond:
        """On the page of the newest notice, at any time (D4, D9)."""
        return Respond(self.claim_id, self.tenant_id, Answer.DECLINE, expect)

    def agrees(self, expect: str = EventName.CONSENT_ANSWERED) -> Respond:
        return Respond(self.claim_id, self.tenant_id, Answer.AGREE, expect)

    def agrees_by_phone(self, expect: str, *, checked: bool) -> Respond:
        """Nobody has put a name to it, or an operator has (D20)."""
        operator = OPERATOR if checked else None
        return Respond(self.claim_id, self.tenant_id, Answer.AGREE, expect, by_phone=True, operator=operator)

    # -- operators, feeds, incentive systems ------------------------------------------------------------------------

    def operate(self, command: CommandName, **data: Any) -> Decide:
        told = {"actor": {"kind": ActorKind.OPERATOR, "id": OPERATOR}, **data}
        return Decide(command, self.claim_id, self.tenant_id, told, f"/operators/{OPERATOR}")

    def resend_notice(self, mailbox: str) -> Decide:
        return self.operate(CommandName.OPS_RESEND_NOTICE, customer_contact=self.subject.customer_contact(mailbox))

    def subscription_ends(self, days: int, state: SubscriptionState = SubscriptionState.ACTIVE) -> Refer:
        """What the feed says: it ends in so many days and will not be renewed."""
        found = self.subject.subscription
        assert found is not None, "a claim of Business Applications"
        last = self.clock() + timedelta(days=days)
        return Refer(found.model_copy(update={"ends_on": last, "state": state}))

    def eligibility(self, outcome: EligibilityOutcome, reason: str | None = None) -> Result:
        data = {"outcome": outcome, "reason": reason}
        return Result(CommandName.ELIGIBILITY_RESULT, self.claim_id, self.tenant_id, data)

    def earning(self, amount: str, currency: str) -> Result:
        subscription = self.subject.subscription
        data = {
            "engagement": "modern_work_security_usage",
            "partner_role": self.subject.role,
            "tenant_id": self.tenant_id,
            "subscription_id": subscription.subscription_id if subscription else None,
            "amount": amount,
            "currency": currency,
            "period": f"{self.clock():%Y-%m}",
        }
        return Result(CommandName.EARNING, self.claim_id, self.tenant_id, data)


def attached(act: Act, proof: Proof, user: str = "u-claims") -> Story:
    """Reserve, upload, attach."""
    reserved = yield act.reserve(proof, user=user)
    yield act.upload(reserved, proof)
    yield act.attach(reserved, proof, user=user)


def filed(act: Act, **changes: Any) -> Story:
    """The bulk path: the file is in the store, one message does the rest. `changes` are of the form."""
    document = yield act.put(act.proof())
    yield act.file([document], **changes)


def submitted(act: Act) -> Story:
    """The step-by-step path."""
    yield act.create()
    yield from attached(act, act.proof())
    yield act.submit()
