"""What must hold after every single step, judged by records alone: each is looked at once, when it is committed."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from cpor.domain import ids, wire
from cpor.domain.associations import associations_after
from cpor.domain.events import ConsentCompleted
from cpor.domain.evolve import evolve
from cpor.domain.model import ClaimState, ConsentStage
from cpor.domain.vocabulary import ActorKind, ClaimId, Clock, CommandName, EventName, Instant, Status, UnitId
from cpor.runtime.record import Record
from cpor.runtime.topics import Topic, receipts_topic, updates_topic
from schemas import handoff
from schemas.envelope import Envelope, read_envelope
from tests.unit.machine.world import World
from tests.unit.ops.checker.whole import PARTNERS

TERMINAL = (Status.CANCELLED, Status.REJECTED_FINAL)
WEEK_MS = 7 * 86_400_000
HOUR_MS = 3_600_000
#: How a reviewer decides.
DECISIONS = (EventName.APPROVED, EventName.REJECTED, EventName.REJECTED_FINAL)
#: Header and value that say why review keeps a parked claim's time-out with its letters.
REASON, HELD = "dlq_reason", "held_while_parked"

#: A claim and the sequence of the event that approved it.
ApprovalId = tuple[str, int]


class Watch:
    """`look` after each step. Each check asserts; its comment names the invariant of docs/properties.md."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.states: dict[ClaimId, ClaimState] = {}
        #: Approvals whose customer has said no in time.
        self.doomed: set[ApprovalId] = set()
        self.eligible: set[ApprovalId] = set()
        self.seen: Counter[str] = Counter()
        #: Decisions by reviewers; what a customer's kept no or a displacement makes of them is not theirs.
        self.decided = 0
        self._once: Counter[tuple[Any, ...]] = Counter()
        self._rows: dict[str, bytes | None] = {}
        self._told: dict[str, int] = defaultdict(int)
        self._fresh: set[ClaimId] = set()
        updates: dict[str, Callable[[Record, Envelope], None]] = {
            updates_topic(partner): self._update for partner in PARTNERS
        }
        receipts = {receipts_topic(partner): self._receipt for partner in PARTNERS}
        self._handlers: Mapping[str, Callable[[Record, Envelope], None]] = {
            Topic.CLAIM_EVENTS: self._event,
            Topic.CLAIM_STATE: self._row,
            Topic.APPROVED: self._handoff,
            Topic.ELIGIBLE: self._handoff,
            Topic.CLAIM_COMMANDS: self._command,
            Topic.DEADLINE_EVENTS: self._rung,
            Topic.MAIL: self._mail,
            Topic.CONSENT_EVENTS: self._by_id,
            Topic.DEAD_LETTERS: self._letter,
            **updates,
            **receipts,
        }
        self._reader = world.reader(*self._handlers)
        self._order = {topic: place for place, topic in enumerate(self._handlers)}

    def look(self) -> None:
        fresh = self._reader.poll(0, 100_000)
        for record in sorted(fresh, key=lambda each: (self._order[each.topic], each.partition, each.offset)):
            self._handlers[record.topic](record, read_envelope(record.headers))
        for claim in self._fresh:
            assert self._rows[claim] == wire.encode(self.states[claim]), f"I6: the row of {claim} is not its fold"
        self._fresh.clear()

    def dooms(self, claim: ClaimId, now: Instant) -> None:
        """A valid no, now: where it is in time by what has been committed, its approval must never be handed off."""
        state = self.states.get(claim)
        if state is None or state.status != Status.APPROVED or state.approval is None:
            return
        wait = state.clock(Clock.CONSENT_WAIT)
        suspended = state.consent.stage == ConsentStage.SUSPENDED
        if suspended or (wait is not None and wait.remaining is None and now < wait.due):
            self.doomed.add((claim, state.approval.sequence))

    # -- claims --------------------------------------------------------------------------------------------------------

    def _event(self, record: Record, told: Envelope) -> None:
        self._by_id(record, told)
        if told.sequence == 0:
            return
        event = wire.decode_event(wire.event_name(told.type or ""), record.value or b"")
        before = self.states.get(event.claim_id)
        assert event.sequence == (before.sequence + 1 if before else 1), "I5: sequences are dense"
        assert told.id == ids.event_id(event.claim_id, event.sequence), "I5: an id is its claim's and sequence's"
        state = evolve(before, event)
        if before is not None and before.status in TERMINAL:
            assert (state.status, state.units) == (before.status, ()), "I9: nothing moves after a terminal status"
        self.states[event.claim_id] = state
        self._fresh.add(event.claim_id)
        self.seen[event.NAME] += 1
        self.decided += event.actor.kind == ActorKind.REVIEWER and event.NAME in DECISIONS
        self._holders(before, state)
        if isinstance(event, ConsentCompleted) and before is not None:
            self._completed(before, event, record)

    def _holders(self, before: ClaimState | None, state: ClaimState) -> None:
        """I1; `associations_after` raises where two partners hold a unit."""
        touched: set[UnitId] = set(state.units) - set(before.units if before else ())
        for unit in touched:
            associations_after(unit, (each for each in self.states.values() if unit in each.units))

    def _completed(self, before: ClaimState, event: ConsentCompleted, record: Record) -> None:
        wait = before.clock(Clock.CONSENT_WAIT)
        assert before.approval is not None, "I2: only an approval is completed"
        assert wait is not None, "I2: only a wait that runs ends"
        assert record.appended_at >= wait.due >= before.approval.at + WEEK_MS - HOUR_MS, "I2: the wait is seven days"
        assert (event.claim_id, before.approval.sequence) not in self.doomed, "I2: a no in time ends the approval"

    def _row(self, record: Record, told: Envelope) -> None:
        self._rows[(record.key or b"").decode()] = record.value

    # -- what is given away --------------------------------------------------------------------------------------------

    def _handoff(self, record: Record, told: Envelope) -> None:
        value = json.loads(record.value or b"")
        approval: ApprovalId = (value["claim_id"], value["approval"])
        units = tuple(value["units"]) if told.type not in (handoff.APPROVED, handoff.ELIGIBLE) else ()
        self._first((told.type, approval, units), "I3: a hand-off goes out once")
        if told.type == handoff.ELIGIBLE:
            assert approval not in self.doomed, "I2: never eligible after a no in time"
            self.eligible.add(approval)
            self.seen["eligible"] += 1
        elif record.topic == Topic.ELIGIBLE:
            assert approval in self.eligible, "I3: only what was given is taken back"

    def _receipt(self, record: Record, told: Envelope) -> None:
        self._first(("receipt", told.id), "I4: a message has one receipt")
        self.seen["receipt"] += 1

    def _update(self, record: Record, told: Envelope) -> None:
        value = json.loads(record.value or b"")
        self._told[value["claim_id"]] += 1
        assert value["sequence"] == self._told[value["claim_id"]], "I11: one update for each event, in order"

    def _mail(self, record: Record, told: Envelope) -> None:
        self._first(("mail", told.id), "I12: no mail is written twice")
        self.seen["mail"] += 1

    def _letter(self, record: Record, told: Envelope) -> None:
        """A time-out of a parked claim waits there for the claim's own letter (architecture §3); nothing else may."""
        if record.header(REASON) == HELD and told.type == CommandName.DEADLINE_EXPIRED:
            return
        raise AssertionError(f"I8: nothing is lost to the dead letters: {told.id} {told.type} {record.value!r:.300}")

    # -- clocks --------------------------------------------------------------------------------------------------------

    def _command(self, record: Record, told: Envelope) -> None:
        if told.source != "/tools/t":
            self._by_id(record, told)
        if told.type == CommandName.DEADLINE_EXPIRED:
            value = json.loads(record.value or b"")
            self._first(("rung", value["claim_id"], value["clock"], value["started_by"], 9), "I10: a timer fires once")
        if told.type == CommandName.OPS_END_SUBSCRIPTION and told.source == "/services/deadlines":
            self.seen["end"] += 1

    def _rung(self, record: Record, told: Envelope) -> None:
        value = json.loads(record.value or b"")
        rung = (value["claim_id"], value["clock"], value["started_by"], value["rung"])
        self._first(("rung", *rung), "I10: a timer fires once")
        self.seen["rung"] += 1

    # -- all -----------------------------------------------------------------------------------------------------------

    def _by_id(self, record: Record, told: Envelope) -> None:
        self._first((record.topic, told.id), "I7: what is read again is not said again")

    def _first(self, what: tuple[Any, ...], says: str) -> None:
        self._once[what] += 1
        assert self._once[what] == 1, f"{says}: {what}"
