"""`cpor.claims.events`: every change of every claim, kept for ever (contract §5).

An event holds every fact its decision used, so that a fold looks nothing up. Contact data stands in `personal` only.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from cpor.domain.vocabulary import (
    AssociationEndReason,
    Clock,
    Code,
    ConsentOutcome,
    Edition,
    EligibilityOutcome,
    EventName,
    Incentive,
    IncentiveReason,
    IncentiveResultKind,
    RevocationReason,
    Status,
    SuspensionReason,
    WithdrawReason,
)
from schemas.base import Message
from schemas.fields import ClaimRefText, Day, Moment, PartnerIdText, SequenceNumber, SubscriptionIdText, UuidText
from schemas.forms import ClaimForm, Personal, Workloads
from schemas.parts import Actor, ClockPause, ClockStart, Document, Reason


class FieldChange(Message):
    """For fields of `personal` both values are null here and stand, as far as they are new, in `personal`."""

    field: str
    before: str | bool | tuple[str, ...] | None = None
    after: str | bool | tuple[str, ...] | None = None


class ClaimEvent(Message):
    """What every event has."""

    claim_id: UuidText
    sequence: SequenceNumber
    """1, 2, 3 ... per claim, without gaps."""
    at: Moment
    """When it was decided."""
    actor: Actor
    policy: Edition
    status: Status
    """The claim's, after this event."""
    clocks_started: tuple[ClockStart, ...] = ()
    clocks_stopped: tuple[Clock, ...] = ()


class Drafted(ClaimEvent):
    """T1. Edition, zone and calendar are fixed here for the claim's life (D1)."""

    claim_ref: ClaimRefText
    partner_id: PartnerIdText
    form: ClaimForm
    personal: Personal
    zone: str
    calendar: str
    source: str
    """`topic-partition-offset` of the message that created the claim (D19)."""
    received_at: Moment


class Filed(Drafted):
    """Draft, documents and submission in one: the bulk path."""

    documents: tuple[Document, ...]
    acknowledgements: tuple[str, ...]
    comment: str | None = None
    customer_notice: bool = False
    """Whether the customer is told now (D3)."""
    subscription_id: SubscriptionIdText | None = None
    """Filled in for the partner (D11)."""


class Edited(ClaimEvent):
    """T2, T4, D6, D20. An operator's corrected notice may change nothing."""

    changes: tuple[FieldChange, ...]
    personal: Personal | None = None
    customer_notice: bool = False


class DocumentAttached(ClaimEvent):
    """A checked document became part of the claim."""

    document: Document


class DocumentAmended(ClaimEvent):
    """The document as it is now, and what of it changed (D21)."""

    document: Document
    changes: tuple[FieldChange, ...]


class DocumentRemoved(ClaimEvent):
    """D21: it no longer counts and stays in History."""

    document_id: UuidText


class Commented(ClaimEvent):
    """R31, D26."""

    text: str


class Submitted(ClaimEvent):
    """T3. `subscription_id` where it was filled in for the partner (D11)."""

    acknowledgements: tuple[str, ...]
    received_at: Moment
    customer_notice: bool = False
    subscription_id: SubscriptionIdText | None = None


class CompetitionFlagged(ClaimEvent):
    """D17. `comment` is what the partner reads; it never names the others."""

    competes_with: tuple[UuidText, ...]
    units: tuple[str, ...]
    comment: str


class ReviewStarted(ClaimEvent):
    """T5."""


class InformationRequested(ClaimEvent):
    """T6."""

    reasons: tuple[Reason, ...]
    comment: str
    remove_workloads: Workloads = ()
    clocks_paused: tuple[ClockPause, ...] = ()


class Resubmitted(ClaimEvent):
    """T10."""

    received_at: Moment
    comment: str | None = None
    customer_notice: bool = False
    subscription_id: SubscriptionIdText | None = None


class Approved(ClaimEvent):
    """T7, T16a. Its sequence is the `approval` that later messages name."""

    units: tuple[str, ...]
    incentive: Incentive
    incentive_reason: IncentiveReason | None = None
    comment: str | None = None
    displaces: tuple[UuidText, ...] = ()


class ConsentCompleted(ClaimEvent):
    """T12: the association is official, and `cpor.eligible.v1` goes out."""

    approval: SequenceNumber


class AssociationEnded(ClaimEvent):
    """D16, D17, D23: units lost without a change of status."""

    approval: SequenceNumber
    units: tuple[str, ...]
    reason: AssociationEndReason
    ends_on: Day | None = None


class RejectedFinal(ClaimEvent):
    """T13, T16b, T11b. `reasons` are all that now stand."""

    reasons: tuple[Reason, ...]
    comment: str | None = None
    units_released: tuple[str, ...] = ()
    approval: SequenceNumber | None = None
    """The approval that ends with this."""
    revocation: RevocationReason | None = None
    """How that is called downstream."""


class Rejected(RejectedFinal):
    """T8, T9, T11, T11b, T14, T16b, T20."""

    withdraw_reason: WithdrawReason | None = None
    disputable: bool = False
    """Whether a dispute window starts with this (D7)."""


class Disputed(ClaimEvent):
    """T15."""

    received_at: Moment
    justification: str | None = None
    document_ids: tuple[UuidText, ...] = ()
    spends_dispute: bool = False
    """Whether the claim may be disputed no more (R41)."""


class Cancelled(ClaimEvent):
    """D8: the end of a draft."""


class Parked(ClaimEvent):
    """A message of this claim lies among the dead letters."""

    letter_id: str


class Unparked(ClaimEvent):
    """It was dealt with."""

    letter_id: str


class CommandRefused(ClaimEvent):
    """A refused command of a reviewer or operator (contract §4). For an unknown claim `sequence` is 0."""

    sequence: int = Field(ge=0)
    policy: Edition | None  # type: ignore[assignment]  # an unknown claim has none
    status: Status | None  # type: ignore[assignment]
    command: str
    """Its `ce_type`."""
    code: Code
    detail: str
    message_id: str | None = None
    """Its `ce_id`."""


class ConsentAnswered(ClaimEvent):
    """An answer that changes no status: agreed, or declined before there was an approval (D9)."""

    answer: ConsentOutcome
    approval: SequenceNumber | None = None


class ConsentSuspended(ClaimEvent):
    """D20."""

    approval: SequenceNumber
    reason: SuspensionReason


class IncentiveResult(ClaimEvent):
    """D29. `amount` is a decimal number as text."""

    kind: IncentiveResultKind
    outcome: EligibilityOutcome | None = None
    reason: str | None = None
    engagement: str | None = None
    partner_role: str | None = None
    subscription_id: SubscriptionIdText | None = None
    amount: str | None = None
    currency: str | None = None
    period: str | None = None
    message_id: str | None = None
    """Of the message that told it; a result counts once, however often it is sent."""


class LegacyImported(ClaimEvent):
    """D23: an approved association without proof, mail or hand-off, held until `ends_on`."""

    claim_ref: ClaimRefText
    partner_id: PartnerIdText
    form: ClaimForm
    units: tuple[str, ...]
    zone: str
    calendar: str
    source: str
    ends_on: Day | None = None


CLAIM_EVENTS: Mapping[EventName, type[ClaimEvent]] = {
    EventName.DRAFTED: Drafted,
    EventName.FILED: Filed,
    EventName.EDITED: Edited,
    EventName.DOCUMENT_ATTACHED: DocumentAttached,
    EventName.DOCUMENT_AMENDED: DocumentAmended,
    EventName.DOCUMENT_REMOVED: DocumentRemoved,
    EventName.COMMENTED: Commented,
    EventName.SUBMITTED: Submitted,
    EventName.COMPETITION_FLAGGED: CompetitionFlagged,
    EventName.REVIEW_STARTED: ReviewStarted,
    EventName.INFORMATION_REQUESTED: InformationRequested,
    EventName.RESUBMITTED: Resubmitted,
    EventName.APPROVED: Approved,
    EventName.CONSENT_COMPLETED: ConsentCompleted,
    EventName.ASSOCIATION_ENDED: AssociationEnded,
    EventName.REJECTED: Rejected,
    EventName.REJECTED_FINAL: RejectedFinal,
    EventName.DISPUTED: Disputed,
    EventName.CANCELLED: Cancelled,
    EventName.PARKED: Parked,
    EventName.UNPARKED: Unparked,
    EventName.COMMAND_REFUSED: CommandRefused,
    EventName.CONSENT_ANSWERED: ConsentAnswered,
    EventName.CONSENT_SUSPENDED: ConsentSuspended,
    EventName.INCENTIVE_RESULT: IncentiveResult,
    EventName.LEGACY_IMPORTED: LegacyImported,
}
