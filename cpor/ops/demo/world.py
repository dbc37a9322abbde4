"""Who takes part in the demo: partners in six countries, their users and locations, customers, subscriptions.

All of them are made up; domains end in `.example`. The same every time: ids are derived from names.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from cpor.domain.vocabulary import Channel, PartnerStatus, SubscriptionState, UserRole
from schemas.reference import Customer, Location, Partner, Subscription, User

_NAMES = uuid.uuid5(uuid.NAMESPACE_DNS, "demo.example")
#: Subscriptions of each customer; a claim of Business Applications takes one for itself.
SUBSCRIPTIONS_EACH = 4
PRODUCTS = (
    ("sales", "customer_service"),
    ("business_central", "power_automate"),
    ("finance", "supply_chain"),
    ("power_apps", "power_bi"),
)
ENDS_ON = date(2028, 12, 31)


def made_up_id(*parts: object) -> str:
    """A UUID that is the same whenever the parts are."""
    return str(uuid.uuid5(_NAMES, "/".join(map(str, parts))))


@dataclass(frozen=True)
class Home:
    """A country with its partner and the partner's customers."""

    partner_id: str
    partner_name: str
    country: str
    region: str | None
    timezone: str
    language: str
    cities: tuple[str, str]
    customers: tuple[str, ...]

    @cached_property
    def partner(self) -> Partner:
        return Partner(
            kind="partner",
            partner_id=self.partner_id,
            name=self.partner_name,
            status=PartnerStatus.ACTIVE,
            country=self.country,
            region=self.region,
            timezone=self.timezone,
            language=self.language,
            locations=self._locations(),
            users=self._users(),
        )

    @property
    def location_ids(self) -> tuple[str, str]:
        """The second has an admin of its own."""
        number = self.partner_id.removeprefix("P-")
        return f"47{number}1", f"47{number}2"

    def _locations(self) -> tuple[Location, ...]:
        return tuple(
            Location(
                location_id=location_id,
                name=f"{self.partner_name}, {city}",
                country=self.country,
                region=self.region,
                timezone=self.timezone,
                enrolled=True,
            )
            for location_id, city in zip(self.location_ids, self.cities, strict=True)
        )

    def _users(self) -> tuple[User, ...]:
        """One of each role; `u-branch` acts only for the second location (D14)."""
        return (
            self._user("u-claims", UserRole.INCENTIVES_ADMIN),
            self._user("u-branch", UserRole.INCENTIVES_ADMIN, (self.location_ids[1],)),
            self._user("u-billing", UserRole.BILLING_ADMIN),
            self._user("u-global", UserRole.GLOBAL_ADMIN),
            self._user("u-reader", UserRole.INCENTIVES_USER),
        )

    def _user(self, user_id: str, role: UserRole, locations: tuple[str, ...] | None = None) -> User:
        email = f"{user_id}@{self.partner_id.lower()}.example"
        return User(user_id=user_id, name=user_id, email=email, role=role, language=self.language, locations=locations)

    @cached_property
    def buyers(self) -> tuple[Customer, ...]:
        return tuple(self._buyer(name) for name in self.customers)

    def _buyer(self, name: str) -> Customer:
        return Customer(
            kind="customer",
            tenant_id=made_up_id("tenant", self.country, name),
            name=name,
            domains=(f"{slug(name)}.example",),
            country=self.country,
            timezone=self.timezone,
            language=self.language,
            channels=(Channel.VOLUME_LICENSING, Channel.WEB_DIRECT),
        )

    @cached_property
    def subscriptions(self) -> tuple[Subscription, ...]:
        return tuple(
            Subscription(
                kind="subscription",
                subscription_id=made_up_id("subscription", buyer.tenant_id, n),
                tenant_id=buyer.tenant_id,
                products=PRODUCTS[n % len(PRODUCTS)],
                channel=Channel.WEB_DIRECT if n % 2 else Channel.VOLUME_LICENSING,
                state=SubscriptionState.ACTIVE,
                provisioned_at=None,
                ends_on=ENDS_ON,
            )
            for buyer in self.buyers
            for n in range(SUBSCRIPTIONS_EACH)
        )


def slug(name: str) -> str:
    """The letters and digits of a name, as a domain has them."""
    return "".join(letter for letter in name.lower() if letter.isascii() and letter.isalnum())


HOMES: tuple[Home, ...] = (
    Home(
        "P-1001", "Isar Cloudberatung GmbH", "DE", "BY", "Europe/Berlin", "de", ("München", "Nürnberg"),
        (
            "Alpenwerk Maschinenbau", "Donau Logistik", "Klinikum Lechtal",
            "Frankenbräu", "Stadtwerke Isartal", "Optik Allgäu",
        ),
    ),
    Home(
        "P-1002", "Sumida Digital KK", "JP", None, "Asia/Tokyo", "ja", ("Tokyo", "Osaka"),
        (
            "Hayabusa Electronics", "Minato Foods", "Kitakaze Transport",
            "Aoba Insurance", "Sakura Pharma", "Tsubame Rail",
        ),
    ),
    Home(
        "P-1003", "Ipê Sistemas Ltda", "BR", "SP", "America/Sao_Paulo", "pt-BR", ("São Paulo", "Campinas"),
        (
            "Café Serra Azul", "Mineração Pedra Clara", "Hospital Bom Vale",
            "Agro Tucano", "Rede Ipanema", "Banco Araucária",
        ),
    ),
    Home(
        "P-1004", "Tejo Consultores SA", "PT", None, "Europe/Lisbon", "pt", ("Lisboa", "Porto"),
        (
            "Azulejos Ribeira", "Transportes Mondego", "Vinhos Alto Douro",
            "Seguros Atlântico", "Conservas Sado", "Hotel Serra Mar",
        ),
    ),
    Home(
        "P-1005", "Tamsui Cloud Co", "TW", None, "Asia/Taipei", "zh-TW", ("Taipei", "Kaohsiung"),
        (
            "Formosa Precision", "Jade Mountain Tea", "Penghu Shipping",
            "Alishan Semicon", "Lukang Textiles", "Sun Moon Hotels",
        ),
    ),
    Home(
        "P-1006", "Cascade Workplace Inc", "US", "WA", "America/Los_Angeles", "en", ("Seattle", "Spokane"),
        ("Puget Marine", "Rainier Health", "Columbia Orchards", "Olympic Outfitters", "Yakima School District",
        "Tahoma Foods"),
    ),
)  # fmt: skip
