"""Reading reference records (contract §8), and what a partner's directory entry says of a message (D22)."""

from __future__ import annotations

from pydantic import TypeAdapter

from cpor.domain.calendar import zone_info
from cpor.domain.reference import Customer, Location, Partner, Subscription
from cpor.domain.refusal import FieldError, Refusal, shown
from cpor.domain.vocabulary import Code, PartnerStatus

_PARTNER = TypeAdapter(Partner)
_CUSTOMER = TypeAdapter(Customer)
_SUBSCRIPTION = TypeAdapter(Subscription)


def read_partner(value: bytes | str) -> Partner:
    """A value of `cpor.reference.partners`; raises ValueError."""
    partner = _PARTNER.validate_json(value)
    _check_zones(partner.timezone, *(each.timezone for each in partner.locations))
    return partner


def read_customer(value: bytes | str) -> Customer:
    """A value of `cpor.reference.customers`; raises ValueError."""
    customer = _CUSTOMER.validate_json(value)
    if customer.timezone is not None:
        _check_zones(customer.timezone)
    return customer


def read_subscription(value: bytes | str) -> Subscription:
    """A value of `cpor.reference.subscriptions`; raises ValueError."""
    return _SUBSCRIPTION.validate_json(value)


def check_partner(partner: Partner | None) -> Refusal | None:
    """D22: the partner whose topic a message came by; partner_unknown or partner_suspended."""
    if partner is None:
        return Refusal(Code.PARTNER_UNKNOWN, "This partner is not in the directory.")
    if partner.status is PartnerStatus.SUSPENDED:
        return Refusal(Code.PARTNER_SUSPENDED, "This partner is suspended.")
    return None


def check_location(partner: Partner, location_id: str | None) -> FieldError | None:
    """D22, R12: judged on every message that names a location; location_unknown."""
    if partner.location(location_id) is not None:
        return None
    detail = f"{shown(location_id or '')} is no location of this partner."
    return FieldError("location_id", Code.LOCATION_UNKNOWN, detail)


def check_enrolled(location: Location) -> FieldError | None:
    """D22, R12: a warning on a draft, an error from submission on; location_not_enrolled."""
    if location.enrolled:
        return None
    detail = f"The location {shown(location.location_id)} is not enrolled in the incentive programme."
    return FieldError("location_id", Code.LOCATION_NOT_ENROLLED, detail)


def _check_zones(*zones: str) -> None:
    """A deadline cannot be reckoned in a zone that nobody knows: better refused here than met in a claim."""
    for zone in zones:
        zone_info(zone)
