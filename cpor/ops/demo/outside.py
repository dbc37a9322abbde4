"""What customers and incentive systems say on topics of their own, and how a story hears what came of it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json

from cpor.domain.ids import tenant_partition
from cpor.domain.vocabulary import Instant, instant_text
from cpor.domain.wire import event_name
from cpor.ops.answers import Listener, Taken, records
from cpor.ops.demo.asks import Respond, Result
from cpor.runtime.record import Output, Record
from cpor.runtime.topics import Topic
from schemas import consent, envelope
from schemas.consent import AnswerChannel


@dataclass(frozen=True, slots=True)
class Spoken:
    """What is to be sent; `message_id` is how its effects go back to it."""

    message_id: str
    outputs: tuple[Output, ...]


class Links:
    """The newest link that each customer has got, by claim id: `ce_id` of the request (contract §5)."""

    def __init__(self) -> None:
        self._newest: dict[str, str] = {}

    def see(self, record: Record) -> None:
        """A record of `cpor.consent.events`."""
        told = envelope.read_envelope(record.headers)
        if told.type == consent.REQUESTED and told.subject and told.id:
            self._newest[told.subject] = told.id

    def of(self, claim_id: str) -> str | None:
        return self._newest.get(claim_id)


def spoken(ask: Respond | Result, links: Links, now: int, partitions: int) -> Spoken:
    message_id, place = str(uuid.uuid4()), tenant_partition(ask.tenant_id, partitions)
    if isinstance(ask, Result):
        told = {key: each for key, each in ask.data.items() if each is not None}
        return Spoken(message_id, (_output(ask, Topic.INCENTIVE_RESULTS, ask.command, told, message_id, now, place),))
    if ask.operator is not None:
        taken = Taken(ask.answer, AnswerChannel.PHONE, ask.operator, note="called back on the number on record")
        return Spoken(message_id, records(ask.claim_id, ask.tenant_id, taken, message_id, now, place))
    said = _unchecked(ask, now) if ask.by_phone else _on_the_page(ask, links)
    return Spoken(message_id, (_output(ask, Topic.CONSENT_RESPONSES, consent.RESPONSE, said, message_id, now, place),))


def _on_the_page(ask: Respond, links: Links) -> dict[str, Any]:
    return {"answer": ask.answer, "channel": AnswerChannel.PAGE, "token_id": links.of(ask.claim_id)}


def _unchecked(ask: Respond, now: int) -> dict[str, Any]:
    """By phone, and nobody has put a name to it (D20)."""
    return {"answer": ask.answer, "channel": AnswerChannel.PHONE, "answered_at": instant_text(Instant(now))}


def _output(
    ask: Respond | Result, topic: Topic, ce_type: str, data: Mapping[str, Any], message_id: str, now: int, place: int
) -> Output:
    source = f"/customers/{ask.tenant_id}" if isinstance(ask, Respond) else "/incentives"
    told = envelope.headers(ce_type, message_id, source, Instant(now), ask.claim_id, correlation=message_id)
    return Output(topic, place, ask.tenant_id.encode(), to_json({"claim_id": ask.claim_id, **data}), told)


class Effects:
    """Hears what a message brings about: consent's verdict and the event on the claim, or the event alone."""

    def __init__(self, message_id: str, ask: Respond | Result) -> None:
        self._ask = ask
        self._listener = Listener(message_id, ask.claim_id)

    def hear(self, record: Record) -> str | None:
        """What came of it, once that is known: the event on the claim, or `held` or `ignored` where none follows."""
        if isinstance(self._ask, Respond):
            became = self._listener(record)
            return None if became is None else became.event or became.verdict
        same = record.topic == Topic.CLAIM_EVENTS and record.header(envelope.SUBJECT) == self._ask.claim_id
        return event_name(record.header(envelope.TYPE) or "") if same else None
