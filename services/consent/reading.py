"""Reading what consent is told: claim events, answers, deliveries. What cannot be read is a `Reject`."""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn

from cpor.domain import ids, wire
from cpor.domain.vocabulary import ClaimId, EventName, Instant, TenantId
from cpor.runtime.errors import Reject
from cpor.runtime.record import Record
from schemas.base import read
from schemas.consent import CHECKED, RESPONSE, Checked, Response
from schemas.envelope import Envelope, passed_traceparent, read_envelope
from schemas.mail import BOUNCED, DELIVERED, AboutMail
from services.consent.answers import Found, Given, found, given
from services.consent.case import Seen
from services.consent.telling import Cause

#: Why a record is dead-lettered.
MALFORMED = "malformed_message"
UNKNOWN_TYPE = "unknown_type"
WRONG_PARTITION = "wrong_partition"


def tenant_of(record: Record, partitions: int) -> TenantId:
    """Raises Reject where the record does not lie in its tenant's partition."""
    try:
        tenant = TenantId((record.key or b"").decode())
    except UnicodeDecodeError:
        _malformed(record)
    if ids.tenant_partition(tenant, partitions) != record.partition:
        raise Reject(WRONG_PARTITION, "the key belongs to another partition", record=record.origin)
    return tenant


def claim_event(record: Record) -> tuple[Seen, Cause]:
    """A claim event, and what follows from it has as its cause."""
    told = read_envelope(record.headers)
    try:
        seen: Seen = wire.decode(Seen, record.value or b"")
    except ValueError:
        _malformed(record)
    seen = replace(seen, name=_name_of(told), appended_at=Instant(record.appended_at))
    correlation = told.correlation or seen.id
    cause = Cause(seen.id, seen.claim_id, record.key or b"", seen.at, seen.id, correlation, passed_traceparent(told))
    return seen, cause


def _name_of(told: Envelope) -> EventName | None:
    try:
        return wire.event_name(told.type or "")
    except ValueError:
        return None


def answer(record: Record, tenant: TenantId) -> tuple[ClaimId, Given | Found]:
    """A customer's answer, or what an operator found about one."""
    told = read_envelope(record.headers)
    if told.type not in (RESPONSE, CHECKED):
        raise Reject(UNKNOWN_TYPE, "no answer", record=record.origin)
    about = tenant, record.origin, Instant(record.appended_at)
    try:
        if told.type == CHECKED:
            checked = read(Checked, record.value or b"")
            return ClaimId(checked.claim_id), found(*about, checked, told)
        said = read(Response, record.value or b"")
    except ValueError:
        _malformed(record)
    return ClaimId(said.claim_id), given(*about, said, told)


def delivery(record: Record) -> tuple[AboutMail, bool] | None:
    """A mail that arrived (True) or will not (False); None for what is not decided yet."""
    told = read_envelope(record.headers)
    if told.type not in (DELIVERED, BOUNCED):
        return None
    try:
        return read(AboutMail, record.value or b""), told.type == DELIVERED
    except ValueError:
        _malformed(record)


def _malformed(record: Record) -> NoReturn:
    """Without the values: a letter's reason is no place for contact data."""
    raise Reject(MALFORMED, "the message cannot be read", record=record.origin) from None
