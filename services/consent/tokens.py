"""The token in a customer's link: what it is about, and a signature that nobody without the key can make.

Derived, never stored: the same request has the same token for ever, and the page that takes the answer needs no
look-up to know whose it is. Whether it still counts is the claim's row to say (`case.tokens`).
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
_ID = 16
_SIGNATURE = 24


class About(NamedTuple):
    """`request` is the `token_id` of answers: the id of the `cpor.consent.requested.v1` that carried the token."""

    tenant_id: TenantId
    claim_id: ClaimId
    request: str


class Tokens:
    """Makes and reads tokens under one key."""

    def __init__(self, key: str) -> None:
        """Raises Misconfigured where the key could be guessed."""
        if len(key) < SHORTEST_KEY:
            raise Misconfigured(f"CPOR_CONSENT_KEY must have {SHORTEST_KEY} characters or more")
        self._key = key.encode()

    def make(self, about: About) -> str:
        """96 characters of A-Z a-z 0-9 - _."""
        content = b"".join(UUID(each).bytes for each in about)
        return urlsafe_b64encode(content + self._signature(content)).decode()

    def read(self, token: str) -> About | None:
        """What a token is about; None for one that this key did not sign."""
        try:
            told = urlsafe_b64decode(token.encode())
        except (binascii.Error, ValueError):
            return None
        content, signature = told[: 3 * _ID], told[3 * _ID :]
        if not hmac.compare_digest(signature, self._signature(content)):
            return None
        tenant, claim, request = (str(UUID(bytes=content[at : at + _ID])) for at in range(0, 3 * _ID, _ID))
        return About(TenantId(tenant), ClaimId(claim), request)

    def _signature(self, content: bytes) -> bytes:
        return hmac.digest(self._key, _PURPOSE + content, "sha256")[:_SIGNATURE]
