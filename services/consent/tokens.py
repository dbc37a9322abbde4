"""The token in a customer's link: what it is about, and a signature that nobody without the key can make.

Derived, never stored: the same request has the same token for ever, and the page that takes the answer needs no
look-up to know whose it is. Whether it still counts is the claim's row to say (`case.tokens`). Keys can be changed:
the first signs, all verify, and a token says which one it was. A form token shows that its link's page was opened.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple
from uuid import UUID

from cpor.domain.vocabulary import ClaimId, Instant, TenantId
from cpor.runtime.errors import Misconfigured

#: Characters a key must have.
SHORTEST_KEY = 32
_PURPOSE_1 = b"cpor.consent.token.v1/"
_PURPOSE_2 = b"cpor.consent.token.v2/"
_PURPOSE_FORM = b"cpor.consent.form.v1/"
_KEY_PURPOSE = b"cpor.consent.key.v1"
#: What a link is for; its first byte after the key's name. There is one purpose so far.
_ANSWER = b"\x01"
_NAME = 3
_ID = 16
_IDS = 3 * _ID
_RECIPIENT = 8
_DAY = 3
_SIGNATURE = 24
_TIME = 6
_LENGTH_1 = _NAME + _IDS + _SIGNATURE
_LENGTH_2 = _NAME + len(_ANSWER) + _IDS + _RECIPIENT + _DAY + _SIGNATURE
_NOBODY = bytes(_RECIPIENT)


class About(NamedTuple):
    """`request` is the `token_id` of answers: the id of the `cpor.consent.requested.v1` that carried the token.

    `recipient`: digest of the address it was sent to, empty where that is not known. `last_day`: in UTC; None for ever,
    as tokens of version 1 have it.
    """

    tenant_id: TenantId
    claim_id: ClaimId
    request: str
    recipient: str = ""
    last_day: date | None = None


class Key(NamedTuple):
    """A key and its name in tokens, which tells nothing of it."""

    name: bytes
    secret: bytes


def recipient_of(address: str) -> str:
    """16 hexadecimal digits that tell one address from another and tell neither."""
    return hashlib.sha256(address.strip().lower().encode()).digest()[:_RECIPIENT].hex()


class Tokens:
    """Makes tokens under the first key and reads those of all."""

    def __init__(self, keys: str) -> None:
        """`keys` as in CPOR_CONSENT_KEY: with commas between them, the newest first.

        Raises Misconfigured where one could be guessed.
        """
        self._keys = tuple(_key(each.strip()) for each in keys.split(","))

    def make(self, about: About) -> str:
        """116 characters of A-Z a-z 0-9 - _."""
        day = 0 if about.last_day is None else about.last_day.toordinal()
        recipient = bytes.fromhex(about.recipient) or _NOBODY
        return self._signed(_PURPOSE_2, b"".join((_ANSWER, *_uuids(about), recipient, day.to_bytes(_DAY))))

    def read(self, token: str) -> About | None:
        """What a token is about; None for one that none of our keys signed, after the same work for each."""
        told = _bytes(token)
        purpose, first = (_PURPOSE_1, _NAME) if len(told) == _LENGTH_1 else (_PURPOSE_2, _NAME + len(_ANSWER))
        genuine = self._is_signed(purpose, told)
        if not genuine or len(told) not in (_LENGTH_1, _LENGTH_2):
            return None
        places = range(first, first + _IDS, _ID)
        tenant, claim, request = (str(UUID(bytes=told[at : at + _ID])) for at in places)
        about = About(TenantId(tenant), ClaimId(claim), request)
        if len(told) == _LENGTH_1:
            return about
        rest = told[first + _IDS : -_SIGNATURE]
        day = int.from_bytes(rest[_RECIPIENT:])
        recipient = "" if rest[:_RECIPIENT] == _NOBODY else rest[:_RECIPIENT].hex()
        last_day = date.fromordinal(day) if day else None
        return about._replace(recipient=recipient, last_day=last_day) if told[_NAME:first] == _ANSWER else None

    def make_form(self, token: str, at: Instant) -> str:
        """Shows that the page of this link was opened at `at`; 44 characters."""
        return self._signed(_PURPOSE_FORM, at.to_bytes(_TIME), token.encode())

    def read_form(self, token: str, form: str) -> Instant | None:
        """When the page was opened that this form is from; None where it is no form of this link's page."""
        told = _bytes(form)
        genuine = self._is_signed(_PURPOSE_FORM, told, token.encode())
        return Instant(int.from_bytes(told[_NAME:-_SIGNATURE])) if genuine else None

    def _signed(self, purpose: bytes, content: bytes, bound: bytes = b"") -> str:
        key = self._keys[0]
        content = key.name + content
        return urlsafe_b64encode(content + _signature(key, purpose, content + bound)).decode()

    def _is_signed(self, purpose: bytes, told: bytes, bound: bytes = b"") -> bool:
        """Every key is tried, so that nobody can measure which one a token names."""
        content, signature = told[:-_SIGNATURE], told[-_SIGNATURE:]
        matches = [
            hmac.compare_digest(signature, _signature(key, purpose, content + bound)) and key.name == content[:_NAME]
            for key in self._keys
        ]
        return any(matches)


def _uuids(about: About) -> Iterator[bytes]:
    return (UUID(each).bytes for each in (about.tenant_id, about.claim_id, about.request))


def _bytes(token: str) -> bytes:
    """Empty for what is no base64url without padding: each token has one spelling."""
    try:
        return b64decode(token.encode("ascii"), altchars=b"-_", validate=True) if len(token) < 1_000 else b""
    except (binascii.Error, ValueError):
        return b""


def _key(text: str) -> Key:
    if len(text) < SHORTEST_KEY:
        raise Misconfigured(f"CPOR_CONSENT_KEY: each key must have {SHORTEST_KEY} characters or more")
    secret = text.encode()
    return Key(hmac.digest(secret, _KEY_PURPOSE, "sha256")[:_NAME], secret)


def _signature(key: Key, purpose: bytes, content: bytes) -> bytes:
    return hmac.digest(key.secret, purpose + content, "sha256")[:_SIGNATURE]
