"""Commands of reviewers, operators and services in review's inbox (contract §4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from cpor.domain.vocabulary import (
    Clock,
    CommandName,
    ConsentOutcome,
    InformationReason,
    PartnerRole,
    RejectionReason,
    SuspensionReason,
)
from schemas.base import Message
from schemas.fields import (
    ClaimRefText,
    Day,
    LocationIdText,
    Moment,
    PartnerIdText,
    SequenceNumber,
    SubscriptionIdText,
    Text4000,
    UuidText,
    WorkloadText,
)
from schemas.forms import CustomerContact
from schemas.parts import Actor

#: The command's name stays; of its two versions the newer one is written (`schemas.upcast`).
UNPARK_V1 = CommandName.UNPARK
UNPARK_V2 = "cpor.claim.unpark.v2"

LetterId = Annotated[str, Field(min_length=1, max_length=300)]


class ByActor(Message):
    """What every reviewer's and operator's command has."""

    claim_id: UuidText
    actor: Actor
    expected_sequence: SequenceNumber | None = None
    """Refused as `stale_sequence` when a later event that matters exists."""


class InformationReasonEntry(Message):
    code: InformationReason
    workloads: tuple[WorkloadText, ...] = ()


class RejectionReasonEntry(Message):
    code: RejectionReason
    workloads: tuple[WorkloadText, ...] = ()


class StartReview(ByActor):
    """T5."""


class RequestInformation(ByActor):
    """T6."""

    reasons: Annotated[tuple[InformationReasonEntry, ...], Field(min_length=1)]
    remove_workloads: tuple[WorkloadText, ...] = ()
    comment: Text4000


class Approve(ByActor):
    """T7, T16a."""

    comment: Text4000 | None = None
    displaces: tuple[UuidText, ...] = ()


class Reject(ByActor):
    """T8, T16b."""

    reasons: Annotated[tuple[RejectionReasonEntry, ...], Field(min_length=1)]
    comment: Text4000 | None = None


class ReviewComment(ByActor):
    """A reviewer's comment (D26)."""

    text: Text4000


class ImportLegacy(ByActor):
    """D23."""

    claim_ref: ClaimRefText | None = None
    partner_id: PartnerIdText
    location_id: LocationIdText
    tenant_id: UuidText
    subscription_id: SubscriptionIdText
    partner_role: PartnerRole
    ends_on: Day | None = None


class ResendNotice(ByActor):
    """D20."""

    customer_contact: CustomerContact | None = None


class EndSubscription(ByActor):
    """T19, D16: the subscription's last day."""

    ends_on: Day


class ConsentOutcomeFound(Message):
    """From consent; `approval` names the approval meant, absent for an early answer (D9)."""

    claim_id: UuidText
    outcome: ConsentOutcome
    approval: SequenceNumber | None = None
    reason: SuspensionReason | None = None
    """With `suspended` only (D20)."""
    in_time: bool = False
    """With `declined` only: judged by what the customer could know when it answered, which review cannot tell (D19)."""
    started_by: SequenceNumber | None = None
    """With `completed` and `suspended`: the event that started the wait; that of another wait changes nothing (D20)."""


class DeadlineExpired(Message):
    """From deadlines, after everything received before `due` was admitted (D19)."""

    claim_id: UuidText
    clock: Clock
    started_by: SequenceNumber
    due: Moment


class Park(Message):
    """A message of this claim lies among the dead letters."""

    claim_id: UuidText
    letter_id: LetterId


class Unpark(Park):
    """It was dealt with. Read for ever, written no more: `cpor.claim.unpark.v2` says by whom."""


class UnparkLetters(ByActor):
    """Dead letters of this claim were dealt with: all that are named at once, and by whom."""

    letters: Annotated[tuple[LetterId, ...], Field(min_length=1, max_length=1000)]


#: Of reviewers, operators and services; the incentive results stand in `schemas.incentives`.
INBOX_FROM_INSIDE: Mapping[str, type[Message]] = {
    CommandName.REVIEW_START: StartReview,
    CommandName.REVIEW_REQUEST_INFORMATION: RequestInformation,
    CommandName.REVIEW_APPROVE: Approve,
    CommandName.REVIEW_REJECT: Reject,
    CommandName.REVIEW_COMMENT: ReviewComment,
    CommandName.OPS_IMPORT_LEGACY: ImportLegacy,
    CommandName.OPS_RESEND_NOTICE: ResendNotice,
    CommandName.OPS_END_SUBSCRIPTION: EndSubscription,
    CommandName.CONSENT_OUTCOME: ConsentOutcomeFound,
    CommandName.DEADLINE_EXPIRED: DeadlineExpired,
    CommandName.PARK: Park,
    UNPARK_V1: Unpark,
    UNPARK_V2: UnparkLetters,
}
