"""Instants: milliseconds in memory, RFC 3339 on the wire. Re-exported by `vocabulary`."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, NewType

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

#: Milliseconds since 1970-01-01T00:00:00Z.
Instant = NewType("Instant", int)

MS_PER_DAY = 86_400_000


@lru_cache(maxsize=4096)
def _day_text(day: int) -> str:
    return datetime.fromtimestamp(day * 86_400, UTC).strftime("%Y-%m-%d")


@lru_cache(maxsize=65_536)
def instant_text(value: int) -> str:
    """RFC 3339 in UTC with milliseconds: ``2024-03-01T09:00:00.000Z``."""
    day, ms = divmod(value, MS_PER_DAY)
    seconds, ms = divmod(ms, 1000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{_day_text(day)}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z"


def parse_instant(text: str) -> Instant:
    """Reads RFC 3339 with any offset; finer than milliseconds is cut off.

    Raises ValueError where the text is no instant or carries no offset.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("an instant needs an offset")
    return datetime_instant(moment)


def datetime_instant(moment: datetime) -> Instant:
    """An aware datetime as milliseconds; exact, no float seconds in between."""
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return Instant(since.days * MS_PER_DAY + since.seconds * 1000 + since.microseconds // 1000)


@lru_cache(maxsize=65_536)
def _read_instant(value: object) -> object:
    """Cached, as the texts of one snapshot mostly stood in the one before it."""
    return parse_instant(value) if isinstance(value, str) else value


#: An Instant as a field of a message: RFC 3339 text in JSON, an int in memory.
InstantField = Annotated[
    Instant,
    BeforeValidator(_read_instant),
    PlainSerializer(instant_text, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
