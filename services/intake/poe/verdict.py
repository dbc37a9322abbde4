"""What is said of a document: accepted with its facts, or refused with every problem (contract §9, D21)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from services.intake.poe.limits import Kind

#: Contract §3: no detail echoes more of the input.
MAX_ECHO = 64


class ProblemCode(StrEnum):
    """The codes of contract §9 that a document can meet."""

    MISSING = "document_missing"
    TOO_LARGE = "document_too_large"
    EMPTY = "document_empty"
    DIGEST_MISMATCH = "document_digest_mismatch"
    TYPE_NOT_ALLOWED = "document_type_not_allowed"
    ENCRYPTED = "document_encrypted"
    UNREADABLE = "document_unreadable"


@dataclass(frozen=True)
class Problem:
    """One reason to refuse; `detail` is one plain sentence for the partner."""

    code: ProblemCode
    detail: str


@dataclass(frozen=True)
class Facts:
    """What inspection saw of a document it accepts."""

    kind: Kind
    mime: str
    #: bytes
    size: int
    #: lower-case hex
    sha256: str
    #: PDF only; 1 for an image, None for DOCX, whose pages exist only once it is laid out
    pages: int | None


@dataclass(frozen=True)
class Accepted:
    """The document may be kept as evidence."""

    facts: Facts


@dataclass(frozen=True)
class Refused:
    """The document may not be kept: all problems, in the order of contract §9."""

    problems: tuple[Problem, ...]


Inspection = Accepted | Refused


class Rejection(Exception):
    """A format reader's no: `code` and `detail` become the problem."""

    def __init__(self, code: ProblemCode, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail

    def as_problem(self) -> Problem:
        return Problem(self.code, self.detail)


def unreadable(detail: str) -> Rejection:
    return Rejection(ProblemCode.UNREADABLE, detail)


def encrypted(detail: str) -> Rejection:
    return Rejection(ProblemCode.ENCRYPTED, detail)


def not_allowed(detail: str) -> Rejection:
    return Rejection(ProblemCode.TYPE_NOT_ALLOWED, detail)


def echo(text: str) -> str:
    """Input as it may stand in a detail: printable, quoted, at most 64 characters of it."""
    printable = "".join(letter if letter.isprintable() else "?" for letter in text[: MAX_ECHO + 1])
    shown = printable if len(printable) <= MAX_ECHO else printable[: MAX_ECHO - 1] + "…"
    return f'"{shown}"'
