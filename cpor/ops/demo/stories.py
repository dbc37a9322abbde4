"""The stories of intake and review: each is one way that a claim can go, told as its partner and reviewer act."""

from __future__ import annotations

from dataclasses import replace

from cpor.devstack.samples import BadFile
from cpor.domain.vocabulary import Code, CommandName, InformationReason, RejectionReason, WithdrawReason
from cpor.ops.demo.act import ACKNOWLEDGED, Act, attached, filed, submitted
from cpor.ops.demo.asks import Story, Wait
from cpor.ops.demo.material import Proof
from schemas import envelope

POOR = RejectionReason.INSUFFICIENT_POE


# -- to approval --------------------------------------------------------------------------------------------------


def approved_in_bulk(act: Act) -> Story:
    yield from filed(act)
    yield Wait()
    yield act.start()
    yield Wait()
    yield act.approve()


def approved_step_by_step(act: Act) -> Story:
    yield act.create()
    yield act.submit(expect=Code.POE_MISSING)
    yield act.say(CommandName.EDIT, {"claim_name": f"{act.subject.customer.name}, first phase"})
    yield from attached(act, act.proof(kind=("pdf", "docx", "png", "jpg")[act.subject.number % 4]))
    yield act.submit()
    yield act.submit(expect=Code.ILLEGAL_TRANSITION)
    yield Wait(2)
    yield act.start()
    yield act.approve()


def asked_then_approved(act: Act) -> Story:
    """T6, T10: more proof is asked for and given."""
    yield from filed(act)
    yield act.start()
    yield act.ask(InformationReason.MISSING_CUSTOMER_ACKNOWLEDGMENT, "The customer's signature is not legible.")
    yield act.resubmit(expect=Code.NOTHING_PROVIDED)
    yield Wait(2)
    yield from attached(act, act.proof(days_ago=5), user="u-billing")
    yield act.comment("A new copy with a clear signature is attached.", user="u-billing")
    yield act.resubmit("Please look again.")
    yield Wait(2)
    yield act.start()
    yield act.approve()


def narrowed_then_approved(act: Act) -> Story:
    """R34: a workload that the proof does not show is taken out."""
    *kept, dropped = act.subject.workloads
    document = yield act.put(act.proof(workloads=tuple(kept)))
    yield act.file([document])
    yield act.start()
    yield act.approve(expect=Code.WORKLOAD_NOT_COVERED)
    yield act.ask(InformationReason.MISSING_PRODUCTS, f"The proof does not name {dropped}.", remove=[dropped])
    yield Wait(2)
    yield act.edit(workloads=list(kept))
    yield act.resubmit(f"{dropped} is removed.")
    yield act.start()
    yield act.approve()


# -- on the way ---------------------------------------------------------------------------------------------------


def left_as_draft(act: Act) -> Story:
    yield act.create()
    yield act.comment("Waiting for the customer's signature.")


def waits_for_reviewer(act: Act) -> Story:
    yield from submitted(act)


def waits_in_review(act: Act) -> Story:
    yield from filed(act)
    yield Wait()
    yield act.start()
    yield act.review(CommandName.REVIEW_COMMENT, text="We are comparing the dates of two documents.")


# -- to an end ------------------------------------------------------------------------------------------------------


def cancelled(act: Act) -> Story:
    yield act.create()
    yield act.cancel()
    yield act.submit(expect=Code.ILLEGAL_TRANSITION)


def withdrawn(act: Act) -> Story:
    """T14, D8: granted without a reviewer, and never disputable."""
    yield from filed(act)
    yield Wait()
    yield act.withdraw(WithdrawReason.NO_LONGER_WORKS_WITH_CUSTOMER)
    yield act.dispute("It was a mistake.", expect=Code.NOT_DISPUTABLE)


def rejected(act: Act) -> Story:
    yield from filed(act)
    yield act.start()
    yield Wait(4)
    yield act.reject(POOR, "The activities described are no deployment work.")


def dispute_waits(act: Act) -> Story:
    yield from rejected(act)
    yield Wait(3)
    yield act.dispute("Section 3 lists four waves of migration.")


def dispute_won(act: Act) -> Story:
    """T15, T16a: with a new document."""
    yield from rejected(act)
    yield Wait(3)
    proof = act.proof(days_ago=2)
    reserved = yield act.reserve(proof, user="u-billing")
    yield act.upload(reserved, proof)
    yield act.attach(reserved, proof, user="u-billing")
    yield act.dispute("The hand-over record is attached.", [reserved.value["document_id"]])
    yield Wait(2)
    yield act.approve()


def dispute_lost(act: Act) -> Story:
    """T16b: final, and no second dispute."""
    yield from rejected(act)
    yield act.dispute("", expect=Code.DISPUTE_EMPTY)
    yield act.dispute("The customer confirms the work on the phone.")
    yield Wait(3)
    yield act.reject(POOR, "A phone call is no proof of execution.")
    yield act.dispute("We insist.", expect=Code.ILLEGAL_TRANSITION)


def disassociated(act: Act) -> Story:
    """T13, R51: before anything was handed off."""
    yield from approved_in_bulk(act)
    yield Wait(2)
    yield act.disassociate("  ", expect=Code.REASON_REQUIRED)
    yield act.disassociate("The contract with the customer has ended.")


# -- two for one unit -------------------------------------------------------------------------------------------------


def challenger_loses(incumbent: Act, challenger: Act) -> Story:
    """D17: a claim on a held unit is compared, not refused; here the incumbent stays."""
    yield from approved_in_bulk(incumbent)
    yield from filed(challenger)
    yield Wait()
    yield challenger.start()
    yield challenger.approve(expect=Code.INCUMBENTS_NOT_NAMED)
    yield challenger.reject(POOR, "The other proof on record is newer and more complete.")


def challenger_wins(incumbent: Act, challenger: Act) -> Story:
    """D17, T20: the reviewer names whom the new claim displaces."""
    yield from approved_in_bulk(incumbent)
    yield from submitted(challenger)
    yield Wait()
    yield challenger.start()
    yield challenger.approve(displaces=[incumbent.claim_id])


# -- messages that are answered, and change nothing --------------------------------------------------------------------


def sent_twice(act: Act) -> Story:
    """The same message again is a duplicate; another one under its id is a conflict."""
    document = yield act.put(act.proof())
    first = act.file([document], message_id=f"file-{act.claim_ref}")
    yield first
    yield replace(first, expect=Code.DUPLICATE)
    changed = {**first.data, "claim_name": "Another name"}
    yield replace(first, data=changed, expect=Code.CONFLICTING_MESSAGE)
    yield act.start()
    yield act.approve()


def bad_file_first(act: Act, bad: BadFile) -> Story:
    """D21: the file is refused with its own code, a good one is taken."""
    size, digest = bad.declaration()
    proof = Proof(bad.filename, bad.content_type, bad.content(), act.clock(), act.subject.workloads)
    document = yield act.put(proof, declared={"size": size, "sha256": digest}, uploaded=bad.uploaded)
    yield act.file([document], expect=Code(bad.codes[0]))
    del proof, document
    yield from filed(act)
    yield Wait()
    yield act.start()
    yield act.approve()


def muddled(act: Act, other_tenant: str, other_partner: str) -> Story:
    """Everything that a partner's system can get wrong, before it gets it right."""
    kind = (envelope.TYPE, CommandName.CREATE.encode())
    yield act.raw(b"{ not json", kind, (envelope.ID, b"m-1"), expect=Code.MALFORMED_JSON)
    yield act.raw(b"[" * 100_000, kind, (envelope.ID, b"m-2"), expect=Code.MALFORMED_JSON)
    yield act.raw(b"{}", kind, expect=Code.MISSING_MESSAGE_ID)
    yield act.raw(b"{}", (envelope.TYPE, b"cpor.claim.create.v9"), (envelope.ID, b"m-3"), expect=Code.UNKNOWN_TYPE)
    yield act.raw(b'"' + b"x" * 300_000 + b'"', kind, (envelope.ID, b"m-4"), expect=Code.MESSAGE_TOO_LARGE)
    yield act.say(CommandName.CREATE, {"claim_name": ""}, expect=Code.INVALID_FIELDS)
    yield act.say(CommandName.CREATE, {**act.form(), "partner_id": other_partner}, expect=Code.PARTNER_MISMATCH)
    yield act.say(CommandName.CREATE, act.form(), user="u-nobody", expect=Code.USER_UNKNOWN)
    yield act.say(CommandName.CREATE, act.form(), user="u-reader", expect=Code.NOT_PERMITTED)
    yield act.comment("Is anybody there?", expect=Code.CLAIM_UNKNOWN)
    yield act.create()
    other = act.form(tenant_id=other_tenant)
    yield act.say(CommandName.CREATE, other, expect=Code.REFERENCE_BOUND)
    yield act.say(CommandName.CREATE, act.form(), expect=Code.CLAIM_EXISTS)
    yield from attached(act, act.proof())
    yield act.say(CommandName.SUBMIT, {"acknowledgements": ACKNOWLEDGED[:1]}, expect=Code.ACKNOWLEDGEMENTS_INCOMPLETE)
    yield act.submit()
