"""Who holds a unit: the record of `cpor.claims.associations`, derived from claims alone (contract §1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from cpor.domain.model import ClaimState
from cpor.domain.vocabulary import ClaimId, Instant, InstantField, LocationId, PartnerId, PartnerRole, UnitId


class TwoHolders(RuntimeError):
    """Two partners hold one unit: a fault of ours, never of a message (R20). Names the unit and the claims."""


@dataclass(frozen=True, slots=True)
class HoldingClaim:
    claim_id: ClaimId
    partner_role: PartnerRole


@dataclass(frozen=True, slots=True)
class Association:
    """Usage data may be seen once `official_from` is set, and only for `products` (R48, D4)."""

    unit: UnitId
    partner_id: PartnerId
    location_id: LocationId
    claims: tuple[HoldingClaim, ...]
    products: tuple[str, ...]
    held_from: InstantField
    official_from: InstantField | None
    ends_on: date | None


def associations_after(unit: UnitId, claims: Iterable[ClaimState]) -> Association | None:
    """The unit's record given all claims that touch it; None (a tombstone) when none holds it.

    Raises TwoHolders.
    """
    holding = sorted((each for each in claims if unit in each.units), key=_held_from)
    if not holding:
        return None
    if len({each.partner_id for each in holding}) > 1:
        raise TwoHolders(f"{unit}: {', '.join(each.claim_id for each in holding)}")
    official = [each for each in holding if each.approval and each.approval.completed_at is not None]
    return Association(
        unit=unit,
        partner_id=holding[0].partner_id,
        location_id=holding[0].form.location_id,
        claims=tuple(HoldingClaim(each.claim_id, each.form.partner_role) for each in holding),
        products=_products(unit, official or holding),
        held_from=_held_from(holding[0])[0],
        official_from=_official_from(official),
        ends_on=_ends_on(holding),
    )


def _held_from(claim: ClaimState) -> tuple[Instant, ClaimId]:
    assert claim.approval is not None, "only an approved claim holds units"
    return claim.approval.at, claim.claim_id


def _official_from(official: list[ClaimState]) -> Instant | None:
    times = (each.approval.completed_at for each in official if each.approval)
    return min((at for at in times if at is not None), default=None)


def _products(unit: UnitId, claims: list[ClaimState]) -> tuple[str, ...]:
    """A workload unit is its own one product; of a subscription, what its official claims name."""
    _, kind, name = unit.split("/", 2)
    if kind == "workload":
        return (name,)
    return tuple(sorted({code for each in claims for code in each.form.workloads}))


def _ends_on(claims: list[ClaimState]) -> date | None:
    """Known only where every claim is a legacy one (D23)."""
    days = [each.origin.ends_on for each in claims]
    known = [each for each in days if each is not None]
    return max(known) if len(known) == len(days) else None
