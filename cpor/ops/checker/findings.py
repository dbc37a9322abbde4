"""What the checker can find wrong: each with a code, the ids it is about, and one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class FindingCode(StrEnum):
    """Closed list; a row of `docs` or a test names one of these."""

    # Any record.
    UNREADABLE = "unreadable"
    OFF_SCHEMA = "off_schema"
    WRONG_PARTITION = "wrong_partition"
    WRONG_KEY = "wrong_key"
    WRONG_ID = "wrong_id"
    # Partners' records and their receipts (contract §3).
    RECEIPT_MISSING = "receipt_missing"
    RECEIPT_DOUBLED = "receipt_doubled"
    RECEIPT_WITHOUT_RECORD = "receipt_without_record"
    RECEIPT_MISPLACED = "receipt_misplaced"
    ACCEPTED_WITHOUT_EVENT = "accepted_without_event"
    ACCEPTED_WITHOUT_INBOX = "accepted_without_inbox"
    REFUSED_WITH_EVENT = "refused_with_event"
    REFUSED_THOUGH_ADMITTED = "refused_though_admitted"
    DUPLICATE_OF_NOTHING = "duplicate_of_nothing"
    # The inbox (contract §4).
    INBOX_DOUBLED = "inbox_doubled"
    INBOX_WITHOUT_RECORD = "inbox_without_record"
    COMMAND_UNANSWERED = "command_unanswered"
    # Histories and snapshots (contract §5).
    SEQUENCE_GAP = "sequence_gap"
    SEQUENCE_DOUBLED = "sequence_doubled"
    BROKEN_BEGINNING = "broken_beginning"
    EVENT_WITHOUT_CAUSE = "event_without_cause"
    DECIDED_TWICE = "decided_twice"
    ILLEGAL_TRANSITION = "illegal_transition"
    AFTER_THE_END = "after_the_end"
    STATE_MISSING = "state_missing"
    STATE_WRONG = "state_wrong"
    STATE_WITHOUT_EVENTS = "state_without_events"
    # Who holds what (R20, D10, D17).
    TWO_HOLDERS = "two_holders"
    UNITS_NOT_HELD = "units_not_held"
    UNITS_NOT_RELEASED = "units_not_released"
    ASSOCIATION_MISSING = "association_missing"
    ASSOCIATION_WRONG = "association_wrong"
    ASSOCIATION_WITHOUT_HOLDER = "association_without_holder"
    # Hand-offs (contract §5).
    HANDOFF_MISSING = "handoff_missing"
    HANDOFF_DOUBLED = "handoff_doubled"
    HANDOFF_WITHOUT_EVENT = "handoff_without_event"
    HANDOFF_WRONG = "handoff_wrong"
    HANDOFF_OUT_OF_ORDER = "handoff_out_of_order"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it must be. `ids` name the claim, unit, record or message."""

    code: FindingCode
    ids: Mapping[str, str]
    sentence: str

    def __str__(self) -> str:
        told = ", ".join(f"{name} {value}" for name, value in self.ids.items())
        return f"{self.code}: {self.sentence} ({told})"


def finding(code: FindingCode, sentence: str, **ids: object) -> Finding:
    return Finding(code, {name: str(value) for name, value in ids.items()}, sentence)
