"""What intake appends to review's inbox: admitted partner commands, incentive results, parked claims."""

from __future__ import annotations

from typing import Any

from cpor.domain.ids import derived_id, receipt_id, tenant_partition
from cpor.domain.vocabulary import CommandName, Instant, TenantId
from cpor.runtime.errors import Retry
from cpor.runtime.processor import Context
from cpor.runtime.record import Record
from cpor.runtime.topics import Topic
from schemas.base import write
from schemas.envelope import headers, origin_headers
from schemas.inbox import AcceptedFile, Identity, Park, partner_value
from schemas.partner_commands import Create, File, PartnerCommand, Reserve
from services.intake.case import Case
from services.intake.documents import document_id, reservation_of
from services.intake.message import Message
from services.intake.poe.check import AcceptedDocument
from services.intake.receipts import SOURCE
from services.intake.references import Reference


class Inbox:
    """Review's inbox has `partitions` partitions; a tenant's records lie in the tenant's."""

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions

    def admit(self, context: Context, case: Case) -> Reference:
        """Sends the command on; the reference's row as it is from now on, without the message's id."""
        row = after_admission(case)
        assert row.tenant_id is not None, "nothing is admitted without a tenant"
        self._send(context, case.message, row.tenant_id, row, _value(case, row.tenant_id))
        return row

    def _send(self, context: Context, message: Message, tenant: TenantId, row: Reference, value: bytes) -> None:
        record, name = message.record, message.type or ""
        told = headers(
            type=name,
            id=derived_id(message.receipt_id, name),
            source=SOURCE,
            time=Instant(record.appended_at),
            subject=row.claim_id,
            causation=message.message_id,
            correlation=message.message_id,
            traceparent=message.traceparent,
            extra=origin_headers(record.origin, Instant(record.appended_at)),
        )
        self.emit(context, tenant, value, told)

    def emit(self, context: Context, tenant: TenantId, value: bytes, told: list[tuple[str, bytes]]) -> None:
        partition = tenant_partition(tenant, self._partitions)
        context.emit(Topic.CLAIM_COMMANDS, partition, tenant.encode(), value, told)

    def park(self, context: Context, record: Record, row: Reference, letter_id: str) -> None:
        """Tells review that a message of the claim lies among the dead letters."""
        if row.tenant_id is None:
            return
        cause = receipt_id(record.topic, record.partition, record.offset)
        told = headers(
            type=CommandName.PARK,
            id=derived_id(cause, CommandName.PARK),
            source=SOURCE,
            time=Instant(record.appended_at),
            subject=row.claim_id,
            causation=cause,
            correlation=cause,
            extra=origin_headers(record.origin, Instant(record.appended_at)),
        )
        self.emit(context, row.tenant_id, write(Park(claim_id=row.claim_id, letter_id=letter_id)), told)


def after_admission(case: Case) -> Reference:
    """The reference bound by its first create or file, and with the upload that a reserve asks for."""
    row, body = case.row, case.body
    if row.tenant_id is None and isinstance(body, Create | File):
        return row.bound_to(TenantId(body.tenant_id))
    if isinstance(body, Reserve):
        return row.reserving(reservation_of(case.message, body))
    return row


def _value(case: Case, tenant: TenantId) -> bytes:
    message, body = case.message, case.body
    assert message.claim_ref is not None
    assert message.message_id is not None
    who = Identity(case.row.claim_id, tenant, message.partner, message.claim_ref, message.message_id)
    return partner_value(body, who, **_found_out(case, body))


def _found_out(case: Case, body: PartnerCommand) -> dict[str, Any]:
    """What intake adds to the partner's words."""
    if isinstance(body, Reserve):
        if case.gathered is None:
            raise Retry("the upload of this message is not signed yet", origin=case.message.record.origin)
        return {"document_id": document_id(case.message), "upload": case.gathered.upload}
    if case.gathered is not None:
        return {"accepted": _accepted(case)}
    return {}


def _accepted(case: Case) -> list[AcceptedFile]:
    assert case.gathered is not None
    named = getattr(case.body, "document_id", None)
    files = (each for each in case.gathered.verdicts if isinstance(each, AcceptedDocument))
    return [
        AcceptedFile(
            named or document_id(case.message, n),
            each.object_key,
            each.version,
            each.filename,
            each.content_type,
            each.size,
            each.sha256,
        )
        for n, each in enumerate(files)
    ]
