"""Two partners, one unit: flags on submission, displacement on approval (R20, R21, D17, T20)."""

from __future__ import annotations

from datetime import date

from cpor.domain.deciding.desk import Desk
from cpor.domain.deciding.windows import is_disputable
from cpor.domain.events import AssociationEnded, CompetitionFlagged, Rejected
from cpor.domain.model import ClaimState, Reason
from cpor.domain.policy import policy
from cpor.domain.result import Refused
from cpor.domain.units import competitors, incumbents, overlap, own_legacy, touched, units_of
from cpor.domain.vocabulary import (
    AssociationEndReason,
    ClaimId,
    Clock,
    Code,
    RejectionReason,
    Status,
    UnitId,
)

#: Said to both partners; it never names the other one (D17).
COMPETITION_COMMENT = (
    "Another partner has a claim to the same workload or subscription. A reviewer will compare both proofs of "
    "execution and may ask you for more; adding newer proof now can help."
)


def flag_competition(desk: Desk) -> None:
    """Flags the claim and every competitor not flagged before, each with the other (D17)."""
    claim = desk.claim
    units = units_of(claim.policy, claim.form)
    rivals = competitors(claim.partner_id, units, desk.others)
    new = tuple(each.claim_id for each in rivals if each.claim_id not in claim.competes_with)
    if new:
        _flag(desk, claim, new, tuple(unit for unit in units if any(unit in touched(each) for each in rivals)))
    for rival in rivals:
        if claim.claim_id not in rival.competes_with:
            _flag(desk, rival, (claim.claim_id,), overlap(units, touched(rival)))


def _flag(desk: Desk, claim: ClaimState, rivals: tuple[ClaimId, ...], units: tuple[UnitId, ...]) -> None:
    desk.record_on(claim, CompetitionFlagged, competes_with=rivals, units=units, comment=COMPETITION_COMMENT)


def incumbents_refusal(desk: Desk, displaces: tuple[ClaimId, ...]) -> Refused | None:
    """D17: who approves over an incumbent says so."""
    holding = in_the_way(desk)
    unnamed = [each.claim_id for each in holding if each.claim_id not in displaces]
    if not unnamed:
        return None
    detail = f"Name the incumbent claims this approval displaces: {', '.join(unnamed)}."
    return Refused(Code.INCUMBENTS_NOT_NAMED, detail)


def in_the_way(desk: Desk) -> tuple[ClaimState, ...]:
    """Claims of other partners that hold what the command's claim asks for (D17)."""
    claim = desk.claim
    return incumbents(claim.partner_id, units_of(claim.policy, claim.form), desk.others)


def replaced(desk: Desk) -> tuple[ClaimState, ...]:
    """Legacy associations of the partner's own that an approval of the command's claim replaces (D23)."""
    claim = desk.claim
    return own_legacy(claim, units_of(claim.policy, claim.form), desk.others)


def clear_the_way(desk: Desk) -> tuple[ClaimId, ...]:
    """Ends what stands in the way of an approval, before it: one unit never has two holders (R20, D17).

    Returns the incumbent claims displaced.
    """
    claim = desk.claim
    units = units_of(claim.policy, claim.form)
    displaced = in_the_way(desk)
    for each in displaced:
        _displace(desk, each, overlap(each.units, units))
    for each in replaced(desk):
        end_association(desk, each, overlap(each.units, units), AssociationEndReason.REASSOCIATED)
    return tuple(each.claim_id for each in displaced)


def _displace(desk: Desk, incumbent: ClaimState, units: tuple[UnitId, ...]) -> None:
    """D17; T20 when none of its units is left."""
    left = end_association(desk, incumbent, units, AssociationEndReason.DISPLACED)
    if left.units:
        return
    reasons = (Reason(RejectionReason.INSUFFICIENT_POE),)
    window = is_disputable(policy(left.policy), left, reasons)
    desk.enter_on(left, Status.REJECTED, Rejected, window=window, reasons=reasons, disputable=window)


def end_association(
    desk: Desk,
    claim: ClaimState,
    units: tuple[UnitId, ...],
    reason: AssociationEndReason,
    ends_on: date | None = None,
) -> ClaimState:
    """Units lost without a change of status (D16, D17); the consent wait ends with the last of them."""
    assert claim.approval is not None, "only an approved claim holds units"
    none_left = len(units) == len(claim.units)
    waits = claim.clock(Clock.CONSENT_WAIT) is not None
    return desk.record_on(
        claim,
        AssociationEnded,
        approval=claim.approval.sequence,
        units=units,
        reason=reason,
        ends_on=ends_on,
        clocks_stopped=(Clock.CONSENT_WAIT,) if none_left and waits else (),
    )
