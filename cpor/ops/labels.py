"""Codes with what people read for them in the claim's edition (D31); what machines read has codes alone."""

from __future__ import annotations

from rich.text import Text

from cpor.domain.model import ClaimState
from cpor.domain.policy import RoleRow, engagement_key, policy
from cpor.ops import screen


def with_label(code: str, label: str) -> str:
    """`draft (Editing)`; the code alone where the label says the same, or the same and more."""
    return code if engagement_key(label).startswith(engagement_key(code)) else f"{code} ({label})"


def status(claim: ClaimState) -> Text:
    """In its colour."""
    return Text(with_label(claim.status, status_label(claim)), style=screen.STATUS_STYLES[claim.status])


def status_label(claim: ClaimState) -> str:
    return policy(claim.policy).labels.statuses[claim.status]


def area(claim: ClaimState) -> str:
    found = claim.form.solution_area
    return with_label(found, policy(claim.policy).labels.areas[found])


def role(claim: ClaimState) -> str:
    return with_label(claim.form.partner_role, _row(claim).label)


def engagement(claim: ClaimState) -> str:
    return with_label(claim.form.engagement, _row(claim).engagement_label)


def workloads(claim: ClaimState) -> tuple[str, ...]:
    """An imported association may name products that no form offers."""
    rules, area = policy(claim.policy), claim.form.solution_area
    return tuple(with_label(each, rules.item_name(area, each)) for each in claim.form.workloads)


def _row(claim: ClaimState) -> RoleRow:
    """Raises ValueError for a pair of area and role that no claim has (R8)."""
    found = policy(claim.policy).role_row(claim.form.solution_area, claim.form.partner_role)
    if found is None:
        raise ValueError(f"{claim.form.partner_role} is no role of {claim.form.solution_area}")
    return found
