"""What the checker can find wrong: each with a code, the rule behind it, the ids it is about, and one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class FindingCode(StrEnum):
    """Closed list; a row of `docs` or a test names one of these. `source` is the rule that is broken."""

    source: str
    #: Whether a pipeline that is still working may look like this: only at rest it is a fault.
    passes: bool

    def __new__(cls, code: str, source: str = "", passes: bool = False) -> FindingCode:
        member = str.__new__(cls, code)
        member._value_ = code
        member.source = source
        member.passes = passes
        return member

    # Any record.
    UNREADABLE = "unreadable", "contract §2"
    OFF_SCHEMA = "off_schema", "contract §2"
    WRONG_PARTITION = "wrong_partition", "contract §1"
    WRONG_KEY = "wrong_key", "contract §1"
    WRONG_ID = "wrong_id", "contract §2"
    DEAD_LETTER = "dead_letter", "architecture §3"
    # Partners' records and their receipts.
    RECEIPT_MISSING = "receipt_missing", "contract §3", True
    RECEIPT_DOUBLED = "receipt_doubled", "contract §3"
    RECEIPT_WITHOUT_RECORD = "receipt_without_record", "contract §3"
    RECEIPT_MISPLACED = "receipt_misplaced", "contract §3"
    ACCEPTED_WITHOUT_EVENT = "accepted_without_event", "contract §3"
    ACCEPTED_WITHOUT_INBOX = "accepted_without_inbox", "contract §3"
    REFUSED_WITH_EVENT = "refused_with_event", "contract §4"
    REFUSED_THOUGH_ADMITTED = "refused_though_admitted", "contract §3"
    DUPLICATE_OF_NOTHING = "duplicate_of_nothing", "contract §3"
    # The inbox.
    INBOX_DOUBLED = "inbox_doubled", "contract §4"
    INBOX_WITHOUT_RECORD = "inbox_without_record", "contract §4"
    COMMAND_UNANSWERED = "command_unanswered", "contract §4", True
    # Histories and snapshots.
    SEQUENCE_GAP = "sequence_gap", "contract §5"
    SEQUENCE_DOUBLED = "sequence_doubled", "contract §5"
    BROKEN_BEGINNING = "broken_beginning", "contract §5"
    EVENT_WITHOUT_CAUSE = "event_without_cause", "contract §5"
    DECIDED_TWICE = "decided_twice", "contract §5"
    ILLEGAL_TRANSITION = "illegal_transition", "domain §2.2"
    AFTER_THE_END = "after_the_end", "domain §2.2"
    STATE_MISSING = "state_missing", "contract §5", True
    STATE_WRONG = "state_wrong", "contract §5", True
    STATE_WITHOUT_EVENTS = "state_without_events", "contract §5"
    # Who holds what.
    TWO_HOLDERS = "two_holders", "R20 D10"
    UNITS_NOT_HELD = "units_not_held", "D17"
    UNITS_NOT_RELEASED = "units_not_released", "D17"
    ASSOCIATION_MISSING = "association_missing", "contract §1", True
    ASSOCIATION_WRONG = "association_wrong", "contract §1", True
    ASSOCIATION_WITHOUT_HOLDER = "association_without_holder", "contract §1", True
    # Hand-offs.
    HANDOFF_MISSING = "handoff_missing", "contract §5 D4", True
    HANDOFF_DOUBLED = "handoff_doubled", "contract §5"
    HANDOFF_WITHOUT_EVENT = "handoff_without_event", "contract §5"
    HANDOFF_WRONG = "handoff_wrong", "contract §5"
    HANDOFF_OUT_OF_ORDER = "handoff_out_of_order", "contract §5"
    # What became of each approval.
    APPROVAL_LOST = "approval_lost", "D4 D20"
    COMPLETED_TOO_EARLY = "completed_too_early", "D4"
    COMPLETED_THOUGH_DECLINED = "completed_though_declined", "D9 D19"
    COMPLETED_UNTOLD = "completed_untold", "D20", True
    WAIT_ENDED_TWICE = "wait_ended_twice", "D20"
    WAIT_OVERDUE = "wait_overdue", "D4", True
    # Consent.
    CONSENT_MISSING = "consent_missing", "contract §5 D3", True
    CONSENT_DOUBLED = "consent_doubled", "contract §5"
    CONSENT_WITHOUT_CAUSE = "consent_without_cause", "contract §5"
    CONSENT_WRONG = "consent_wrong", "contract §5"
    ANSWER_UNHEARD = "answer_unheard", "contract §5", True
    ANSWER_HEARD_TWICE = "answer_heard_twice", "contract §5"
    ANSWER_WITHOUT_EFFECT = "answer_without_effect", "D9", True
    ANSWER_LOST = "answer_lost", "D19"
    # What partners are told.
    UPDATE_MISSING = "update_missing", "D30", True
    UPDATE_DOUBLED = "update_doubled", "D30"
    UPDATE_WITHOUT_EVENT = "update_without_event", "D30"
    UPDATE_MISPLACED = "update_misplaced", "D30"
    UPDATE_OUT_OF_ORDER = "update_out_of_order", "contract §3"
    UPDATE_WRONG = "update_wrong", "contract §3"
    UPDATE_TELLS_TOO_MUCH = "update_tells_too_much", "D30"
    # Mails and their delivery.
    MAIL_MISSING = "mail_missing", "domain §3 D28", True
    MAIL_DOUBLED = "mail_doubled", "contract §2"
    MAIL_WITHOUT_EVENT = "mail_without_event", "domain §3"
    MAIL_TO_ANOTHER = "mail_to_another", "D28"
    MAIL_UNDELIVERED = "mail_undelivered", "contract §1", True
    DELIVERY_WITHOUT_MAIL = "delivery_without_mail", "contract §1"
    DELIVERY_WRONG = "delivery_wrong", "contract §1"
    NOT_IN_SINK = "not_in_sink", "contract §1"
    SINK_WITHOUT_MAIL = "sink_without_mail", "contract §1", True
    # Clocks.
    TIMER_MISSING = "timer_missing", "domain §2.3", True
    TIMER_DOUBLED = "timer_doubled", "contract §5"
    TIMER_WITHOUT_CLOCK = "timer_without_clock", "domain §2.3"
    TIMER_TOO_EARLY = "timer_too_early", "D18"
    TIMER_AFTER_STOP = "timer_after_stop", "domain §2.3"
    TIMEOUT_WITHOUT_EFFECT = "timeout_without_effect", "T9", True
    # Subscriptions that are over.
    END_MISSING = "end_missing", "T19 D16 D23", True
    END_DOUBLED = "end_doubled", "T19"
    END_WRONG = "end_wrong", "T19 D23"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it must be. `ids` name the claim, unit, record or message."""

    code: FindingCode
    ids: Mapping[str, str]
    sentence: str

    @property
    def source(self) -> str:
        """The rule that is broken, as domain and contract number them."""
        return self.code.source

    @property
    def claim(self) -> str | None:
        """The claim it is about, where it is about one."""
        return self.ids.get("claim")

    def __str__(self) -> str:
        told = ", ".join(f"{name} {value}" for name, value in self.ids.items())
        return f"{self.code}: {self.sentence} ({told}) [{self.source}]"


def finding(code: FindingCode, sentence: str, **ids: object) -> Finding:
    return Finding(code, {name: str(value) for name, value in ids.items()}, sentence)
