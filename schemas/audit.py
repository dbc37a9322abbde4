"""`cpor.audit` (contract §1): what operators did by hand, who, and why. Keyed by the operator."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from cpor.domain.vocabulary import CommandName
from schemas.base import Message
from schemas.consent import Answer, AnswerChannel, Finding
from schemas.fields import Filename, Moment, PartnerIdText, UserIdText, UuidText, WholeNumber

ANSWER_RECORDED = "cpor.audit.answer_recorded.v1"
ANSWER_CHECKED = "cpor.audit.answer_checked.v1"
COMMAND_GIVEN = "cpor.audit.command_given.v1"
PARTNER_ADDED = "cpor.audit.partner_added.v1"
REFERENCE_LOADED = "cpor.audit.reference_loaded.v1"


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


class CommandGiven(Audited):
    """An operator gave a command on a claim: a notice again (D20), an association imported (D23) or ended (T19).

    What became of it, a refusal too, is the claim's event that `message_id` caused.
    """

    claim_id: UuidText
    tenant_id: UuidText
    message_id: UuidText
    """`ce_id` of the command, which is written after this."""
    command: Literal[CommandName.OPS_IMPORT_LEGACY, CommandName.OPS_RESEND_NOTICE, CommandName.OPS_END_SUBSCRIPTION]
    """Its `ce_type`."""
    file: Filename | None = None
    """The name of the file that it came from."""


class Change(StrEnum):
    """What became of a directory entry."""

    ADDED = "added"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


class PartnerAdded(Audited):
    """An operator put a partner's entry into the directory; written before it."""

    partner_id: PartnerIdText
    change: Change
    file: Filename | None = None


class ReferenceLoaded(Audited):
    """An operator loaded customers and subscriptions; written before them, with how many there are of each."""

    customers: WholeNumber
    subscriptions: WholeNumber
    file: Filename | None = None
