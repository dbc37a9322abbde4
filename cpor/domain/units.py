"""Exclusive units (R20, D10): what only one partner can hold, and who stands in whose way (D17).

`others` everywhere are the states of all other claims that touch one of the same units, in any status.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from cpor.domain import ids
from cpor.domain.model import ClaimForm, ClaimState
from cpor.domain.policy import UnitKind, policy
from cpor.domain.transitions import OPEN
from cpor.domain.vocabulary import Edition, PartnerId, PartnerRole, SolutionArea, Status, TenantId, UnitId

CLOSED = (Status.REJECTED, Status.REJECTED_FINAL)


@cache
def unit_kind(edition: Edition, area: SolutionArea, role: PartnerRole) -> UnitKind:
    """Raises ValueError for a role that the area does not have; a checked form has none such."""
    row = policy(edition).role_row(area, role)
    if row is None:
        raise ValueError(f"{area} has no role {role}")
    return row.unit


def units_of(edition: Edition, form: ClaimForm) -> tuple[UnitId, ...]:
    """The units a claim asks for, in the order of its form; none while it names no subscription (D11)."""
    if unit_kind(edition, form.solution_area, form.partner_role) == UnitKind.WORKLOAD:
        return tuple(ids.workload_unit(form.tenant_id, each) for each in form.workloads)
    if form.subscription_id is None:
        return ()
    return (ids.subscription_unit(form.tenant_id, form.subscription_id),)


def touched(state: ClaimState) -> tuple[UnitId, ...]:
    """Every unit that a claim asks for or holds: what an index of claims by unit must list it under."""
    return tuple(dict.fromkeys((*units_of(state.policy, state.form), *state.units)))


def covered_workloads(tenant: TenantId, workloads: tuple[str, ...], units: Iterable[UnitId]) -> tuple[str, ...]:
    """R48, D17: of the workloads a claim names those whose units it holds; all where it holds none of the kind, for a
    subscription is held with all its products.
    """
    held = set(units)
    return tuple(each for each in workloads if ids.workload_unit(tenant, each) in held) or workloads


def overlap(units: Iterable[UnitId], others: Iterable[UnitId]) -> tuple[UnitId, ...]:
    there = set(others)
    return tuple(each for each in units if each in there)


def by_id(claims: Iterable[ClaimState]) -> tuple[ClaimState, ...]:
    return tuple(sorted(claims, key=lambda each: each.claim_id))


def incumbents(partner: PartnerId, units: tuple[UnitId, ...], others: Iterable[ClaimState]) -> tuple[ClaimState, ...]:
    """Approved claims of other partners that hold one of these units, legacy ones too (D17, D23)."""
    return by_id(each for each in others if each.partner_id != partner and overlap(units, each.units))


def competitors(partner: PartnerId, units: tuple[UnitId, ...], others: Iterable[ClaimState]) -> tuple[ClaimState, ...]:
    """Claims of other partners that hold one of these units or are open and ask for it (D17)."""
    return by_id(
        each
        for each in others
        if each.partner_id != partner and overlap(units, touched(each) if each.status in OPEN else each.units)
    )


def own_claimed(state: ClaimState, units: tuple[UnitId, ...], others: Iterable[ClaimState]) -> bool:
    """D27: an open or approved claim of the partner's own for this role and unit; legacy ones don't count."""
    return any(
        overlap(units, touched(each) if each.status in OPEN else each.units)
        for each in _own(state, others)
        if not each.origin.legacy
    )


def rejected_digests(
    state: ClaimState, units: tuple[UnitId, ...], others: Iterable[ClaimState]
) -> frozenset[str] | None:
    """Digests of its own rejected claims for this role and unit (D27); None where there is no such claim."""
    closed = [
        each
        for each in _own(state, others)
        if each.status in CLOSED and overlap(units, units_of(each.policy, each.form))
    ]
    if not closed:
        return None
    return frozenset(document.sha256 for each in closed for document in each.documents)


def own_held(partner: PartnerId, role: PartnerRole, units: tuple[UnitId, ...], others: Iterable[ClaimState]) -> bool:
    """D10: whether a claim of the partner's own, an imported one too, holds one of these units in this role."""
    mine = (each for each in others if each.partner_id == partner and each.form.partner_role == role)
    return any(overlap(units, each.units) for each in mine)


def own_legacy(state: ClaimState, units: tuple[UnitId, ...], others: Iterable[ClaimState]) -> tuple[ClaimState, ...]:
    """Legacy associations of the partner's own that an approval replaces (D23)."""
    mine = (each for each in others if each.partner_id == state.partner_id and each.origin.legacy)
    return by_id(each for each in mine if overlap(units, each.units))


def _own(state: ClaimState, others: Iterable[ClaimState]) -> list[ClaimState]:
    return [
        each
        for each in others
        if each.partner_id == state.partner_id and each.form.partner_role == state.form.partner_role
    ]
