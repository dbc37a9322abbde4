"""The editions of the rules as frozen values, read once from `policies/*.toml` (D1).

What differs between editions is data here, never a branch in the rules.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, ClassVar

from pydantic import ConfigDict, TypeAdapter

from cpor.domain.calendar import DayUnit, local_date
from cpor.domain.vocabulary import (
    Acknowledgement,
    Channel,
    Clock,
    Edition,
    Engagement,
    Instant,
    PartnerRole,
    RejectionReason,
    SolutionArea,
    Status,
)

#: A value that this version does not know is a fault in the data file, never something to skip.
_STRICT = ConfigDict(extra="forbid")


class DocumentAction(StrEnum):
    """What a partner may do with documents in a status (D21, D6)."""

    ADD = "add"
    AMEND = "amend"
    REMOVE = "remove"


class SubscriptionRule(StrEnum):
    """When a claim must name its subscription (D11)."""

    REQUIRED = "required"
    WHEN_AMBIGUOUS = "when_ambiguous"


class EarlyDecline(StrEnum):
    """What a customer's no before the approval does (D9)."""

    APPLIED = "applied"
    KEPT_FOR_APPROVAL = "kept_for_approval"


class UnitKind(StrEnum):
    """What only one partner can hold (R20, D10); also the middle part of a unit's id."""

    WORKLOAD = "workload"
    SUBSCRIPTION = "subscription"


class Notice(StrEnum):
    """Mails that ask for, or tell of, the customer's consent (D3)."""

    SUBMITTED = "submitted"
    APPROVED = "approved"


@dataclass(frozen=True, slots=True)
class ClockRule:
    """A clock's length: `budget` days of `unit`; it stands still in the statuses of `paused_in` (D5)."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    budget: int
    unit: DayUnit
    paused_in: tuple[Status, ...] = ()

    @property
    def text(self) -> str:
        """The budget as events say it: `14bd`, `7d`."""
        return f"{self.budget}{self.unit}"


@dataclass(frozen=True, slots=True)
class EditingRule:
    """D6: the fields a partner may change, by status; a status that is not named allows none."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    fields: Mapping[Status, tuple[str, ...]]
    while_consent_suspended: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DocumentRule:
    """D21: media types, bytes of one file, files of one claim, months a signature counts as recent."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    types: tuple[str, ...]
    max_bytes: int
    max_per_claim: int
    max_signature_age_months: int
    actions: Mapping[Status, tuple[DocumentAction, ...]]


@dataclass(frozen=True, slots=True)
class CommentRule:
    """D26, contract §5: where comments are open, characters of one, number of all and of those kept."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    statuses: tuple[Status, ...]
    max_length: int
    max_per_claim: int
    newest_kept: int


@dataclass(frozen=True, slots=True)
class TextLimits:
    """Longest texts, in characters."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    claim_name: int
    name: int
    title: int
    email: int
    language: int
    description: int
    domain: int
    justification: int
    disassociate_reason: int
    withdraw_text: int


@dataclass(frozen=True, slots=True)
class FormRule:
    """What the form asks (R6, R7, R13-R16, D2, D11, D31); `max_workloads` None is no maximum (A1)."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    domain_required: bool
    technical_contact_areas: tuple[SolutionArea, ...]
    incentive_opt_out_areas: tuple[SolutionArea, ...]
    subscription: SubscriptionRule
    min_workloads: int
    max_workloads: int | None = None


@dataclass(frozen=True, slots=True)
class SubmissionRule:
    """Acknowledgements that a submission must carry (R28, D31); notices the customer gets (D3)."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    acknowledgements: tuple[Acknowledgement, ...]
    customer_notices: tuple[Notice, ...]


@dataclass(frozen=True, slots=True)
class ConsentRule:
    """D4, D9; `decline_days` after approval in calendar days, None is for ever; `link_days`: how long the link of a
    notice leads to the claim, calendar days from the notice on.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    early_decline: EarlyDecline
    link_days: int
    decline_days: int | None = None


@dataclass(frozen=True, slots=True)
class DisputeRule:
    """D7, D25, R42; `max_disputes` in a claim's life, None is no limit; where a lost dispute leads."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    undisputable_reasons: tuple[RejectionReason, ...]
    lost_status: Status
    max_disputes: int | None = None


@dataclass(frozen=True, slots=True)
class EndingRule:
    """D8: from where a partner may withdraw, from where it may disassociate."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    withdraw_from: tuple[Status, ...]
    disassociate_from: tuple[Status, ...]


@dataclass(frozen=True, slots=True)
class IncentiveRule:
    """D13: the roles whose hand-off asks for an assessment."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    payable_roles: tuple[PartnerRole, ...]


@dataclass(frozen=True, slots=True)
class FactRule:
    """Calendar days: how long a new subscription may stay unseen (R18), notice before an end (D23)."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    provisioning_lag_days: int
    legacy_notice_days: int


@dataclass(frozen=True, slots=True)
class Labels:
    """What people read for a code in this edition, English (D31)."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    statuses: Mapping[Status, str]
    areas: Mapping[SolutionArea, str]


@dataclass(frozen=True, slots=True)
class RoleRow:
    """A row of role x area x engagement (R8-R10, D10, D13, §1.4); no channels: no condition (R9)."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    area: SolutionArea
    role: PartnerRole
    label: str
    engagement: Engagement
    engagement_label: str
    aliases: tuple[str, ...]
    unit: UnitKind
    channels: tuple[Channel, ...]
    meaning: str
    revenue: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Whatever the engagement is called (A20)."""
        return (self.engagement, self.engagement_label, *self.aliases)


@dataclass(frozen=True, slots=True)
class CoopNames:
    """R2: words by which a co-op programme is known; its claims belong to another process."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    names: tuple[str, ...]


@dataclass(frozen=True)
class Policy:
    """One edition of the rules, whole. Its parts are named as the sections of the data file."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    edition: Edition
    in_force_from: date
    clocks: Mapping[Clock, ClockRule]
    editing: EditingRule
    documents: DocumentRule
    comments: CommentRule
    texts: TextLimits
    form: FormRule
    submission: SubmissionRule
    consent: ConsentRule
    dispute: DisputeRule
    endings: EndingRule
    incentives: IncentiveRule
    facts: FactRule
    labels: Labels
    roles: tuple[RoleRow, ...]
    coop: CoopNames
    catalogue: Mapping[SolutionArea, Mapping[str, str]]

    def editable(self, status: Status) -> tuple[str, ...]:
        """D6: the fields a partner may change in `status` (consent suspended: see `editing`)."""
        return self.editing.fields.get(status, ())

    def document_actions(self, status: Status) -> tuple[DocumentAction, ...]:
        """D21, D6: what may be done with documents in `status`."""
        return self.documents.actions.get(status, ())

    def item_name(self, area: SolutionArea, code: str) -> str:
        """D31: what this edition calls a workload or product; the code itself where it lists none."""
        return self.catalogue.get(area, {}).get(code, code)

    def role_row(self, area: SolutionArea, role: PartnerRole) -> RoleRow | None:
        """R8: the row of this role in this area, or None where the area has no such role."""
        return self._rows.get((area, role))

    def engagement_of(self, area: SolutionArea, role: PartnerRole) -> Engagement | None:
        """D13: the one engagement of an area's role."""
        row = self.role_row(area, role)
        return row.engagement if row else None

    def rows_named(self, engagement: str) -> tuple[RoleRow, ...]:
        """D13, A20: rows that go by this id, label or alias; several where an old name is shared (OSU)."""
        return self._names.get(engagement_key(engagement), ())

    def is_coop(self, engagement: str) -> bool:
        """R2, D13: whether the name speaks of a co-op programme."""
        words = f" {engagement_key(engagement)} "
        return any(f" {engagement_key(name)} " in words for name in self.coop.names)

    def is_payable(self, role: PartnerRole) -> bool:
        """D13, R50."""
        return role in self.incentives.payable_roles

    @cached_property
    def _rows(self) -> dict[tuple[SolutionArea, PartnerRole], RoleRow]:
        return {(row.area, row.role): row for row in self.roles}

    @cached_property
    def _names(self) -> dict[str, tuple[RoleRow, ...]]:
        named: dict[str, tuple[RoleRow, ...]] = {}
        for row in self.roles:
            for name in dict.fromkeys(engagement_key(name) for name in row.names):
                named[name] = (*named.get(name, ()), row)
        return named


def engagement_key(name: str) -> str:
    """A name of an engagement as it is compared: letters and digits in lower case, single spaces between."""
    return " ".join("".join(c if c.isalnum() else " " for c in name.casefold()).split())


@cache
def policy(edition: Edition) -> Policy:
    """The rules of an edition; one and the same value on every call.

    Raises pydantic.ValidationError where the data file is not as this version needs it.
    """
    text = files("cpor.domain").joinpath("policies", f"{edition.value.lower()}.toml").read_text("utf-8")
    data: dict[str, Any] = tomllib.loads(text)
    return TypeAdapter(Policy).validate_python(data)


def edition_on(received_at: Instant, zone: str) -> Edition:
    """D1: the edition in force on the local day, in the location's zone, on which a create was received."""
    day = local_date(received_at, zone)
    begun = [one for one in map(policy, Edition) if one.in_force_from <= day]
    return max(begun, key=_in_force_from).edition


def _in_force_from(one: Policy) -> date:
    return one.in_force_from
