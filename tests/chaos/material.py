"""Partners, customers and forms of the chaos tests, and one small document that any claim of theirs can show."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from datetime import date
from functools import cache
from typing import Any

from cpor.devstack.endpoints import Endpoints
from cpor.devstack.samples import poe_pdf, realistic_content
from cpor.domain.ids import tenant_partition
from cpor.domain.vocabulary import TenantId
from cpor.ops.partner_client import Dropbox, declared
from cpor.runtime.record import Output
from cpor.runtime.topics import Topic

LOCATION, OTHER_LOCATION, UNENROLLED = "4711001", "4711002", "4711003"
#: One who may do everything, one who only reads, one for claims that were submitted, one for the other location.
ADMIN, READER, BILLING, ELSEWHERE = "u-anna", "u-uwe", "u-bill", "u-lena"
ACKNOWLEDGED = ["information_is_accurate", "customer_is_informed", "program_terms_accepted"]
WORKLOADS = ("teams", "exchange")
PRODUCTS = ("sales",)
DOCUMENT = "statement of work"
REVIEWER = {"kind": "reviewer", "id": "r-1"}
OPERATOR = {"kind": "operator", "id": "o-1"}


def tenant(number: int) -> TenantId:
    return TenantId(str(uuid.uuid5(uuid.NAMESPACE_DNS, f"customer {number}")))


def partner_entry(partner: str, **changes: Any) -> dict[str, Any]:
    """A row of `cpor.reference.partners`."""
    place = {"country": "DE", "region": "BY", "timezone": "Europe/Berlin"}
    roles = {ADMIN: "incentives_admin", READER: "incentives_user", BILLING: "billing_admin"}
    users = [
        {"user_id": user, "name": user, "email": f"{user}@partner.example", "role": role}
        for user, role in {**roles, ELSEWHERE: "incentives_admin"}.items()
    ]
    users[-1] |= {"locations": [OTHER_LOCATION]}  # type: ignore[dict-item]
    return {
        "kind": "partner",
        "partner_id": partner,
        "name": f"Partner {partner}",
        "status": "active",
        **place,
        "language": "de",
        "locations": [
            {"location_id": each, "name": "Munich", **place, "enrolled": each != UNENROLLED}
            for each in (LOCATION, OTHER_LOCATION, UNENROLLED)
        ],
        "users": users,
        **changes,
    }


def customer_row(tenant_id: TenantId) -> dict[str, Any]:
    return {
        "kind": "customer",
        "tenant_id": tenant_id,
        "name": "Contoso",
        "domains": ["contoso.example"],
        "country": "DE",
        "timezone": "Europe/Berlin",
        "language": "de",
        "channels": ["web_direct"],
    }


def directory(partners: Iterable[str]) -> list[Output]:
    return [Output(Topic.PARTNERS, 0, each.encode(), as_json(partner_entry(each)), []) for each in partners]


def customers(tenants: Iterable[TenantId], partitions: int) -> list[Output]:
    """Rows of `cpor.reference.customers`, each in its tenant's partition of N."""
    return [
        Output(Topic.CUSTOMERS, tenant_partition(each, partitions), each.encode(), as_json(customer_row(each)), [])
        for each in tenants
    ]


def subscription(tenant_id: TenantId) -> str:
    """The id of a tenant's one subscription."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, tenant_id))


def subscription_row(tenant_id: TenantId, ends_on: str) -> dict[str, Any]:
    return {
        "kind": "subscription",
        "subscription_id": subscription(tenant_id),
        "tenant_id": tenant_id,
        "products": list(PRODUCTS),
        "channel": "web_direct",
        "state": "active",
        "provisioned_at": "2020-01-01T00:00:00Z",
        "ends_on": ends_on,
    }


def subscriptions(tenants: Iterable[TenantId], partitions: int, ends_on: str) -> list[Output]:
    """Rows of `cpor.reference.subscriptions`, each in its tenant's partition of N."""
    return [
        Output(
            Topic.SUBSCRIPTIONS,
            tenant_partition(each, partitions),
            subscription(each).encode(),
            as_json(subscription_row(each, ends_on)),
            [],
        )
        for each in tenants
    ]


def contact(email: str) -> dict[str, Any]:
    """A customer's contact."""
    return {"name": "Eva Muster", "title": "CIO", "email": email, "language": "de"}


def form(tenant_id: TenantId, **changes: Any) -> dict[str, Any]:
    """A whole form of Modern Work and Security."""
    return {
        "user": ADMIN,
        "claim_name": "Roll-out",
        "location_id": LOCATION,
        "tenant_id": tenant_id,
        "solution_area": "modern_work_security",
        "partner_role": "use_or_consume",
        "workloads": list(WORKLOADS),
        "customer_contact": contact("eva@contoso.example"),
        "partner_contact": {"name": "Anna Huber", "email": "anna@partner.example", "language": "de"},
        **changes,
    }


def subscribed(tenant_id: TenantId) -> dict[str, Any]:
    """What differs in a form of Business Applications."""
    return {
        "solution_area": "business_applications",
        "partner_role": "build_intent_advisor",
        "workloads": list(PRODUCTS),
        "subscription_id": subscription(tenant_id),
    }


def filing(tenant_id: TenantId, object_key: str, **changes: Any) -> dict[str, Any]:
    """A whole claim in one message, with the document that lies at `object_key` and covers whatever is claimed."""
    filled = form(tenant_id, **changes)
    shown = {"description": "Statement of work", "customer_signed_on": "2026-01-15", "covers": filled["workloads"]}
    document = {"object_key": object_key, **declared("poe.pdf", "application/pdf", document_bytes()), **shown}
    return {"documents": [document], "acknowledgements": ACKNOWLEDGED, **filled}


def object_key(partner: str) -> str:
    """Where a partner's one document lies; see `put_document`."""
    return f"incoming/{partner}/{uuid.uuid5(uuid.NAMESPACE_OID, DOCUMENT)}"


def put_document(endpoints: Endpoints, partner: str) -> None:
    assert Dropbox(endpoints, partner).put(document_bytes(), "application/pdf", DOCUMENT) == object_key(partner)


@cache
def document_bytes() -> bytes:
    return poe_pdf(
        realistic_content(
            seed="chaos",
            partner_name="Partner",
            partner_location_id=LOCATION,
            customer_name="Contoso",
            domain="contoso.example",
            tenant_id=tenant(0),
            country="DE",
            partner_role="use_or_consume",
            workloads=WORKLOADS,
            signed_on=date(2026, 1, 15),
            issued_on=date(2026, 1, 20),
        )
    )


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()
