"""The figures beside a check: how much was looked at, and a reconciliation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from cpor.ops.checker.log import PipelineLog
from cpor.ops.checker.reading import Reading
from schemas import handoff


@dataclass(frozen=True, slots=True)
class Summary:
    """Numbers of records; `receipts_by_code` and `claims_by_status` add up to receipts and claims."""

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


def summary(log: PipelineLog) -> Summary:
    """Counts what the log holds; meaningful where `check` found nothing."""
    reading = Reading(log)
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
    )


def _counted(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))
