"""Where documents lie in the bucket (contract §6), and which names a partner may use for them."""

from __future__ import annotations

import unicodedata
from urllib.parse import unquote

INCOMING = "incoming/"
ACCEPTED = "accepted/"
#: S3's own limit, in bytes of UTF-8.
MAX_KEY = 1024
#: Nobody encodes a name more often by accident.
MAX_DECODINGS = 4
FORBIDDEN_SEGMENTS = {"", ".", ".."}


def incoming_key(partner: str, document_id: str) -> str:
    """Quarantine: where a partner puts a document; it expires after 37 days."""
    return f"{INCOMING}{partner}/{document_id}"


def accepted_key(claim_id: str, sha256: str) -> str:
    """Where an accepted document stays; the key names its content, so no second content can claim it."""
    return f"{ACCEPTED}{claim_id}/{sha256}"


def is_partners_own(key: str, partner: str) -> bool:
    """Whether `key` lies under `incoming/<partner>/` however a store or a proxy may read it.

    S3 takes keys literally, but not every store behind the same API does: dots, backslashes, percent signs
    and look-alike letters are judged as the paths they could become.
    """
    return all(_lies_below(reading, incoming_key(partner, "")) for reading in _readings(key))


def _readings(key: str) -> set[str]:
    """The key as it is, percent-decoded until nothing changes, and each with compatible letters folded."""
    readings = {key}
    for _ in range(MAX_DECODINGS):
        key = unquote(key, errors="replace")
        readings.add(key)
    return readings | {unicodedata.normalize("NFKC", reading) for reading in readings}


def _lies_below(key: str, prefix: str) -> bool:
    if not key.startswith(prefix) or not _fits(key):
        return False
    if "\\" in key or any(unicodedata.category(letter) == "Cc" for letter in key):
        return False
    return not FORBIDDEN_SEGMENTS & set(key.removeprefix(prefix).split("/"))


def _fits(key: str) -> bool:
    """A lone surrogate has no UTF-8, so no key either."""
    try:
        return len(key.encode()) <= MAX_KEY
    except UnicodeEncodeError:
        return False
