"""Dead letters: none that nobody expects."""

from __future__ import annotations

from collections.abc import Container, Iterator

from cpor.ops.checker.findings import Finding, FindingCode, finding
from cpor.ops.checker.reading import Reading
from schemas.dead_letters import read_dead_letter


def check_letters(reading: Reading, reasons: Container[str] = ()) -> Iterator[Finding]:
    """`reasons` are those that whoever ran the pipeline expects."""
    for record in reading.log.dead_letters:
        try:
            letter = read_dead_letter(record.headers)
        except ValueError:
            yield finding(FindingCode.UNREADABLE, "The record is no dead letter of ours.", record=record.origin)
            continue
        if letter.dlq_reason not in reasons:
            sentence = f"{letter.dlq_service} gave a record up: {letter.dlq_reason}."
            origin = f"{letter.dlq_topic}-{letter.dlq_partition}-{letter.dlq_offset}"
            yield finding(FindingCode.DEAD_LETTER, sentence, record=origin, letter=letter.dlq_id)
