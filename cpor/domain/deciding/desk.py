"""A decision in the making: the claims it touches, the events so far, and the state after each of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cpor.domain.clocks import ClockChanges, Timekeeper, calendar_of
from cpor.domain.commands import Command, CommandContext
from cpor.domain.events import Event
from cpor.domain.evolve import evolve
from cpor.domain.knowledge import Facts
from cpor.domain.model import SYSTEM, Actor, ClaimState
from cpor.domain.policy import Policy, policy
from cpor.domain.refusal import FieldError
from cpor.domain.result import Accepted
from cpor.domain.vocabulary import ClaimId, Clock, Status


class Desk:
    """Collects what a handler records. A handler that refuses leaves it behind; nothing then happened."""

    __slots__ = ("_states", "command", "context", "events", "facts", "warnings")

    def __init__(self, state: ClaimState | None, command: Command, facts: Facts) -> None:
        self.command = command
        self.context: CommandContext = command.context
        self.facts = facts
        self.events: list[Event] = []
        self.warnings: tuple[FieldError, ...] = ()
        self._states: dict[ClaimId, ClaimState] = {} if state is None else {state.claim_id: state}

    @property
    def claim(self) -> ClaimState:
        """The command's own claim as it is by now. Raises KeyError while there is none."""
        return self._states[self.context.claim_id]

    @property
    def policy(self) -> Policy:
        """The claim's edition (D1)."""
        return policy(self.claim.policy)

    @property
    def others(self) -> tuple[ClaimState, ...]:
        """The neighbours as they are by now."""
        own = self.context.claim_id
        return tuple(self.other(each) for each in sorted(self.facts.others) if each != own)

    def other(self, claim: ClaimId) -> ClaimState:
        return self._states.get(claim) or self.facts.others[claim]

    def time(self, claim: ClaimState | None = None) -> Timekeeper:
        of = claim or self.claim
        return Timekeeper(policy(of.policy), calendar_of(of.origin.calendar, of.origin.zone))

    def begin(self, event: Event) -> ClaimState:
        """The first event of the command's claim."""
        return self._add(None, event)

    def record(self, kind: Callable[..., Event], /, **own: Any) -> ClaimState:
        """One more event of the command's own claim, its status unchanged."""
        claim = self._states[self.context.claim_id]
        return self._event(claim, kind, self.context.actor, claim.status, own)

    def record_on(self, claim: ClaimState, kind: Callable[..., Event], /, **own: Any) -> ClaimState:
        """An event of any claim by the system itself, its status unchanged."""
        return self._event(claim, kind, SYSTEM, claim.status, own)

    def enter(self, status: Status, kind: Callable[..., Event], /, *, window: bool = False, **own: Any) -> ClaimState:
        """The event by which the command's claim enters a status, with the clocks that go and come."""
        return self._enter(self.claim, self.context.actor, status, kind, window, own)

    def enter_on(
        self, claim: ClaimState, status: Status, kind: Callable[..., Event], /, *, window: bool, **own: Any
    ) -> ClaimState:
        """The same for any claim, by the system itself."""
        return self._enter(claim, SYSTEM, status, kind, window, own)

    def accepted(self) -> Accepted:
        return Accepted(tuple(self.events), self._states, self.warnings)

    def window_open(self) -> bool:
        """T15, D12, D26: whether the rejection could still be disputed when the message was received (D19)."""
        window = self.claim.clock(Clock.DISPUTE_WINDOW)
        return window is not None and self.context.received_at < window.due

    def _enter(
        self,
        claim: ClaimState,
        actor: Actor,
        status: Status,
        kind: Callable[..., Event],
        window: bool,
        own: dict[str, Any],
    ) -> ClaimState:
        changes = self.time(claim).entering(claim, status, self.context.now, window)
        return self._event(claim, kind, actor, status, _with_clocks(changes, own))

    def _event(
        self, claim: ClaimState, kind: Callable[..., Event], actor: Actor, status: Status, own: dict[str, Any]
    ) -> ClaimState:
        event = kind(
            claim_id=claim.claim_id,
            sequence=claim.sequence + 1,
            at=self.context.now,
            actor=actor,
            policy=claim.policy,
            status=status,
            **own,
        )
        return self._add(claim, event)

    def _add(self, claim: ClaimState | None, event: Event) -> ClaimState:
        state = evolve(claim, event)
        self.events.append(event)
        self._states[state.claim_id] = state
        return state


def _with_clocks(changes: ClockChanges, own: dict[str, Any]) -> dict[str, Any]:
    own["clocks_started"] = changes.started
    own["clocks_stopped"] = changes.stopped
    if changes.paused:
        own["clocks_paused"] = changes.paused
    return own
