"""`cpor.dead-letters`: the original key, value and headers, and beside them why it lies there."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from schemas.base import Message
from schemas.fields import UuidText

DEAD_LETTER = "cpor.dead-letter.v1"
_OWN = "dlq_"


class DeadLetter(Message):
    """The `dlq_*` headers, all text; the value is the original's, byte by byte."""

    dlq_id: UuidText
    dlq_service: str = Field(max_length=64)
    """Whose worker gave it up."""
    dlq_reason: str = Field(max_length=200)
    dlq_detail: str
    dlq_topic: str
    dlq_partition: str = Field(pattern=r"^[0-9]{1,10}$")
    dlq_offset: str = Field(pattern=r"^[0-9]{1,19}$")
    dlq_received_at: str = Field(pattern=r"^[0-9]{1,16}$")
    """Append time of the original, ms since the epoch."""
    dlq_behind: str | None = None
    """The earlier letter of the same key that it waits behind."""


def read_dead_letter(headers: Iterable[tuple[str, bytes]]) -> DeadLetter:
    """Why a record lies among the dead letters. Raises pydantic.ValidationError where it is none."""
    own = {name: value.decode(errors="replace") for name, value in headers if name.startswith(_OWN)}
    return DeadLetter.model_validate(own, extra="ignore")
