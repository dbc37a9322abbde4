"""The receipts intake writes: for what it refuses, and for what it has seen before (contract §3).

Whatever it admits gets its one receipt from review.
"""

from __future__ import annotations

from typing import Any

from cpor.domain.result import Refused
from cpor.domain.vocabulary import Code, Instant, Outcome
from cpor.runtime.processor import Context
from cpor.runtime.topics import receipts_topic
from schemas.envelope import headers
from schemas.partner_commands import WrongShape
from schemas.receipts import RECEIPT, OriginalOutcome, problem, receipt_value
from services.intake.gate import EntranceCheck
from services.intake.message import Message
from services.intake.references import First, Reference

SOURCE = "/services/intake"
#: Bytes of a record's key that its receipt repeats: a key may be as large as a message.
LONGEST_KEY = 256

CONFLICT = Refused(Code.CONFLICTING_MESSAGE, "This ce_id was used before on this reference, with other content.")


def refuse_at_entrance(context: Context, message: Message, row: EntranceCheck, refusal: Refused) -> None:
    """The message has no identity: nothing is remembered, the next one may use its id."""
    place = message.record.origin
    named = place if row.named_by_place else message.message_id or place
    _send(context, message, Outcome.REJECTED, refusal.code, refusal.detail, message_id=named)


def refuse(context: Context, message: Message, row: Reference, refusal: Refused) -> None:
    """`claim_id` only where the reference has a claim."""
    body = message.body
    omitted = body.errors.omitted if refusal.errors and isinstance(body, WrongShape) else 0
    _send(
        context,
        message,
        Outcome.REJECTED,
        refusal.code,
        refusal.detail,
        claim_id=_claim_of(row),
        errors=[problem(each.field, each.code, each.detail) for each in refusal.errors],
        errors_omitted=omitted,
    )


def answer_repetition(context: Context, message: Message, row: Reference, first: First) -> None:
    """An id that was used before: the same content is a duplicate, other content a conflict."""
    if not first.same_content:
        refuse(context, message, row, CONFLICT)
        return
    admitted = first.rejected is None
    outcome = OriginalOutcome.ADMITTED if admitted else OriginalOutcome.REJECTED
    detail = "This message came before and was " + ("admitted then." if admitted else "rejected then.")
    _send(
        context,
        message,
        Outcome.DUPLICATE,
        Code.DUPLICATE,
        detail,
        claim_id=_claim_of(row),
        original=(outcome, first.rejected),
    )


def _claim_of(row: Reference) -> str | None:
    return row.claim_id if row.tenant_id is not None else None


def _send(
    context: Context,
    message: Message,
    outcome: Outcome,
    code: Code,
    detail: str,
    *,
    message_id: str | None = None,
    claim_id: str | None = None,
    **more: Any,
) -> None:
    record = message.record
    value = receipt_value(
        message_id=message_id or message.message_id or record.origin,
        claim_ref=message.claim_ref,
        claim_id=claim_id,
        outcome=outcome,
        code=code,
        detail=detail,
        received_at=record.appended_at,
        decided_at=context.now,
        **more,
    )
    told = headers(
        type=RECEIPT,
        id=message.receipt_id,
        source=SOURCE,
        time=Instant(context.now),
        subject=claim_id,
        causation=message.message_id or record.origin,
        traceparent=message.traceparent,
    )
    key = None if record.key is None else record.key[:LONGEST_KEY]
    context.emit(receipts_topic(message.partner), 0, key, value, told)
