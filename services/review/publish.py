"""What a decision leaves behind, all in the round's transaction: events, rows, hand-offs and associations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cpor.domain import ids, wire
from cpor.domain.associations import associations_after
from cpor.domain.events import (
    Approved,
    AssociationEnded,
    ConsentCompleted,
    Event,
    LegacyImported,
    Rejected,
    RejectedFinal,
    UnknownClaimRefused,
)
from cpor.domain.evolve import evolve
from cpor.domain.handoff import APPROVED_TOPIC, Handoff, handoffs
from cpor.domain.model import ClaimState
from cpor.domain.result import Accepted
from cpor.domain.vocabulary import ClaimId, EventName, UnitId
from cpor.runtime.processor import Context
from cpor.runtime.topics import Topic
from schemas.envelope import headers
from services.review.inbox import Message
from services.review.tables import ASSOCIATIONS, CLAIMS, CLAIMS_BY_UNIT, SOURCE

#: Events that open, complete or end what a claim holds; all others concern the claim alone.
HOLDINGS: frozenset[EventName] = frozenset(
    each.NAME for each in (Approved, LegacyImported, ConsentCompleted, AssociationEnded, Rejected, RejectedFinal)
)


def changes(context: Context, message: Message, granted: Accepted) -> None:
    """The events of a decision, the rows of the claims they changed, and what others build on."""
    touched: dict[ClaimId, None] = {}
    holdings = False
    for event in granted.events:
        _send_event(context, message, event, ids.event_id(event.claim_id, event.sequence))
        touched[event.claim_id] = None
        holdings = holdings or event.NAME in HOLDINGS
    if holdings:
        _hand_off(context, message, granted.events)
    for claim in touched:
        context.put(CLAIMS, claim.encode(), granted.states[claim])
    if holdings:
        for unit in _units_changed(granted.events, granted.states):
            _associate(context, unit)


def unknown_claim(context: Context, message: Message, event: UnknownClaimRefused) -> None:
    """The refusal of a command for a claim that does not exist: sequence 0, outside any fold (contract §4)."""
    _send_event(context, message, event, ids.derived_id(event.message_id or "", event.NAME.ce_type))


def _send_event(context: Context, message: Message, event: Event | UnknownClaimRefused, event_id: str) -> None:
    told = headers(
        event.NAME.ce_type, event_id, SOURCE, event.at, event.claim_id, sequence=event.sequence, extra=message.trail
    )
    context.emit(Topic.CLAIM_EVENTS, context.partition, message.key, wire.encode(event), told)


def _hand_off(context: Context, message: Message, events: tuple[Event, ...]) -> None:
    """Each hand-off is made of the state right after its event: one command may approve and end a claim."""
    for event, after in _states_between(context, events):
        if event.NAME in HOLDINGS:
            for number, handoff in enumerate(handoffs(event, after)):
                _send_handoff(context, message, event, number, handoff)


def _states_between(context: Context, events: tuple[Event, ...]) -> Iterator[tuple[Event, ClaimState]]:
    """Each event with the state after it. Needs the rows as they were before the command."""
    states: dict[ClaimId, ClaimState] = {}
    for event in events:
        before = states.get(event.claim_id) or context.get(CLAIMS, event.claim_id.encode())
        states[event.claim_id] = evolve(before, event)
        yield event, states[event.claim_id]


def _send_handoff(context: Context, message: Message, event: Event, number: int, handoff: Handoff) -> None:
    cause = ids.event_id(event.claim_id, event.sequence)
    topic = Topic.APPROVED if handoff.type in APPROVED_TOPIC else Topic.ELIGIBLE
    told = headers(
        handoff.type,
        ids.derived_id(cause, handoff.type, number),
        SOURCE,
        event.at,
        event.claim_id,
        causation=cause,
        extra=message.passed_on,
    )
    context.emit(topic, context.partition, event.claim_id.encode(), wire.encode(handoff.data), told)


def _units_changed(events: tuple[Event, ...], states: Mapping[ClaimId, ClaimState]) -> Iterator[UnitId]:
    """The units whose holder may be another now, each once."""
    found: dict[UnitId, None] = {}
    for event in events:
        if event.NAME in HOLDINGS:
            found.update(dict.fromkeys(_units_of(event, states[event.claim_id])))
    yield from found


def _units_of(event: Event, state: ClaimState) -> tuple[UnitId, ...]:
    if isinstance(event, Approved | LegacyImported | AssociationEnded):
        return event.units
    if isinstance(event, Rejected | RejectedFinal):
        return event.units_released
    return state.units


def _associate(context: Context, unit: UnitId) -> None:
    """Writes the unit's row from all claims that touch it, or its tombstone when none holds it any more."""
    key = unit.encode()
    row = associations_after(unit, (state for _, state in context.find(CLAIMS_BY_UNIT, key)))
    if row is not None:
        context.put(ASSOCIATIONS, key, row)
    elif context.get(ASSOCIATIONS, key) is not None:
        context.delete(ASSOCIATIONS, key)
