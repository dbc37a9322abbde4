"""What must hold of review's topics after any history, read from the outside."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from cpor.domain import ids, wire
from cpor.domain.associations import associations_after
from cpor.domain.events import Event
from cpor.domain.evolve import fold
from cpor.domain.vocabulary import ClaimId, TenantId
from cpor.runtime.record import Record
from cpor.runtime.topics import Topic, receipts_topic
from cpor.runtime.transport.memory import MemoryBroker
from schemas.base import check
from schemas.envelope import Envelope, read_envelope
from schemas.handoff import APPROVED, ELIGIBLE
from schemas.registry import MESSAGES

OUTPUTS = (Topic.CLAIM_EVENTS, Topic.CLAIM_STATE, Topic.ASSOCIATIONS, Topic.APPROVED, Topic.ELIGIBLE)


class Auditor:
    """Reads committed records only. Each check asserts."""

    def __init__(self, broker: MemoryBroker, admitted: list[tuple[str, str, str]], partitions: int) -> None:
        self._broker = broker
        self._admitted = admitted
        self._partitions = partitions

    def audit(self) -> None:
        self.everything_written_validates_strictly()
        self.every_partner_command_has_one_receipt()
        self.states_are_the_folds_of_events()
        self.associations_are_what_claims_hold()
        self.handoffs_are_once_per_approval()

    def everything_written_validates_strictly(self) -> None:
        partners = {by for by, _, _ in self._admitted}
        for topic in (*OUTPUTS, *map(receipts_topic, sorted(partners))):
            for record in self._broker.records(topic):
                if record.value is not None:
                    self._check(record)

    def _check(self, record: Record) -> None:
        told = read_envelope(record.headers)
        spec = MESSAGES.get(told.type or "")
        assert spec is not None, f"{record.origin} has type {told.type}"
        check(spec.model, record.value or b"")
        assert told.specversion == "1.0"
        assert told.source == "/services/review"
        assert told.id
        assert told.at is not None

    def every_partner_command_has_one_receipt(self) -> None:
        answered = Counter(
            (told.id, told.causation)
            for by in sorted({by for by, _, _ in self._admitted})
            for told in map(_told, self._broker.records(receipts_topic(by), 0))
        )
        assert answered == Counter((ids.name_id(origin), message) for _, origin, message in self._admitted)

    def states_are_the_folds_of_events(self) -> None:
        assert self._rows(Topic.CLAIM_STATE) == {
            claim.encode(): wire.encode(fold(events)) for claim, events in self._histories().items()
        }

    def associations_are_what_claims_hold(self) -> None:
        states = [state for events in self._histories().values() if (state := fold(events)) is not None]
        held = {unit: associations_after(unit, states) for state in states for unit in state.units}
        assert self._rows(Topic.ASSOCIATIONS) == {unit.encode(): wire.encode(row) for unit, row in held.items()}

    def handoffs_are_once_per_approval(self) -> None:
        given: dict[str, Counter[tuple[str, Any]]] = defaultdict(Counter)
        for topic in (Topic.APPROVED, Topic.ELIGIBLE):
            for record in self._broker.records(topic):
                message = MESSAGES[_told(record).type or ""].model.model_validate_json(record.value or b"")
                given[_told(record).type or ""][(message.claim_id, message.approval)] += 1  # type: ignore[attr-defined]
        wanted = self._approvals()
        assert given[APPROVED] == wanted[APPROVED]
        assert given[ELIGIBLE] == wanted[ELIGIBLE]

    def _approvals(self) -> dict[str, Counter[tuple[str, Any]]]:
        found: dict[str, Counter[tuple[str, Any]]] = defaultdict(Counter)
        for claim, events in self._histories().items():
            for event in () if events[0].NAME == "legacy_imported" else events:
                if event.NAME == "approved":
                    found[APPROVED][(claim, event.sequence)] += 1
                if event.NAME == "consent_completed":
                    found[ELIGIBLE][(claim, getattr(event, "approval", None))] += 1
        return found

    def _histories(self) -> dict[ClaimId, list[Event]]:
        """Events by claim, checked for place, key, id and dense sequence."""
        found: dict[ClaimId, list[Event]] = defaultdict(list)
        seen: set[str] = set()
        for record in self._broker.records(Topic.CLAIM_EVENTS):
            told = _told(record)
            assert record.partition == ids.tenant_partition(TenantId((record.key or b"").decode()), self._partitions)
            assert told.id not in seen
            seen.add(told.id or "")
            if told.sequence == 0:
                continue
            event = wire.decode_event(wire.event_name(told.type or ""), record.value or b"")
            assert told.id == ids.event_id(event.claim_id, event.sequence)
            assert told.subject == event.claim_id
            assert event.sequence == told.sequence == len(found[event.claim_id]) + 1
            found[event.claim_id].append(event)
        return found

    def _rows(self, topic: Topic) -> dict[bytes, bytes]:
        newest = {record.key: record.value for record in self._broker.records(topic)}
        return {key: value for key, value in newest.items() if key is not None and value is not None}


def _told(record: Record) -> Envelope:
    return read_envelope(record.headers)
