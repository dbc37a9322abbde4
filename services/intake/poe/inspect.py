"""Judges one document by its bytes alone (R26's "right file" as far as a machine can tell; D21)."""

from __future__ import annotations

import hashlib

from services.intake.poe.docx import check_docx
from services.intake.poe.images import check_image
from services.intake.poe.limits import FileType, Kind, Limits
from services.intake.poe.pdf import check_pdf
from services.intake.poe.sniff import check_is_what_it_claims
from services.intake.poe.verdict import (
    Accepted,
    Facts,
    Inspection,
    Problem,
    ProblemCode,
    Refused,
    Rejection,
    echo,
    unreadable,
)

#: Format → its reader: pages, or `Rejection`.
READERS = {Kind.PDF: check_pdf, Kind.DOCX: check_docx, Kind.PNG: check_image, Kind.JPEG: check_image}


def inspect(
    content: bytes, *, declared_type: str, declared_size: int, declared_sha256: str, limits: Limits
) -> Inspection:
    """Accepted with the document's facts, or refused with all its problems. Pure; never raises on any
    content.

    Allocation and work inside the formats are bounded by `limits`, except for processor time and total
    memory, which only a process of its own can bound: see `sandbox`.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    problems = [
        *_size_problems(content, limits),
        *_identity_problems(len(content), sha256, declared_size, declared_sha256),
    ]
    row = limits.type_of(declared_type)
    if row is None:
        return Refused((*problems, _type_problem(declared_type, limits)))
    pages = _read(content, row, limits)
    if isinstance(pages, Problem):
        problems.append(pages)
    elif not problems and content:
        return Accepted(Facts(row.kind, row.mime, len(content), sha256, pages))
    return Refused(tuple(problems))


def refuse_unread(declared_type: str, size: int, limits: Limits) -> Refused:
    """The verdict on a file whose bytes are not worth fetching because it is larger than allowed."""
    problems = [_too_large(size, limits)]
    if limits.type_of(declared_type) is None:
        problems.append(_type_problem(declared_type, limits))
    return Refused(tuple(problems))


def _read(content: bytes, row: FileType, limits: Limits) -> int | Problem | None:
    """The number of pages, or what is wrong inside. Empty and oversized content is not looked into."""
    if not content or len(content) > limits.max_bytes:
        return None
    try:
        check_is_what_it_claims(content, row, limits)
        return READERS[row.kind](content, row, limits)
    except Rejection as rejection:
        return rejection.as_problem()
    except RecursionError:
        return unreadable(f"The file is not {row.title} that can be read: it is nested too deeply.").as_problem()
    except MemoryError:
        return unreadable(f"The file is not {row.title} that can be read: it needs too much memory.").as_problem()
    except Exception:  # the parsers raise whatever they stumble over, and all of it means the same
        return unreadable(f"The file is not {row.title} that can be read: it is damaged.").as_problem()


def _size_problems(content: bytes, limits: Limits) -> list[Problem]:
    if not content:
        return [Problem(ProblemCode.EMPTY, "The file has no content.")]
    return [_too_large(len(content), limits)] if len(content) > limits.max_bytes else []


def _too_large(size: int, limits: Limits) -> Problem:
    return Problem(ProblemCode.TOO_LARGE, f"The file has {size} bytes; at most {limits.max_bytes} are allowed.")


def _identity_problems(size: int, sha256: str, declared_size: int, declared_sha256: str) -> list[Problem]:
    """Whether these are the bytes that the partner announced; one problem, whichever of the two differs."""
    if size != declared_size:
        detail = f"The file has {size} bytes, but {declared_size} were declared."
    elif sha256 != declared_sha256.lower():
        detail = f"The file's SHA-256 is not the declared {echo(declared_sha256)}."
    else:
        return []
    return [Problem(ProblemCode.DIGEST_MISMATCH, detail)]


def _type_problem(declared_type: str, limits: Limits) -> Problem:
    detail = f"The type {echo(declared_type)} is not allowed; allowed are {limits.titles()}."
    return Problem(ProblemCode.TYPE_NOT_ALLOWED, detail)
