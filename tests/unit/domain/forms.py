"""Forms, customers, subscriptions and partners for tests of the domain: whole and faultless, to be spoilt."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cpor.domain.form import complete
from cpor.domain.model import (
    ClaimForm,
    CustomerContact,
    FormData,
    PartnerContact,
    Revenue,
    TechnicalContact,
)
from cpor.domain.policy import policy
from cpor.domain.reference import Customer, Location, Partner, Subscription, User
from cpor.domain.vocabulary import (
    Channel,
    Edition,
    LocationId,
    PartnerId,
    PartnerRole,
    PartnerStatus,
    SolutionArea,
    SubscriptionId,
    SubscriptionState,
    TenantId,
    UserId,
    UserRole,
    parse_instant,
)

P2020, P2023 = policy(Edition.P2020), policy(Edition.P2023)
TENANT = TenantId("3f0e1d7a-5b1c-4c7e-9a51-0d7d1a2b3c4d")
OTHER_TENANT = TenantId("5a0e1d7a-5b1c-4c7e-9a51-0d7d1a2b3c4d")
SUBSCRIPTION = SubscriptionId("7b1c1d7a-0000-4c7e-9a51-0d7d1a2b3c4d")
SECOND = SubscriptionId("8b1c1d7a-0000-4c7e-9a51-0d7d1a2b3c4d")
LOCATION = LocationId("4711001")
NOW = parse_instant("2024-03-01T09:00:00Z")

MODERN_WORK = FormData(
    claim_name="Teams roll-out",
    location_id=LOCATION,
    tenant_id=TENANT,
    solution_area=SolutionArea.MODERN_WORK_SECURITY,
    partner_role=PartnerRole.USE_OR_CONSUME,
    workloads=("teams", "exchange"),
    customer_contact=CustomerContact("Mei Tanaka", "CIO", "mei.tanaka@contoso.example", "ja"),
    partner_contact=PartnerContact("Anna Huber", "anna@fabrikam.example", "de"),
)
ADVISOR = replace(
    MODERN_WORK,
    solution_area=SolutionArea.BUSINESS_APPLICATIONS,
    partner_role=PartnerRole.BUILD_INTENT_ADVISOR,
    workloads=("sales",),
    subscription_id=SUBSCRIPTION,
)
USAGE = replace(ADVISOR, partner_role=PartnerRole.USAGE_RECOGNITION)
REVENUE = replace(
    ADVISOR,
    partner_role=PartnerRole.INFLUENCED_REVENUE,
    revenue=Revenue("Sven Seller", "Contoso", "Field Planner"),
)
ADVISOR_2020 = replace(
    ADVISOR,
    subscription_id=None,
    domain="contoso.example",
    technical_contact=TechnicalContact("Ken Sato", "ken@contoso.example"),
)
MODERN_WORK_2020 = replace(MODERN_WORK, domain="contoso.example")

BERLIN = Location(LOCATION, "Munich", "DE", "Europe/Berlin", True, region="BY")
CUSTOMER = Customer(TENANT, "Contoso", ("contoso.example", "Contoso.test"), "JP", "Asia/Tokyo", "ja")
SALES = Subscription(SUBSCRIPTION, TENANT, ("sales", "power_bi"), Channel.VOLUME_LICENSING, SubscriptionState.ACTIVE)


def user(role: UserRole = UserRole.INCENTIVES_ADMIN, **changes: Any) -> User:
    return replace(User(UserId("u-anna"), "Anna Huber", "anna@fabrikam.example", role), **changes)


def partner(**changes: Any) -> Partner:
    entry = Partner(
        partner_id=PartnerId("P-1001"),
        name="Fabrikam",
        status=PartnerStatus.ACTIVE,
        country="DE",
        region="BY",
        timezone="Europe/Berlin",
        language="de",
        locations=(BERLIN,),
        users=(user(),),
    )
    return replace(entry, **changes)


def claimed(form: FormData, edition: Edition = Edition.P2023) -> ClaimForm:
    return complete(policy(edition), form)[0]
