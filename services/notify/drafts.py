"""A mail before it is rendered, and whom it goes to (D28)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from cpor.domain import events as ev
from cpor.domain.directory import check_partner
from cpor.domain.permissions import may_see
from cpor.domain.reference import Customer, Partner, User
from cpor.domain.vocabulary import ActorKind, Clock, Instant, MailWanted, UserRole
from schemas.consent import Notice
from schemas.mail import CLASSES, MailKind, Recipient
from services.notify.claim import ClaimRow
from services.notify.dates import Deadline, deadline


@dataclass(frozen=True, slots=True)
class Settings:
    """What differs between installations."""

    #: N of contract §1.
    partitions: int
    #: Where customers answer; "" where there is no such page yet: then they answer the mail.
    consent_url: str = ""
    #: Who hears of missed deadlines of the reviewers and of what operators have to see to; "" for nobody.
    operations: str = ""
    #: The language these read.
    language: str | None = None


class Address(NamedTuple):
    """Who gets a mail: address, name, language and, where known, zone; and which mails that is to be."""

    recipient: Recipient
    email: str
    name: str
    language: str | None
    zone: str | None
    wanted: MailWanted = MailWanted.ALL

    def wants(self, kind: MailKind) -> bool:
        """Domain §5 row 32: what is mandatory comes to everybody."""
        return self.wanted == MailWanted.ALL or CLASSES[kind].mandatory


@dataclass(frozen=True, slots=True)
class Draft:
    """A mail to be rendered. `cause` is the id of the event behind it, `at` that event's time (ms)."""

    kind: MailKind
    to: Address
    cause: str
    at: Instant
    facts: Mapping[str, Any] = field(default_factory=dict)
    notice: Notice | None = None
    approval: int | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What a mail may speak of: the claim before and after the event, and who the two sides are."""

    row: ClaimRow
    before: ClaimRow | None
    partner: Partner | None
    customer: Customer | None
    settings: Settings

    @property
    def partner_name(self) -> str:
        """By its id where it is in no directory (any more)."""
        return self.partner.name if self.partner else self.row.partner_id

    @property
    def customer_name(self) -> str:
        """Else what the claim calls it by."""
        return self.customer.name if self.customer else self.row.form.domain or self.row.form.tenant_id

    def to_partner(self) -> Iterator[Address]:
        """D28: the claim's partner contact, with a copy to who submitted it, by preference; imported claims have no
        contact: their partner's incentives admins (D23).
        """
        zone = self.partner.timezone if self.partner else None
        contact = self.row.partner
        if contact is not None:
            user = self._user_at(contact.email)
            language = contact.language or (user and user.language) or (self.partner.language if self.partner else None)
            wanted = user.mail if user is not None else MailWanted.ALL
            yield Address(Recipient.PARTNER, contact.email, contact.name, language, zone, wanted)
            yield from self._copies(contact.email)
            return
        for email, user in {each.email: each for each in self._admins()}.items():
            yield Address(Recipient.PARTNER, email, user.name, user.language, zone, user.mail)

    def _user_at(self, email: str) -> User | None:
        """The user whose address this is: what it prefers holds for it as a contact, too."""
        users = self.partner.users if self.partner else ()
        return next((each for each in users if each.email.casefold() == email.casefold()), None)

    def _copies(self, contact: str) -> Iterator[Address]:
        """D28; to nobody who may not see the claim (any more): of a suspended partner, or of other locations."""
        partner = self.partner
        user = partner.user(self.row.submitted_by) if partner is not None else None
        if partner is None or user is None or not user.copy_on_mail or check_partner(partner) is not None:
            return
        if may_see(user, self.row.form.location_id) and user.email.lower() != contact.lower():
            language = user.language or partner.language
            yield Address(Recipient.PARTNER_USER, user.email, user.name, language, partner.timezone, user.mail)

    def _admins(self) -> Iterator[User]:
        for user in self.partner.users if self.partner else ():
            here = user.locations is None or self.row.form.location_id in user.locations
            if user.role == UserRole.INCENTIVES_ADMIN and here:
                yield user

    def to_customer(self) -> Iterator[Address]:
        contact = self.row.customer
        if contact is None:
            return
        customer = self.customer
        language = contact.language or (customer.language if customer else None)
        yield Address(
            Recipient.CUSTOMER, contact.email, contact.name, language, customer.timezone if customer else None
        )

    def to_operations(self) -> Iterator[Address]:
        if self.settings.operations:
            yield Address(Recipient.OPERATIONS, self.settings.operations, "Operations", self.settings.language, None)

    def running(self, clock: Clock, to: Address) -> Deadline | None:
        """When a clock of the claim runs out, as this recipient reads it; None where it does not run."""
        found = self.row.clock(clock)
        return None if found is None else self.ends(clock, found.due, to)

    def ends(self, clock: Clock, due: Instant, to: Address) -> Deadline:
        """The end of a clock that need not run any more."""
        found = self.row.clock(clock)
        budget = found.budget if found is not None and found.due == due else ""
        return deadline(due, self.row.zone, to.zone, budget)


def said_by_others(event: ev.Event) -> bool:
    """D26: a comment that is not the partner's own."""
    return event.actor.kind != ActorKind.PARTNER
