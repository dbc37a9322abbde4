"""What intake keeps of a partner's claim reference: one row of `cpor.intake.state` (architecture §3, Idempotency).

Read and written once for each command, so its costly part, the newest 100 message ids, is kept packed: looking one up
scans 2,500 bytes, remembering one copies them, and neither unpacks them.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

from cpor.domain.vocabulary import ClaimId, Code, PartnerId, TenantId

#: Message ids and reservations remembered per reference (contract §2).
NEWEST = 100
_DIGEST = 12
#: Digest of the message id, digest of type and value, one byte for the answer.
_ENTRY = 2 * _DIGEST + 1

#: The first answer to a message is kept as one byte: 0 is admitted, n the n-th code here. Rows are kept for ever, so
#: this list only ever grows at its end.
_CODES: tuple[Code, ...] = (
    Code.MALFORMED_JSON,
    Code.MISSING_MESSAGE_ID,
    Code.MESSAGE_TOO_LARGE,
    Code.UNKNOWN_TYPE,
    Code.INVALID_FIELDS,
    Code.WRONG_KEY,
    Code.PARTNER_MISMATCH,
    Code.PARTNER_UNKNOWN,
    Code.PARTNER_SUSPENDED,
    Code.USER_UNKNOWN,
    Code.NOT_PERMITTED,
    Code.CLAIM_UNKNOWN,
    Code.REFERENCE_BOUND,
    Code.LOCATION_UNKNOWN,
    Code.ROLE_NOT_IN_AREA,
    Code.WORKLOAD_NOT_IN_AREA,
    Code.OPT_OUT_NOT_OFFERED,
    Code.REVENUE_NOT_OFFERED,
    Code.ENGAGEMENT_MISMATCH,
    Code.NOT_A_CPOR_ENGAGEMENT,
    Code.REASON_REQUIRED,
    Code.DOCUMENT_UNKNOWN,
    Code.DOCUMENT_MISSING,
    Code.DOCUMENT_TOO_LARGE,
    Code.DOCUMENT_EMPTY,
    Code.DOCUMENT_DIGEST_MISMATCH,
    Code.DOCUMENT_TYPE_NOT_ALLOWED,
    Code.DOCUMENT_ENCRYPTED,
    Code.DOCUMENT_UNREADABLE,
    Code.TOO_MANY_DOCUMENTS,
    Code.LAST_WORKLOAD,
    Code.ACKNOWLEDGEMENTS_INCOMPLETE,
    Code.POE_MISSING,
    Code.DISPUTE_EMPTY,
    Code.LOCATION_NOT_ENROLLED,
    Code.NOT_A_SUBSCRIPTION_ID,
)
_ADMITTED = 0
_NUMBERS: Mapping[Code, int] = {code: number for number, code in enumerate(_CODES, 1)}
#: A code that has no number yet is remembered as this one: the answer to a repetition is then less exact, never wrong.
_OTHER = _NUMBERS[Code.INVALID_FIELDS]


class Reservation(NamedTuple):
    """An upload that was asked for; `size` in bytes, `sha256` in lower-case hex."""

    document_id: str
    filename: str
    content_type: str
    size: int
    sha256: str


class Identity(NamedTuple):
    """A message as it is compared: digests of its `ce_id` and of its content."""

    id: bytes
    content: bytes


def identity(message_id: str, ce_type: str | None, value: bytes) -> Identity:
    """Content is the type and the value, byte for byte; headers such as `traceparent` are not."""
    content = blake2b((ce_type or "").encode(errors="surrogatepass"), digest_size=_DIGEST)
    content.update(b"\0")
    content.update(value)
    return Identity(blake2b(message_id.encode(), digest_size=_DIGEST).digest(), content.digest())


class First(NamedTuple):
    """What was answered when an id came first: `rejected` None means that it was admitted."""

    same_content: bool
    rejected: Code | None


class Reference(NamedTuple):
    """A row. `tenant_id`: None while no create or file was admitted; `source`: the partition its messages come by."""

    claim_id: ClaimId
    tenant_id: TenantId | None
    source: int
    reservations: tuple[Reservation, ...] = ()
    seen: bytes = b""

    def first(self, message: Identity) -> First | None:
        """The first answer to this id, None when it is none of the newest 100."""
        at = self._place(message.id)
        if at is None:
            return None
        content = self.seen[at + _DIGEST : at + 2 * _DIGEST]
        return First(content == message.content, _code(self.seen[at + 2 * _DIGEST]))

    def _place(self, message_id: bytes) -> int | None:
        at = self.seen.find(message_id)
        while at >= 0 and at % _ENTRY:
            at = self.seen.find(message_id, at + 1)
        return None if at < 0 else at

    def remembering(self, message: Identity, rejected: Code | None) -> Reference:
        """The row after an answer; the 101st id pushes the oldest out."""
        answer = _ADMITTED if rejected is None else _NUMBERS.get(rejected, _OTHER)
        seen = self.seen + message.id + message.content + bytes((answer,))
        return Reference(self.claim_id, self.tenant_id, self.source, self.reservations, seen[-NEWEST * _ENTRY :])

    def bound_to(self, tenant_id: TenantId) -> Reference:
        """The row of a reference whose first create or file is admitted."""
        return self._replace(tenant_id=tenant_id)

    def reserving(self, reservation: Reservation) -> Reference:
        return self._replace(reservations=(*self.reservations, reservation)[-NEWEST:])

    def reserved(self, document_id: str) -> Reservation | None:
        return next((each for each in self.reservations if each.document_id == document_id), None)


def _code(number: int) -> Code | None:
    return None if number == _ADMITTED else _CODES[number - 1]


def row_key(partner: PartnerId, claim_ref: str) -> bytes:
    return f"{partner}/{claim_ref}".encode()


def encode(row: Reference) -> bytes:
    """JSON; the ids are of letters that need no escapes."""
    tenant = "null" if row.tenant_id is None else f'"{row.tenant_id}"'
    reservations = json.dumps(row.reservations) if row.reservations else "[]"
    seen = b64encode(row.seen).decode()
    return (
        f'{{"claim_id":"{row.claim_id}","tenant_id":{tenant},"source":{row.source},'
        f'"reservations":{reservations},"seen":"{seen}"}}'
    ).encode()


def decode(value: bytes) -> Reference:
    found: dict[str, Any] = json.loads(value)
    return Reference(
        claim_id=found["claim_id"],
        tenant_id=found["tenant_id"],
        source=found["source"],
        reservations=tuple(Reservation(*each) for each in found["reservations"]),
        seen=b64decode(found["seen"]),
    )
