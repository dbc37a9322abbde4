"""The token in a customer's link: what it is about, and a signature that nobody without the key can make.

Derived, never stored: the same request has the same token for ever, and the page that takes the answer needs no
look-up to know whose it is. Whether it still counts is the claim's row to say (`case.tokens`). Keys can be changed:
the first signs, all verify, and a token says which one it was.
"""

from __future__ import annotations

import binascii
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import NamedTuple
from uuid import UUID

from cpor.domain.vocabulary import ClaimId, TenantId
from cpor.runtime.errors import Misconfigured

#: Characters a key must have.
SHORTEST_KEY = 32
_PURPOSE = b"cpor.consent.token.v1/"
_KEY_PURPOSE = b"cpor.consent.key.v1"
_NAME = 3
_ID = 16
_SIGNATURE = 24


class About(NamedTuple):
    """`request` is the `token_id` of answers: the id of the `cpor.consent.requested.v1` that carried the token."""

    tenant_id: TenantId
    claim_id: ClaimId
    request: str


class Key(NamedTuple):
    """A key and its name in tokens, which tells nothing of it."""

    name: bytes
    secret: bytes


class Tokens:
    """Makes tokens under the first key and reads those of all."""

    def __init__(self, keys: str) -> None:
        """`keys` as in CPOR_CONSENT_KEY: with commas between them, the newest first.

        Raises Misconfigured where one could be guessed.
        """
        self._keys = tuple(_key(each.strip()) for each in keys.split(","))

    def make(self, about: About) -> str:
        """100 characters of A-Z a-z 0-9 - _."""
        key = self._keys[0]
        content = key.name + b"".join(UUID(each).bytes for each in about)
        return urlsafe_b64encode(content + _signature(key, content)).decode()

    def read(self, token: str) -> About | None:
        """What a token is about; None for one that none of our keys signed."""
        try:
            told = urlsafe_b64decode(token.encode())
        except (binascii.Error, ValueError):
            return None
        content, signature = told[: _NAME + 3 * _ID], told[_NAME + 3 * _ID :]
        ours = [key for key in self._keys if key.name == content[:_NAME]]
        if not any(hmac.compare_digest(signature, _signature(key, content)) for key in ours):
            return None
        places = range(_NAME, _NAME + 3 * _ID, _ID)
        tenant, claim, request = (str(UUID(bytes=content[at : at + _ID])) for at in places)
        return About(TenantId(tenant), ClaimId(claim), request)


def _key(text: str) -> Key:
    if len(text) < SHORTEST_KEY:
        raise Misconfigured(f"CPOR_CONSENT_KEY: each key must have {SHORTEST_KEY} characters or more")
    secret = text.encode()
    return Key(hmac.digest(secret, _KEY_PURPOSE, "sha256")[:_NAME], secret)


def _signature(key: Key, content: bytes) -> bytes:
    return hmac.digest(key.secret, _PURPOSE + content, "sha256")[:_SIGNATURE]
