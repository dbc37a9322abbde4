"""What a partner may ask for at the end: cancel, withdraw, dispute, disassociate (D8, D12, R51)."""

from __future__ import annotations

from typing import Any

from cpor.domain.commands import CancelClaim, DisassociateCustomer, DisputeRejection, WithdrawClaim
from cpor.domain.deciding.competing import flag_competition
from cpor.domain.deciding.desk import Desk
from cpor.domain.deciding.windows import dispute_refusal, is_disputable
from cpor.domain.events import Cancelled, Disputed, Rejected, RejectedFinal
from cpor.domain.model import ClaimState, Reason
from cpor.domain.refusal import FieldError, shown
from cpor.domain.result import Refused, refused_for
from cpor.domain.texts import check_text
from cpor.domain.units import own_claimed, units_of
from cpor.domain.vocabulary import (
    Code,
    DocumentId,
    RejectionReason,
    RevocationReason,
    Status,
    WithdrawReason,
)


def cancel(desk: Desk, data: CancelClaim) -> Refused | None:
    desk.enter(Status.CANCELLED, Cancelled)
    return None


def withdraw(desk: Desk, data: WithdrawClaim) -> Refused | None:
    """T14: granted without a reviewer, and never disputable (D7)."""
    text, limit = (data.text or "").strip(), desk.policy.texts.withdraw_text
    if data.reason == WithdrawReason.OTHER and not text:
        return Refused(Code.REASON_REQUIRED, "Say in text why the claim is withdrawn.")
    if text and (errors := tuple(check_text("text", text, limit, multiline=True))):
        return refused_for(errors)
    reject(
        desk,
        (Reason(RejectionReason.PARTNER_REQUEST),),
        RevocationReason.WITHDRAWN,
        comment=text or None,
        withdraw_reason=data.reason,
    )
    return None


def disassociate(desk: Desk, data: DisassociateCustomer) -> Refused | None:
    """T13, R51."""
    text, limit = data.reason.strip(), desk.policy.texts.disassociate_reason
    if not text:
        return Refused(Code.REASON_REQUIRED, "Say why the customer is disassociated.")
    if errors := tuple(check_text("reason", text, limit, multiline=True)):
        return refused_for(errors)
    reject_finally(desk, (Reason(RejectionReason.DISASSOCIATED),), RevocationReason.DISASSOCIATED, text)
    return None


def dispute(desk: Desk, data: DisputeRejection) -> Refused | None:
    """T15, R39 to R41."""
    if refusal := dispute_refusal(desk):
        return refusal
    words, limit = (data.justification or "").strip(), desk.policy.texts.justification
    new = _attached_since(desk.claim)
    errors = [
        FieldError(f"document_ids[{i}]", Code.DOCUMENT_UNKNOWN, f"{shown(each)} was not attached since the rejection.")
        for i, each in enumerate(data.document_ids)
        if each not in new
    ]
    if words:
        errors += check_text("justification", words, limit, multiline=True)
    if errors:
        return refused_for(errors)
    if not words and not new:
        return Refused(Code.DISPUTE_EMPTY, "Give a justification, or attach a document first, or both.")
    return _dispute(desk, words or None, data.document_ids or new)


def _dispute(desk: Desk, words: str | None, documents: tuple[DocumentId, ...]) -> Refused | None:
    claim = desk.claim
    if own_claimed(claim, units_of(claim.policy, claim.form), desk.others):
        return Refused(Code.ALREADY_CLAIMED, "Another open or approved claim of yours has this role and unit.")
    limit = desk.policy.dispute.max_disputes
    desk.enter(
        Status.DISPUTED,
        Disputed,
        received_at=desk.context.received_at,
        justification=words,
        document_ids=documents,
        spends_dispute=limit is not None and claim.disputes + 1 >= limit,
    )
    flag_competition(desk)
    return None


def _attached_since(claim: ClaimState) -> tuple[DocumentId, ...]:
    return tuple(each.document_id for each in claim.documents if each.attached_by > claim.entered_by)


def reject(
    desk: Desk,
    reasons: tuple[Reason, ...],
    revocation: RevocationReason | None,
    *,
    by_system: bool = False,
    **own: Any,
) -> None:
    """The command's claim becomes rejected; what it held is given up, for `revocation` downstream.

    `by_system`: not by who gave the command.
    """
    claim = desk.claim
    window = is_disputable(desk.policy, claim, reasons)
    own.update(reasons=reasons, disputable=window, **released(claim, revocation))
    if by_system:
        desk.enter_on(claim, Status.REJECTED, Rejected, window=window, **own)
    else:
        desk.enter(Status.REJECTED, Rejected, window=window, **own)


def reject_finally(
    desk: Desk, reasons: tuple[Reason, ...], revocation: RevocationReason | None, comment: str | None
) -> None:
    own = released(desk.claim, revocation)
    desk.enter(Status.REJECTED_FINAL, RejectedFinal, reasons=reasons, comment=comment, **own)


def released(claim: ClaimState, revocation: RevocationReason | None) -> dict[str, Any]:
    if not claim.units or claim.approval is None:
        return {}
    approval = claim.approval.sequence
    return {"units_released": claim.units, "approval": approval, "revocation": revocation}
