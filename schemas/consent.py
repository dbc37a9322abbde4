"""`cpor.consent.responses` and `cpor.consent.events` (contract §5): the customer's answer, and what came of it."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from cpor.domain.vocabulary import SuspensionReason
from schemas.base import Message
from schemas.fields import Moment, SequenceNumber, UserIdText, UuidText

RESPONSE = "cpor.consent.response.v1"
CHECKED = "cpor.consent.checked.v1"
REQUESTED = "cpor.consent.requested.v1"
DECLINED = "cpor.consent.declined.v1"
AGREED = "cpor.consent.agreed.v1"
HELD = "cpor.consent.held.v1"
DISMISSED = "cpor.consent.dismissed.v1"
COMPLETED = "cpor.consent.completed.v1"
SUSPENDED = "cpor.consent.suspended.v1"
IGNORED = "cpor.consent.ignored.v1"


class Answer(StrEnum):
    DECLINE = "decline"
    AGREE = "agree"


class AnswerChannel(StrEnum):
    PAGE = "page"
    PHONE = "phone"
    MAIL = "mail"


class Doubt(StrEnum):
    """Why an answer by page may be no person's: programs that look for harmful links open them all, some at once."""

    NO_VISIT = "no_visit"
    """The link is genuine, but the answer does not come from a page that was opened with it within the last hours."""
    TOO_SOON = "too_soon"
    """It came within three seconds of the notice's delivery, or before that was on record."""


class Finding(StrEnum):
    """What an operator found about an answer that was held."""

    RELEASED = "released"
    """The customer gave it: it counts, from when it came."""
    DISMISSED = "dismissed"
    """The customer did not give it: nothing of it counts."""


class Notice(StrEnum):
    """Which of the two notices asked (D3)."""

    SUBMITTED = "submitted"
    APPROVED = "approved"


class Response(Message):
    """What a customer answered. It counts from its append time, by phone or mail from `answered_at` (D19)."""

    claim_id: UuidText
    answer: Answer
    channel: AnswerChannel
    token_id: str | None = Field(default=None, max_length=200)
    """By page: the `ce_id` of the `cpor.consent.requested.v1` whose link was used."""
    operator: str | None = Field(default=None, max_length=200)
    """By phone or mail: who took it. Without one the answer is held until an operator has checked it (D20)."""
    answered_at: Moment | None = None
    """By phone or mail: when it came; never counts from later than the append time."""
    note: str | None = Field(default=None, max_length=4000)
    evidence: str | None = Field(default=None, max_length=4000)
    """What shows that the answer is the customer's."""
    doubts: tuple[Doubt, ...] = ()
    """By page: with any of them the answer is held until an operator has checked it (D20)."""


class Checked(Message):
    """An operator checked an answer that was held. Released, it counts from when it came (D20)."""

    claim_id: UuidText
    response_id: UuidText
    """`ce_id` of the answer."""
    finding: Finding
    operator: UserIdText
    note: str | None = Field(default=None, max_length=4000)


class OfConsent(Message):
    """What every consent event has."""

    claim_id: UuidText
    approval: SequenceNumber | None = None
    """The approval it is about; absent before there is one."""
    at: Moment


class Requested(OfConsent):
    """A notice is to go out with this token in its link; `ce_id` is the answer's `token_id`."""

    notice: Notice
    token: str = Field(max_length=2000)
    """Opaque, signed. Those sent to a contact that was replaced since are void."""


class OfAnswer(OfConsent):
    """What becomes of an answer."""

    response_id: UuidText | None = None
    """The answer that was held, where an operator released it."""


class Declined(OfAnswer):
    """The customer said no."""

    evidence: str | None = Field(default=None, max_length=4000)


class Agreed(OfAnswer):
    """Ends a suspension; neither shortens the wait nor bars a later decline."""


class Held(OfConsent):
    """The answer waits for a check; the wait stands still meanwhile (D20)."""

    answer: Answer | None = None
    """A no waits until it is checked; a yes no longer than until another yes, or a new notice."""


class Dismissed(OfConsent):
    """An answer that was held turned out not to be the customer's. A wait that it suspended stands still until the
    customer gets a new notice (D20).
    """

    response_id: UuidText


class Completed(OfConsent):
    """T12."""


class Suspended(OfConsent):
    """The wait stands still (D20)."""

    reason: SuspensionReason


class Ignored(OfAnswer):
    """An answer that changes nothing, and why."""

    reason: str = Field(max_length=1000)
