"""Reference records are read tolerantly, and what could not be reckoned with later is refused at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from cpor.domain.directory import (
    check_enrolled,
    check_location,
    check_partner,
    read_customer,
    read_partner,
    read_subscription,
)
from cpor.domain.vocabulary import Channel, Code, PartnerStatus, SubscriptionState, UserRole
from tests.unit.domain.forms import BERLIN, LOCATION, TENANT, partner

PARTNER: dict[str, Any] = {
    "kind": "partner",
    "partner_id": "P-1001",
    "name": "Fabrikam",
    "status": "active",
    "country": "DE",
    "region": None,
    "timezone": "Europe/Berlin",
    "language": "de",
    "locations": [
        {
            "location_id": "4711001",
            "name": "Munich",
            "country": "DE",
            "region": "BY",
            "timezone": "Europe/Berlin",
            "enrolled": True,
        }
    ],
    "users": [
        {
            "user_id": "u-anna",
            "name": "Anna",
            "email": "anna@fabrikam.example",
            "role": "billing_admin",
            "language": "de",
            "locations": ["4711001"],
        }
    ],
}
CUSTOMER: dict[str, Any] = {
    "kind": "customer",
    "tenant_id": TENANT,
    "name": "Contoso",
    "domains": ["contoso.example"],
    "country": "JP",
    "timezone": None,
    "language": "ja",
    "channels": ["volume_licensing", "csp"],
}
SUBSCRIPTION: dict[str, Any] = {
    "kind": "subscription",
    "subscription_id": "7b1c1d7a-0000-4c7e-9a51-0d7d1a2b3c4d",
    "tenant_id": TENANT,
    "products": ["sales"],
    "channel": "web_direct",
    "state": "grace",
    "provisioned_at": "2023-04-01T00:00:00Z",
    "ends_on": "2027-03-31",
}


def text(record: dict[str, Any], **changes: Any) -> str:
    return json.dumps({**record, **changes})


def test_a_partner_is_read_with_its_locations_and_users() -> None:
    entry = read_partner(text(PARTNER))
    anna, munich = entry.user("u-anna"), entry.location("4711001")
    assert anna is not None
    assert munich is not None
    assert (anna.role, anna.locations) == (UserRole.BILLING_ADMIN, ("4711001",))
    assert (munich.region, munich.enrolled) == ("BY", True)


def test_customers_and_subscriptions_are_read_with_their_dates_and_channels() -> None:
    assert read_customer(text(CUSTOMER)).channels == (Channel.VOLUME_LICENSING, Channel.CSP)
    bought = read_subscription(text(SUBSCRIPTION))
    assert (bought.state, bought.ends_on) == (SubscriptionState.GRACE, date(2027, 3, 31))
    assert bought.provisioned_at == 1_680_307_200_000


def test_fields_of_a_later_version_are_passed_over() -> None:
    assert read_partner(text(PARTNER, tier="gold")) == read_partner(text(PARTNER))


@pytest.mark.parametrize(
    ("read", "line"),
    [
        *(
            (read, text)
            for read in (read_partner, read_customer, read_subscription)
            for text in ("", "not json", "[]", "null", '"partner"', "[" * 100_000, '{"kind": "partner"}')
        ),
        (read_partner, text(PARTNER, status="dormant")),
        (read_partner, text(PARTNER, timezone="Mars/Olympus")),
        (read_partner, text(PARTNER, locations=[{**PARTNER["locations"][0], "timezone": "Mars/Olympus"}])),
        (read_partner, text(PARTNER, users=[{**PARTNER["users"][0], "role": "owner"}])),
        (read_customer, text(CUSTOMER, timezone="Mars/Olympus")),
        (read_subscription, text(SUBSCRIPTION, channel="market stall")),
        (read_subscription, text(SUBSCRIPTION, ends_on="2027-02-30")),
        (read_subscription, text(SUBSCRIPTION, provisioned_at="yesterday")),
    ],
    ids=lambda given: given[:40] or "empty" if isinstance(given, str) else given.__name__,
)
def test_what_is_no_record_is_refused_with_a_value_error(read: Callable[[str], object], line: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read(line)


def test_a_partner_must_be_known_and_active() -> None:
    suspended = check_partner(partner(status=PartnerStatus.SUSPENDED))
    unknown = check_partner(None)
    assert unknown is not None
    assert suspended is not None
    assert (unknown.code, suspended.code) == (Code.PARTNER_UNKNOWN, Code.PARTNER_SUSPENDED)
    assert check_partner(partner()) is None


@pytest.mark.parametrize("location", [None, "", "4711999", "x" * 300])
def test_a_location_must_be_the_partners_own(location: str | None) -> None:
    error = check_location(partner(), location)
    assert error is not None
    assert (error.field, error.code) == ("location_id", Code.LOCATION_UNKNOWN)
    assert len(error.detail) < 120
    assert check_location(partner(), LOCATION) is None


def test_a_location_should_be_enrolled() -> None:
    error = check_enrolled(replace(BERLIN, enrolled=False))
    assert error is not None
    assert error.code is Code.LOCATION_NOT_ENROLLED
    assert check_enrolled(BERLIN) is None
