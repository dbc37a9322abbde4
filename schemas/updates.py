"""`cpor.partners.<partner>.updates`: changes of a partner's claims, as the partner may see them (contract §3, D30)."""

from __future__ import annotations

from cpor.domain.vocabulary import ActorKind, EventName, Status
from schemas.base import Message
from schemas.claim_events import FieldChange
from schemas.fields import ClaimRefText, Moment, SequenceNumber, UuidText
from schemas.parts import Reason
from schemas.receipts import Due

UPDATE = "cpor.update.v1"


class Update(Message):
    """`cpor.update.v1`, one for each claim event; no contact data, no other partner, no reviewer's name."""

    claim_id: UuidText
    claim_ref: ClaimRefText
    sequence: SequenceNumber
    at: Moment
    event: EventName
    actor_kind: ActorKind
    status: Status
    reasons: tuple[Reason, ...] = ()
    comment: str | None = None
    changes: tuple[FieldChange, ...] = ()
    due: tuple[Due, ...] = ()
    disputable: bool = False
    dispute_until: Moment | None = None
