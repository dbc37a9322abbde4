"""`cpor.deadlines.events` (contract §5): for information; what changes a claim goes to the inbox."""

from __future__ import annotations

from cpor.domain.vocabulary import Clock
from schemas.base import Message
from schemas.fields import Moment, SequenceNumber, UuidText, WholeNumber

REMINDER = "cpor.deadline.reminder.v1"
MISSED = "cpor.deadline.missed.v1"


class DeadlineEvent(Message):
    """Each (claim, started_by, clock, rung) at most once."""

    claim_id: UuidText
    clock: Clock
    started_by: SequenceNumber
    """Sequence of the event that started the clock."""
    due: Moment
    fired_at: Moment
    rung: WholeNumber
    """Of a reminder 0 (half time) or 1 (one business day left); of a missed clock 9, its end."""


class Reminder(DeadlineEvent):
    """A clock is about to run out."""


class Missed(DeadlineEvent):
    """A clock ran out."""
