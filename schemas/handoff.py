"""`cpor.claims.approved` and `cpor.claims.eligible`: what incentive systems build on (contract §5)."""

from __future__ import annotations

from pydantic import Field

from cpor.domain.vocabulary import Edition, Engagement, Incentive, IncentiveReason, PartnerRole, RevocationReason
from schemas.base import Message
from schemas.fields import (
    Day,
    LocationIdText,
    Moment,
    PartnerIdText,
    SequenceNumber,
    SubscriptionIdText,
    UuidText,
    WorkloadText,
)

APPROVED = "cpor.approved.v1"
APPROVED_REVOKED = "cpor.approved.revoked.v1"
APPROVED_ENDED = "cpor.approved.ended.v1"
ELIGIBLE = "cpor.eligible.v1"
ELIGIBLE_REVOKED = "cpor.eligible.revoked.v1"
ELIGIBLE_ENDED = "cpor.eligible.ended.v1"


class OfApproval(Message):
    """What every hand-off names. Whatever names an older approval than the newest one is ignored."""

    claim_id: UuidText
    approval: SequenceNumber
    """Sequence of the approving event."""
    units: tuple[str, ...] = Field(min_length=1)


class Approved(OfApproval):
    """`cpor.approved.v1`."""

    partner_id: PartnerIdText
    location_id: LocationIdText
    tenant_id: UuidText
    engagement: Engagement
    partner_role: PartnerRole
    workloads: tuple[WorkloadText, ...]
    subscription_id: SubscriptionIdText | None
    incentive: Incentive
    incentive_reason: IncentiveReason | None
    approved_at: Moment
    consent_completed_at: Moment | None
    policy: Edition


class Eligible(Approved):
    """`cpor.eligible.v1`: exactly once per approval, from the completed consent wait on."""

    consent_completed_at: Moment


class Revoked(OfApproval):
    """`cpor.approved.revoked.v1`, `cpor.eligible.revoked.v1`: of the units named, which may be some only."""

    reason: RevocationReason
    effective_from: Moment


class Ended(OfApproval):
    """`cpor.approved.ended.v1`, `cpor.eligible.ended.v1`: what was earned until `ends_on` stays earned (D16)."""

    ends_on: Day
