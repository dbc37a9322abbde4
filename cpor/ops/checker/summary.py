"""The figures beside a check: how much was looked at, and a reconciliation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from cpor.ops.checker.balances import Balances, balances
from cpor.ops.checker.log import PipelineLog
from cpor.ops.checker.reading import Reading
from schemas import handoff


@dataclass(frozen=True, slots=True)
class Summary:
    """Numbers of records; `receipts_by_code` and `claims_by_status` add up to receipts and claims,
    `approvals_by_fate` to approvals, `mails_by_outcome` to `mails_by_kind`. `doubles`: arrivals of mails that had come
    before, None where nobody looked into the mailboxes.
    """

    records_sent: int
    receipts: int
    receipts_by_code: dict[str, int]
    inbox: int
    events: int
    claims: int
    claims_by_status: dict[str, int]
    approvals: int
    eligible: int
    units_held: int
    dead_letters: int
    approvals_by_fate: dict[str, int]
    updates: int
    mails_by_kind: dict[str, int]
    mails_by_outcome: dict[str, int]
    doubles: int | None
    answers: int
    timers: dict[str, int]


def summary(log: PipelineLog) -> Summary:
    """Counts what the log holds; meaningful where `check` found nothing."""
    reading = Reading(log)
    books = balances(log)
    newest = [history.events[-1].event.status for history in reading.histories.values()]
    return Summary(
        records_sent=len(log.commands),
        receipts=len(log.receipts),
        receipts_by_code=_counted(str(each.value["code"]) for each in reading.receipts),
        inbox=len(log.inbox),
        events=len(log.events),
        claims=len(reading.histories),
        claims_by_status=_counted(each.value for each in newest),
        approvals=sum(each.type == handoff.APPROVED for each in reading.approved),
        eligible=sum(each.type == handoff.ELIGIBLE for each in reading.eligible),
        units_held=sum(row is not None for row in reading.associations.values()),
        dead_letters=len(log.dead_letters),
        approvals_by_fate={fate.value: number for fate, number in books.fates.items() if number},
        updates=len(log.updates),
        mails_by_kind={each.kind.value: each.written for each in books.mails},
        mails_by_outcome=_outcomes(books),
        doubles=books.doubles,
        answers=len(log.responses),
        timers={"reminders": books.reminders, "missed": books.missed, "expired": books.expired},
    )


def _outcomes(books: Balances) -> dict[str, int]:
    names = ("delivered", "bounced", "deferred", "superseded", "in_flight")
    return {name: getattr(books, name) for name in names if getattr(books, name)}


def _counted(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))
