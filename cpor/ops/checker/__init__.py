"""The offline checker: reads everything the pipeline has written and says what is not as it must be.

    log = read_log(read_topic, partners, partitions)
    for finding in check(log):
        print(finding)

Pure functions of records; the pipeline must be at rest. What is expected is derived from the events by rules of its
own: only `evolve` and the recipes of ids are the domain's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cpor.ops.checker.answers import check_inbox, check_receipts
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
from cpor.ops.checker.log import PipelineLog, ReadTopic, read_log
from cpor.ops.checker.places import check_places
from cpor.ops.checker.reading import Reading
from cpor.ops.checker.summary import Summary, summary

__all__ = ["Finding", "FindingCode", "PipelineLog", "ReadTopic", "Summary", "check", "read_log", "summary"]

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
)


def check(log: PipelineLog) -> list[Finding]:
    """Everything that is wrong, empty when all is well."""
    reading = Reading(log)
    found = [finding for each in CHECKS for finding in each(reading)]
    return [*reading.findings, *found]
