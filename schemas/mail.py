"""`cpor.notify.mail` and `cpor.notify.deliveries` (contract §1): every mail, rendered once, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from pydantic import Field

from schemas.base import Message
from schemas.consent import Notice
from schemas.fields import Email, LanguageTag, Moment, SequenceNumber, UuidText

MAIL = "cpor.mail.v1"
DELIVERED = "cpor.delivery.delivered.v1"
DEFERRED = "cpor.delivery.deferred.v1"
BOUNCED = "cpor.delivery.bounced.v1"
SUPERSEDED = "cpor.delivery.superseded.v1"
#: On a mail that is sent again: which attempt this is, from 1, and when the first was made. Without them, the first.
ATTEMPT = "cpor_attempt"
FIRST_AT = "cpor_first_attempt_at"


class MailKind(StrEnum):
    """What a mail is about; each is a folder of templates."""

    CUSTOMER_REQUESTED = "customer_requested"
    CUSTOMER_APPROVED = "customer_approved"
    INFORMATION_REQUESTED = "information_requested"
    COMMENTED = "commented"
    COMPETING = "competing"
    APPROVED = "approved"
    REJECTED = "rejected"
    REJECTED_FINAL = "rejected_final"
    WITHDRAWN = "withdrawn"
    DISASSOCIATED = "disassociated"
    OFFICIAL = "official"
    NOTICE_UNDELIVERED = "notice_undelivered"
    ASSOCIATION_ENDED = "association_ended"
    REASSOCIATE = "reassociate"
    DEADLINE_NEAR = "deadline_near"
    WINDOW_CLOSED = "window_closed"
    DEADLINE_MISSED = "deadline_missed"
    OPERATOR_TASK = "operator_task"


class MailClass(NamedTuple):
    """Whether a mail can be switched off by who gets it (domain §5 row 32), and the source of that."""

    mandatory: bool
    source: str


def _must(source: str) -> MailClass:
    return MailClass(True, source)


def _may(source: str) -> MailClass:
    return MailClass(False, source)


#: A customer's notices, and whatever has a deadline, asks for something or takes something away, cannot be switched
#: off. What only says how far a claim is, or confirms what the partner did itself, can.
CLASSES: Mapping[MailKind, MailClass] = {
    MailKind.CUSTOMER_REQUESTED: _must("D3"),
    MailKind.CUSTOMER_APPROVED: _must("D3 D20"),
    MailKind.INFORMATION_REQUESTED: _must("R33 D15"),
    MailKind.COMMENTED: _must("D26"),
    MailKind.COMPETING: _must("D17"),
    MailKind.APPROVED: _may("R44"),
    MailKind.REJECTED: _must("R37"),
    MailKind.REJECTED_FINAL: _must("R37 T16b"),
    MailKind.WITHDRAWN: _may("D8"),
    MailKind.DISASSOCIATED: _may("D8"),
    MailKind.OFFICIAL: _may("T12"),
    MailKind.NOTICE_UNDELIVERED: _must("D20"),
    MailKind.ASSOCIATION_ENDED: _must("D16 D17"),
    MailKind.REASSOCIATE: _must("D23"),
    MailKind.DEADLINE_NEAR: _must("D15 R39"),
    MailKind.WINDOW_CLOSED: _may("T17"),
    MailKind.DEADLINE_MISSED: _must("D5"),
    MailKind.OPERATOR_TASK: _must("D20"),
}


class Recipient(StrEnum):
    """Whom a mail is for."""

    CUSTOMER = "customer"
    PARTNER = "partner"
    PARTNER_USER = "partner_user"
    """The user who submitted: a copy, where it asks for that (D28)."""
    OPERATIONS = "operations"


class AboutMail(Message):
    """What names a mail, on the mail and on whatever becomes of it."""

    mail_id: UuidText
    """Local part of the Message-ID: the same event, kind and address are one mail (contract §2)."""
    claim_id: UuidText
    kind: MailKind
    recipient: Recipient
    cause: UuidText
    """`ce_id` of the event that brought it about; for a notice that of `cpor.consent.requested.v1`."""
    notice: Notice | None = None
    """For the customer's two notices: which (D3)."""
    approval: SequenceNumber | None = None
    """The approval that the notice is about."""

    def names(self) -> dict[str, Any]:
        """What names the mail, by field: for what is told of it."""
        return {name: getattr(self, name) for name in AboutMail.model_fields}


class Mail(AboutMail):
    """A mail as it is sent: it is never rendered again."""

    to: Email
    to_name: str = Field(max_length=200)
    language: LanguageTag
    chain: tuple[LanguageTag, ...] = ()
    """The languages that were tried, from the recipient's own to `language`."""
    subject: str = Field(pattern=r"^[^\x00-\x1f\x7f]+$", max_length=500)
    """One line."""
    text: str
    html: str
    calendar: str | None = None
    """RFC 5545: the deadline, where its recipient has one."""
    at: Moment


class Delivered(AboutMail):
    """The next mail server took it."""

    attempt: int = Field(ge=1)
    at: Moment


class Deferred(AboutMail):
    """It could not be delivered yet (4xx, or no server answered) and is sent again at `next_at`."""

    attempt: int = Field(ge=1)
    at: Moment
    next_at: Moment
    reply: str = Field(max_length=500)
    first_at: Moment | None = None
    """When the first attempt was made: 48 hours later it is given up."""


class Bounced(AboutMail):
    """It will not be delivered: refused (5xx), or deferred too often."""

    attempt: int = Field(ge=1)
    at: Moment
    reply: str = Field(max_length=500)


class SupersededReason(StrEnum):
    """Why a mail is not sent any more."""

    CONTACT_REPLACED = "contact_replaced"
    """The claim has another contact by now: later mail goes there, and this mail to nobody (R35, D20)."""


class Superseded(AboutMail):
    """It was not handed over yet, and is not sent any more. Where it was on its way at that very moment, what became of
    it is told all the same, and counts.
    """

    attempt: int = Field(ge=0)
    """Attempts that were made until then."""
    at: Moment
    reason: SupersededReason
