"""Facts about partners, customers and subscriptions, as the reference topics hold them (contract §8, D22)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from cpor.domain.vocabulary import (
    Channel,
    InstantField,
    LocationId,
    MailWanted,
    PartnerId,
    PartnerStatus,
    SubscriptionId,
    SubscriptionState,
    TenantId,
    UserId,
    UserRole,
)


@dataclass(frozen=True, slots=True)
class Location:
    """A partner location; its id is the Partner ID of a claim (R12)."""

    location_id: LocationId
    name: str
    country: str
    region: str | None = field(default=None, kw_only=True)
    timezone: str
    enrolled: bool


@dataclass(frozen=True, slots=True)
class User:
    """A partner's user; `locations` None means all of them (D14). `copy_on_mail`: D28; `mail`: domain §5 row 32."""

    user_id: UserId
    name: str
    email: str
    role: UserRole
    language: str | None = None
    locations: tuple[LocationId, ...] | None = None
    copy_on_mail: bool = False
    mail: MailWanted = MailWanted.ALL


@dataclass(frozen=True, slots=True)
class Partner:
    """A directory entry of `cpor.reference.partners`."""

    partner_id: PartnerId
    name: str
    status: PartnerStatus
    country: str
    region: str | None = field(default=None, kw_only=True)
    timezone: str
    language: str | None = field(default=None, kw_only=True)
    locations: tuple[Location, ...] = ()
    users: tuple[User, ...] = ()

    def location(self, location_id: str | None) -> Location | None:
        return next((each for each in self.locations if each.location_id == location_id), None)

    def user(self, user_id: str | None) -> User | None:
        return next((each for each in self.users if each.user_id == user_id), None)


@dataclass(frozen=True, slots=True)
class Customer:
    """A record of `cpor.reference.customers`."""

    tenant_id: TenantId
    name: str
    domains: tuple[str, ...] = ()
    country: str | None = None
    timezone: str | None = None
    language: str | None = None
    channels: tuple[Channel, ...] = ()


@dataclass(frozen=True, slots=True)
class Subscription:
    """A record of `cpor.reference.subscriptions`; `ends_on` is its last day."""

    subscription_id: SubscriptionId
    tenant_id: TenantId
    products: tuple[str, ...]
    channel: Channel
    state: SubscriptionState
    provisioned_at: InstantField | None = None
    ends_on: date | None = None
