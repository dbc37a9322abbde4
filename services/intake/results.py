"""Incentive results on their way to review's inbox (contract §1, D29)."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from cpor.domain.ids import derived_id, tenant_partition
from cpor.domain.vocabulary import CommandName, Instant, TenantId
from cpor.runtime.errors import Reject
from cpor.runtime.processor import Context
from cpor.runtime.record import Record
from cpor.runtime.topics import Topic
from schemas import envelope
from schemas.base import read, write
from schemas.incentives import Earning, EligibilityResult
from services.intake.receipts import SOURCE

#: Bytes; what is larger is no result.
LARGEST_RESULT = 64 * 1024

RESULTS: Mapping[str, type[EligibilityResult] | type[Earning]] = {
    CommandName.ELIGIBILITY_RESULT: EligibilityResult,
    CommandName.EARNING: Earning,
}


def forward_result(context: Context, record: Record, partitions: int) -> None:
    """Appends a result to the inbox partition of its tenant (they have the same number of partitions).

    Raises Reject: wrong_key, wrong_partition, unknown_type, malformed_result. The sender's `ce_id` is what a result is
    known by: the same one sent again has the same id in the inbox. Only what a result has is passed on: what review
    could not read would hold up the claim.
    """
    tenant = _tenant(record, partitions)
    told = envelope.read_envelope(record.headers)
    result = _result(record, told.type)
    if isinstance(result, Earning) and result.tenant_id != tenant:
        raise Reject("wrong_key", "the key is not the tenant that the result names", record=record.origin)
    cause = told.id if envelope.is_message_id(told.id) else record.origin
    headers = envelope.headers(
        type=told.type or "",
        id=derived_id(f"{tenant}/{cause}", told.type or ""),
        source=SOURCE,
        time=Instant(record.appended_at),
        subject=result.claim_id,
        causation=cause,
        correlation=cause,
        traceparent=envelope.passed_traceparent(told),
        extra=envelope.origin_headers(record.origin, Instant(record.appended_at)),
    )
    context.emit(Topic.CLAIM_COMMANDS, record.partition, record.key, write(result), headers)


def _tenant(record: Record, partitions: int) -> TenantId:
    try:
        tenant = TenantId((record.key or b"").decode())
    except UnicodeDecodeError:
        tenant = TenantId("")
    if not tenant or tenant != tenant.lower():
        raise Reject("wrong_key", "the key must be a tenant id in lower case", record=record.origin)
    if tenant_partition(tenant, partitions) != record.partition:
        raise Reject("wrong_partition", "the key belongs to another partition", record=record.origin)
    return tenant


def _result(record: Record, ce_type: str | None) -> EligibilityResult | Earning:
    model = RESULTS.get(ce_type or "")
    if model is None:
        raise Reject("unknown_type", "no incentive result of this type is known", record=record.origin)
    value = record.value or b""
    if len(value) > LARGEST_RESULT:
        raise Reject("malformed_result", "the value is too large for a result", record=record.origin)
    try:
        return read(model, value)
    except ValidationError as fault:
        detail = f"{fault.error_count()} fields are wrong"
        raise Reject("malformed_result", detail, record=record.origin) from fault
