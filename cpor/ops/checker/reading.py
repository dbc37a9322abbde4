"""The log as the checks see it: records with their envelope and value, events by claim, receipts by id.

What cannot be read, or is not as its schema has it, is a finding of its own and is left out of everything else.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from cpor.domain import wire
from cpor.domain.events import Event, LegacyImported
from cpor.domain.evolve import evolve
from cpor.domain.model import ClaimState
from cpor.domain.vocabulary import PARTNER_COMMANDS, Instant, TenantId
from cpor.ops.checker.findings import Finding, FindingCode, finding
from cpor.ops.checker.log import FAMILIES, PipelineLog, Records
from cpor.runtime.record import Record
from schemas.base import check
from schemas.dead_letters import read_dead_letter
from schemas.envelope import Envelope, read_envelope
from schemas.registry import ADMITTED, MESSAGES

PARTNER_TYPES = frozenset(name.value for name in PARTNER_COMMANDS)


@dataclass(frozen=True, slots=True)
class Read:
    """A record of ours that is as its schema has it."""

    record: Record
    told: Envelope
    value: dict[str, Any]

    @property
    def type(self) -> str:
        return self.told.type or ""

    @property
    def key(self) -> str:
        return (self.record.key or b"").decode(errors="replace")


@dataclass(frozen=True, slots=True)
class EventRead:
    """A claim event inside a fold."""

    read: Read
    event: Event


@dataclass(frozen=True, slots=True)
class Step:
    """A claim event with the claim before and after it."""

    read: Read
    event: Event
    before: ClaimState | None
    after: ClaimState

    @property
    def appended_at(self) -> Instant:
        return Instant(self.read.record.appended_at)


@dataclass
class History:
    """All events of one claim in the order of the log; `broken` when they have no fold."""

    claim_id: str
    events: list[EventRead] = field(default_factory=list)
    broken: bool = False

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """Only of a history that is not broken."""
        found: list[Step] = []
        for each in self.events:
            before = found[-1].after if found else None
            found.append(Step(each.read, each.event, before, evolve(before, each.event)))
        return tuple(found)

    @property
    def state(self) -> ClaimState:
        """Only of a history that is not broken."""
        return self.steps[-1].after

    @property
    def legacy(self) -> bool:
        """D23: imported, without mail and hand-off."""
        return isinstance(self.events[0].event, LegacyImported)

    def step(self, sequence: int) -> Step | None:
        """The event with this sequence; only of a history that is not broken."""
        return self.steps[sequence - 1] if 0 < sequence <= len(self.steps) else None

    @property
    def tenant(self) -> TenantId | None:
        form = getattr(self.events[0].event, "form", None)
        return None if form is None else form.tenant_id


class Reading:
    """Parsed once, looked at by every check."""

    def __init__(self, log: PipelineLog) -> None:
        self.log = log
        self.findings: list[Finding] = []
        self.receipts = list(self._read(log.receipts))
        self.inbox = list(self._read(log.inbox))
        self.event_records = list(self._read(log.events))
        self.approved = list(self._read(log.approved))
        self.eligible = list(self._read(log.eligible))
        self.states = self._newest(log.states)
        self.associations = self._newest(log.associations)
        self.histories = _histories(self.event_records)
        self.updates = list(self._read(log.updates))
        self.responses = list(self._read(log.responses))
        self.consent = list(self._read(log.consent))
        self.deadlines = list(self._read(log.deadlines))
        self.mails = list(self._read(log.mails))
        self.deliveries = list(self._read(log.deliveries))

    @property
    def whole(self) -> list[History]:
        """Histories that have a fold; `check_sequences` finds out which."""
        return [each for each in self.histories.values() if not each.broken]

    def history(self, claim: str) -> History | None:
        """Of a claim with a fold."""
        found = self.histories.get(claim)
        return None if found is None or found.broken else found

    def is_broken(self, claim: str) -> bool:
        return claim in self.histories and self.histories[claim].broken

    @cached_property
    def given_up(self) -> set[str]:
        """Origins of what lies among the dead letters: of the letter itself, and of the message behind it."""
        return _given_up(self.log.dead_letters)

    @cached_property
    def inbox_origins(self) -> set[str]:
        """Of the messages behind what lies in the inbox."""
        return {read.told.origin for read in self.inbox if read.told.origin is not None}

    def known_at(self, outcome: Read) -> Instant:
        """When the answer behind an outcome could be known: what an operator enters later counts from earlier (D19).

        It undoes what came of silence.
        """
        told = outcome.told
        known = self._entered_at.get(told.origin or "", told.received_at)
        return Instant(outcome.record.appended_at if known is None else known)

    @cached_property
    def _entered_at(self) -> dict[str, Instant]:
        entered = (read for read in self.responses if read.value.get("answered_at") is not None)
        return {read.record.origin: Instant(read.record.appended_at) for read in entered}

    def consent_of(self, claim: str) -> list[Read]:
        """Consent events of a claim."""
        return self._consent_by_claim.get(claim, [])

    @cached_property
    def _consent_by_claim(self) -> dict[str, list[Read]]:
        return by_claim(self.consent)

    @cached_property
    def now(self) -> Instant:
        """The newest append time there is: at the end of the run it was that late, or later."""
        families = (getattr(self.log, each) for each in FAMILIES)
        return Instant(max((each.appended_at for records in families for each in records), default=0))

    def _read(self, records: Records) -> Iterator[Read]:
        for record in records:
            if record.value is None:
                self._report(FindingCode.UNREADABLE, "The record has no value.", record)
            elif (read := self._one(record, record.value)) is not None:
                yield read

    def _one(self, record: Record, value: bytes) -> Read | None:
        told = read_envelope(record.headers)
        spec = MESSAGES.get(ADMITTED + (told.type or "")) if _is_admitted(record, told) else None
        spec = spec or MESSAGES.get(told.type or "")
        if spec is None:
            self._report(FindingCode.UNREADABLE, f"No message of the type {told.type} is known.", record)
            return None
        try:
            check(spec.model, value)
        except ValidationError as error:
            self._report(FindingCode.OFF_SCHEMA, _first(error), record)
            return None
        return Read(record, told, json.loads(value))

    def _newest(self, records: Records) -> dict[str, Read | None]:
        """The newest row of each key of a compacted topic; None for a tombstone."""
        rows: dict[tuple[int, bytes], Record] = {(each.partition, each.key or b""): each for each in records}
        found: dict[str, Read | None] = {}
        for (_, key), record in rows.items():
            text = key.decode(errors="replace")
            row = None if record.value is None else self._one(record, record.value)
            if row is not None or record.value is None:
                # A key in two partitions: the living row counts, and is found to lie wrongly.
                found[text] = row or found.get(text)
        return found

    def _report(self, code: FindingCode, sentence: str, record: Record) -> None:
        self.findings.append(finding(code, sentence, record=record.origin))


def _is_admitted(record: Record, told: Envelope) -> bool:
    return record.topic == "cpor.claims.commands" and told.type in PARTNER_TYPES


def _first(error: ValidationError) -> str:
    """Where and what, without the value: a finding is no place for contact data."""
    problem = error.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(map(str, problem['loc'])) or 'The value'}: {problem['msg']}."


def _histories(records: list[Read]) -> dict[str, History]:
    found: dict[str, History] = {}
    for read in records:
        if read.value["sequence"] == 0:
            continue
        event = wire.decode_event(wire.event_name(read.type), read.record.value or b"")
        claim = str(read.value["claim_id"])
        found.setdefault(claim, History(claim)).events.append(EventRead(read, event))
    return found


def by_cause(records: list[Read]) -> dict[str, list[Read]]:
    """Records by the id of what caused them."""
    found: dict[str, list[Read]] = defaultdict(list)
    for read in records:
        found[read.told.causation or ""].append(read)
    return found


def by_claim(records: list[Read]) -> dict[str, list[Read]]:
    found: dict[str, list[Read]] = defaultdict(list)
    for read in records:
        found[str(read.value["claim_id"])].append(read)
    return found


def _given_up(letters: Records) -> set[str]:
    found: set[str] = set()
    for record in letters:
        try:
            letter = read_dead_letter(record.headers)
        except ValueError:
            continue  # Not a letter of ours: it excuses nothing.
        found.add(f"{letter.dlq_topic}-{letter.dlq_partition}-{letter.dlq_offset}")
        origin = read_envelope(record.headers).origin
        if origin is not None:
            found.add(origin)
    return found
