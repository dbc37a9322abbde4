"""What an examination finds: a verdict, what was seen, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    verdict: Verdict
    what: str
    found: str
    todo: str | None = None


def good(what: str, found: str) -> Finding:
    return Finding(Verdict.GOOD, what, found)


def warn(what: str, found: str, todo: str) -> Finding:
    """Works, or may be meant so."""
    return Finding(Verdict.WARN, what, found, todo)


def bad(what: str, found: str, todo: str) -> Finding:
    """Must be put right."""
    return Finding(Verdict.BAD, what, found, todo)
