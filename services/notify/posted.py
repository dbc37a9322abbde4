"""A row of `cpor.notify.outbox`: a mail on its way, as it was rendered, and how often it was tried."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic_core import from_json

from cpor.domain.vocabulary import Instant
from schemas.base import read
from schemas.mail import Mail

_TRIED = b'{"tried":'
_MAIL = b',"mail":'


@dataclass(frozen=True, slots=True)
class Posted:
    """`value` is the mail's record, to the byte; `attempts` those that were told of, the first of them `first_at`."""

    value: bytes
    attempts: int = 0
    first_at: Instant | None = None

    @property
    def mail(self) -> Mail:
        return read(Mail, self.value)


def encode(row: Posted) -> bytes:
    """As long as nobody has tried, the mail alone: so rows were before attempts were kept."""
    if row.attempts == 0:
        return row.value
    return b"%b[%d,%d]%b%b}" % (_TRIED, row.attempts, row.first_at or 0, _MAIL, row.value)


def decode(value: bytes) -> Posted:
    if not value.startswith(_TRIED):
        return Posted(value)
    tried, _, mail = value.removeprefix(_TRIED).partition(_MAIL)
    attempts, first_at = from_json(tried)
    return Posted(mail[:-1], attempts, Instant(first_at) if first_at else None)


def claim_of(key: bytes, row: Posted) -> Iterator[bytes]:
    """Under what the index of a claim's mails has it."""
    yield str(from_json(row.value)["claim_id"]).encode()
