"""Reading a record of `cpor.claims.commands`: the command, who asks, when, and what to pass on.

Tolerant: fields that are not known are ignored. What cannot be understood, or lies where it must not, is a `Reject`:
nobody inside sends such a thing, so it is for an operator to look at, not for a receipt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from cpor.domain.commands import COMMAND_TYPES, Command, CommandContext
from cpor.domain.ids import tenant_partition
from cpor.domain.model import Actor
from cpor.domain.vocabulary import (
    PARTNER_COMMANDS,
    ActorKind,
    CommandName,
    ConsentOutcome,
    Instant,
    TenantId,
    parse_instant,
)
from cpor.domain.wire import AMENDABLE, FORM_FIELDS
from cpor.runtime.errors import Reject
from cpor.runtime.record import Record, last_header
from schemas import envelope
from schemas.envelope import Envelope, Header, passed_traceparent
from schemas.upcast import UP_CASTERS, lifted, versions

#: Why a record of the inbox is dead-lettered.
MALFORMED = "malformed_command"
UNKNOWN_TYPE = "unknown_type"
WRONG_KEY = "wrong_key"
WRONG_PARTITION = "wrong_partition"

Value = dict[str, Any]


@dataclass(slots=True)
class Message:
    """A command with its envelope.

    `trail`: headers of the events it brings about, cause first. `passed_on`: those of them that all else gets too.
    """

    command: Command
    key: bytes
    subject: bytes
    from_partner: bool
    trail: tuple[Header, ...]
    passed_on: tuple[Header, ...]
    #: Of a reservation: the presigned POST as intake signed it, and the id of the document.
    upload: Mapping[str, Any] | None = None
    document_id: str | None = None


def read_message(record: Record, partitions: int) -> Message:
    """The command of a record. Raises Reject: `malformed_command`, `unknown_type`, `wrong_key`, `wrong_partition`."""
    tenant = _tenant(record, partitions)
    headers = dict(record.headers)
    told = headers.get(envelope.TYPE, b"")
    name = _TYPES.get(told)
    if name is None:
        raise Reject(UNKNOWN_TYPE, "no command of this type is known", record=record.origin)
    try:
        return _message(record, tenant, headers, name, _newest(told, _object(record.value)))
    except (KeyError, TypeError, ValueError, OverflowError) as fault:
        raise Reject(MALFORMED, _said(fault), record=record.origin, type=name.value) from fault


def claim_of(record: Record, partitions: int) -> bytes | None:
    """The claim a record names in its envelope; None where it names none, or lies in the wrong partition."""
    if record.key is None or not _lies_right(record, record.key, partitions):
        return None
    return last_header(record.headers, envelope.SUBJECT)


def order_key(record: Record, partitions: int) -> bytes | None:
    """What orders commands: the tenant and the claim, so that a misaddressed record holds up nobody else's claim.

    None for what is said about parking itself: that must pass, or nothing could ever be unparked.
    """
    claim = claim_of(record, partitions)
    if claim is None or last_header(record.headers, envelope.TYPE) in _PARKING:
        return None
    return (record.key or b"") + b"/" + claim


def _tenant(record: Record, partitions: int) -> TenantId:
    if record.key is None or record.key != record.key.lower():
        raise Reject(WRONG_KEY, "the key must be a tenant id in lower case", record=record.origin)
    if not _lies_right(record, record.key, partitions):
        raise Reject(WRONG_PARTITION, "the key belongs to another partition", record=record.origin)
    return TenantId(record.key.decode())


def _lies_right(record: Record, key: bytes, partitions: int) -> bool:
    try:
        return tenant_partition(TenantId(key.decode()), partitions) == record.partition
    except UnicodeDecodeError:
        return False


def _newest(told: bytes, value: Value) -> Value:
    return dict(lifted(told.decode(), value)) if told in _OLDER else value


def _object(value: bytes | None) -> Value:
    data = from_json(value or b"")
    if not isinstance(data, dict):
        raise TypeError("the value is no JSON object")
    return data


def _message(record: Record, tenant: TenantId, headers: dict[str, bytes], name: CommandName, value: Value) -> Message:
    message_id, subject = headers[envelope.ID], headers[envelope.SUBJECT]
    if value["claim_id"] != subject.decode():
        raise ValueError("claim_id and ce_subject differ")
    if value.get("tenant_id", tenant) != tenant:
        raise Reject(WRONG_KEY, "the key is not the claim's tenant", record=record.origin)
    data = _READERS[name](value)
    from_partner = name in _FROM_PARTNERS
    about = _partners_context if from_partner else _insiders_context
    context = about(record, tenant, headers, value, data)
    passed_on = _passed_on(headers, message_id)
    behind = [(each, headers[each]) for each in _BEHIND if each in headers]
    return Message(
        Command(context, data),
        record.key or b"",
        subject,
        from_partner,
        ((envelope.CAUSATION, message_id), *behind, *passed_on),
        passed_on,
        value.get("upload"),
        value.get("document_id"),
    )


def _partners_context(
    record: Record, tenant: TenantId, headers: dict[str, bytes], value: Value, data: Any
) -> CommandContext:
    user = _text(value["user"])
    return CommandContext(
        now=Instant(record.appended_at),
        received_at=_received_at(record, headers),
        actor=Actor(ActorKind.PARTNER, user),
        claim_id=value["claim_id"],
        tenant_id=tenant,
        origin=_origin(record, headers),
        partner_id=cast(Any, _text(value["partner_id"])),
        claim_ref=_text(value["claim_ref"]),
        user_id=cast(Any, user),
        message_id=_text(value["message_id"]),
    )


def _insiders_context(
    record: Record, tenant: TenantId, headers: dict[str, bytes], value: Value, data: Any
) -> CommandContext:
    sent = value.get("actor")
    expected = value.get("expected_sequence")
    if expected is not None and type(expected) is not int:
        raise TypeError("expected_sequence is no whole number")
    return CommandContext(
        now=Instant(record.appended_at),
        received_at=_received_at(record, headers),
        actor=_spoken_by(tenant, data) if sent is None else _ACTOR.validate_python(sent),
        claim_id=value["claim_id"],
        tenant_id=tenant,
        origin=_origin(record, headers),
        partner_id=value.get("partner_id"),
        claim_ref=value.get("claim_ref"),
        message_id=headers[envelope.ID].decode(),
        expected_sequence=expected,
    )


def _spoken_by(tenant: TenantId, data: Any) -> Actor:
    """Who a service speaks for: the customer where it passes on an answer, else itself."""
    if data.NAME == CommandName.CONSENT_OUTCOME and data.outcome in _CUSTOMERS_ANSWERS:
        return Actor(ActorKind.CUSTOMER, tenant)
    speaker = _SERVICES.get(data.NAME)
    if speaker is None:
        raise ValueError("actor is missing")
    return speaker


def _received_at(record: Record, headers: dict[str, bytes]) -> Instant:
    """D19: when the broker took the message behind the command; the command's own append time where there is none."""
    said = headers.get(envelope.RECEIVED_AT)
    return Instant(record.appended_at) if said is None else parse_instant(said.decode())


def _origin(record: Record, headers: dict[str, bytes]) -> str:
    said = headers.get(envelope.ORIGIN)
    return record.origin if said is None else said.decode()


def _passed_on(headers: dict[str, bytes], message_id: bytes) -> tuple[Header, ...]:
    correlation = (envelope.CORRELATION, headers.get(envelope.CORRELATION) or message_id)
    trace = headers.get(envelope.TRACEPARENT)
    if trace is None:
        return (correlation,)
    passed = passed_traceparent(Envelope(traceparent=trace.decode("ascii", "replace")))
    return (correlation,) if passed is None else (correlation, (envelope.TRACEPARENT, trace))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("a field that names somebody is no text")
    return value


def _said(fault: Exception) -> str:
    """What was wrong, without the values: a letter's reason is no place for contact data."""
    if isinstance(fault, ValidationError):
        wrong = fault.errors(include_input=False, include_url=False, include_context=False)
        return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in wrong[:5])
    return f"{type(fault).__name__}: {fault}"


def _plain(name: CommandName) -> Callable[[Value], Any]:
    """Straight from the compiled validator: the adapter's own method only passes its defaults on."""
    return TypeAdapter(COMMAND_TYPES[name]).validator.validate_python


def _with_form(name: CommandName, part: str) -> Callable[[Value], Any]:
    """Create, edit and file: the form lies in two parts, contacts and the rest."""
    read = _plain(name)

    def shaped(value: Value) -> Any:
        form = {**value[part], **value["personal"]}
        return read({**value, "form": form, "given": [each for each in FORM_FIELDS if each in form]})

    return shaped


def _attach(value: Value) -> Any:
    return _read_attach(value["document"])


def _amend(value: Value) -> Any:
    return _read_amend({**value, "given": [each for each in AMENDABLE if each in value]})


_read_attach = _plain(CommandName.POE_ATTACH)
_read_amend = _plain(CommandName.POE_AMEND)
_ACTOR: TypeAdapter[Actor] = TypeAdapter(Actor)

_READERS: dict[CommandName, Callable[[Value], Any]] = {name: _plain(name) for name in CommandName} | {
    CommandName.CREATE: _with_form(CommandName.CREATE, "form"),
    CommandName.EDIT: _with_form(CommandName.EDIT, "changes"),
    CommandName.FILE: _with_form(CommandName.FILE, "form"),
    CommandName.POE_ATTACH: _attach,
    CommandName.POE_AMEND: _amend,
}
_TYPES: dict[bytes, CommandName] = {each.encode(): name for name in CommandName for each in versions(name)}
_OLDER = frozenset(each.encode() for each in UP_CASTERS)
_BEHIND = (envelope.ORIGIN, envelope.RECEIVED_AT)
_FROM_PARTNERS = frozenset(PARTNER_COMMANDS)
_PARKING = frozenset(each.encode() for name in (CommandName.PARK, CommandName.UNPARK) for each in versions(name))
_CUSTOMERS_ANSWERS = (ConsentOutcome.DECLINED, ConsentOutcome.AGREED)

#: Who speaks in a message that names no actor (contract §4, "from the services").
_SERVICES: dict[CommandName, Actor] = {
    CommandName.CONSENT_OUTCOME: Actor(ActorKind.SYSTEM, "consent"),
    CommandName.DEADLINE_EXPIRED: Actor(ActorKind.SYSTEM, "deadlines"),
    CommandName.PARK: Actor(ActorKind.SYSTEM, "intake"),
    CommandName.ELIGIBILITY_RESULT: Actor(ActorKind.SYSTEM, "incentives"),
    CommandName.EARNING: Actor(ActorKind.SYSTEM, "incentives"),
}
