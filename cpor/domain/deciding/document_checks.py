"""What a document must be before a claim takes it (D21, R26): its announced facts and what the partner says of it.

The bytes were read by intake; nothing here opens a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cpor.domain.commands import AttachDocument, ReserveDocument
from cpor.domain.model import Document
from cpor.domain.policy import Policy
from cpor.domain.refusal import FieldError, shown
from cpor.domain.texts import check_signed_on, check_text, invalid
from cpor.domain.vocabulary import Code, Instant, SolutionArea

_LONGEST_FILENAME = 255
_SHA256 = re.compile(r"[0-9a-f]{64}")

Described = Document | AttachDocument


@dataclass(frozen=True, slots=True)
class DocumentRules:
    """What the documents of one claim are judged by.

    `area` is None for a form that names none: then coverage is not judged. `zones` are those in which a signature
    may be of today at `received_at`.
    """

    policy: Policy
    area: SolutionArea | None
    received_at: Instant
    zones: tuple[str, ...]

    def attach_errors(
        self, present: Sequence[Document], new: Sequence[AttachDocument], path: str = ""
    ) -> list[FieldError]:
        """All that is wrong with attaching `new` to `present`; `path` names the list they came in, if any."""
        errors = list(self.room_errors(len(present) + len(new)))
        taken = {each.document_id for each in present}
        for index, each in enumerate(new):
            prefix = f"{path}[{index}]." if path else ""
            if each.document_id in taken:
                errors.append(invalid(f"{prefix}document_id", "is attached already."))
            taken.add(each.document_id)
            errors += self.file_errors(each, prefix)
            errors += self.detail_errors(each, prefix)
        return errors

    def room_errors(self, count: int) -> Iterator[FieldError]:
        limit = self.policy.documents.max_per_claim
        if count > limit:
            yield FieldError("documents", Code.TOO_MANY_DOCUMENTS, f"A claim holds at most {limit} documents.")

    def file_errors(self, data: AttachDocument | ReserveDocument, path: str = "") -> Iterator[FieldError]:
        """Name, type, size in bytes, digest (64 hex digits, lower case)."""
        yield from check_text(f"{path}filename", data.filename, _LONGEST_FILENAME)
        if data.content_type not in self.policy.documents.types:
            detail = f"{shown(data.content_type)} is not a type that is taken: PDF, DOCX, PNG or JPEG."
            yield FieldError(f"{path}content_type", Code.DOCUMENT_TYPE_NOT_ALLOWED, detail)
        yield from self._size_errors(data.size, f"{path}size")
        if not _SHA256.fullmatch(data.sha256):
            yield invalid(f"{path}sha256", "must be 64 hexadecimal digits in lower case.")

    def detail_errors(self, data: Described, path: str = "") -> Iterator[FieldError]:
        """A description may be empty; a signature's date unknown, but not in the future."""
        if data.description:
            limit = self.policy.texts.description
            yield from check_text(f"{path}description", data.description, limit, multiline=True)
        yield from check_signed_on(f"{path}customer_signed_on", data.customer_signed_on, self.received_at, *self.zones)
        yield from check_coverage(self.policy, self.area, data.covers, f"{path}covers")

    def _size_errors(self, size: int, field: str) -> Iterator[FieldError]:
        limit = self.policy.documents.max_bytes
        if size <= 0:
            yield FieldError(field, Code.DOCUMENT_EMPTY, "The file is empty.")
        if size > limit:
            yield FieldError(field, Code.DOCUMENT_TOO_LARGE, f"The file is larger than {limit // 2**20} MiB.")


def check_present(number: int) -> Iterator[FieldError]:
    """R23, R24: of the documents of a submission."""
    if number == 0:
        yield FieldError("documents", Code.POE_MISSING, "Attach at least one proof of execution.")


def check_coverage(
    policy: Policy, area: SolutionArea | None, covers: tuple[str, ...], field: str
) -> Iterator[FieldError]:
    """R26: what a document is said to cover must be of the area."""
    known = policy.catalogue[area] if area else covers
    for index, code in enumerate(covers):
        if code not in known:
            detail = f"{shown(code)} is no workload or product of the claim's area."
            yield FieldError(f"{field}[{index}]", Code.WORKLOAD_NOT_IN_AREA, detail)
