"""`cpor.claims.state`: the newest snapshot of each claim, the fold of its events (contract §5)."""

from __future__ import annotations

from cpor.domain.vocabulary import Edition, Incentive, IncentiveReason, Status, SuspensionReason
from schemas.base import Message
from schemas.fields import (
    ClaimRefText,
    Day,
    Moment,
    PartnerIdText,
    SequenceNumber,
    UserIdText,
    UuidText,
    WholeNumber,
    WorkloadText,
)
from schemas.forms import ClaimForm, Personal
from schemas.parts import Actor, Document, Reason, RunningClock

STATE = "cpor.claim.state.v1"


class Comment(Message):
    sequence: SequenceNumber
    at: Moment
    actor: Actor
    text: str


class Consent(Message):
    """Where the customer's silence stands (D4, D20)."""

    stage: str = "none"
    """`none`, `waiting`, `suspended` or `completed`."""
    due: Moment | None = None
    """End of the wait that runs, or ran until it was suspended."""
    suspended: SuspensionReason | None = None
    agreed_at: Moment | None = None
    declined_early: bool = False


class Approval(Message):
    """The newest one; `sequence` names it downstream."""

    sequence: SequenceNumber
    at: Moment
    incentive: Incentive
    incentive_reason: IncentiveReason | None
    completed_at: Moment | None = None


class Provided(Message):
    """What the partner did since more was asked for (D15)."""

    fields: tuple[str, ...] = ()
    documents: WholeNumber = 0
    comments: WholeNumber = 0


class Origin(Message):
    """What never changes after creation (D1)."""

    created_at: Moment
    created_by: UserIdText | None
    zone: str
    calendar: str
    source: str
    legacy: bool = False
    ends_on: Day | None = None


class ClaimState(Message):
    """`cpor.claim.state.v1`."""

    claim_id: UuidText
    claim_ref: ClaimRefText
    partner_id: PartnerIdText
    policy: Edition
    status: Status
    sequence: SequenceNumber
    """Of the newest event."""
    last_blocking_sequence: SequenceNumber
    """Of the newest event that makes a reviewer's `expected_sequence` stale (contract §4)."""
    entered_by: SequenceNumber
    """Of the event that led to the present status."""
    form: ClaimForm
    personal: Personal
    origin: Origin
    subscription_filled_in: bool = False
    """The partner named none and sees its last four characters until approval (D11)."""
    documents: tuple[Document, ...] = ()
    comments: tuple[Comment, ...] = ()
    """The newest 20."""
    comment_count: WholeNumber = 0
    reasons: tuple[Reason, ...] = ()
    remove_workloads: tuple[WorkloadText, ...] = ()
    provided: Provided = Provided()
    clocks: tuple[RunningClock, ...] = ()
    units: tuple[str, ...] = ()
    """Units held now."""
    approval: Approval | None = None
    consent: Consent
    competes_with: tuple[UuidText, ...] = ()
    acknowledgements: tuple[str, ...] = ()
    disputes: WholeNumber = 0
    dispute_spent: bool = False
    submitted_at: Moment | None = None
    submitted_by: str | None = None
    decided_at: Moment | None = None
    parked: bool = False
    """A message of it lies among the dead letters, and its time-out waits for that."""
    letters: tuple[str, ...] = ()
    """Those dead letters."""
    results: tuple[str, ...] = ()
    """The messages of the newest 100 incentive results: each counts once."""
