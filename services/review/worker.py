"""Review's processor: the inbox in, everything else out."""

from __future__ import annotations

from collections.abc import Iterable

import structlog

from cpor.domain.commands import Command, CommandContext, ParkClaim
from cpor.domain.decide import decide, record_refusal, refusal_event
from cpor.domain.events import UnknownClaimRefused
from cpor.domain.model import SYSTEM, ClaimState
from cpor.domain.result import Accepted, Held, Ignored, Refused
from cpor.domain.vocabulary import Instant
from cpor.runtime.errors import Reject
from cpor.runtime.letters import letter_headers
from cpor.runtime.processor import Context, Processor
from cpor.runtime.record import Record
from cpor.runtime.topics import Topic
from schemas.envelope import CAUSATION, CORRELATION
from services.review import publish, receipts
from services.review.facts import gather
from services.review.inbox import WRONG_KEY, Message, claim_of, order_key, read_message
from services.review.tables import CLAIMS, REFERENCE_TABLES, STATE_TABLES

#: Why a time-out of a parked claim lies among the dead letters: it waits there for the claim's own letter.
HELD = "held_while_parked"

log = structlog.get_logger("cpor.review")


class Review(Processor):
    """Decides each command of `cpor.claims.commands` on its claim's state; `partitions` is N of contract §1."""

    service = "review"
    slots_topic = Topic.REVIEW_SLOTS
    state_tables = STATE_TABLES
    reference_tables = REFERENCE_TABLES
    parked_topic = Topic.REVIEW_PARKED

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions

    def sources(self, all_topics: Iterable[str]) -> list[str]:
        return [Topic.CLAIM_COMMANDS]

    def order_key(self, record: Record) -> bytes | None:
        """Tenant and claim; see `inbox.order_key`."""
        return order_key(record, self._partitions)

    def process(self, context: Context, record: Record) -> None:
        message = read_message(record, self._partitions)
        state: ClaimState | None = context.get(CLAIMS, message.subject)
        if state is not None and state.form.tenant_id != message.command.context.tenant_id:
            raise Reject(WRONG_KEY, "the key is not the claim's tenant", record=record.origin)
        decision = decide(state, message.command, gather(context, state, message.command))
        if isinstance(decision, Accepted):
            _grant(context, message, decision)
        elif isinstance(decision, Refused):
            _refuse(context, message, state, decision)
        elif isinstance(decision, Held):
            _hold(context, record, decision)
        else:
            _ignore(record, decision)

    def on_dead_letter(self, context: Context, record: Record, reason: str, letter_id: str) -> None:
        """A record that cannot be read parks its claim, time-outs included, where all can see it."""
        claim = claim_of(record, self._partitions)
        state: ClaimState | None = None if claim is None else context.get(CLAIMS, claim)
        if state is None or state.form.tenant_id.encode() != record.key:
            return
        message = _parking(record, state, letter_id)
        decision = decide(state, message.command)
        if isinstance(decision, Accepted):
            publish.changes(context, message, decision)


def _grant(context: Context, message: Message, granted: Accepted) -> None:
    if granted.events:
        publish.changes(context, message, granted)
    if message.from_partner:
        receipts.accepted(context, message, granted)


def _refuse(context: Context, message: Message, state: ClaimState | None, no: Refused) -> None:
    """A partner is told by receipt; a refusal of anybody else's command is an event (contract §4)."""
    if message.from_partner:
        receipts.rejected(context, message, state, no)
    elif state is not None:
        publish.changes(context, message, record_refusal(state, message.command, no))
    else:
        event = refusal_event(None, message.command, no)
        assert isinstance(event, UnknownClaimRefused), "there is no claim"
        publish.unknown_claim(context, message, event)


def _hold(context: Context, record: Record, held: Held) -> None:
    """Not dropped and not decided: it lies with the letters until the claim's own is dealt with."""
    told = letter_headers("review", record, HELD, held.reason)
    context.emit(Topic.DEAD_LETTERS, 0, record.key, record.value, told)


def _ignore(record: Record, ignored: Ignored) -> None:
    log.debug("ignored", record=record.origin, reason=ignored.reason)


def _parking(record: Record, state: ClaimState, letter_id: str) -> Message:
    """What intake would say of a letter of its own (`cpor.claim.park.v1`)."""
    about = CommandContext(
        now=Instant(record.appended_at),
        received_at=Instant(record.appended_at),
        actor=SYSTEM,
        claim_id=state.claim_id,
        tenant_id=state.form.tenant_id,
        origin=record.origin,
        message_id=letter_id,
    )
    correlation = (CORRELATION, letter_id.encode())
    return Message(
        command=Command(about, ParkClaim(letter_id=letter_id)),
        key=state.form.tenant_id.encode(),
        subject=state.claim_id.encode(),
        from_partner=False,
        trail=((CAUSATION, letter_id.encode()), correlation),
        passed_on=(correlation,),
    )
