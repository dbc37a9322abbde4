"""What people read for a code, by edition (D31); what can be claimed; what is paid (D13)."""

from __future__ import annotations

from collections.abc import Iterator

from cpor.domain.policy import Policy, RoleRow
from cpor.domain.vocabulary import PartnerRole, SolutionArea, Status
from tools.book.markdown import EDITIONS, NONE, Rows, code, table

_HEAD = tuple(rules.edition.value for rules in EDITIONS)


def labels() -> str:
    return table(("what", "code", *_HEAD), [*_statuses(), *_areas(), *_roles()])


def _statuses() -> Rows:
    for status in Status:
        yield "status", code(status), *(_status(rules, status) for rules in EDITIONS)


def _status(rules: Policy, status: Status) -> str:
    """A status that an edition never reaches has a label all the same; the book leaves it out."""
    reached = status is not Status.REJECTED_FINAL or rules.dispute.lost_status is status
    return rules.labels.statuses[status] if reached else NONE


def _areas() -> Rows:
    for area in SolutionArea:
        yield "solution area", code(area), *(rules.labels.areas[area] for rules in EDITIONS)


def _roles() -> Rows:
    for role in PartnerRole:
        yield "role", code(role), *(_row(rules, role).label for rules in EDITIONS)
    for role in PartnerRole:
        rows = [_row(rules, role) for rules in EDITIONS]
        yield "engagement", code(rows[0].engagement), *(row.engagement_label for row in rows)


def _row(rules: Policy, role: PartnerRole) -> RoleRow:
    return next(row for row in rules.roles if row.role is role)


def catalogue() -> str:
    return table(("solution area", "code", *_HEAD), [row for area in SolutionArea for row in _items(area)])


def _items(area: SolutionArea) -> Iterator[tuple[str, ...]]:
    lists = [rules.catalogue[area] for rules in EDITIONS]
    for item in dict.fromkeys(each for names in lists for each in names):
        yield EDITIONS[0].labels.areas[area], code(item), *(names.get(item, NONE) for names in lists)


def incentives() -> str:
    rows = [(code(role), *(_paid(rules, role) for rules in EDITIONS)) for role in PartnerRole]
    last = ("an imported association", *("no hand-off" for _ in EDITIONS))
    return table(("role", *_HEAD), [*rows, last])


def _paid(rules: Policy, role: PartnerRole) -> str:
    if not rules.is_payable(role):
        return "`none`: `role_not_incentivized`"
    opts_out = _row(rules, role).area in rules.form.incentive_opt_out_areas
    return "`assess`" + ("; `none`: `opted_out` where the claim says so" if opts_out else "")
