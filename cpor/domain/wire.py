"""The JSON of events and states: read tolerantly (unknown fields are ignored), written whole."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from pydantic import TypeAdapter

from cpor.domain.events import EVENT_TYPES, Event
from cpor.domain.model import ClaimState, FormData
from cpor.domain.vocabulary import EventName

#: What an edit, and a change of a document, may name (contract §3): its message says which of them it changes.
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


def decode_state(value: bytes) -> ClaimState:
    state: ClaimState = decode(ClaimState, value)
    return state


def event_name(ce_type: str) -> EventName:
    """`cpor.claim.<name>.v1` as its name; raises ValueError for any other type."""
    return EventName(ce_type.removeprefix("cpor.claim.").removesuffix(".v1"))
