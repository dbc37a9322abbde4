"""How the rules say no: one value for a whole command, one for a field of it (contract §3, Receipt)."""

from __future__ import annotations

from dataclasses import dataclass

from cpor.domain.vocabulary import Code

#: No answer repeats more of what was sent than this (contract §3).
LONGEST_ECHO = 64


@dataclass(frozen=True, slots=True)
class FieldError:
    """An entry of `errors[]` or `warnings[]`: the field's path (`workloads[1]`), code, one plain sentence."""

    field: str
    code: Code
    detail: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a command is not even looked at: its code and one plain sentence."""

    code: Code
    detail: str


def shown(value: str) -> str:
    """Input as it may stand in an answer: quoted, at most 64 characters of it, each of them printable."""
    kept = "".join(c if c.isprintable() else "?" for c in value[:LONGEST_ECHO])
    return f"'{kept}…'" if len(value) > LONGEST_ECHO else f"'{kept}'"
