"""`decide`: what becomes of a command, as events or as a value that says no and why.

Pure: no I/O, no clock, no random ids; the same inputs give the same decision under any hash seed. The order of
judgement is: who asks (D14), whether the claim exists, whether the view it was asked from is stale, whether the
table of transitions allows it, and then the guards of the step, all errors at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cpor.domain import commands as cmd
from cpor.domain.deciding import (
    consenting,
    dialogue,
    documents,
    drafting,
    ending,
    operating,
    reviewing,
    submitting,
)
from cpor.domain.deciding.desk import Desk
from cpor.domain.events import CommandRefused, UnknownClaimRefused
from cpor.domain.evolve import evolve
from cpor.domain.knowledge import NO_FACTS, Facts
from cpor.domain.model import ClaimState
from cpor.domain.permissions import PERMISSIONS, may_act
from cpor.domain.result import Accepted, Decision, Held, Ignored, Refused, refused
from cpor.domain.transitions import BEGINNINGS, illegal_detail, legal
from cpor.domain.vocabulary import Code, CommandName, LocationId

Handler = Callable[[Desk, Any], Refused | Ignored | Held | None]

HANDLERS: dict[type[cmd.CommandData], Handler] = {
    cmd.CreateClaim: drafting.create,
    cmd.EditClaim: drafting.edit,
    cmd.CancelClaim: ending.cancel,
    cmd.ReserveDocument: documents.reserve,
    cmd.AttachDocument: documents.attach,
    cmd.AmendDocument: documents.amend,
    cmd.RemoveDocument: documents.remove,
    cmd.AddComment: dialogue.comment,
    cmd.SubmitClaim: submitting.submit,
    cmd.FileClaim: submitting.file,
    cmd.ResubmitClaim: submitting.resubmit,
    cmd.WithdrawClaim: ending.withdraw,
    cmd.DisputeRejection: ending.dispute,
    cmd.DisassociateCustomer: ending.disassociate,
    cmd.StartReview: reviewing.start,
    cmd.RequestInformation: reviewing.request_information,
    cmd.ApproveClaim: reviewing.approve,
    cmd.RejectClaim: reviewing.reject_claim,
    cmd.AddReviewComment: dialogue.comment,
    cmd.ImportLegacy: operating.import_legacy,
    cmd.ResendNotice: consenting.resend_notice,
    cmd.EndSubscription: operating.end_subscription,
    cmd.RecordConsent: consenting.record,
    cmd.ExpireDeadline: operating.expire,
    cmd.ParkClaim: operating.park,
    cmd.UnparkClaim: operating.unpark,
    cmd.RecordEligibility: operating.eligibility,
    cmd.RecordEarning: operating.earning,
}

#: From the services: what time has overtaken is ignored, not refused (contract §4, §5).
OVERTAKEN: tuple[CommandName, ...] = (
    CommandName.CONSENT_OUTCOME,
    CommandName.DEADLINE_EXPIRED,
    CommandName.OPS_END_SUBSCRIPTION,
)


def decide(state: ClaimState | None, command: cmd.Command, facts: Facts = NO_FACTS) -> Decision:
    """Accepted with events (perhaps none), Refused with the exact code, Ignored, or Held (see `result`).

    `state` is that of the command's claim, None where it does not exist.
    """
    if refusal := _who_refusal(state, command, facts):
        return refusal
    if refusal := _existence_refusal(state, command):
        return refusal
    if state is not None and (no := _legality(state, command)):
        return no
    desk = Desk(state, command, facts)
    outcome = HANDLERS[type(command.data)](desk, command.data)
    return outcome if outcome is not None else desk.accepted()


def refusal_event(state: ClaimState | None, command: cmd.Command, no: Refused) -> CommandRefused | UnknownClaimRefused:
    """The event that a refused command of a reviewer, an operator or a service leaves (contract §4)."""
    context = command.context
    if state is None:
        return UnknownClaimRefused(
            claim_id=context.claim_id,
            at=context.now,
            actor=context.actor,
            command=command.name,
            code=no.code,
            detail=no.detail,
            message_id=context.message_id,
        )
    return CommandRefused(
        claim_id=state.claim_id,
        sequence=state.sequence + 1,
        at=context.now,
        actor=context.actor,
        policy=state.policy,
        status=state.status,
        command=command.name,
        code=no.code,
        detail=no.detail,
        message_id=context.message_id,
    )


def record_refusal(state: ClaimState, command: cmd.Command, no: Refused) -> Accepted:
    """The refusal of a command to a claim that exists, as events and state to write."""
    event = refusal_event(state, command, no)
    assert isinstance(event, CommandRefused)
    return Accepted((event,), {state.claim_id: evolve(state, event)})


def _who_refusal(state: ClaimState | None, command: cmd.Command, facts: Facts) -> Refused | None:
    """D14, judged on every message of a partner."""
    if command.name not in PERMISSIONS:
        return None
    status = state.status if state else None
    locations = _locations(state, command)
    refusal = may_act(facts.partner, command.context.user_id, command.name, status, locations)
    return refused(refusal) if refusal else None


def _locations(state: ClaimState | None, command: cmd.Command) -> tuple[LocationId, ...]:
    """Those of the claim, and the one the message would move it to, or begin it with."""
    data = command.data
    named = None
    if isinstance(data, cmd.CreateClaim | cmd.FileClaim | cmd.EditClaim):
        named = data.form.location_id
    own = (state.form.location_id,) if state else ()
    return (*own, named) if named is not None else own


def _existence_refusal(state: ClaimState | None, command: cmd.Command) -> Refused | None:
    if command.name in BEGINNINGS:
        return Refused(Code.CLAIM_EXISTS, "A claim with this reference exists already.") if state else None
    return None if state else Refused(Code.CLAIM_UNKNOWN, "There is no claim with this reference.")


def _legality(state: ClaimState, command: cmd.Command) -> Refused | Ignored | None:
    seen = command.context.expected_sequence
    if seen is not None and seen < state.last_blocking_sequence:
        detail = f"The claim has changed since event {seen}: event {state.last_blocking_sequence} is newer."
        return Refused(Code.STALE_SEQUENCE, detail)
    if legal(state.policy, state.status, command.name):
        return None
    if command.name in OVERTAKEN:
        return Ignored(f"the claim is {state.status}")
    return Refused(Code.ILLEGAL_TRANSITION, illegal_detail(state.policy, state.status, command.name))
