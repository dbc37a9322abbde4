"""What a claim is made of: the form, documents, comments, clocks, consent, and the state they fold into.

Stdlib dataclasses, frozen and slotted: deciding builds thousands of them a second. Their JSON
(`wire.py`) is the wire form of `cpor.claims.state` and of the parts of events. Contact data and the revenue
names stand in `Personal` and nowhere else (contract §5).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from cpor.domain.vocabulary import (
    ActorKind,
    ClaimId,
    Clock,
    DocumentId,
    Edition,
    Engagement,
    Incentive,
    IncentiveReason,
    Instant,
    InstantField,
    LocationId,
    PartnerId,
    PartnerRole,
    RejectionReason,
    SolutionArea,
    Status,
    SubscriptionId,
    SuspensionReason,
    TenantId,
    UnitId,
    UserId,
)


@dataclass(frozen=True, slots=True)
class Actor:
    kind: ActorKind
    id: str


SYSTEM = Actor(ActorKind.SYSTEM, "review")


@dataclass(frozen=True, slots=True)
class CustomerContact:
    """R16."""

    name: str
    title: str
    email: str
    language: str | None = None


@dataclass(frozen=True, slots=True)
class PartnerContact:
    """R16; "the partner" of mails (D28)."""

    name: str
    email: str
    language: str | None = None


@dataclass(frozen=True, slots=True)
class TechnicalContact:
    """P2020, Business Applications."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Revenue:
    """R7: Influenced Revenue recognition only."""

    solution_seller_name: str
    customer_name: str
    isv_solution_name: str


@dataclass(frozen=True, slots=True)
class Personal:
    """The part of a form that names people; in an event only what the event brings."""

    customer_contact: CustomerContact | None = None
    partner_contact: PartnerContact | None = None
    technical_contact: TechnicalContact | None = None
    revenue: Revenue | None = None


@dataclass(frozen=True, slots=True)
class ClaimForm:
    """A complete, checked form without its personal part (R6); `engagement` is the canonical id (D13)."""

    claim_name: str
    location_id: LocationId
    tenant_id: TenantId
    solution_area: SolutionArea
    partner_role: PartnerRole
    engagement: Engagement
    workloads: tuple[str, ...]
    subscription_id: SubscriptionId | None = None
    domain: str | None = None
    incentive_opt_out: bool = False


@dataclass(frozen=True, slots=True)
class FormData:
    """A form as it comes in: what a create carries, or an edit a part of. None is "not given"."""

    claim_name: str | None = None
    location_id: LocationId | None = None
    tenant_id: TenantId | None = None
    domain: str | None = None
    solution_area: SolutionArea | None = None
    partner_role: PartnerRole | None = None
    workloads: tuple[str, ...] | None = None
    subscription_id: SubscriptionId | None = None
    incentive_opt_out: bool | None = None
    customer_contact: CustomerContact | None = None
    partner_contact: PartnerContact | None = None
    technical_contact: TechnicalContact | None = None
    revenue: Revenue | None = None
    engagement: str | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A proof of execution that counts (removed ones live in events only)."""

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
    #: Sequence of the event that attached it.
    attached_by: int = 0


@dataclass(frozen=True, slots=True)
class Comment:
    sequence: int
    at: InstantField
    actor: Actor
    text: str


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason of either vocabulary (R32, R38), with the workloads it is about, if some only."""

    code: str
    workloads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClockStart:
    """A clock as the event that starts it says it; `budget` like `14bd` or `7d`; `due` is exclusive (D18)."""

    clock: Clock
    starts_at: InstantField
    budget: str
    calendar: str
    due: InstantField


@dataclass(frozen=True, slots=True)
class ClockPause:
    """A clock that stands still; `remaining` like `3bd`: the whole days left (D5)."""

    clock: Clock
    remaining: str


@dataclass(frozen=True, slots=True)
class RunningClock:
    """A started clock; a paused one has `remaining` (whole business days, D5) and its old `due` is void."""

    clock: Clock
    started_by: int
    starts_at: InstantField
    budget: str
    calendar: str
    due: InstantField
    remaining: str | None = None


class ConsentStage(StrEnum):
    """Where the customer's silence stands (D4, D20)."""

    NONE = "none"
    WAITING = "waiting"
    SUSPENDED = "suspended"
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True)
class Consent:
    stage: ConsentStage = ConsentStage.NONE
    #: End of the wait that runs, or ran until it was suspended.
    due: InstantField | None = None
    suspended: SuspensionReason | None = None
    agreed_at: InstantField | None = None
    #: P2020: the customer said no before there was an approval (D9).
    declined_early: bool = False


@dataclass(frozen=True, slots=True)
class Approval:
    """The newest approval; `sequence` names it downstream, and whatever names an older one is ignored."""

    sequence: int
    at: InstantField
    incentive: Incentive
    incentive_reason: IncentiveReason | None
    completed_at: InstantField | None = None


@dataclass(frozen=True, slots=True)
class Provided:
    """What the partner did since the request or the last submission (D15)."""

    fields: tuple[str, ...] = ()
    documents: int = 0
    comments: int = 0

    def __bool__(self) -> bool:
        return bool(self.fields or self.documents or self.comments)


@dataclass(frozen=True, slots=True)
class Origin:
    """What is fixed when a claim is created and never changes (D1)."""

    created_at: InstantField
    created_by: UserId | None
    #: IANA zone of the location the claim was created with.
    zone: str
    #: Name of the business calendar with the version of its data (D18).
    calendar: str
    #: topic-partition-offset of the message that created it: the fair clock asks there (D19).
    source: str
    legacy: bool = False
    #: Legacy only: the last day of the association (D23).
    ends_on: date | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """A clock that runs, as receipts and updates name it."""

    clock: Clock
    due: InstantField


@dataclass(frozen=True, slots=True)
class ClaimState:
    """`fold(events)` of one claim (contract §5, State)."""

    claim_id: ClaimId
    claim_ref: str
    partner_id: PartnerId
    policy: Edition
    status: Status
    sequence: int
    #: Newest event that makes a reviewer's `expected_sequence` stale (contract §4).
    last_blocking_sequence: int
    #: Event by which the claim entered its present status.
    entered_by: int
    form: ClaimForm
    personal: Personal
    origin: Origin
    documents: tuple[Document, ...] = ()
    comments: tuple[Comment, ...] = ()
    comment_count: int = 0
    reasons: tuple[Reason, ...] = ()
    remove_workloads: tuple[str, ...] = ()
    provided: Provided = Provided()
    clocks: tuple[RunningClock, ...] = ()
    #: Units held: opened by the approval, less those lost since.
    units: tuple[UnitId, ...] = ()
    approval: Approval | None = None
    consent: Consent = Consent()
    competes_with: tuple[ClaimId, ...] = ()
    acknowledgements: tuple[str, ...] = ()
    disputes: int = 0
    #: No further dispute for the claim's life (R41, D25).
    dispute_spent: bool = False
    submitted_at: InstantField | None = None
    submitted_by: str | None = None
    decided_at: InstantField | None = None
    parked: bool = False
    #: The dead letters it is parked for: until the last of them is dealt with, its time-out waits (D19).
    letters: tuple[str, ...] = ()
    #: The partner named no subscription: it sees the last four characters until approval (D11).
    subscription_filled_in: bool = False
    #: The messages of the newest incentive results (D29).
    results: tuple[str, ...] = ()

    def clock(self, clock: Clock) -> RunningClock | None:
        """The clock if it runs (or is paused)."""
        return next((each for each in self.clocks if each.clock == clock), None)

    def due(self, now: Instant | None = None) -> tuple[Due, ...]:
        """The clocks that run, soonest first; with `now`, without those that have run out."""
        running = (each for each in self.clocks if each.remaining is None and (now is None or each.due > now))
        return tuple(Due(each.clock, each.due) for each in sorted(running, key=lambda c: (c.due, c.clock)))

    def document(self, document_id: DocumentId) -> Document | None:
        return next((each for each in self.documents if each.document_id == document_id), None)

    def has_reason(self, code: RejectionReason) -> bool:
        return any(each.code == code for each in self.reasons)
