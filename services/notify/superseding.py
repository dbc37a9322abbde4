"""Mail goes to the newest contact (R35, D20, domain §5 row 30): what was not handed over before a contact was replaced
is not sent to it any more, and said to be so.

A customer's notice is asked for anew by consent (D15, D20). What a partner has to do by a certain day it is told anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from cpor.domain import ids
from cpor.domain.vocabulary import ClaimId, Clock, Instant
from cpor.runtime.processor import Context, Timer
from cpor.runtime.topics import Topic
from schemas.base import write
from schemas.deadlines import Reminder
from schemas.envelope import headers
from schemas.mail import SUPERSEDED, Mail, MailKind, Recipient, Superseded, SupersededReason
from services.notify import outbox
from services.notify.claim import ClaimRow
from services.notify.drafts import Draft, Told
from services.notify.mails import mails_of_event, mails_of_reminder
from services.notify.posted import Posted
from services.notify.tables import CLAIMS, OUTBOX, OUTBOX_OF_CLAIM, SOURCE

#: Of whom a mail follows the claim's contact.
_CONTACTS: Mapping[Recipient, Callable[[ClaimRow], Any]] = {
    Recipient.CUSTOMER: lambda row: row.customer,
    Recipient.PARTNER: lambda row: row.partner,
}


def is_unwanted(row: ClaimRow, mail: Mail) -> bool:
    """Whether the claim has another contact by now. A copy, and mail to who has no contact, follow nobody's."""
    contact = _CONTACTS[mail.recipient](row) if mail.recipient in _CONTACTS else None
    return contact is not None and contact.email.casefold() != mail.to.casefold()


def follow(context: Context, told: Told, at: Instant) -> None:
    """After an event that replaced a contact: takes back what is on its way to the old one."""
    before, row = told.before, told.row
    if before is None or (before.customer, before.partner) == (row.customer, row.partner):
        return
    for _, posted in context.find(OUTBOX_OF_CLAIM, row.claim_id.encode()):
        if is_unwanted(row, posted.mail):
            _supersede(context, told, posted, at)


def send_again(context: Context, timer: Timer, told: Callable[[ClaimRow], Told]) -> None:
    """A deferred mail whose time has come, unless nobody wants it any more."""
    posted: Posted | None = context.get(OUTBOX, timer.claim.encode())
    if posted is None:
        return
    attempt, _, tenant = timer.data.partition(b"|")
    mail = posted.mail
    row: ClaimRow | None = context.get(CLAIMS, mail.claim_id.encode())
    if row is not None and is_unwanted(row, mail):
        _supersede(context, told(row), posted, Instant(timer.due))
    else:
        outbox.send_again(context, posted, int(attempt) + 1, tenant)


def _supersede(context: Context, told: Told, posted: Posted, at: Instant) -> None:
    mail, tenant = posted.mail, told.row.form.tenant_id.encode()
    entry = Superseded(**mail.names(), attempt=posted.attempts, at=at, reason=SupersededReason.CONTACT_REPLACED)
    name = ids.derived_id(mail.mail_id, SUPERSEDED, posted.attempts)
    said = headers(SUPERSEDED, name, SOURCE, at, ClaimId(mail.claim_id), mail.mail_id)
    context.emit(Topic.DELIVERIES, context.partition, tenant, write(entry), said)
    outbox.over(context, mail.mail_id)
    _remember(context, mail, posted.attempts)
    for draft in _anew(told, mail):
        _tell(context, told, draft)


def _remember(context: Context, mail: Mail, attempts: int) -> None:
    """The same mail to the same address has the same id: should the contact come back, it is no new mail."""
    row: ClaimRow | None = context.get(CLAIMS, mail.claim_id.encode())
    assert row is not None, "mail is about claims that there are"
    others = tuple(each for each in row.superseded if each[0] != mail.mail_id)
    context.put(CLAIMS, mail.claim_id.encode(), replace(row, superseded=(*others, (mail.mail_id, attempts))))


def _tell(context: Context, told: Told, draft: Draft) -> None:
    mail = outbox.written(told, draft)
    row: ClaimRow | None = context.get(CLAIMS, mail.claim_id.encode())
    attempts = dict(row.superseded).get(mail.mail_id) if row is not None else None
    if attempts is None:
        outbox.send(context, told, draft)
        return
    # Under the attempt that it was taken back from it would be taken for settled.
    again = Posted(write(mail), attempts + 1)
    context.put(OUTBOX, mail.mail_id.encode(), again)
    outbox.send_again(context, again, attempts + 2, told.row.form.tenant_id.encode())


def _anew(told: Told, mail: Mail) -> Iterator[Draft]:
    """The same event's mail to the partner's newest contact, while the clock that it speaks of runs. A rejection is not
    among them: while its window is open no contact can be edited (D6).
    """
    again = _AGAIN.get(mail.kind)
    if mail.recipient == Recipient.PARTNER and again is not None and told.row.clock(Clock.PARTNER_ANSWER) is not None:
        yield from (draft for draft in again(told, mail) if draft.to.recipient == Recipient.PARTNER)


def _asked(told: Told, mail: Mail) -> Iterator[Draft]:
    asked = told.row.asked
    if asked is not None and ids.event_id(asked.claim_id, asked.sequence) == mail.cause:
        yield from mails_of_event(told, asked)


def _reminded(told: Told, mail: Mail) -> Iterator[Draft]:
    clock = told.row.clock(Clock.PARTNER_ANSWER)
    assert clock is not None, "asked before"
    near = Reminder(
        claim_id=mail.claim_id, clock=clock.clock, started_by=clock.started_by, due=clock.due, fired_at=mail.at, rung=0
    )
    yield from mails_of_reminder(told, near, mail.cause)


#: Mails to the partner that say until when something has to be done, while a contact can be edited: R32 and D15, R33.
_AGAIN: Mapping[MailKind, Callable[[Told, Mail], Iterator[Draft]]] = {
    MailKind.INFORMATION_REQUESTED: _asked,
    MailKind.DEADLINE_NEAR: _reminded,
}
