"""What a proof of execution may be (D21): the table of allowed types, and the limits as one policy value.

Everything that reads documents takes a `Limits`; `P2023` below is the default an edition starts from, so
that another edition can bring its own without a change of code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

MIB = 1024 * 1024


class Kind(StrEnum):
    """The document formats that can be read and checked."""

    PDF = "pdf"
    DOCX = "docx"
    PNG = "png"
    JPEG = "jpeg"


@dataclass(frozen=True)
class FileType:
    """One row of the table of allowed types."""

    kind: Kind
    #: What a person calls it, in a refusal's sentence.
    title: str
    #: The media type a partner must declare, and the one it is stored and served under.
    mime: str
    #: The first is the one given to a file whose name has none of them.
    extensions: tuple[str, ...]
    #: A file starts with it; PDF alone may have it anywhere in the first KiB (as its readers accept).
    magic: bytes


#: D21: PDF, DOCX, PNG, JPEG.
FILE_TYPES: tuple[FileType, ...] = (
    FileType(Kind.PDF, "a PDF", "application/pdf", (".pdf",), b"%PDF-"),
    FileType(
        Kind.DOCX,
        "a Word document",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        (".docx",),
        b"PK\x03\x04",
    ),
    FileType(Kind.PNG, "a PNG image", "image/png", (".png",), b"\x89PNG\r\n\x1a\n"),
    FileType(Kind.JPEG, "a JPEG image", "image/jpeg", (".jpg", ".jpeg"), b"\xff\xd8\xff"),
)
BY_KIND: Mapping[Kind, FileType] = {row.kind: row for row in FILE_TYPES}
BY_MIME: Mapping[str, FileType] = {row.mime: row for row in FILE_TYPES}


@dataclass(frozen=True)
class Limits:
    """How much of what a document may hold. Sizes are bytes."""

    #: D21: which of `FILE_TYPES`.
    kinds: tuple[Kind, ...]
    #: D21: of one file.
    max_bytes: int
    #: D21: of one claim; counted by review, carried here because it is one policy.
    max_documents: int
    max_pages: int
    #: Of everything inside a file once unpacked: what a reviewer's viewer would have to hold.
    max_inflated_bytes: int
    #: Unpacked to packed; judged only on files that unpack to more than `ratio_free_bytes`.
    max_inflation_ratio: int
    ratio_free_bytes: int
    max_zip_members: int
    max_xml_depth: int
    max_pixels: int
    #: Processor time (not wall time: a busy machine must not change a verdict) and memory of one inspection.
    max_cpu_seconds: float
    max_memory_bytes: int

    def type_of(self, mime: str) -> FileType | None:
        """The row for a declared media type, or None where this policy does not allow it."""
        row = BY_MIME.get(mime)
        return row if row is not None and row.kind in self.kinds else None

    def titles(self) -> str:
        """The allowed types as words, for a refusal."""
        return ", ".join(BY_KIND[kind].title for kind in self.kinds)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Limits:
        return cls(**{**plain, "kinds": tuple(Kind(kind) for kind in plain["kinds"])})


P2023 = Limits(
    kinds=tuple(row.kind for row in FILE_TYPES),
    max_bytes=25 * MIB,
    max_documents=20,
    # A contract with all its annexes has a few hundred.
    max_pages=2_000,
    max_inflated_bytes=200 * MIB,
    # Text compresses 5 to 20 times, repetitive XML up to 100 times; deflate's ceiling is 1,032.
    max_inflation_ratio=200,
    ratio_free_bytes=10 * MIB,
    max_zip_members=2_000,
    max_xml_depth=256,
    # A4 at 600 dpi is 35 million; 50 million decode into 200 MB.
    max_pixels=50_000_000,
    max_cpu_seconds=5.0,
    max_memory_bytes=1024 * MIB,
)


def limits_for(types: Sequence[str], max_bytes: int, max_documents: int) -> Limits:
    """The limits of an edition whose data names media types, bytes of one file and files of one claim.

    `KeyError` for a type that nothing here can read: a mistake in the edition's data.
    """
    kinds = tuple(BY_MIME[mime].kind for mime in types)
    return replace(P2023, kinds=kinds, max_bytes=max_bytes, max_documents=max_documents)
