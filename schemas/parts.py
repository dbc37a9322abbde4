"""Parts that several internal messages share."""

from __future__ import annotations

from pydantic import Field

from cpor.domain.vocabulary import ActorKind, Clock
from schemas.base import Message
from schemas.fields import (
    ContentType,
    Day,
    Filename,
    Moment,
    ObjectKey,
    SequenceNumber,
    Sha256,
    Text1000,
    UuidText,
    WholeNumber,
    WorkloadText,
)
from schemas.forms import Workloads


class Actor(Message):
    """Who acts; for a person the id under which they are known."""

    kind: ActorKind
    id: str = Field(min_length=1, max_length=200)


class AcceptedDocument(Message):
    """A file that intake has checked and copied, and what the partner says of it."""

    document_id: UuidText
    object_key: ObjectKey
    """`accepted/<claim id>/<sha256>`."""
    filename: Filename
    content_type: ContentType
    size: WholeNumber
    """Bytes."""
    sha256: Sha256
    description: Text1000
    customer_signed_on: Day | None
    covers: Workloads
    version: str | None = None
    """The object's version."""


class Document(AcceptedDocument):
    """A proof of execution as it counts in a claim."""

    attached_by: WholeNumber = 0
    """Sequence of the event that attached it."""


class Reason(Message):
    """A reason of either vocabulary (R32, R38), with the workloads it is about, if only some."""

    code: str = Field(pattern=r"^[a-z_]{1,64}$")
    workloads: tuple[WorkloadText, ...] = ()


class ClockStart(Message):
    """A clock that starts; `due` is the first instant that is too late (D18)."""

    clock: Clock
    starts_at: Moment
    budget: str = Field(pattern=r"^[0-9]{1,3}b?d$")
    """`14bd`: business days; `7d`: calendar days."""
    calendar: str
    """Name and version of the calendar that counted."""
    due: Moment


class ClockPause(Message):
    """A clock that stands still, with the whole days left (D5)."""

    clock: Clock
    remaining: str = Field(pattern=r"^[0-9]{1,3}b?d$")


class RunningClock(ClockStart):
    """A started clock of a state; a paused one has `remaining`, and its `due` is void."""

    started_by: SequenceNumber
    remaining: str | None = None
