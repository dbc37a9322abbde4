"""`cpor.claims.associations`: who holds a unit, keyed by the unit (contract §1)."""

from __future__ import annotations

from pydantic import Field

from cpor.domain.vocabulary import PartnerRole
from schemas.base import Message
from schemas.fields import Day, LocationIdText, Moment, PartnerIdText, UuidText, WorkloadText

ASSOCIATION = "cpor.association.v1"


class AssociatedClaim(Message):
    claim_id: UuidText
    partner_role: PartnerRole


class Association(Message):
    """`cpor.association.v1`; a tombstone when the last claim ends."""

    unit: str = Field(pattern=r"^[0-9a-f-]{36}/(workload|subscription)/.+$")
    partner_id: PartnerIdText
    location_id: LocationIdText
    """Of the claim that has held the unit longest."""
    claims: tuple[AssociatedClaim, ...] = Field(min_length=1)
    """In the order of their approval: one partner may hold a subscription in several roles (D10)."""
    products: tuple[WorkloadText, ...]
    """What usage data may be seen of, sorted: the workload itself, or the products the claims name (R48)."""
    held_from: Moment
    """The earliest approval that still counts."""
    official_from: Moment | None = None
    """The earliest completed consent wait of these claims; no usage data before (D4)."""
    ends_on: Day | None = None
    """The last day, where it is known (D23)."""
