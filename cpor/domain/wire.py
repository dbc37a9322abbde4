"""The JSON of events, states and commands: read tolerantly (unknown fields are ignored), written whole."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from pydantic import TypeAdapter

from cpor.domain.commands import COMMAND_TYPES, CommandData
from cpor.domain.events import EVENT_TYPES, Event, UnknownClaimRefused
from cpor.domain.model import ClaimState, FormData
from cpor.domain.vocabulary import CommandName, EventName

FORM_FIELDS: tuple[str, ...] = tuple(each.name for each in fields(FormData))
AMENDABLE: tuple[str, ...] = ("description", "customer_signed_on", "covers")


_adapters: dict[type[Any], TypeAdapter[Any]] = {}


def adapter(kind: type[Any]) -> TypeAdapter[Any]:
    """One compiled adapter for each dataclass."""
    found = _adapters.get(kind)
    if found is None:
        found = _adapters[kind] = TypeAdapter(kind)
    return found


def encode(value: Any) -> bytes:
    """JSON of an event, a state or any other dataclass of the domain."""
    return adapter(type(value)).serializer.to_json(value)


def decode(kind: type[Any], value: bytes) -> Any:
    """The dataclass a JSON value stands for. Raises ValueError (pydantic.ValidationError is one)."""
    return adapter(kind).validate_json(value)


def decode_event(name: EventName, value: bytes) -> Event:
    """Raises ValueError where the value is no such event."""
    event: Event = decode(EVENT_TYPES[name], value)
    return event


def decode_unknown_refusal(value: bytes) -> UnknownClaimRefused:
    refused: UnknownClaimRefused = decode(UnknownClaimRefused, value)
    return refused


def decode_state(value: bytes) -> ClaimState:
    state: ClaimState = decode(ClaimState, value)
    return state


def event_name(ce_type: str) -> EventName:
    """`cpor.claim.<name>.v1` as its name; raises ValueError for any other type."""
    return EventName(ce_type.removeprefix("cpor.claim.").removesuffix(".v1"))


def command_data(name: CommandName, data: dict[str, Any]) -> CommandData:
    """The command of a JSON object whose keys are those of contract §3 and §4.

    Form fields of create, edit and file stand at the top level there. Raises pydantic.ValidationError.
    """
    command: CommandData = adapter(COMMAND_TYPES[name]).validate_python(_shaped(name, data))
    return command


def _shaped(name: CommandName, data: dict[str, Any]) -> dict[str, Any]:
    if name in (CommandName.CREATE, CommandName.FILE, CommandName.EDIT):
        form = {key: data[key] for key in FORM_FIELDS if key in data}
        return {**data, "form": form, "given": list(form)}
    if name == CommandName.POE_AMEND:
        return {**data, "given": [key for key in AMENDABLE if key in data]}
    return data
