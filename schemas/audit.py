"""`cpor.audit` (contract §1): what operators did by hand, who, and why. Keyed by the operator."""

from __future__ import annotations

from pydantic import Field

from schemas.base import Message
from schemas.consent import Answer, AnswerChannel, Finding
from schemas.fields import Moment, UserIdText, UuidText

ANSWER_RECORDED = "cpor.audit.answer_recorded.v1"
ANSWER_CHECKED = "cpor.audit.answer_checked.v1"


class Audited(Message):
    """What every entry has."""

    operator: UserIdText
    at: Moment
    note: str | None = Field(default=None, max_length=4000)
    """Why, in the operator's words."""


class AnswerRecorded(Audited):
    """An operator put a customer's answer on record, taken by phone or mail (D19)."""

    claim_id: UuidText
    tenant_id: UuidText
    response_id: UuidText
    """`ce_id` of the `cpor.consent.response.v1`, which is written after this."""
    answer: Answer
    channel: AnswerChannel
    answered_at: Moment | None = None
    """When it came, by the operator's word; absent where it counts from when it was recorded."""


class AnswerChecked(Audited):
    """An operator released or dismissed an answer that was held (D20)."""

    claim_id: UuidText
    tenant_id: UuidText
    response_id: UuidText
    """`ce_id` of the answer, a `cpor.consent.response.v1`; the finding is written after this."""
    finding: Finding
