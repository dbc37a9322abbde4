"""What a run has said, without the offsets at which it lies: for comparing runs with each other."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Container, Iterable
from dataclasses import dataclass, fields

from cpor.ops.checker import PipelineLog, check
from cpor.runtime.record import Record
from cpor.runtime.topics import Topic
from schemas.envelope import ID, read_envelope

#: Key, value and headers of a record.
Answer = tuple[bytes | None, bytes | None, tuple[tuple[str, bytes], ...]]
Answers = dict[str, list[Answer]]
#: The broker's times, and the versions that the store gives to its objects, differ between two runs of one log.
TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
VERSION = re.compile(rb'"version":"[^"]*"')


@dataclass(frozen=True)
class Outcome:
    """Each a list of records by what orders them."""

    #: By claim.
    events: Answers
    #: By the id of the receipt, so that one too many shows.
    receipts: Answers
    #: Newest rows of compacted topics, by topic and key.
    rows: Answers
    #: By topic and claim.
    handoffs: Answers

    def fingerprint(self) -> str:
        told = [sorted(getattr(self, each.name).items()) for each in fields(self)]
        return hashlib.sha256(repr(told).encode()).hexdigest()

    def differences(self, other: Outcome) -> list[str]:
        """What is not the same in both: the family of records, and which."""
        return [
            f"{each.name}: {key}"
            for each in fields(self)
            for key in _unequal(getattr(self, each.name), getattr(other, each.name))
        ]


def _unequal(mine: Answers, theirs: Answers) -> list[str]:
    return [key for key in sorted(mine.keys() | theirs.keys()) if mine.get(key) != theirs.get(key)]


def outcome_of(log: PipelineLog, *, timeless: bool = False) -> Outcome:
    """`timeless`: without what the broker's and the store's own clocks and counters bring in."""
    told = _timeless if timeless else _as_it_is
    rows = {f"{each.topic} {(each.key or b'').decode()}": [told(each)] for each in (*log.states, *log.associations)}
    events, receipts, handoffs = defaultdict(list), defaultdict(list), defaultdict(list)
    for each in log.events:
        events[read_envelope(each.headers).subject or ""].append(told(each))
    for each in log.receipts:
        receipts[read_envelope(each.headers).id or ""].append(told(each))
    for each in (*log.approved, *log.eligible):
        handoffs[f"{each.topic} {(each.key or b'').decode()}"].append(told(each))
    return Outcome(dict(events), dict(receipts), rows, dict(handoffs))


def _as_it_is(record: Record) -> Answer:
    return record.key, record.value, record.headers


def _timeless(record: Record) -> Answer:
    value = None if record.value is None else VERSION.sub(b'"version":""', TIME.sub(b"T", record.value))
    headers = ((name, TIME.sub(b"T", text)) for name, text in record.headers if not _is_of_times(record, name))
    return record.key, value, tuple(headers)


def _is_of_times(record: Record, header: str) -> bool:
    """An association knows no event behind it: its id is made of what it holds, times included."""
    return record.topic == Topic.ASSOCIATIONS and header == ID


def assert_sound(log: PipelineLog, sent: Iterable[str], letters: Container[str] = ()) -> None:
    """The checker finds nothing; and, counted here by hand, each of the records `sent` has its one receipt.

    `sent` are receipt ids as the broker's answers to the senders give them; `letters` the reasons of dead letters that
    were to be expected.
    """
    answered, wanted = Counter(read_envelope(each.headers).id or "" for each in log.receipts), Counter(sent)
    lost, surplus = wanted - answered, answered - wanted
    assert not lost, f"{lost.total()} of {wanted.total()} records have no receipt: {list(lost)[:5]}"
    assert not surplus, f"{surplus.total()} receipts too many: {list(surplus)[:5]}"
    findings = [str(each) for each in check(log, letters=letters)]
    assert not findings, f"{len(findings)} findings, first: " + "\n".join(findings[:20])
