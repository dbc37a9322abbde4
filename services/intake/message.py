"""A partner's record as it reads; nothing of it is believed yet."""

from __future__ import annotations

from functools import lru_cache

from cpor.domain.ids import receipt_id
from cpor.domain.vocabulary import PartnerId
from cpor.runtime.record import Record
from cpor.runtime.topics import partner_of
from schemas.envelope import is_message_id, passed_traceparent, read_envelope
from schemas.partner_commands import PartnerCommand, WrongShape, parse_partner_command

#: Bytes of a value (contract §3); a larger one is answered without being read.
LARGEST_MESSAGE = 256 * 1024


@lru_cache(maxsize=16_384)
def sender(topic: str) -> PartnerId | None:
    """The partner whose command topic this is, None for any other topic."""
    partner = partner_of(topic)
    return None if partner is None else PartnerId(partner)


class Message:
    """What one record says. The value is parsed when first asked for, and never when it is too large."""

    __slots__ = ("_body", "_receipt_id", "claim_ref", "message_id", "partner", "record", "traceparent", "type")

    def __init__(self, partner: PartnerId, record: Record) -> None:
        envelope = read_envelope(record.headers)
        self.partner = partner
        self.record = record
        self.type = envelope.type
        #: The partner's `ce_id`, None where it is missing or malformed.
        self.message_id = envelope.id if is_message_id(envelope.id) else None
        self.traceparent = passed_traceparent(envelope)
        #: None where the record's key is no claim reference.
        self.claim_ref = _reference(record.key)
        self._body: PartnerCommand | WrongShape | None = None
        self._receipt_id: str | None = None

    @property
    def value(self) -> bytes:
        return self.record.value or b""

    @property
    def is_too_large(self) -> bool:
        return len(self.value) > LARGEST_MESSAGE

    @property
    def body(self) -> PartnerCommand | WrongShape:
        """The command, or what is wrong with its shape."""
        if self._body is None:
            self._body = parse_partner_command(self.type, self.record.value)
        return self._body

    @property
    def receipt_id(self) -> str:
        """What everything derived from this record is derived from."""
        if self._receipt_id is None:
            self._receipt_id = receipt_id(self.record.topic, self.record.partition, self.record.offset)
        return self._receipt_id


def _reference(key: bytes | None) -> str | None:
    if key is None or len(key) > 64:
        return None
    text = key.decode("ascii", errors="replace")
    return text if is_message_id(text) else None
