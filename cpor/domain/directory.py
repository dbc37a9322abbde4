"""Reading reference records (contract §8), and what a partner's directory entry says of a message (D22)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import from_json

from cpor.domain.calendar import zone_info
from cpor.domain.reference import Customer, Location, Partner, Subscription
from cpor.domain.refusal import FieldError, Refusal, shown
from cpor.domain.vocabulary import Code, PartnerStatus

Record = Partner | Customer | Subscription

_READERS: Mapping[str, TypeAdapter[Any]] = {
    "partner": TypeAdapter(Partner),
    "customer": TypeAdapter(Customer),
    "subscription": TypeAdapter(Subscription),
}


def read_record(line: bytes | str) -> Record:
    """One line of a reference file, by its `kind`; unknown fields are ignored.

    Raises ValueError (pydantic.ValidationError and UnknownZone are some) where it is no such record.
    """
    value = from_json(line)
    reader = _READERS.get(str(value.get("kind"))) if isinstance(value, dict) else None
    if reader is None:
        raise ValueError("a reference record needs a kind: partner, customer or subscription")
    record: Record = reader.validate_json(line)
    _check_zones(record)
    return record


def read_partner(value: bytes | str) -> Partner:
    """A value of `cpor.reference.partners`; raises ValueError."""
    partner: Partner = _READERS["partner"].validate_json(value)
    _check_zones(partner)
    return partner


def read_customer(value: bytes | str) -> Customer:
    """A value of `cpor.reference.customers`; raises ValueError."""
    customer: Customer = _READERS["customer"].validate_json(value)
    _check_zones(customer)
    return customer


def read_subscription(value: bytes | str) -> Subscription:
    """A value of `cpor.reference.subscriptions`; raises ValueError."""
    subscription: Subscription = _READERS["subscription"].validate_json(value)
    return subscription


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


def _check_zones(record: Record) -> None:
    """A deadline cannot be reckoned in a zone that nobody knows: better refused here than met in a claim."""
    if isinstance(record, Partner):
        for zone in (record.timezone, *(location.timezone for location in record.locations)):
            zone_info(zone)
    elif isinstance(record, Customer) and record.timezone is not None:
        zone_info(record.timezone)
