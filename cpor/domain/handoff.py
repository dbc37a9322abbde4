"""What downstream hears of an event: approved, eligible, and what takes them back (contract §5, D4, D13, D16).

Both topics are derived from claim events: the same event and the state after it always give the same messages.
Legacy associations have no hand-off (D23).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from cpor.domain import events as ev
from cpor.domain.model import Approval, ClaimState
from cpor.domain.units import covered_workloads
from cpor.domain.vocabulary import (
    AssociationEndReason,
    ClaimId,
    Edition,
    Engagement,
    Incentive,
    IncentiveReason,
    InstantField,
    LocationId,
    PartnerId,
    PartnerRole,
    RevocationReason,
    SubscriptionId,
    TenantId,
    UnitId,
)


class HandoffType(StrEnum):
    """`ce_type`s of the two topics."""

    APPROVED = "cpor.approved.v1"
    APPROVED_REVOKED = "cpor.approved.revoked.v1"
    APPROVED_ENDED = "cpor.approved.ended.v1"
    ELIGIBLE = "cpor.eligible.v1"
    ELIGIBLE_REVOKED = "cpor.eligible.revoked.v1"
    ELIGIBLE_ENDED = "cpor.eligible.ended.v1"


#: The first three go to `cpor.claims.approved`, the others to `cpor.claims.eligible`.
APPROVED_TOPIC: tuple[HandoffType, ...] = (
    HandoffType.APPROVED,
    HandoffType.APPROVED_REVOKED,
    HandoffType.APPROVED_ENDED,
)


@dataclass(frozen=True, slots=True)
class ApprovedClaim:
    """Data of approved and of eligible; `consent_completed_at` is set in the latter only."""

    claim_id: ClaimId
    approval: int
    partner_id: PartnerId
    location_id: LocationId
    tenant_id: TenantId
    engagement: Engagement
    partner_role: PartnerRole
    units: tuple[UnitId, ...]
    workloads: tuple[str, ...]
    subscription_id: SubscriptionId | None
    incentive: Incentive
    incentive_reason: IncentiveReason | None
    approved_at: InstantField
    consent_completed_at: InstantField | None
    policy: Edition


@dataclass(frozen=True, slots=True)
class Revoked:
    """These units of this approval no longer count, from then on."""

    claim_id: ClaimId
    approval: int
    units: tuple[UnitId, ...]
    reason: RevocationReason
    effective_from: InstantField


@dataclass(frozen=True, slots=True)
class Ended:
    """A subscription ended (T19): what was earned stays earned."""

    claim_id: ClaimId
    approval: int
    units: tuple[UnitId, ...]
    ends_on: date


@dataclass(frozen=True, slots=True)
class Handoff:
    type: HandoffType
    data: ApprovedClaim | Revoked | Ended


def handoffs(event: ev.Event, after: ClaimState) -> tuple[Handoff, ...]:
    """The messages one event brings about; `after` is the state of its claim after it."""
    if after.approval is None or after.origin.legacy:
        return ()
    if isinstance(event, ev.Approved):
        return (Handoff(HandoffType.APPROVED, approved_claim(after, after.approval)),)
    if isinstance(event, ev.ConsentCompleted):
        return (Handoff(HandoffType.ELIGIBLE, approved_claim(after, after.approval)),)
    if isinstance(event, ev.AssociationEnded):
        return _association_ended(event, after.approval)
    if isinstance(event, ev.Rejected | ev.RejectedFinal) and event.revocation is not None:
        return _revoked(event, event.units_released, event.revocation, after.approval)
    return ()


def approved_claim(claim: ClaimState, approval: Approval) -> ApprovedClaim:
    """An approval as downstream sees it: the units and workloads it still holds."""
    form = claim.form
    return ApprovedClaim(
        claim_id=claim.claim_id,
        approval=approval.sequence,
        partner_id=claim.partner_id,
        location_id=form.location_id,
        tenant_id=form.tenant_id,
        engagement=form.engagement,
        partner_role=form.partner_role,
        units=claim.units,
        workloads=covered_workloads(form.tenant_id, form.workloads, claim.units),
        subscription_id=form.subscription_id,
        incentive=approval.incentive,
        incentive_reason=approval.incentive_reason,
        approved_at=approval.at,
        consent_completed_at=approval.completed_at,
        policy=claim.policy,
    )


def _association_ended(event: ev.AssociationEnded, approval: Approval) -> tuple[Handoff, ...]:
    if event.reason == AssociationEndReason.DISPLACED:
        return _revoked(event, event.units, RevocationReason.DISPLACED, approval)
    if event.reason == AssociationEndReason.SUBSCRIPTION_ENDED and event.ends_on is not None:
        ended = Ended(event.claim_id, event.approval, event.units, event.ends_on)
        return _both(HandoffType.APPROVED_ENDED, HandoffType.ELIGIBLE_ENDED, ended, approval)
    return ()


def _revoked(
    event: ev.Event, units: tuple[UnitId, ...], reason: RevocationReason, approval: Approval
) -> tuple[Handoff, ...]:
    revoked = Revoked(event.claim_id, approval.sequence, units, reason, event.at)
    return _both(HandoffType.APPROVED_REVOKED, HandoffType.ELIGIBLE_REVOKED, revoked, approval)


def _both(
    approved: HandoffType, eligible: HandoffType, data: Revoked | Ended, approval: Approval
) -> tuple[Handoff, ...]:
    """`eligible` is taken back only after it was given."""
    first = Handoff(approved, data)
    return (first,) if approval.completed_at is None else (first, replace(first, type=eligible))
