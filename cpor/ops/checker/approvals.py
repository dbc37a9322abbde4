"""Each approval is handed off once, or ended first, or still waits; never handed off too early (D4, D9, D19, D20)."""

from __future__ import annotations

from collections.abc import Iterator

from cpor.domain.model import ConsentStage
from cpor.domain.vocabulary import Clock, CommandName, ConsentOutcome, EventName
from cpor.ops.checker.fates import ApprovalFate, Fate, fates
from cpor.ops.checker.findings import Finding, FindingCode, finding
from cpor.ops.checker.log import CONSENT
from cpor.ops.checker.reading import History, Read, Reading, Step

#: So long after its end a clock must have had its effect, ms: more than any grace and any restart.
OVERDUE_MS = 10 * 60_000


def check_approvals(reading: Reading) -> Iterator[Finding]:
    declines = _declines(reading)
    for history in reading.whole:
        for each in fates(history):
            yield from _judge(reading, each, declines.get(history.claim_id, []))
        yield from _waits(history)


def _judge(reading: Reading, each: ApprovalFate, declines: list[Read]) -> Iterator[Finding]:
    if each.fate == Fate.LOST:
        yield _of(each, FindingCode.APPROVAL_LOST, "It was neither handed off nor ended, and no wait runs.")
    if each.fate == Fate.HANDED_OFF and each.ended_by is not None:
        yield from _handed_off(reading, each, each.ended_by, declines)
    if each.fate == Fate.WAITING and CONSENT in reading.log.services and _is_overdue(reading, each.history):
        yield _of(each, FindingCode.WAIT_OVERDUE, "The wait ended long ago, and nothing came of it.")


def _handed_off(reading: Reading, each: ApprovalFate, completed: Step, declines: list[Read]) -> Iterator[Finding]:
    consent = None if completed.before is None else completed.before.consent
    if consent is None or consent.stage != ConsentStage.WAITING or consent.due is None:
        yield _of(each, FindingCode.COMPLETED_TOO_EARLY, "Consent is complete though no wait ran.")
        return
    if completed.event.at < consent.due:
        yield _of(each, FindingCode.COMPLETED_TOO_EARLY, "Consent is complete before the wait had ended.")
    for read in declines:
        if _names(read, each) and reading.known_at(read) < consent.due:
            sentence = "It was handed off though the customer's no was known before the wait ended."
            yield _of(each, FindingCode.COMPLETED_THOUGH_DECLINED, sentence, read)


def _names(read: Read, each: ApprovalFate) -> bool:
    """An outcome without an approval is about the claim; one that names an older approval counts no more."""
    return read.value.get("approval") in (None, each.approval)


def _declines(reading: Reading) -> dict[str, list[Read]]:
    """Every no that was told to review, by claim."""
    found: dict[str, list[Read]] = {}
    for read in reading.inbox:
        if read.type == CommandName.CONSENT_OUTCOME and read.value["outcome"] == ConsentOutcome.DECLINED:
            found.setdefault(str(read.value["claim_id"]), []).append(read)
    return found


def _is_overdue(reading: Reading, history: History) -> bool:
    """A parked claim's wait stands still (architecture §3)."""
    due = history.state.consent.due
    return due is not None and not history.state.parked and due + OVERDUE_MS < reading.now


_ENDS_OF_WAIT = (EventName.CONSENT_COMPLETED, EventName.CONSENT_SUSPENDED)


def _waits(history: History) -> Iterator[Finding]:
    """One outcome for each time that the wait was started (D20)."""
    ended = False
    for step in history.steps:
        if any(each.clock == Clock.CONSENT_WAIT for each in step.event.clocks_started):
            ended = False
        elif step.event.NAME in _ENDS_OF_WAIT:
            if ended:
                sentence = "The wait had come to an end or a stand before."
                ids = {"claim": history.claim_id, "sequence": step.event.sequence}
                yield finding(FindingCode.WAIT_ENDED_TWICE, sentence, **ids)
            ended = True


def _of(each: ApprovalFate, code: FindingCode, sentence: str, read: Read | None = None) -> Finding:
    named = {} if read is None else {"record": read.record.origin}
    return finding(code, sentence, claim=each.history.claim_id, approval=each.approval, **named)
