"""What a claim of the demo is made of: its form, and proofs of execution that fit it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from cpor.devstack.samples import PoeContent, poe_docx, poe_pdf, realistic_content, scan_jpeg, scan_png
from cpor.domain.vocabulary import PartnerRole, SolutionArea
from cpor.ops.demo.world import Home
from cpor.ops.partner_client import declared
from schemas.reference import Customer, Subscription

WORKLOADS = (
    "teams", "exchange", "sharepoint", "intune", "teams_phone", "azure_ad_premium", "viva_insights", "yammer",
    "defender_for_endpoint", "defender_for_office_365", "teams_meetings", "viva_learning", "proplus", "viva_topics",
    "teams_platform", "defender_for_identity", "microsoft_information_protection", "viva_connections",
)  # fmt: skip
WORKLOADS_EACH = 3
BUSINESS_ROLES = (PartnerRole.BUILD_INTENT_ADVISOR, PartnerRole.USAGE_RECOGNITION, PartnerRole.INFLUENCED_REVENUE)
PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
#: Kind → media type and maker; PDF is by far the most common.
MAKERS = {
    "pdf": (PDF, poe_pdf),
    "docx": (DOCX, poe_docx),
    "png": ("image/png", scan_png),
    "jpg": ("image/jpeg", scan_jpeg),
}


@dataclass(frozen=True)
class Proof:
    """A document and what the partner says of it."""

    filename: str
    content_type: str
    content: bytes
    signed_on: date | None
    covers: tuple[str, ...]

    def declared(self) -> dict[str, Any]:
        return declared(self.filename, self.content_type, self.content)

    def said(self) -> dict[str, Any]:
        """The partner's own words, as attach and the bulk path take them."""
        signed = self.signed_on.isoformat() if self.signed_on else None
        return {"description": "Proof of execution", "customer_signed_on": signed, "covers": list(self.covers)}


@dataclass(frozen=True)
class Subject:
    """What one claim is about: a customer's workloads, or a subscription and its products, in a role."""

    home: Home
    number: int
    customer: Customer
    role: PartnerRole
    workloads: tuple[str, ...]
    subscription: Subscription | None = None

    @property
    def claim_ref(self) -> str:
        return f"{self.home.country}-{self.number:04}"

    @property
    def location_id(self) -> str:
        return self.home.location_ids[self.number % 2]

    def form(self, **changes: Any) -> dict[str, Any]:
        """The whole claim form (contract §3)."""
        area = SolutionArea.BUSINESS_APPLICATIONS if self.subscription else SolutionArea.MODERN_WORK_SECURITY
        form: dict[str, Any] = {
            "claim_name": f"{self.customer.name} {self.number}",
            "location_id": self.location_id,
            "tenant_id": self.customer.tenant_id,
            "domain": self.customer.domains[0],
            "solution_area": area,
            "partner_role": self.role,
            "workloads": list(self.workloads),
            "customer_contact": self.customer_contact(),
            "partner_contact": {"name": "Claims desk", "email": f"claims@{self.home.partner_id.lower()}.example"},
        }
        if self.subscription:
            form["subscription_id"] = self.subscription.subscription_id
        if self.role is PartnerRole.INFLUENCED_REVENUE:
            form["revenue"] = self._revenue()
        return {**form, **changes}

    def customer_contact(self, mailbox: str = "it") -> dict[str, str]:
        email = f"{mailbox}@{self.customer.domains[0]}"
        return {"name": "Head of IT", "title": "Head of IT", "email": email, "language": self.home.language}

    def _revenue(self) -> dict[str, str]:
        return {
            "solution_seller_name": "R. Seller",
            "customer_name": self.customer.name,
            "isv_solution_name": f"{self.home.partner_name} suite",
        }

    def proof(self, today: date, *, kind: str = "pdf", days_ago: int = 20, **changes: Any) -> Proof:
        """A proof signed so many days ago; `workloads` or `signed_on` may be changed for the worse."""
        told: dict[str, Any] = {"workloads": self.workloads, "signed_on": today - timedelta(days=days_ago), **changes}
        content_type, make = MAKERS[kind]
        content = make(self._content(today, **told))
        name = f"PoE {self.claim_ref} {days_ago}.{kind}"
        return Proof(name, content_type, content, told["signed_on"], tuple(told["workloads"]))

    def _content(self, today: date, workloads: Sequence[str], signed_on: date | None) -> PoeContent:
        return realistic_content(
            seed=f"{self.claim_ref}/{signed_on}",
            partner_name=self.home.partner_name,
            partner_location_id=self.location_id,
            customer_name=self.customer.name,
            domain=self.customer.domains[0],
            tenant_id=self.customer.tenant_id,
            country=self.home.country,
            partner_role=self.role,
            workloads=workloads,
            signed_on=signed_on,
            issued_on=today,
            subscription_id=self.subscription.subscription_id if self.subscription else None,
        )


def subjects(home: Home) -> Iterator[Subject]:
    """Subjects that never compete with each other, Modern Work and Business Applications by turns.

    Customers take turns too, so that a partner's claims spread over the tenants' partitions. Ends when all are used up.
    """
    both = itertools.zip_longest(_modern_work(home), _business(home))
    for number, subject in enumerate((each for pair in both for each in pair if each), start=1):
        yield Subject(home, number, *subject)


_Parts = tuple[Customer, PartnerRole, tuple[str, ...], Subscription | None]


def _modern_work(home: Home) -> Iterator[_Parts]:
    for start in range(0, len(WORKLOADS), WORKLOADS_EACH):
        for customer in home.buyers:
            yield customer, PartnerRole.USE_OR_CONSUME, WORKLOADS[start : start + WORKLOADS_EACH], None


def _business(home: Home) -> Iterator[_Parts]:
    roles = itertools.cycle(BUSINESS_ROLES)
    customers = {each.tenant_id: each for each in home.buyers}
    for subscription in sorted(home.subscriptions, key=lambda each: each.subscription_id):
        yield customers[subscription.tenant_id], next(roles), subscription.products, subscription
