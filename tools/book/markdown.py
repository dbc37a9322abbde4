"""Pieces of Markdown, and how the pages say what the policies hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cpor.domain.policy import ClockRule, policy
from cpor.domain.vocabulary import Edition

EDITIONS = (policy(Edition.P2023), policy(Edition.P2020))
SAME = "the same"
NONE = "–"

Rows = Iterable[Sequence[str]]


def table(head: Sequence[str], rows: Rows) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def code(name: str) -> str:
    return f"`{name}`"


def listed(names: Iterable[str]) -> str:
    return ", ".join(names) or NONE


def length(rule: ClockRule) -> str:
    """`5 business days`."""
    unit = {"bd": "business days", "d": "calendar days"}[rule.unit]
    return f"{rule.budget} {unit}"
