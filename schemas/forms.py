"""The claim form and its parts, as partners send them and as events and state keep them."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from cpor.domain.vocabulary import Engagement, PartnerRole, SolutionArea
from schemas.base import Message
from schemas.fields import (
    ABSENT,
    AnyUuidText,
    DomainName,
    Email,
    EngagementName,
    LanguageTag,
    LocationIdText,
    Name,
    SubscriptionIdText,
    UuidText,
    WorkloadText,
)


def _each_once(codes: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(codes)) != len(codes):
        raise PydanticCustomError("named_twice", "Each entry may be named once only.")
    return codes


#: No rule caps the number of workloads (D2); this only bounds the work a message can cause.
Workloads = Annotated[tuple[WorkloadText, ...], Field(max_length=500), AfterValidator(_each_once)]
DocumentIds = Annotated[tuple[AnyUuidText, ...], Field(max_length=100), AfterValidator(_each_once)]


class CustomerContact(Message):
    """Who the customer's notices go to (R16)."""

    name: Name
    title: Name
    email: Email
    language: LanguageTag | None = None


class PartnerContact(Message):
    """Who "the partner" is in mails (R16, D28)."""

    name: Name
    email: Email
    language: LanguageTag | None = None


class TechnicalContact(Message):
    """P2020, Business Applications only."""

    name: Name
    email: Email


class Revenue(Message):
    """Influenced revenue only, then all three (R7)."""

    solution_seller_name: Name
    customer_name: Name
    isv_solution_name: Name


class Personal(Message):
    """What names people: the one place of an internal message where it stands (contract §5)."""

    customer_contact: CustomerContact | None = None
    partner_contact: PartnerContact | None = None
    technical_contact: TechnicalContact | None = None
    revenue: Revenue | None = None


PERSONAL_FIELDS: tuple[str, ...] = tuple(Personal.model_fields)


class ClaimForm(Message):
    """A complete, checked form without its personal part; `engagement` is the canonical id (D13)."""

    claim_name: Name
    location_id: LocationIdText
    tenant_id: UuidText
    solution_area: SolutionArea
    partner_role: PartnerRole
    engagement: Engagement
    workloads: tuple[WorkloadText, ...]
    subscription_id: SubscriptionIdText | None = None
    domain: DomainName | None = None
    incentive_opt_out: bool = False


class SentForm(Message):
    """A form as sent, without its personal part: `engagement` may be an alias."""

    claim_name: Name
    location_id: LocationIdText
    tenant_id: AnyUuidText
    solution_area: SolutionArea
    partner_role: PartnerRole
    workloads: Annotated[Workloads, Field(min_length=1)]
    subscription_id: SubscriptionIdText | None = None
    domain: DomainName | None = None
    incentive_opt_out: bool = False
    engagement: EngagementName | None = None


class WholePersonal(Message):
    """Contacts of a whole form."""

    customer_contact: CustomerContact
    partner_contact: PartnerContact
    technical_contact: TechnicalContact | None = None
    revenue: Revenue | None = None


class ChangedPersonal(Message):
    """Contacts an edit replaces; absent ones stay."""

    customer_contact: CustomerContact = ABSENT
    partner_contact: PartnerContact = ABSENT
    technical_contact: TechnicalContact | None = None
    revenue: Revenue | None = None


class FormChanges(Message):
    """Fields an edit replaces; absent ones stay."""

    claim_name: Name = ABSENT
    location_id: LocationIdText = ABSENT
    tenant_id: UuidText = ABSENT
    domain: DomainName | None = None
    solution_area: SolutionArea = ABSENT
    partner_role: PartnerRole = ABSENT
    workloads: Workloads = ABSENT
    subscription_id: SubscriptionIdText | None = None
    incentive_opt_out: bool = ABSENT
    engagement: EngagementName | None = None
