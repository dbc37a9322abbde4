"""Putting a customer's answer on record for an operator who took it by phone or mail (D19, contract §5).

Audited first: no answer counts by an operator's word that is not on `cpor.audit`.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from cpor.domain.ids import tenant_partition
from cpor.domain.model import ClaimState
from cpor.domain.vocabulary import EventName, Instant, instant_text
from cpor.domain.wire import event_name
from cpor.ops.errors import NotReachable, Refused, WrongUse
from cpor.ops.inbox import WAIT_SECONDS, exchange
from cpor.ops.instance import Instance
from cpor.ops.writing import checked, on_the_audit
from cpor.runtime.record import Output, Record
from cpor.runtime.topics import Topic
from schemas import envelope
from schemas.audit import ANSWER_RECORDED, AnswerRecorded
from schemas.consent import AGREED, DECLINED, DISMISSED, HELD, IGNORED, RESPONSE, Answer, AnswerChannel, Response
from schemas.fields import MEANINGS, USER_ID

#: `ce_type` of what consent says to an answer → the word for it.
VERDICTS = {DECLINED: "declined", AGREED: "agreed", HELD: "held", IGNORED: "ignored", DISMISSED: "dismissed"}
#: What review has no part in.
_WITHOUT_EVENT = ("held", "ignored", "dismissed")


@dataclass(frozen=True, slots=True)
class Taken:
    """An answer as an operator took it; `answered_at` in ms since the epoch, None where it came just now."""

    answer: Answer
    channel: AnswerChannel
    operator: str
    answered_at: int | None = None
    note: str | None = None


@dataclass(slots=True)
class Became:
    """What became of an answer: consent's verdict, and the first event on the claim that followed from it.

    `counts_from` is RFC 3339; `event` is None for a verdict that changes no claim.
    """

    verdict: str | None = None
    counts_from: str = ""
    reason: str = ""
    event: EventName | None = None
    sequence: int = 0
    value: Mapping[str, Any] | None = None

    @property
    def complete(self) -> bool:
        return self.verdict in _WITHOUT_EVENT or (self.verdict is not None and self.event is not None)

    @property
    def status(self) -> str | None:
        return None if self.value is None else str(self.value["status"])

    def hear(self, record: Record) -> None:
        """One record that this answer brought about."""
        told = envelope.read_envelope(record.headers)
        value = from_json(record.value or b"{}")
        if record.topic == Topic.CLAIM_EVENTS and self.event is None:
            self.event, self.sequence, self.value = event_name(told.type or ""), told.sequence or 0, value
        elif record.topic == Topic.CONSENT_EVENTS and told.type in VERDICTS:
            self.verdict, self.counts_from = VERDICTS[told.type], str(value["at"])
            self.reason = str(value.get("reason", ""))


def check_operator(name: str) -> str:
    """Raises WrongUse where it cannot stand in a `ce_source`."""
    if not re.fullmatch(USER_ID, name):
        raise WrongUse(f"--as takes {MEANINGS[USER_ID]}; not {name!r}")
    return name


def put_on_record(instance: Instance, state: ClaimState, taken: Taken, seconds: float = WAIT_SECONDS) -> Became:
    """Audit and write the answer, and wait for what becomes of it.

    Raises WrongUse, Refused where it changes nothing (with consent's reason), NotReachable.
    """
    now, tenant = instance.clock.now(), state.form.tenant_id
    if taken.answered_at is not None and taken.answered_at > now:
        raise WrongUse(f"--answered-at lies in the future: the clock says {instant_text(now)}")
    return told_to_consent(
        instance, state, lambda said, place: records(state.claim_id, tenant, taken, said, now, place), seconds
    )


def told_to_consent(
    instance: Instance, state: ClaimState, build: Callable[[str, int], Iterable[Output]], seconds: float
) -> Became:
    """Write what `build` makes of a message's id and the tenant's partition, and wait for what becomes of it.

    Raises Refused where it changes nothing (with consent's reason), NotReachable.
    """
    message_id, tenant = str(uuid.uuid4()), state.form.tenant_id
    with exchange(instance, (Topic.CONSENT_EVENTS, Topic.CLAIM_EVENTS), tenant=tenant) as talk:
        listener = Listener(message_id, state.claim_id)
        talk.ask(build(message_id, tenant_partition(tenant, talk.partitions)), listener, seconds)
    return judged(listener.became, seconds)


def records(claim_id: str, tenant: str, taken: Taken, message_id: str, now: int, place: int) -> tuple[Output, Output]:
    """The audit's entry, and the answer. Raises WrongUse where a text is too long."""
    answered = None if taken.answered_at is None else instant_text(taken.answered_at)
    told = {"answer": taken.answer, "channel": taken.channel, "operator": taken.operator}
    optional = {"answered_at": answered, "note": taken.note or None}
    said = {"claim_id": claim_id, **told, **{name: value for name, value in optional.items() if value}}
    entry = {"at": instant_text(now), "tenant_id": tenant, "response_id": message_id}
    evidence = {"evidence": f"taken by {taken.channel} by operator {taken.operator}"}
    by = ByOperator(taken.operator, claim_id, tenant, message_id, Instant(now), place)
    return (
        by.on_the_audit(ANSWER_RECORDED, checked(AnswerRecorded, said | entry)),
        by.to_consent(RESPONSE, checked(Response, said | evidence)),
    )


@dataclass(frozen=True, slots=True)
class ByOperator:
    """What an operator's word to consent and its entry on the audit have in common; `place`: the tenant's partition."""

    operator: str
    claim_id: str
    tenant: str
    message_id: str
    now: Instant
    place: int

    def on_the_audit(self, ce_type: str, value: bytes) -> Output:
        return on_the_audit(ce_type, value, self.operator, self.message_id, self.now, self.claim_id)

    def to_consent(self, ce_type: str, value: bytes) -> Output:
        source, message_id = f"/operators/{self.operator}", self.message_id
        made = envelope.headers(ce_type, message_id, source, self.now, self.claim_id, correlation=message_id)
        return Output(Topic.CONSENT_RESPONSES, self.place, self.tenant.encode(), value, made)


class Listener:
    """Hears what an answer brings about; called with every record that comes, it gives `became` once that is whole."""

    def __init__(self, message_id: str, claim_id: str) -> None:
        self.became = Became()
        self._message_id = message_id
        self._claim_id = claim_id

    def __call__(self, record: Record) -> Became | None:
        told = envelope.read_envelope(record.headers)
        if told.correlation == self._message_id and told.subject == self._claim_id:
            self.became.hear(record)
        return self.became if self.became.complete else None


def judged(became: Became, seconds: float) -> Became:
    if became.verdict == "ignored":
        raise Refused(f"the answer is on record, but changes nothing: {became.reason}")
    if became.verdict is None:
        raise NotReachable(
            f"the answer is on record, but consent did not judge it within {seconds:.0f} s: is it running? "
            "See `cpor status`, then `cpor consent show`"
        )
    if not became.complete:
        raise NotReachable(
            f"the answer is on record as {became.verdict}, but nothing came of it on the claim within {seconds:.0f} s: "
            "review is not running (`cpor status`), or the claim ended meanwhile (`cpor claims history`)"
        )
    return became
