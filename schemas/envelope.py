"""The headers around every value (contract §2): CloudEvents 1.0, Kafka binding, binary mode."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from cpor.domain.vocabulary import Instant, instant_text, parse_instant

SPECVERSION = "ce_specversion"
ID = "ce_id"
TYPE = "ce_type"
SOURCE = "ce_source"
TIME = "ce_time"
SUBJECT = "ce_subject"
CONTENT_TYPE = "content-type"
CAUSATION = "ce_causationid"
CORRELATION = "ce_correlationid"
SEQUENCE = "ce_sequence"
TRACEPARENT = "traceparent"
ORIGIN = "cpor_origin"
RECEIVED_AT = "cpor_received_at"

Header = tuple[str, bytes]

_SPEC_1_0: Header = (SPECVERSION, b"1.0")
_JSON: Header = (CONTENT_TYPE, b"application/json")
_MESSAGE_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


@lru_cache(maxsize=1024)
def _type_header(name: str) -> Header:
    return (TYPE, name.encode())


@lru_cache(maxsize=4096)
def _source_header(source: str) -> Header:
    return (SOURCE, source.encode())


def headers(
    type: str,  # noqa: A002 - the name of the attribute in CloudEvents
    id: str,  # noqa: A002
    source: str,
    time: Instant,
    subject: str | None,
    causation: str | None = None,
    correlation: str | None = None,
    sequence: int | None = None,
    traceparent: str | None = None,
    extra: Iterable[Header] = (),
) -> list[Header]:
    """The headers of a message we write. `time` in ms since the epoch; `extra` comes last, as it is."""
    made = [
        _SPEC_1_0,
        (ID, id.encode()),
        _type_header(type),
        _source_header(source),
        (TIME, instant_text(time).encode()),
        _JSON,
    ]
    if subject is not None:
        made.append((SUBJECT, subject.encode()))
    if causation is not None:
        made.append((CAUSATION, causation.encode()))
    if correlation is not None:
        made.append((CORRELATION, correlation.encode()))
    if sequence is not None:
        made.append((SEQUENCE, b"%d" % sequence))
    if traceparent is not None:
        made.append((TRACEPARENT, traceparent.encode()))
    made.extend(extra)
    return made


def origin_headers(origin: str, received_at: Instant) -> tuple[Header, Header]:
    """What an internal command carries of the message behind it (D19): pass as `extra`."""
    return ((ORIGIN, origin.encode()), (RECEIVED_AT, instant_text(received_at).encode()))


class Envelope(NamedTuple):
    """Headers as read: None for what is missing or not UTF-8, the newest of what is there twice."""

    type: str | None = None
    id: str | None = None
    source: str | None = None
    time: str | None = None
    subject: str | None = None
    causation: str | None = None
    correlation: str | None = None
    sequence_text: str | None = None
    traceparent: str | None = None
    origin: str | None = None
    received_at_text: str | None = None
    specversion: str | None = None

    @property
    def sequence(self) -> int | None:
        """`ce_sequence`, None where it is missing or no whole number."""
        text = self.sequence_text
        return int(text) if text and len(text) < 19 and text.isascii() and text.isdigit() else None

    @property
    def at(self) -> Instant | None:
        """`ce_time` in ms since the epoch, None where it is missing or no instant."""
        return _instant(self.time)

    @property
    def received_at(self) -> Instant | None:
        """`cpor_received_at` in ms since the epoch, None where it is missing or no instant."""
        return _instant(self.received_at_text)


_IN_ORDER = (
    TYPE, ID, SOURCE, TIME, SUBJECT, CAUSATION, CORRELATION, SEQUENCE, TRACEPARENT, ORIGIN, RECEIVED_AT, SPECVERSION,
)  # fmt: skip
_FIELD_OF: dict[str, int] = {name: place for place, name in enumerate(_IN_ORDER)}
_NOTHING: list[str | None] = [None] * len(_FIELD_OF)


def read_envelope(record_headers: Iterable[tuple[str, bytes | None]]) -> Envelope:
    """Never raises: what is not understood is None, and unknown headers are ignored."""
    found = _NOTHING.copy()
    for name, value in record_headers:
        place = _FIELD_OF.get(name)
        if place is not None:
            found[place] = _text(value)
    return Envelope._make(found)


def _text(value: bytes | None) -> str | None:
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


def _instant(text: str | None) -> Instant | None:
    try:
        return None if text is None else parse_instant(text)
    except (ValueError, OverflowError):
        return None


def is_message_id(text: str | None) -> bool:
    """Whether a partner's `ce_id`, or a claim reference, has the form contract §2 and §3 give it."""
    return text is not None and _MESSAGE_ID.fullmatch(text) is not None


def passed_traceparent(envelope: Envelope) -> str | None:
    """The trace context to pass on; a malformed one of a sender is dropped, as W3C says."""
    text = envelope.traceparent
    return text if text is not None and _TRACEPARENT.fullmatch(text) else None
