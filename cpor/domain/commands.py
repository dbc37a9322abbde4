"""What may be asked of a claim (contract §3, §4): one frozen dataclass each, and who asks, when, about what.

A partner's own words are already parsed and shaped by intake; these types know no JSON errors.
`wire.py` reads them from the values of `cpor.claims.commands`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from cpor.domain.model import Actor, CustomerContact, FormData, Reason
from cpor.domain.vocabulary import (
    ClaimId,
    Clock,
    CommandName,
    ConsentOutcome,
    DocumentId,
    EligibilityOutcome,
    Instant,
    InstantField,
    LocationId,
    PartnerId,
    PartnerRole,
    SubscriptionId,
    SuspensionReason,
    TenantId,
    UserId,
    WithdrawReason,
)


@dataclass(frozen=True, slots=True)
class CommandContext:
    """The message around a command.

    `now`: append time of the inbox record, the instant of the decision. `received_at`: append time of the
    partner's or customer's own message, by which windows are judged (D19). `origin`: its
    topic-partition-offset.
    """

    now: Instant
    received_at: Instant
    actor: Actor
    claim_id: ClaimId
    tenant_id: TenantId
    origin: str
    partner_id: PartnerId | None = None
    claim_ref: str | None = None
    user_id: UserId | None = None
    message_id: str | None = None
    expected_sequence: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateClaim:
    NAME: ClassVar[CommandName] = CommandName.CREATE
    form: FormData


@dataclass(frozen=True, slots=True, kw_only=True)
class EditClaim:
    """`given` names the fields the message mentions, so that an explicit null can be told from silence."""

    NAME: ClassVar[CommandName] = CommandName.EDIT
    form: FormData
    given: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelClaim:
    NAME: ClassVar[CommandName] = CommandName.CANCEL


@dataclass(frozen=True, slots=True, kw_only=True)
class ReserveDocument:
    NAME: ClassVar[CommandName] = CommandName.POE_RESERVE
    filename: str
    content_type: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachDocument:
    """A document intake has checked and copied: `object_key` is the accepted copy."""

    NAME: ClassVar[CommandName] = CommandName.POE_ATTACH
    document_id: DocumentId
    object_key: str
    filename: str
    content_type: str
    size: int
    sha256: str
    description: str
    customer_signed_on: date | None
    covers: tuple[str, ...]
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendDocument:
    """`given` names those of the three that are to change (a null signature date is a value)."""

    NAME: ClassVar[CommandName] = CommandName.POE_AMEND
    document_id: DocumentId
    given: tuple[str, ...]
    description: str | None = None
    customer_signed_on: date | None = None
    covers: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveDocument:
    NAME: ClassVar[CommandName] = CommandName.POE_REMOVE
    document_id: DocumentId


@dataclass(frozen=True, slots=True, kw_only=True)
class AddComment:
    NAME: ClassVar[CommandName] = CommandName.COMMENT
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitClaim:
    NAME: ClassVar[CommandName] = CommandName.SUBMIT
    acknowledgements: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileClaim:
    NAME: ClassVar[CommandName] = CommandName.FILE
    form: FormData
    documents: tuple[AttachDocument, ...]
    acknowledgements: tuple[str, ...] = ()
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResubmitClaim:
    NAME: ClassVar[CommandName] = CommandName.RESUBMIT
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawClaim:
    NAME: ClassVar[CommandName] = CommandName.WITHDRAW
    reason: WithdrawReason
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeRejection:
    NAME: ClassVar[CommandName] = CommandName.DISPUTE
    justification: str | None = None
    document_ids: tuple[DocumentId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DisassociateCustomer:
    NAME: ClassVar[CommandName] = CommandName.DISASSOCIATE
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StartReview:
    NAME: ClassVar[CommandName] = CommandName.REVIEW_START


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestInformation:
    """What is left out is refused by the rules, as an event; a dead letter would hold up the partner too."""

    NAME: ClassVar[CommandName] = CommandName.REVIEW_REQUEST_INFORMATION
    reasons: tuple[Reason, ...] = ()
    comment: str = ""
    remove_workloads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveClaim:
    NAME: ClassVar[CommandName] = CommandName.REVIEW_APPROVE
    comment: str | None = None
    displaces: tuple[ClaimId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectClaim:
    NAME: ClassVar[CommandName] = CommandName.REVIEW_REJECT
    reasons: tuple[Reason, ...] = ()
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddReviewComment:
    NAME: ClassVar[CommandName] = CommandName.REVIEW_COMMENT
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportLegacy:
    """D23."""

    NAME: ClassVar[CommandName] = CommandName.OPS_IMPORT_LEGACY
    partner_id: PartnerId
    location_id: LocationId
    tenant_id: TenantId
    subscription_id: SubscriptionId
    partner_role: PartnerRole
    ends_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResendNotice:
    """D20."""

    NAME: ClassVar[CommandName] = CommandName.OPS_RESEND_NOTICE
    customer_contact: CustomerContact | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSubscription:
    """T19, D16, D23: the claim's subscription (or legacy association) ended with this day."""

    NAME: ClassVar[CommandName] = CommandName.OPS_END_SUBSCRIPTION
    ends_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordConsent:
    """What consent found; `approval` names the approval it is about (absent: the customer answered early).

    `in_time`: consent judged the no by what its sender could know (D19). `started_by`: the event that started the wait
    of which it tells the end, or that it stands still.
    """

    NAME: ClassVar[CommandName] = CommandName.CONSENT_OUTCOME
    outcome: ConsentOutcome
    approval: int | None = None
    reason: SuspensionReason | None = None
    in_time: bool = False
    started_by: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpireDeadline:
    NAME: ClassVar[CommandName] = CommandName.DEADLINE_EXPIRED
    clock: Clock
    started_by: int
    due: InstantField


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkClaim:
    NAME: ClassVar[CommandName] = CommandName.PARK
    letter_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnparkClaim:
    """Letters of the claim were dealt with."""

    NAME: ClassVar[CommandName] = CommandName.UNPARK
    letters: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordEligibility:
    NAME: ClassVar[CommandName] = CommandName.ELIGIBILITY_RESULT
    outcome: EligibilityOutcome
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordEarning:
    NAME: ClassVar[CommandName] = CommandName.EARNING
    engagement: str
    partner_role: str
    amount: str
    currency: str
    period: str
    subscription_id: SubscriptionId | None = None


CommandData = (
    CreateClaim
    | EditClaim
    | CancelClaim
    | ReserveDocument
    | AttachDocument
    | AmendDocument
    | RemoveDocument
    | AddComment
    | SubmitClaim
    | FileClaim
    | ResubmitClaim
    | WithdrawClaim
    | DisputeRejection
    | DisassociateCustomer
    | StartReview
    | RequestInformation
    | ApproveClaim
    | RejectClaim
    | AddReviewComment
    | ImportLegacy
    | ResendNotice
    | EndSubscription
    | RecordConsent
    | ExpireDeadline
    | ParkClaim
    | UnparkClaim
    | RecordEligibility
    | RecordEarning
)

COMMAND_TYPES: Mapping[CommandName, type[CommandData]] = {kind.NAME: kind for kind in CommandData.__args__}


@dataclass(frozen=True, slots=True)
class Command:
    context: CommandContext
    data: CommandData

    @property
    def name(self) -> CommandName:
        return self.data.NAME
