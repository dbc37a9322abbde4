"""What deadlines says: reminders and missed clocks for information, expiries and ends for review to decide.

Contract §4, §5.
"""

from __future__ import annotations

from datetime import date

from cpor.domain import ids
from cpor.domain.vocabulary import ActorKind, ClaimId, Clock, CommandName, Instant
from cpor.runtime.processor import Context, Timer
from cpor.runtime.topics import Topic
from schemas.base import Message, write
from schemas.deadlines import MISSED, REMINDER, Missed, Reminder
from schemas.envelope import headers
from schemas.inside import DeadlineExpired, EndSubscription
from schemas.parts import Actor
from services.deadlines.claim import Running, Watched
from services.deadlines.holding import Held
from services.deadlines.rungs import EXPIRING, Rung

SOURCE = "/services/deadlines"
#: Ids are made of a clock's place here and its rung; rungs are below ten.
_CLOCKS = tuple(Clock)
_SELF = Actor(kind=ActorKind.SYSTEM, id="deadlines")


def message_id(timer: Timer, ce_type: str) -> str:
    """One clock's one rung is one message, whenever it is told."""
    place = _CLOCKS.index(Clock(timer.clock)) * 10 + timer.rung
    return ids.derived_id(ids.event_id(ClaimId(timer.claim), timer.started_by), ce_type, place)


def end_id(claim: str, held: Held, on: date) -> str:
    """One end of one subscription is one message; a renewal that came in between makes it another."""
    cause = f"{ids.event_id(ClaimId(claim), held.since)}/{on}"
    return ids.derived_id(cause, CommandName.OPS_END_SUBSCRIPTION, held.renewed)


def tell(context: Context, row: Watched, running: Running, timer: Timer) -> None:
    """The message of a rung that has come."""
    if timer.rung != Rung.END:
        _inform(context, row, running, timer, REMINDER, Reminder)
    elif running.clock in EXPIRING:
        _expire(context, row, running, timer)
    else:
        _inform(context, row, running, timer, MISSED, Missed)


def tell_end(context: Context, row: Watched, held: Held, timer: Timer, on: date) -> None:
    """T19: what an operator's command would say; review looks at the subscription itself."""
    told = EndSubscription(claim_id=timer.claim, actor=_SELF, ends_on=on)
    name = CommandName.OPS_END_SUBSCRIPTION
    _send(context, Topic.CLAIM_COMMANDS, row, timer, name, told, end_id(timer.claim, held, on))


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
    _send(context, Topic.DEADLINE_EVENTS, row, timer, ce_type, told, message_id(timer, ce_type))


def _expire(context: Context, row: Watched, running: Running, timer: Timer) -> None:
    told = DeadlineExpired(claim_id=timer.claim, clock=running.clock, started_by=running.started_by, due=running.due)
    name = CommandName.DEADLINE_EXPIRED
    _send(context, Topic.CLAIM_COMMANDS, row, timer, name, told, message_id(timer, name))


def _send(
    context: Context, topic: Topic, row: Watched, timer: Timer, ce_type: str, told: Message, message: str
) -> None:
    """`ce_time` is the instant the rung stands for, not the one at which we came to tell it."""
    cause = ids.event_id(ClaimId(timer.claim), timer.started_by)
    spoken = headers(ce_type, message, SOURCE, Instant(timer.due), timer.claim, cause, cause)
    context.emit(topic, context.partition, row.tenant_id.encode(), write(told), spoken)
