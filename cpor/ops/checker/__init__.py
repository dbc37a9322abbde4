"""The offline checker: reads everything the pipeline has written and says what is not as it must be.

    log = read_log(read_topic, partners, partitions).with_sink(received(mail_dir))
    for finding in check(log):
        print(finding)
    for row in balances(log).rows():
        print(row.left, row.left_count, row.right, row.right_count, row.holds)

Pure functions of records; the pipeline must be at rest, or `check` be told that it is not. What is expected is derived
from the events by rules of its own: only `evolve`, the calendar and the recipes of ids are the domain's.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator

from cpor.ops.checker.answers import check_inbox, check_receipts
from cpor.ops.checker.approvals import check_approvals
from cpor.ops.checker.balances import Balances, MailCount, Row, balances
from cpor.ops.checker.consents import check_consent
from cpor.ops.checker.dead import check_letters
from cpor.ops.checker.deliveries import check_deliveries
from cpor.ops.checker.ends import check_ends
from cpor.ops.checker.fates import Fate
from cpor.ops.checker.findings import Finding, FindingCode
from cpor.ops.checker.handoffs import check_handoffs
from cpor.ops.checker.histories import (
    check_causes,
    check_event_ids,
    check_sequences,
    check_states,
    check_transitions,
)
from cpor.ops.checker.holdings import check_holdings
from cpor.ops.checker.log import SERVICES, Arrival, PipelineLog, ReadTopic, log_topics, read_log
from cpor.ops.checker.mails import check_mails
from cpor.ops.checker.places import check_places
from cpor.ops.checker.reading import Reading
from cpor.ops.checker.summary import Summary, summary
from cpor.ops.checker.timers import check_timers
from cpor.ops.checker.updates import check_updates

__all__ = [
    "SERVICES",
    "Arrival",
    "Balances",
    "Fate",
    "Finding",
    "FindingCode",
    "MailCount",
    "PipelineLog",
    "ReadTopic",
    "Row",
    "Summary",
    "balances",
    "check",
    "log_topics",
    "read_log",
    "summary",
]

#: Sequences come first: they say which histories can be folded.
CHECKS: tuple[Callable[[Reading], Iterator[Finding]], ...] = (
    check_sequences,
    check_event_ids,
    check_causes,
    check_transitions,
    check_states,
    check_places,
    check_receipts,
    check_inbox,
    check_holdings,
    check_handoffs,
    check_approvals,
    check_updates,
    check_consent,
    check_timers,
    check_ends,
    check_mails,
    check_deliveries,
)


def check(log: PipelineLog, *, settled: bool = True, letters: Container[str] = ()) -> list[Finding]:
    """Everything that is wrong, empty when all is well.

    `settled`: the pipeline was at rest when it was read; otherwise what is only missing yet is left out
    (`FindingCode.passes`). `letters`: reasons of dead letters that are no surprise.
    """
    reading = Reading(log)
    found = [finding for each in CHECKS for finding in each(reading)]
    found += check_letters(reading, letters)
    return [each for each in (*reading.findings, *found) if settled or not each.code.passes]
