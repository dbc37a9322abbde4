"""Mails on their way: rendered once, kept until they have arrived, sent again when they were deferred."""

from __future__ import annotations

from dataclasses import replace

from cpor.domain import ids
from cpor.domain.vocabulary import ClaimId, instant_text
from cpor.runtime.errors import Reject
from cpor.runtime.processor import Context, Timer
from cpor.runtime.record import Record
from cpor.runtime.topics import Topic
from cpor.words import speak
from schemas.base import read, write
from schemas.envelope import Envelope, Header, headers
from schemas.mail import ATTEMPT, BOUNCED, DEFERRED, DELIVERED, FIRST_AT, MAIL, Bounced, Deferred, Delivered, Mail
from services.notify.drafts import Draft, Told
from services.notify.ics import calendar_file
from services.notify.posted import Posted
from services.notify.rendering import render
from services.notify.tables import OUTBOX, SOURCE

#: The timer of a deferred mail: its claim is the mail id, its rung the attempt that was deferred.
RESEND = "resend"


def send(context: Context, told: Told, draft: Draft) -> None:
    """Render the mail and put it on its way. The same event, kind and address are one mail (contract §2)."""
    mail = written(told, draft)
    key = told.row.form.tenant_id.encode()
    value = write(mail)
    context.emit(Topic.MAIL, context.partition, key, value, _headers(mail))
    context.put(OUTBOX, mail.mail_id.encode(), Posted(value))


def written(told: Told, draft: Draft) -> Mail:
    rendered = render(told, draft)
    return Mail(
        mail_id=ids.mail_id(draft.cause, draft.kind, draft.to.email),
        claim_id=told.row.claim_id,
        kind=draft.kind,
        recipient=draft.to.recipient,
        cause=draft.cause,
        notice=draft.notice,
        approval=draft.approval,
        to=draft.to.email,
        to_name=draft.to.name[:200],
        language=rendered.language,
        chain=rendered.chain,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        calendar=calendar_file(told, draft, speak(rendered.language)),
        at=draft.at,
    )


def _headers(mail: Mail, extra: tuple[Header, ...] = ()) -> list[Header]:
    return headers(MAIL, mail.mail_id, SOURCE, mail.at, ClaimId(mail.claim_id), mail.cause, extra=extra)


def delivery(context: Context, record: Record, envelope: Envelope) -> Bounced | None:
    """What became of a mail; the entry where it came back, be it days after it had arrived."""
    value = record.value or b""
    try:
        if envelope.type == DEFERRED:
            _deferred(context, record, read(Deferred, value))
        elif envelope.type == DELIVERED:
            over(context, read(Delivered, value).mail_id)
        elif envelope.type == BOUNCED:
            bounced = read(Bounced, value)
            over(context, bounced.mail_id)
            return bounced
    except ValueError as fault:
        raise Reject("unreadable_event", str(fault)[:300], record=record.origin) from fault
    return None


def _deferred(context: Context, record: Record, told: Deferred) -> None:
    """An attempt that is told of late, when others were made since, changes nothing: to try again under a number that
    is settled would be to try no more.
    """
    row: Posted | None = context.get(OUTBOX, told.mail_id.encode())
    if row is None or told.attempt < row.attempts:
        return
    first_at = told.first_at or row.first_at or told.at
    tried = replace(row, attempts=told.attempt, first_at=first_at)
    context.put(OUTBOX, told.mail_id.encode(), tried)
    context.set_timer(Timer(told.next_at, told.mail_id, RESEND, 0, 0, b"%d|%b" % (told.attempt, record.key or b"")))


def over(context: Context, mail_id: str) -> None:
    """It is no longer on its way."""
    if context.get(OUTBOX, mail_id.encode()) is not None:
        context.delete(OUTBOX, mail_id.encode())
        context.cancel_timer(mail_id, RESEND, 0)


def send_again(context: Context, row: Posted, attempt: int, tenant: bytes) -> None:
    """The same mail under the same Message-ID, on a topic of its own: `cpor.notify.mail` holds every mail once."""
    first_at = ((FIRST_AT, instant_text(row.first_at).encode()),) if row.first_at is not None else ()
    told = _headers(row.mail, ((ATTEMPT, b"%d" % attempt), *first_at))
    context.emit(Topic.NOTIFY_RESEND, context.partition, tenant, row.value, told)
