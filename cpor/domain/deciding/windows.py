"""Whether a rejection may still be disputed (R39, R41, D7, D12, D25)."""

from __future__ import annotations

from cpor.domain.deciding.desk import Desk
from cpor.domain.model import ClaimState, Reason
from cpor.domain.policy import Policy
from cpor.domain.result import Refused
from cpor.domain.vocabulary import Code


def is_disputable(policy: Policy, claim: ClaimState, reasons: tuple[Reason, ...]) -> bool:
    """Whether a rejection for these reasons opens a window (D7) that this claim can still use (D25)."""
    barred = policy.dispute.undisputable_reasons
    return not claim.dispute_spent and not any(each.code in barred for each in reasons)


def dispute_refusal(desk: Desk) -> Refused | None:
    """Why the rejection cannot be disputed, or None; the exact reason first, the calendar last."""
    claim, rules = desk.claim, desk.policy.dispute
    if any(each.code in rules.undisputable_reasons for each in claim.reasons):
        return Refused(Code.NOT_DISPUTABLE, "This rejection cannot be disputed; a new claim is the way on.")
    if claim.dispute_spent:
        return Refused(Code.DISPUTE_SPENT, "The claim was disputed before; a new claim is the way on.")
    if not desk.window_open():
        return Refused(
            Code.WINDOW_CLOSED,
            "The time to dispute is over; a new claim with updated proof of execution is the way on.",
        )
    return None
