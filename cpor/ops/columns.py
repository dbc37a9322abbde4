"""The columns of `cpor claims list` (contract §7): one table, from a name to a claim's value under it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cpor.domain.model import ClaimState
from cpor.domain.vocabulary import Instant, instant_text
from cpor.ops import labels
from cpor.ops.book import Claim
from cpor.ops.errors import WrongUse
from cpor.ops.screen import moment

Value = str | int | bool | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Column:
    """`value` for machines and sorting; instants are ms since the epoch where `is_instant`."""

    value: Callable[[Claim], Value]
    is_instant: bool = False
    #: Whether a terminal may fold it.
    folds: bool = False
    #: What a terminal shows instead: a code with its label (D31).
    label: Callable[[ClaimState], Any] | None = None

    def json(self, claim: Claim) -> Any:
        value = self.value(claim)
        if self.is_instant and isinstance(value, int):
            return instant_text(Instant(value))
        return list(value) if isinstance(value, tuple) else value

    def shown(self, claim: Claim) -> Any:
        if self.label is not None:
            return self.label(claim.state)
        value = self.value(claim)
        return moment(value) if self.is_instant and isinstance(value, int) else value


def _competes(claim: Claim) -> Value:
    """Other partners' claims are never named to a partner (D17, D30)."""
    return claim.state.competes_with if claim.inside else bool(claim.state.competes_with)


COLUMNS: Mapping[str, Column] = {
    "claim_id": Column(lambda c: c.claim_id),
    "claim_ref": Column(lambda c: c.state.claim_ref),
    "claim_name": Column(lambda c: c.state.form.claim_name, folds=True),
    "status": Column(lambda c: c.state.status.value, label=labels.status),
    "area": Column(lambda c: c.state.form.solution_area.value, folds=True, label=labels.area),
    "engagement": Column(lambda c: c.state.form.engagement.value, folds=True, label=labels.engagement),
    "role": Column(lambda c: c.state.form.partner_role.value, folds=True, label=labels.role),
    "partner_id": Column(lambda c: c.state.partner_id),
    "location_id": Column(lambda c: c.state.form.location_id),
    "customer_name": Column(lambda c: c.customer_name, folds=True),
    "tenant_id": Column(lambda c: c.state.form.tenant_id),
    "workloads": Column(lambda c: c.state.form.workloads, folds=True),
    "subscription_id": Column(lambda c: c.subscription),
    "reasons": Column(lambda c: tuple(reason.code for reason in c.state.reasons), folds=True),
    "opt_out": Column(lambda c: c.state.form.incentive_opt_out),
    "created": Column(lambda c: c.state.origin.created_at, is_instant=True),
    "submitted": Column(lambda c: c.state.submitted_at, is_instant=True),
    "decided": Column(lambda c: c.state.decided_at, is_instant=True),
    "due": Column(lambda c: c.next_due, is_instant=True),
    "competes": Column(_competes, folds=True),
}
#: What fits a terminal; `--columns all` shows the rest.
USUAL = ("claim_ref", "status", "partner_id", "customer_name", "workloads", "due")


def chosen(text: str | None, otherwise: Sequence[str]) -> list[str]:
    """The columns of a `--columns` option. Raises WrongUse naming what it could be."""
    if text is None:
        return list(otherwise)
    if text == "all":
        return list(COLUMNS)
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        check_column(name)
    return names or list(otherwise)


def check_column(name: str) -> None:
    if name not in COLUMNS:
        raise WrongUse(f"{name} is no column; there are: {', '.join(COLUMNS)}")


def ordered(claims: Sequence[Claim], sort: str | None) -> list[Claim]:
    """Sorted by `COL` or `COL:desc`; claims without a value there come last either way. Raises WrongUse."""
    if sort is None:
        return list(claims)
    name, _, direction = sort.partition(":")
    check_column(name)
    if direction not in ("", "asc", "desc"):
        raise WrongUse(f"--sort takes COL, COL:asc or COL:desc, not {sort}")
    value = COLUMNS[name].value
    with_value = [claim for claim in claims if value(claim) not in (None, ())]
    without = [claim for claim in claims if value(claim) in (None, ())]
    return sorted(with_value, key=lambda claim: _sortable(value(claim)), reverse=direction == "desc") + without


def _sortable(value: Value) -> Any:
    return value.casefold() if isinstance(value, str) else value
