"""The mail before an association's known end (D23): a timer for each claim that holds what may end.

A subscription's end is looked up when the timer fires, and again every week: it moves with each renewal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

from cpor.domain import events as ev
from cpor.domain.calendar import add_days, end_of_day, local_date
from cpor.domain.facts import last_day
from cpor.domain.policy import policy
from cpor.domain.vocabulary import Instant, Status
from cpor.runtime.processor import Context, Timer
from services.notify.claim import ClaimRow
from services.notify.drafts import Draft, Settings, Told
from services.notify.mails import mails_of_ending
from services.notify.tables import CLAIMS, CUSTOMERS, PARTNERS, SUBSCRIPTIONS

TIMER = "reassociate"
#: How often a subscription's end is looked up, days.
LOOK_AGAIN = 7


def watch(context: Context, row: ClaimRow, event: ev.Event) -> None:
    """Start to watch what an approval or an import holds; stop where the claim holds nothing any more."""
    if isinstance(event, ev.Approved | ev.LegacyImported):
        _look_next(context, row, event.at)
    elif isinstance(event, ev.AssociationEnded | ev.Rejected | ev.RejectedFinal) and not _holds(row):
        context.cancel_timer(row.claim_id, TIMER, 0)


def near(context: Context, row: ClaimRow, timer: Timer, settings: Settings) -> Iterator[Draft]:
    """The mails that are due now; each end is told of once."""
    if not _holds(row):
        return
    end, today = _known_end(context, row), local_date(Instant(timer.due), row.zone)
    if end is not None and end != row.told_end and add_days(end, -_notice_days(row)) <= today <= end:
        partner: Any = context.get(PARTNERS, row.partner_id.encode())
        customer: Any = context.get(CUSTOMERS, row.form.tenant_id.encode())
        yield from mails_of_ending(Told(row, None, partner, customer, settings), end, Instant(timer.due))
        row = replace(row, told_end=end)
        context.put(CLAIMS, row.claim_id.encode(), row)
    _look_next(context, row, Instant(timer.due))


def _look_next(context: Context, row: ClaimRow, at: Instant) -> None:
    due = _next_look(row, _known_end(context, row), at)
    if due is not None:
        context.set_timer(Timer(due, row.claim_id, TIMER, 0))


def _next_look(row: ClaimRow, end: date | None, at: Instant) -> Instant | None:
    """The day after which the notice is due, a week from now at the latest; None: nothing to await.

    Looks happen at the end of a local day.
    """
    if row.form.subscription_id is None:
        return None
    today = local_date(at, row.zone)
    told = end is None or end == row.told_end or today > end
    notice = None if end is None or told else max(add_days(end, -_notice_days(row) - 1), today)
    weekly = add_days(today, LOOK_AGAIN)
    return end_of_day(weekly if notice is None else min(notice, weekly), row.zone)


def _holds(row: ClaimRow) -> bool:
    return row.status == Status.APPROVED and bool(row.units)


def _known_end(context: Context, row: ClaimRow) -> date | None:
    """The one that comes first: an imported association's own last day, or its subscription's."""
    if row.form.subscription_id is None:
        return None
    subscription: Any = context.get(SUBSCRIPTIONS, row.form.subscription_id.encode())
    return last_day(row.ends_on, subscription)


def _notice_days(row: ClaimRow) -> int:
    return policy(row.policy).facts.legacy_notice_days
