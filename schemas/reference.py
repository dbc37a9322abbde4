"""Reference records: partners, customers, subscriptions (contract §8).

A line of a reference file has `kind`; the records of the topics have it too.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cpor.domain.vocabulary import Channel, MailWanted, PartnerStatus, SubscriptionState, UserRole
from schemas.base import Message
from schemas.fields import (
    AnyUuidText,
    Country,
    Day,
    DomainName,
    Email,
    LanguageTag,
    LocationIdText,
    Moment,
    Name,
    PartnerIdText,
    Region,
    SubscriptionIdText,
    TimezoneName,
    UserIdText,
    WorkloadText,
)

PARTNER = "cpor.reference.partner.v1"
CUSTOMER = "cpor.reference.customer.v1"
SUBSCRIPTION = "cpor.reference.subscription.v1"


class Location(Message):
    """A partner location; its id is the Partner ID of a claim (R12)."""

    location_id: LocationIdText
    name: Name
    country: Country
    region: Region | None = None
    timezone: TimezoneName
    enrolled: bool


class User(Message):
    """`locations`: the only ones the user acts for; null means all (D14). `copy_on_mail`: a copy of the mails of claims
    that the user submitted (D28). `mail`: all mails, or only those that cannot be switched off.
    """

    user_id: UserIdText
    name: Name
    email: Email
    role: UserRole
    language: LanguageTag | None = None
    locations: tuple[LocationIdText, ...] | None = None
    copy_on_mail: bool = False
    mail: MailWanted = MailWanted.ALL


class Partner(Message):
    """A directory entry, keyed by the partner id."""

    kind: Literal["partner"] = "partner"
    partner_id: PartnerIdText
    name: Name
    status: PartnerStatus
    country: Country
    region: Region | None = None
    timezone: TimezoneName
    language: LanguageTag | None = None
    locations: tuple[Location, ...] = ()
    users: tuple[User, ...] = ()


class Customer(Message):
    """Keyed by the tenant."""

    kind: Literal["customer"] = "customer"
    tenant_id: AnyUuidText
    name: Name
    domains: tuple[DomainName, ...] = ()
    country: Country | None = None
    timezone: TimezoneName | None = None
    language: LanguageTag | None = None
    channels: tuple[Channel, ...] = ()


class Subscription(Message):
    """Keyed by the subscription id, in its tenant's partition; `ends_on` is the last day."""

    kind: Literal["subscription"] = "subscription"
    subscription_id: SubscriptionIdText
    tenant_id: AnyUuidText
    products: tuple[WorkloadText, ...] = Field(min_length=1)
    channel: Channel
    state: SubscriptionState
    provisioned_at: Moment | None = None
    ends_on: Day | None = None
