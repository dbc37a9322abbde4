"""Claim events (contract §5): one frozen dataclass each; its JSON is the value of the record.

An event holds every fact its decision used, so that a fold never looks anything up. The names of fields
are public: add, never rename.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from cpor.domain.model import Actor, ClaimForm, ClockPause, ClockStart, Document, Personal, Reason
from cpor.domain.vocabulary import (
    AssociationEndReason,
    ClaimId,
    Clock,
    Code,
    ConsentOutcome,
    DocumentId,
    Edition,
    EligibilityOutcome,
    EventName,
    Incentive,
    IncentiveReason,
    IncentiveResultKind,
    InstantField,
    PartnerId,
    RevocationReason,
    Status,
    SubscriptionId,
    SuspensionReason,
    UnitId,
    WithdrawReason,
)

#: A form field's value in History; contact data never stands here.
FieldValue = str | bool | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class FieldChange:
    """`before` and `after` are left out (None) for fields of `personal`."""

    field: str
    before: FieldValue = None
    after: FieldValue = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimEvent:
    """What every event has. `at` is when it was decided; `status` is the one after it."""

    NAME: ClassVar[EventName]

    claim_id: ClaimId
    sequence: int
    at: InstantField
    actor: Actor
    policy: Edition
    status: Status
    clocks_started: tuple[ClockStart, ...] = ()
    clocks_stopped: tuple[Clock, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted(ClaimEvent):
    """T1. Zone, calendar and edition are fixed here for the claim's life (D1)."""

    NAME: ClassVar[EventName] = EventName.DRAFTED
    claim_ref: str
    partner_id: PartnerId
    form: ClaimForm
    personal: Personal
    zone: str
    calendar: str
    source: str
    received_at: InstantField


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed(Drafted):
    """T1, documents and T3 in one (the bulk path)."""

    NAME: ClassVar[EventName] = EventName.FILED
    documents: tuple[Document, ...]
    acknowledgements: tuple[str, ...]
    comment: str | None = None
    #: Whether the customer is told of the request now (D3).
    customer_notice: bool = False
    #: Filled in for the partner (D11).
    subscription_id: SubscriptionId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited(ClaimEvent):
    """T2, T4, edits in partner action required, and an operator's `resend_notice` (may change nothing)."""

    NAME: ClassVar[EventName] = EventName.EDITED
    changes: tuple[FieldChange, ...]
    personal: Personal | None = None
    #: Whether this asks for a new notice to the customer at once (D20).
    customer_notice: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentAttached(ClaimEvent):
    NAME: ClassVar[EventName] = EventName.DOCUMENT_ATTACHED
    document: Document


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentAmended(ClaimEvent):
    """The document as it is now, and what of it changed."""

    NAME: ClassVar[EventName] = EventName.DOCUMENT_AMENDED
    document: Document
    changes: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRemoved(ClaimEvent):
    NAME: ClassVar[EventName] = EventName.DOCUMENT_REMOVED
    document_id: DocumentId


@dataclass(frozen=True, slots=True, kw_only=True)
class Commented(ClaimEvent):
    NAME: ClassVar[EventName] = EventName.COMMENTED
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted(ClaimEvent):
    """T3. `subscription_id` where it was filled in for the partner (D11)."""

    NAME: ClassVar[EventName] = EventName.SUBMITTED
    acknowledgements: tuple[str, ...]
    received_at: InstantField
    customer_notice: bool = False
    subscription_id: SubscriptionId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompetitionFlagged(ClaimEvent):
    """D17. `comment` is the system comment the partner reads; it never names the others."""

    NAME: ClassVar[EventName] = EventName.COMPETITION_FLAGGED
    competes_with: tuple[ClaimId, ...]
    units: tuple[UnitId, ...]
    comment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewStarted(ClaimEvent):
    """T5."""

    NAME: ClassVar[EventName] = EventName.REVIEW_STARTED


@dataclass(frozen=True, slots=True, kw_only=True)
class InformationRequested(ClaimEvent):
    """T6."""

    NAME: ClassVar[EventName] = EventName.INFORMATION_REQUESTED
    reasons: tuple[Reason, ...]
    comment: str
    remove_workloads: tuple[str, ...] = ()
    clocks_paused: tuple[ClockPause, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Resubmitted(ClaimEvent):
    """T10."""

    NAME: ClassVar[EventName] = EventName.RESUBMITTED
    received_at: InstantField
    comment: str | None = None
    customer_notice: bool = False
    subscription_id: SubscriptionId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved(ClaimEvent):
    """T7, T16a. Its sequence is the `approval` that later messages name."""

    NAME: ClassVar[EventName] = EventName.APPROVED
    units: tuple[UnitId, ...]
    incentive: Incentive
    incentive_reason: IncentiveReason | None = None
    comment: str | None = None
    displaces: tuple[ClaimId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentCompleted(ClaimEvent):
    """T12: the association is official; `cpor.eligible.v1` follows."""

    NAME: ClassVar[EventName] = EventName.CONSENT_COMPLETED
    approval: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociationEnded(ClaimEvent):
    """D16, D17, D23: units lost, status unchanged."""

    NAME: ClassVar[EventName] = EventName.ASSOCIATION_ENDED
    approval: int
    units: tuple[UnitId, ...]
    reason: AssociationEndReason
    ends_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected(ClaimEvent):
    """T8, T9, T11, T11b, T14, T16b (P2020), T20. `reasons` are all that now stand."""

    NAME: ClassVar[EventName] = EventName.REJECTED
    reasons: tuple[Reason, ...]
    comment: str | None = None
    #: The partner's own words when it withdrew (D8).
    withdraw_reason: WithdrawReason | None = None
    units_released: tuple[UnitId, ...] = ()
    #: The approval that ends with this, and how that is called downstream.
    approval: int | None = None
    revocation: RevocationReason | None = None
    disputable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedFinal(ClaimEvent):
    """T13, T16b (P2023), T11b from disputed."""

    NAME: ClassVar[EventName] = EventName.REJECTED_FINAL
    reasons: tuple[Reason, ...]
    comment: str | None = None
    units_released: tuple[UnitId, ...] = ()
    approval: int | None = None
    revocation: RevocationReason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Disputed(ClaimEvent):
    """T15."""

    NAME: ClassVar[EventName] = EventName.DISPUTED
    received_at: InstantField
    justification: str | None = None
    document_ids: tuple[DocumentId, ...] = ()
    #: Whether this was the last one the claim may file (R41, D25).
    spends_dispute: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled(ClaimEvent):
    """D8: the end of a draft."""

    NAME: ClassVar[EventName] = EventName.CANCELLED


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked(ClaimEvent):
    """A message of this claim lies among the dead letters; its time-out waits with it."""

    NAME: ClassVar[EventName] = EventName.PARKED
    letter_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unparked(ClaimEvent):
    NAME: ClassVar[EventName] = EventName.UNPARKED
    letter_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRefused(ClaimEvent):
    """A refusal of a reviewer's or operator's command (contract §4); `message_id` is that command's id."""

    NAME: ClassVar[EventName] = EventName.COMMAND_REFUSED
    command: str
    code: Code
    detail: str
    message_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownClaimRefused:
    """`command_refused` for a claim that does not exist: sequence 0, outside any fold, so no `Event`."""

    NAME: ClassVar[EventName] = EventName.COMMAND_REFUSED
    claim_id: ClaimId
    at: InstantField
    actor: Actor
    command: str
    code: Code
    detail: str
    message_id: str | None = None
    sequence: int = 0
    policy: Edition | None = None
    status: Status | None = None
    clocks_started: tuple[ClockStart, ...] = ()
    clocks_stopped: tuple[Clock, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentAnswered(ClaimEvent):
    """An answer that is recorded and changes no status: an agreement, or an early decline (P2020, D9)."""

    NAME: ClassVar[EventName] = EventName.CONSENT_ANSWERED
    answer: ConsentOutcome
    approval: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentSuspended(ClaimEvent):
    """D20."""

    NAME: ClassVar[EventName] = EventName.CONSENT_SUSPENDED
    approval: int
    reason: SuspensionReason


@dataclass(frozen=True, slots=True, kw_only=True)
class IncentiveResult(ClaimEvent):
    """D29: what the incentive systems decided. `amount` is a decimal number as text, `period` as sent."""

    NAME: ClassVar[EventName] = EventName.INCENTIVE_RESULT
    kind: IncentiveResultKind
    outcome: EligibilityOutcome | None = None
    reason: str | None = None
    engagement: str | None = None
    partner_role: str | None = None
    subscription_id: SubscriptionId | None = None
    amount: str | None = None
    currency: str | None = None
    period: str | None = None
    #: Of the message that told it: sent again, it counts no second time.
    message_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacyImported(ClaimEvent):
    """D23: an approved association without PoE, mail or hand-off, held until `ends_on` (its last day)."""

    NAME: ClassVar[EventName] = EventName.LEGACY_IMPORTED
    claim_ref: str
    partner_id: PartnerId
    form: ClaimForm
    units: tuple[UnitId, ...]
    zone: str
    calendar: str
    source: str
    ends_on: date | None = None


Event = (
    Drafted
    | Filed
    | Edited
    | DocumentAttached
    | DocumentAmended
    | DocumentRemoved
    | Commented
    | Submitted
    | CompetitionFlagged
    | ReviewStarted
    | InformationRequested
    | Resubmitted
    | Approved
    | ConsentCompleted
    | AssociationEnded
    | Rejected
    | RejectedFinal
    | Disputed
    | Cancelled
    | Parked
    | Unparked
    | CommandRefused
    | ConsentAnswered
    | ConsentSuspended
    | IncentiveResult
    | LegacyImported
)

EVENT_TYPES: Mapping[EventName, type[Event]] = {kind.NAME: kind for kind in Event.__args__}

#: Events that do not make a reviewer's `expected_sequence` stale (contract §4).
NON_BLOCKING: tuple[EventName, ...] = (
    EventName.COMMENTED,
    EventName.COMMAND_REFUSED,
    EventName.COMPETITION_FLAGGED,
    EventName.INCENTIVE_RESULT,
)
