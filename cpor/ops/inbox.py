"""Putting a reviewer's or operator's command into review's inbox, and waiting for what becomes of it (contract §4)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from pydantic_core import from_json

from cpor.domain.ids import tenant_partition
from cpor.domain.model import ClaimState
from cpor.domain.vocabulary import ActorKind, CommandName, EventName, Instant, TenantId
from cpor.domain.wire import event_name
from cpor.ops.directory import claim_partitions
from cpor.ops.errors import NotReachable, Refused
from cpor.ops.instance import Instance
from cpor.ops.reading import Follower, partition_counts
from cpor.ops.writing import NO_WHY, Why, audit_entry, checked
from cpor.runtime.record import Output, Record, TopicPartition
from cpor.runtime.topics import Topic
from cpor.runtime.transport.port import Publisher
from schemas import envelope
from schemas.audit import COMMAND_GIVEN, CommandGiven
from schemas.inbox import INBOX_FROM_INSIDE
from schemas.upcast import newest

T = TypeVar("T")
#: Longer than a worker needs to be started anew.
WAIT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """The last event that a command brought about on its claim; `value` is its JSON (contract §5).

    `after`: what it brought about before, as the approval that an early no undoes at once (D9).
    """

    event: EventName
    sequence: int
    value: Mapping[str, Any]
    after: tuple[EventName, ...] = ()

    @property
    def refused(self) -> bool:
        return self.event is EventName.COMMAND_REFUSED

    @property
    def status(self) -> str | None:
        return self.value.get("status")


def to_inbox(
    name: CommandName, claim_id: str, tenant: TenantId, data: Mapping[str, Any], source: str, now: int, partitions: int
) -> tuple[str, Output]:
    """The message's id and its record. The id is new each time: a person who says it again means it again.

    Raises WrongUse where the data is not what the command takes.
    """
    ce_type = newest(name)
    value = checked(INBOX_FROM_INSIDE[ce_type], {"claim_id": claim_id, **data})
    message_id = str(uuid.uuid4())
    made = envelope.headers(ce_type, message_id, source, Instant(now), claim_id, correlation=message_id)
    place = tenant_partition(tenant, partitions)
    return message_id, Output(Topic.CLAIM_COMMANDS, place, tenant.encode(), value, made)


def by_actor(kind: ActorKind, actor: str, **data: Any) -> dict[str, Any]:
    """The data of a command: what was given of `data`, and who acts."""
    given = {key: value for key, value in data.items() if value not in (None, (), [])}
    return {"actor": {"kind": kind, "id": actor}, **given}


def by_reviewer(reviewer: str, **data: Any) -> dict[str, Any]:
    return by_actor(ActorKind.REVIEWER, reviewer, **data)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A publisher, and a reader of what follows from its records; `partitions` is N."""

    instance: Instance
    partitions: int
    publisher: Publisher
    follower: Follower

    def ask(self, outputs: Iterable[Output], wanted: Callable[[Record], T | None], seconds: float) -> T | None:
        """Write the records, each when the one before it is safe; the first answer of `wanted`, None without one."""
        for output in outputs:
            self.publisher.send(output)
            self.publisher.flush()
        return self.follower.await_one(wanted, seconds)


@contextmanager
def exchange(
    instance: Instance, topics: Iterable[Topic] = (Topic.CLAIM_EVENTS,), *, tenant: TenantId | None = None
) -> Iterator[Exchange]:
    """Hears the topics from now on, where a tenant's records lie or everywhere. Raises NotReachable."""
    partitions = claim_partitions(partition_counts(instance.transport))
    places = range(partitions) if tenant is None else [tenant_partition(tenant, partitions)]
    follower = Follower(instance.transport, [TopicPartition(topic, place) for topic in topics for place in places])
    publisher = instance.transport.publisher()
    try:
        yield Exchange(instance, partitions, publisher, follower)
    finally:
        publisher.close()
        follower.close()


def command(
    instance: Instance,
    name: CommandName,
    state: ClaimState,
    actor: str,
    *,
    by: ActorKind = ActorKind.REVIEWER,
    seconds: float = WAIT_SECONDS,
    why: Why = NO_WHY,
    **data: Any,
) -> Outcome:
    """Send a reviewer's or operator's command and wait for its outcome. Raises Refused with the code, NotReachable."""
    tenant = state.form.tenant_id
    with exchange(instance, tenant=tenant) as talk:
        return send(talk, name, state.claim_id, tenant, by_actor(by, actor, **data), seconds, why)


def send(
    talk: Exchange,
    name: CommandName,
    claim_id: str,
    tenant: TenantId,
    told: Mapping[str, Any],
    seconds: float = WAIT_SECONDS,
    why: Why = NO_WHY,
) -> Outcome:
    """As `command`, over an exchange that hears the tenant's claims, and also for a claim that is not there yet.

    `told` is what `by_actor` makes; `why`: what the audit's entry of an operator's command has beside it.
    """
    actor, now = told["actor"], talk.instance.clock.now()
    source = f"/{actor['kind']}s/{actor['id']}"
    message_id, output = to_inbox(name, claim_id, tenant, told, source, now, talk.partitions)
    outputs = [*audited(name, claim_id, tenant, actor, message_id, now, why), output]
    return judged(talk.ask(outputs, Hearing(message_id, claim_id), seconds), seconds)


def audited(
    name: CommandName,
    claim_id: str,
    tenant: TenantId,
    actor: Mapping[str, str],
    message_id: str,
    now: int,
    why: Why = NO_WHY,
) -> list[Output]:
    """The audit's entry of an operator's command, to be written before it; none of a reviewer's. Raises WrongUse."""
    if actor["kind"] != ActorKind.OPERATOR:
        return []
    about = {"claim_id": claim_id, "tenant_id": tenant, "message_id": message_id, "command": name}
    return [audit_entry(COMMAND_GIVEN, CommandGiven, actor["id"], message_id, now, why, **about)]


def judged(outcome: Outcome | None, seconds: float) -> Outcome:
    if outcome is None:
        raise NotReachable(f"review did not answer within {seconds:.0f} s: is it running? see `cpor status`")
    if outcome.refused:
        raise Refused(str(outcome.value["detail"]), str(outcome.value["code"]))
    return outcome


class Hearing:
    """Called with every record that comes, it gives each outcome of the message, and what came before it."""

    def __init__(self, message_id: str, claim_id: str) -> None:
        self._message_id = message_id
        self._claim_id = claim_id
        self._heard: tuple[EventName, ...] = ()

    def __call__(self, record: Record) -> Outcome | None:
        found = outcome_of(record, self._message_id, self._claim_id)
        if found is None:
            return None
        before, self._heard = self._heard, (*self._heard, found.event)
        return replace(found, after=before)


def outcome_of(record: Record, message_id: str, claim_id: str) -> Outcome | None:
    """The outcome that a record of `cpor.claims.events` tells of this message, on this claim."""
    told = envelope.read_envelope(record.headers)
    if told.causation != message_id or told.subject != claim_id:
        return None
    return Outcome(event_name(told.type or ""), told.sequence or 0, from_json(record.value or b"{}"))
