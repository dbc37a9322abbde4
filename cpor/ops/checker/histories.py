"""Histories: dense sequences, ids by recipe, a cause for each event, legal steps, snapshots that are their fold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from cpor.domain import ids, wire
from cpor.domain.evolve import BrokenSequence
from cpor.domain.vocabulary import ClaimId, Edition, EventName, Status
from cpor.ops.checker.findings import Finding, FindingCode, finding
from cpor.ops.checker.lifecycle import AFTER_THE_END, ENDS, allowed
from cpor.ops.checker.reading import EventRead, History, Read, Reading


def check_sequences(reading: Reading) -> Iterator[Finding]:
    """1, 2, 3 ... per claim. Marks a history without a fold as broken: nothing more is derived from it."""
    for history in reading.histories.values():
        found = list(_sequence_faults(history))
        history.broken = bool(found)
        yield from found
        if not found and not _folds(history):
            history.broken = True
            yield _of(history, FindingCode.BROKEN_BEGINNING, "The history does not begin as a claim begins.")


def _sequence_faults(history: History) -> Iterator[Finding]:
    expected = 1
    for each in history.events:
        here = each.event.sequence
        if here < expected:
            yield _at(each, FindingCode.SEQUENCE_DOUBLED, f"Event {here} comes again.")
        elif here > expected:
            yield _at(each, FindingCode.SEQUENCE_GAP, f"Event {here} follows on event {expected - 1}.")
        expected = max(expected, here + 1)


def _folds(history: History) -> bool:
    try:
        return bool(history.steps)
    except BrokenSequence:
        return False


def check_event_ids(reading: Reading) -> Iterator[Finding]:
    """`ce_id`, `ce_sequence` and `ce_subject` follow from the value (contract §2)."""
    for read in reading.event_records:
        claim, sequence = ClaimId(read.value["claim_id"]), read.value["sequence"]
        recipe = ids.event_id(claim, sequence) if sequence else ids.derived_id(read.told.causation or "", read.type)
        if (read.told.id, read.told.sequence, read.told.subject) != (recipe, sequence, claim):
            sentence = "ce_id, ce_sequence or ce_subject do not follow from the event."
            yield finding(FindingCode.WRONG_ID, sentence, claim=claim, sequence=sequence, record=read.record.origin)
    for history in reading.histories.values():
        yield from _claim_id_faults(history)


def _claim_id_faults(history: History) -> Iterator[Finding]:
    first = history.events[0].event
    partner, ref = getattr(first, "partner_id", None), getattr(first, "claim_ref", None)
    if partner is not None and ref is not None and ids.claim_id(partner, ref) != history.claim_id:
        yield _of(history, FindingCode.WRONG_ID, "The claim's id does not follow from partner and reference.")


def check_causes(reading: Reading) -> Iterator[Finding]:
    """Each event was brought about by one record of the inbox, which brought about an event of its kind once only."""
    asked = {read.told.id for read in reading.inbox}
    seen: Counter[tuple[str | None, str, str]] = Counter()
    for read in reading.event_records:
        cause, claim = read.told.causation, str(read.value["claim_id"])
        if cause not in asked and read.type != EventName.PARKED.ce_type:
            yield _read(read, FindingCode.EVENT_WITHOUT_CAUSE, "No record of the inbox has the id that caused it.")
        seen[cause, claim, read.type] += 1
        if seen[cause, claim, read.type] == 2:
            yield _read(read, FindingCode.DECIDED_TWICE, "The same command has brought about this event before.")


def check_transitions(reading: Reading) -> Iterator[Finding]:
    """Every step is one of the table's, and nothing but information follows on an end."""
    for history in reading.histories.values():
        if not history.broken:
            yield from _illegal_steps(history)


def _illegal_steps(history: History) -> Iterator[Finding]:
    before: Status | None = None
    for each in history.events:
        name, edition, after = each.event.NAME, Edition(each.event.policy), each.event.status
        if before in ENDS and name not in AFTER_THE_END:
            yield _at(each, FindingCode.AFTER_THE_END, f"{name} follows on {before}.")
        elif not allowed(name, edition, before, after):
            yield _at(each, FindingCode.ILLEGAL_TRANSITION, f"{name} leads from {before or 'nothing'} to {after}.")
        before = after


def check_states(reading: Reading) -> Iterator[Finding]:
    """The newest snapshot of each claim is the fold of its events."""
    for history in reading.histories.values():
        row = reading.states.get(history.claim_id)
        if row is None:
            yield _of(history, FindingCode.STATE_MISSING, "The claim has events and no snapshot.")
        elif not history.broken and wire.decode_state(row.record.value or b"") != history.state:
            sentence = "The newest snapshot is not the fold of the claim's events."
            yield finding(FindingCode.STATE_WRONG, sentence, claim=history.claim_id, record=row.record.origin)
    for claim, row in reading.states.items():
        if row is not None and claim not in reading.histories:
            sentence = "The snapshot is of a claim without events."
            yield finding(FindingCode.STATE_WITHOUT_EVENTS, sentence, claim=claim, record=row.record.origin)


def _at(each: EventRead, code: FindingCode, sentence: str) -> Finding:
    return _read(each.read, code, sentence)


def _read(read: Read, code: FindingCode, sentence: str) -> Finding:
    claim, sequence = read.value["claim_id"], read.value["sequence"]
    return finding(code, sentence, claim=claim, sequence=sequence, record=read.record.origin)


def _of(history: History, code: FindingCode, sentence: str) -> Finding:
    return finding(code, sentence, claim=history.claim_id)
