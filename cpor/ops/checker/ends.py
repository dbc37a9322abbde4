"""Associations end with their subscription, by themselves: what is over holds nothing (T19, D16, D23).

Of each subscription the newest record counts; what it was before, a compacted topic need not tell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from cpor.domain import events as ev
from cpor.domain import ids
from cpor.domain.calendar import end_of_day, local_date
from cpor.domain.directory import read_subscription
from cpor.domain.reference import Subscription
from cpor.domain.vocabulary import CommandName, Instant, Status, SubscriptionState
from cpor.ops.checker.approvals import OVERDUE_MS
from cpor.ops.checker.findings import Finding, FindingCode, finding
from cpor.ops.checker.log import DEADLINES
from cpor.ops.checker.reading import History, Read, Reading, Step

SOURCE = "/services/deadlines"

#: A subscription, and since when it is known like this.
Known = tuple[Subscription, Instant]


def check_ends(reading: Reading) -> Iterator[Finding]:
    told = [read for read in reading.inbox if read.type == CommandName.OPS_END_SUBSCRIPTION]
    seen: Counter[str | None] = Counter()
    for read in told:
        if read.told.source == SOURCE:
            seen[read.told.id] += 1
            yield from _judge(reading, read, seen[read.told.id])
    if DEADLINES in reading.log.services:
        yield from _missing(reading)


def _judge(reading: Reading, read: Read, times: int) -> Iterator[Finding]:
    if times == 2:
        yield _of(read, FindingCode.END_DOUBLED, "Review was told of this end before.")
    history = reading.history(str(read.value["claim_id"]))
    if history is None:
        return
    given = next((step for step in history.steps if _event_id(step) == read.told.causation), None)
    if given is None or not _gives_subscription(given):
        yield _of(read, FindingCode.END_WRONG, "The event it names gave the claim no subscription.")
    elif read.value["ends_on"] > _day(read.record.appended_at, history):
        yield _of(read, FindingCode.END_WRONG, "The day it names had not come.")


def _event_id(step: Step) -> str:
    return ids.event_id(step.event.claim_id, step.event.sequence)


def _gives_subscription(step: Step) -> bool:
    given = step.event.units if isinstance(step.event, ev.Approved | ev.LegacyImported) else ()
    return any(map(ids.subscription_of, given))


def _day(at: int, history: History) -> str:
    return local_date(Instant(at), history.state.origin.zone).isoformat()


# -- one that did not come ------------------------------------------------------------------------------------------


def _missing(reading: Reading) -> Iterator[Finding]:
    known = _subscriptions(reading)
    for history in reading.whole:
        over = _over_since(history, known)
        if over is not None and over + OVERDUE_MS < reading.now:
            sentence = "The subscription or the import is over, and the claim still holds it."
            named = history.state.form.subscription_id
            yield finding(FindingCode.END_MISSING, sentence, claim=history.claim_id, subscription=named)


def _subscriptions(reading: Reading) -> dict[str, Known]:
    """The newest record of each; one that cannot be read counts as absent."""
    found: dict[str, Known] = {}
    for record in reading.log.subscriptions:
        name = (record.key or b"").decode(errors="replace")
        found.pop(name, None)
        try:
            found[name] = read_subscription(record.value or b""), Instant(record.appended_at)
        except ValueError:
            continue
    return found


def _over_since(history: History, known: dict[str, Known]) -> Instant | None:
    """Since when what the claim holds is over, and is known to be."""
    state = history.state
    if state.status != Status.APPROVED or not any(map(ids.subscription_of, state.units)):
        return None
    given = next(step.event.at for step in reversed(history.steps) if _gives_subscription(step))
    ends = [*_end_of_import(history), *_end_of_subscription(history, known)]
    return max(given, min(ends)) if ends else None


def _end_of_import(history: History) -> Iterator[Instant]:
    origin = history.state.origin
    if origin.ends_on is not None:
        yield end_of_day(origin.ends_on, origin.zone)


def _end_of_subscription(history: History, known: dict[str, Known]) -> Iterator[Instant]:
    """In grace it goes on, whatever its last day."""
    one, at = known.get(str(history.state.form.subscription_id), (None, Instant(0)))
    if one is None or one.state is SubscriptionState.GRACE:
        return
    if one.state is SubscriptionState.ENDED:
        yield at
    elif one.ends_on is not None:
        yield max(at, end_of_day(one.ends_on, history.state.origin.zone))


def _of(read: Read, code: FindingCode, sentence: str) -> Finding:
    return finding(code, sentence, claim=read.value["claim_id"], record=read.record.origin)
