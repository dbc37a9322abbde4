"""What a reviewer does: start, request information, approve, reject (T5 to T8, T16a T16b, D17, D24)."""

from __future__ import annotations

from collections.abc import Sequence

from cpor.domain.commands import ApproveClaim, RejectClaim, RequestInformation, StartReview
from cpor.domain.deciding.checks import fact_errors
from cpor.domain.deciding.competing import clear_the_way, in_the_way, incumbents_refusal, replaced
from cpor.domain.deciding.desk import Desk
from cpor.domain.deciding.dialogue import optional_text_errors, text_errors
from cpor.domain.deciding.documents import uncovered
from cpor.domain.deciding.ending import reject, reject_finally
from cpor.domain.events import Approved, ConsentCompleted, InformationRequested, ReviewStarted
from cpor.domain.model import ClaimState, Reason
from cpor.domain.policy import Policy
from cpor.domain.refusal import shown
from cpor.domain.result import Refused, refused_for
from cpor.domain.units import units_of
from cpor.domain.vocabulary import (
    Code,
    Incentive,
    IncentiveReason,
    InformationReason,
    RejectionReason,
    RevocationReason,
    Status,
)

#: D24: the system's own words; a reviewer may not use them.
SYSTEM_REASONS: tuple[RejectionReason, ...] = (
    RejectionReason.CUSTOMER_DECLINED,
    RejectionReason.NO_PARTNER_RESPONSE,
    RejectionReason.PARTNER_REQUEST,
    RejectionReason.DISASSOCIATED,
    RejectionReason.DISPUTE_UNSUCCESSFUL,
)
REVIEWERS_REASONS: tuple[str, ...] = tuple(each for each in RejectionReason if each not in SYSTEM_REASONS)


def start(desk: Desk, data: StartReview) -> Refused | None:
    """T5."""
    desk.enter(Status.UNDER_REVIEW, ReviewStarted)
    return None


def request_information(desk: Desk, data: RequestInformation) -> Refused | None:
    """T6, R32, R34."""
    if refusal := reasons_refusal(data.reasons, tuple(InformationReason), data.comment):
        return refusal
    if errors := text_errors(desk.policy.comments, data.comment, "comment"):
        return refused_for(errors)
    if refusal := named_workloads_refusal(desk, data.reasons, data.remove_workloads):
        return refusal
    if all(each in data.remove_workloads for each in desk.claim.form.workloads):
        return Refused(Code.LAST_WORKLOAD, "The partner cannot be asked to remove every workload; reject instead.")
    desk.enter(
        Status.PARTNER_ACTION_REQUIRED,
        InformationRequested,
        reasons=data.reasons,
        comment=data.comment,
        remove_workloads=data.remove_workloads,
    )
    return None


def approve(desk: Desk, data: ApproveClaim) -> Refused | None:
    """T7, T16a. What stands in the way ends first, so that a unit never has two holders (D17)."""
    if refusal := _approval_refusal(desk, data):
        return refusal
    claim = desk.claim
    if claim.consent.declined_early and (in_the_way(desk) or replaced(desk)):
        # D9: nobody loses anything to an approval that would not last.
        customer_declined(desk, by_system=True)
        return None
    displaced = clear_the_way(desk)
    incentive, reason = incentive_of(desk.policy, claim)
    desk.enter(
        Status.APPROVED,
        Approved,
        units=units_of(claim.policy, claim.form),
        incentive=incentive,
        incentive_reason=reason,
        comment=data.comment,
        displaces=displaced,
    )
    if claim.consent.declined_early:
        # D24: it is no reviewer's reason.
        customer_declined(desk, by_system=True)
    elif claim.origin.legacy:
        _official_again(desk)
    return None


def _official_again(desk: Desk) -> None:
    """D23: an imported association that was displaced and wins it back stands as it stood: nobody is asked."""
    claim = desk.claim
    assert claim.approval is not None, "it was just approved"
    desk.record_on(claim, ConsentCompleted, approval=claim.approval.sequence)


def _approval_refusal(desk: Desk, data: ApproveClaim) -> Refused | None:
    if errors := optional_text_errors(desk.policy.comments, data.comment, "comment"):
        return refused_for(errors)
    if missing := uncovered(desk.claim):
        return Refused(Code.WORKLOAD_NOT_COVERED, f"No document covers: {', '.join(missing)}.")
    if wrong := fact_errors(desk, desk.claim):
        # The refusal is an event, which has one code; its sentence tells of all that is wrong.
        return Refused(wrong[0].code, " ".join(dict.fromkeys(each.detail for each in wrong)), wrong)
    return incumbents_refusal(desk, data.displaces)


def incentive_of(rules: Policy, claim: ClaimState) -> tuple[Incentive, IncentiveReason | None]:
    """D13, D23, R50: whether the hand-off asks for an assessment, and if not, why."""
    if claim.origin.legacy:
        return Incentive.NONE, IncentiveReason.LEGACY
    if not rules.is_payable(claim.form.partner_role):
        return Incentive.NONE, IncentiveReason.ROLE_NOT_INCENTIVIZED
    if claim.form.incentive_opt_out:
        return Incentive.NONE, IncentiveReason.OPTED_OUT
    return Incentive.ASSESS, None


def customer_declined(desk: Desk, *, by_system: bool = False) -> None:
    """T11: after an approval, and at once after one that an early no was waiting for (D9)."""
    reasons = (Reason(RejectionReason.CUSTOMER_DECLINED),)
    reject(desk, reasons, RevocationReason.CUSTOMER_DECLINED, by_system=by_system)


def reject_claim(desk: Desk, data: RejectClaim) -> Refused | None:
    """T8; T16b, where the lost dispute is one more reason."""
    if refusal := reasons_refusal(data.reasons, REVIEWERS_REASONS, data.comment):
        return refusal
    if errors := optional_text_errors(desk.policy.comments, data.comment, "comment"):
        return refused_for(errors)
    if refusal := named_workloads_refusal(desk, data.reasons):
        return refusal
    if desk.claim.status != Status.DISPUTED:
        reject(desk, data.reasons, None, comment=data.comment)
        return None
    reasons = (*data.reasons, Reason(RejectionReason.DISPUTE_UNSUCCESSFUL))
    if desk.policy.dispute.lost_status == Status.REJECTED_FINAL:
        reject_finally(desk, reasons, None, data.comment)
    else:
        reject(desk, reasons, None, comment=data.comment)
    return None


def reasons_refusal(given: Sequence[Reason], allowed: Sequence[str], comment: str | None) -> Refused | None:
    """D24: at least one, of the right vocabulary; `other` says more in the comment."""
    if not given:
        return Refused(Code.REASON_REQUIRED, "Give at least one reason.")
    foreign = [each.code for each in given if each.code not in allowed]
    if foreign:
        return Refused(Code.REASON_NOT_ALLOWED, f"Not a reason to choose here: {', '.join(foreign)}.")
    if any(each.code == RejectionReason.OTHER for each in given) and not (comment or "").strip():
        return Refused(Code.REASON_REQUIRED, "The reason `other` needs a comment that says which.")
    return None


def named_workloads_refusal(desk: Desk, reasons: Sequence[Reason], remove: Sequence[str] = ()) -> Refused | None:
    """R34: a slip of the pen in a workload would ask the partner for what its claim does not have."""
    named = [*remove, *(each for reason in reasons for each in reason.workloads)]
    foreign = list(dict.fromkeys(each for each in named if each not in desk.claim.form.workloads))
    if not foreign:
        return None
    return Refused(Code.INVALID_FIELDS, f"The claim does not name: {shown(', '.join(foreign))}.")
