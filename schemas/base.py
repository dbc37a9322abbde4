"""How messages are written and read.

One model per message. What we write is checked against it strictly (`check`, `write`): no unknown field, no guessed
type. What we read is checked in the same way but for unknown fields, which are ignored (`read`): whoever sends us
a newer message is understood. A field is only ever added, with a default.
"""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict

M = TypeVar("M", bound=BaseModel)


class Message(BaseModel):
    """Base of every message and of its parts."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)


def check(model: type[M], value: bytes | str) -> M:
    """The message as its writer must write it. Raises pydantic.ValidationError."""
    return model.model_validate_json(value, extra="forbid")


def read(model: type[M], value: bytes | str) -> M:
    """The message as a reader takes it: unknown fields, at any depth, are ignored. Raises pydantic.ValidationError."""
    return model.model_validate_json(value, extra="ignore")


def write(message: BaseModel) -> bytes:
    """JSON of a message, with the fields that were given and no others."""
    return message.model_dump_json(exclude_unset=True).encode()


def given(message: BaseModel) -> dict[str, Any]:
    """The fields that were given, as JSON values."""
    return message.model_dump(mode="json", exclude_unset=True)
