"""Notify's processor: claim events in; partner updates and rendered mails out, each exactly once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cpor.domain import ids, wire
from cpor.domain.vocabulary import ClaimId, EventName, TenantId
from cpor.runtime.errors import Reject, Retry
from cpor.runtime.processor import Context, Processor, Timer
from cpor.runtime.record import Record
from cpor.runtime.topics import Topic
from schemas import consent, deadlines
from schemas.base import M, read
from schemas.envelope import SUBJECT, Envelope, read_envelope
from services.notify import claim, ending, outbox, returned, superseding
from services.notify.drafts import Draft, Settings, Told
from services.notify.mails import (
    mails_of_bounce,
    mails_of_consent,
    mails_of_event,
    mails_of_held,
    mails_of_miss,
    mails_of_reminder,
)
from services.notify.tables import CLAIMS, CUSTOMERS, PARTNERS, REFERENCE_TABLES, STATE_TABLES
from services.notify.updates import send_update

#: A refusal of a command for an unknown claim stands outside any fold (contract §4): no partner to tell.
OUTSIDE = 0


class Notify(Processor):
    """Tells partners and customers; decides nothing."""

    service = "notify"
    slots_topic = Topic.NOTIFY_SLOTS
    state_tables = STATE_TABLES
    reference_tables = REFERENCE_TABLES
    timers_topic = Topic.NOTIFY_TIMERS
    parked_topic = Topic.NOTIFY_PARKED

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._handlers: Mapping[str, Callable[[Context, Record, Envelope], None]] = {
            Topic.CLAIM_EVENTS: self._claim_event,
            Topic.CONSENT_EVENTS: self._consent_event,
            Topic.DEADLINE_EVENTS: self._deadline_event,
            Topic.DELIVERIES: self._delivery,
        }

    def sources(self, all_topics: Iterable[str]) -> list[str]:
        return list(self._handlers)

    def order_key(self, record: Record) -> bytes | None:
        """The claim: what is told of it is told in order. What became of a mail waits for nothing."""
        subject = record.header(SUBJECT) if record.topic != Topic.DELIVERIES else None
        return subject.encode() if subject else None

    def process(self, context: Context, record: Record) -> None:
        tenant = (record.key or b"").decode("utf-8", "replace")
        if ids.tenant_partition(TenantId(tenant), self._settings.partitions) != record.partition:
            raise Reject("wrong_partition", "the record lies in another tenant's partition", record=record.origin)
        self._handlers[record.topic](context, record, read_envelope(record.headers))

    def fire(self, context: Context, timer: Timer) -> None:
        if timer.clock == outbox.RESEND:
            superseding.send_again(context, timer, lambda row: self._told(context, row))
        else:
            row: claim.ClaimRow | None = context.get(CLAIMS, timer.claim.encode())
            assert row is not None, "only claims that there are are watched"
            for draft in ending.near(context, row, timer, self._settings):
                outbox.send(context, self._told(context, row), draft)

    # -- what is read -------------------------------------------------------------------------------------------------

    def _claim_event(self, context: Context, record: Record, envelope: Envelope) -> None:
        name = _event_name(record, envelope)
        if envelope.sequence == OUTSIDE:
            return
        try:
            event = wire.decode_event(name, record.value or b"")
            before: claim.ClaimRow | None = context.get(CLAIMS, event.claim_id.encode())
            row = claim.after(before, event)
        except ValueError as fault:
            raise Reject("unreadable_event", str(fault)[:300], record=record.origin) from fault
        context.put(CLAIMS, event.claim_id.encode(), row)
        send_update(context, row, event)
        superseding.follow(context, self._told(context, row, before), event.at)
        self._send(context, row, lambda told: mails_of_event(told, event), before)
        ending.watch(context, row, event)

    def _consent_event(self, context: Context, record: Record, envelope: Envelope) -> None:
        if envelope.type == consent.REQUESTED:
            asked = _read(consent.Requested, record)
            row = self._row(context, asked.claim_id, asked.approval or 1, envelope.causation)
            row = returned.asked(row, asked, _id(record, envelope))
            context.put(CLAIMS, row.claim_id.encode(), row)
            self._send(context, row, lambda told: mails_of_consent(told, asked, _id(record, envelope)))
        elif envelope.type == consent.HELD:
            held = _read(consent.Held, record)
            row = self._row(context, held.claim_id, held.approval or 1, None)
            self._send(context, row, lambda told: mails_of_held(told, held, _id(record, envelope)))

    def _deadline_event(self, context: Context, record: Record, envelope: Envelope) -> None:
        if envelope.type == deadlines.REMINDER:
            near = _read(deadlines.Reminder, record)
            row = self._row(context, near.claim_id, near.started_by, None)
            self._send(context, row, lambda told: mails_of_reminder(told, near, _id(record, envelope)))
        elif envelope.type == deadlines.MISSED:
            miss = _read(deadlines.Missed, record)
            row = self._row(context, miss.claim_id, miss.started_by, None)
            self._send(context, row, lambda told: mails_of_miss(told, miss, _id(record, envelope)))

    def _delivery(self, context: Context, record: Record, envelope: Envelope) -> None:
        bounced = outbox.delivery(context, record, envelope)
        row: claim.ClaimRow | None = None if bounced is None else context.get(CLAIMS, bounced.claim_id.encode())
        row = None if bounced is None or row is None else returned.came_back(row, bounced)
        if bounced is not None and row is not None:
            context.put(CLAIMS, row.claim_id.encode(), row)
            self._send(context, row, lambda told: mails_of_bounce(told, bounced, _id(record, envelope)))

    # -- what is said -------------------------------------------------------------------------------------------------

    def _row(self, context: Context, claim_id: str, sequence: int, cause: str | None) -> claim.ClaimRow:
        """The claim with everything that the writer of the record knew of it. Topics have no order among them: where
        its events have not come this far, the record waits for them.
        """
        row: claim.ClaimRow | None = context.get(CLAIMS, claim_id.encode())
        if row is None or row.sequence < max(sequence, _sequence_of(row, cause)):
            raise Retry("the claim's events have not come this far", claim=claim_id, sequence=sequence)
        return row

    def _send(
        self,
        context: Context,
        row: claim.ClaimRow,
        mails: Callable[[Told], Iterable[Draft]],
        before: claim.ClaimRow | None = None,
    ) -> None:
        told = self._told(context, row, before)
        for draft in mails(told):
            outbox.send(context, told, draft)

    def _told(self, context: Context, row: claim.ClaimRow, before: claim.ClaimRow | None = None) -> Told:
        partner: Any = context.get(PARTNERS, row.partner_id.encode())
        customer: Any = context.get(CUSTOMERS, row.form.tenant_id.encode())
        return Told(row, before, partner, customer, self._settings)


#: How far ahead of what is known the claim event behind a record may lie and still be recognised by its id.
_AHEAD = 32


def _sequence_of(row: claim.ClaimRow, cause: str | None) -> int:
    """The sequence of the claim event with this id, 0 where it is none that is still to come."""
    if cause is None:
        return 0
    coming = range(row.sequence + 1, row.sequence + _AHEAD)
    return next((n for n in coming if ids.event_id(ClaimId(row.claim_id), n) == cause), 0)


def _event_name(record: Record, envelope: Envelope) -> EventName:
    try:
        return wire.event_name(envelope.type or "")
    except ValueError:
        raise Reject("unknown_type", f"no claim event: {envelope.type}", record=record.origin) from None


def _id(record: Record, envelope: Envelope) -> str:
    if envelope.id is None:
        raise Reject("missing_message_id", "an event needs a ce_id", record=record.origin)
    return envelope.id


def _read(model: type[M], record: Record) -> M:
    try:
        return read(model, record.value or b"")
    except ValueError as fault:
        raise Reject("unreadable_event", str(fault)[:300], record=record.origin) from fault
