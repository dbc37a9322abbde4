"""What deadlines says: reminders and missed clocks for information, expiries for review to decide (contract §4, §5)."""

from __future__ import annotations

from cpor.domain import ids
from cpor.domain.vocabulary import ClaimId, Clock, CommandName, Instant
from cpor.runtime.processor import Context, Timer
from cpor.runtime.topics import Topic
from schemas.base import Message, write
from schemas.deadlines import MISSED, REMINDER, Missed, Reminder
from schemas.envelope import headers
from schemas.inside import DeadlineExpired
from services.deadlines.claim import Running, Watched
from services.deadlines.rungs import EXPIRING, Rung

SOURCE = "/services/deadlines"
#: Ids are made of a clock's place here and its rung; rungs are below ten.
_CLOCKS = tuple(Clock)


def message_id(timer: Timer, ce_type: str) -> str:
    """One clock's one rung is one message, whenever it is told."""
    place = _CLOCKS.index(Clock(timer.clock)) * 10 + timer.rung
    return ids.derived_id(ids.event_id(ClaimId(timer.claim), timer.started_by), ce_type, place)


def tell(context: Context, row: Watched, running: Running, timer: Timer) -> None:
    """The message of a rung that has come."""
    if timer.rung != Rung.END:
        _inform(context, row, running, timer, REMINDER, Reminder)
    elif running.clock in EXPIRING:
        _expire(context, row, running, timer)
    else:
        _inform(context, row, running, timer, MISSED, Missed)


def _inform(
    context: Context,
    row: Watched,
    running: Running,
    timer: Timer,
    ce_type: str,
    model: type[Reminder] | type[Missed],
) -> None:
    told = model(
        claim_id=timer.claim,
        clock=running.clock,
        started_by=running.started_by,
        due=running.due,
        fired_at=Instant(context.now),
        rung=timer.rung,
    )
    _send(context, Topic.DEADLINE_EVENTS, row, timer, ce_type, told)


def _expire(context: Context, row: Watched, running: Running, timer: Timer) -> None:
    told = DeadlineExpired(claim_id=timer.claim, clock=running.clock, started_by=running.started_by, due=running.due)
    _send(context, Topic.CLAIM_COMMANDS, row, timer, CommandName.DEADLINE_EXPIRED, told)


def _send(context: Context, topic: Topic, row: Watched, timer: Timer, ce_type: str, told: Message) -> None:
    """`ce_time` is the instant the rung stands for, not the one at which we came to tell it."""
    cause = ids.event_id(ClaimId(timer.claim), timer.started_by)
    spoken = headers(ce_type, message_id(timer, ce_type), SOURCE, Instant(timer.due), timer.claim, cause, cause)
    context.emit(topic, context.partition, row.tenant_id.encode(), write(told), spoken)
