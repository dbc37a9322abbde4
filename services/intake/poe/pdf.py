"""Reads PDFs: structure, encryption, page tree and page contents, with pypdf kept on a short lead.

pypdf repairs what it can; a document of evidence must need no repair, so the end mark and every page's
content are checked as well. Encryption of any sort refuses a file, also one that opens without a password:
a reviewer's tools must be able to search and archive it for years (D21).
"""

from __future__ import annotations

import io
import logging
import re
import zlib
from collections.abc import Iterator

from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, NullObject, PdfObject, StreamObject

from services.intake.poe.limits import FileType, Limits
from services.intake.poe.verdict import Rejection, encrypted, unreadable

END_MARK = b"%%EOF"
#: Where readers look for the end mark; some mailers append a few lines.
END_MARK_WITHIN = 1024
ENCRYPT_ENTRY = re.compile(rb"/Encrypt\s+\d{1,10}\s+\d{1,5}\s+R")
FLATE = {"/FlateDecode", "/Fl"}
#: A page tree of 2,000 pages is at most a dozen deep.
MAX_TREE_DEPTH = 64
MAX_CONTENT_STREAMS = 50_000
CHUNK = 64 * 1024

# It logs every oddity of a partner's file as a warning; the verdict says what matters.
logging.getLogger("pypdf").setLevel(logging.CRITICAL)


def check_pdf(content: bytes, row: FileType, limits: Limits) -> int:
    """The number of pages, or `Rejection`: encrypted, truncated, damaged, no pages or absurdly many."""
    if END_MARK not in content[-END_MARK_WITHIN:]:
        raise unreadable("The PDF is truncated: its end mark is missing.")
    reader = _open(content)
    budget = _Budget(limits.max_inflated_bytes)
    pages = 0
    for page in _pages(reader):
        pages += 1
        if pages > limits.max_pages:
            raise unreadable(f"The PDF has more than {limits.max_pages} pages.")
        check_page(page, budget)
    if pages == 0:
        raise unreadable("The PDF has no pages.")
    return pages


def _open(content: bytes) -> PdfReader:
    """A reader of an unencrypted document. What pypdf cannot open may still say that it is encrypted."""
    try:
        reader = PdfReader(io.BytesIO(content), root_object_recovery_limit=1_000, xref_stream_maximum_entries=500_000)
        if not reader.is_encrypted:
            return reader
    except (RecursionError, MemoryError):
        raise
    except Exception as error:
        if ENCRYPT_ENTRY.search(content) is None:
            raise unreadable("The file is not a PDF that can be read: it is truncated or damaged.") from error
    raise encrypted("The PDF is encrypted or its use restricted; send it without protection.")


class _Budget:
    """How many unpacked bytes and content streams are left to this document."""

    def __init__(self, inflated: int) -> None:
        self.inflated = inflated
        self.streams = MAX_CONTENT_STREAMS

    def spend(self, inflated: int) -> None:
        self.inflated -= inflated
        if self.inflated < 0:
            raise unreadable("The PDF's pages unpack to more bytes than are allowed.")

    def spend_stream(self) -> None:
        self.streams -= 1
        if self.streams < 0:
            raise unreadable("The PDF's pages hold too many pieces.")


def _pages(reader: PdfReader) -> Iterator[DictionaryObject]:
    """The page tree's leaves, each once; by hand, as pypdf flattens the whole tree before the first."""
    seen: set[tuple[int, int]] = set()
    stack: list[tuple[PdfObject, int]] = [(reader.root_object.raw_get("/Pages"), 0)]
    while stack:
        raw, depth = stack.pop()
        if isinstance(raw, IndirectObject):
            check_is_new((raw.idnum, raw.generation), seen)
        node = _dictionary(raw)
        if "/Kids" not in node:
            yield node
            continue
        if depth > MAX_TREE_DEPTH:
            raise unreadable("The PDF's list of pages is nested too deeply.")
        kids = _resolve(node.raw_get("/Kids"))
        if not isinstance(kids, ArrayObject):
            raise unreadable("The PDF's list of pages is damaged.")
        stack.extend((list.__getitem__(kids, index), depth + 1) for index in reversed(range(len(kids))))


def check_is_new(reference: tuple[int, int], seen: set[tuple[int, int]]) -> None:
    if reference in seen:
        raise unreadable("The PDF's list of pages runs in a circle.")
    seen.add(reference)


def check_page(page: DictionaryObject, budget: _Budget) -> None:
    """That the page is one, and that what is drawn on it can be unpacked."""
    if page.get("/Type", "/Page") != "/Page":
        raise unreadable("The PDF's list of pages holds something else than pages.")
    if "/Contents" in page:
        contents = _resolve(page.raw_get("/Contents"))
        for piece in contents if isinstance(contents, ArrayObject) else [contents]:
            budget.spend_stream()
            _check_content(_resolve(piece), budget)


def _check_content(piece: PdfObject | None, budget: _Budget) -> None:
    if isinstance(piece, NullObject):
        return
    if not isinstance(piece, StreamObject):
        raise unreadable("A page's content is missing from the PDF.")
    filters = piece.get("/Filter")
    names = list(filters) if isinstance(filters, ArrayObject) else [filters]
    if names[:1] and str(names[0]) in FLATE:
        _check_inflates(piece._data, budget)


def _check_inflates(data: bytes, budget: _Budget) -> None:
    """That a content stream unpacks, in pieces that are thrown away.

    A missing end is tolerated, as every viewer does: some producers leave out the stream's last four bytes.
    """
    unpacker = zlib.decompressobj()
    rest = data
    try:
        while rest and not unpacker.eof:
            budget.spend(len(unpacker.decompress(rest, CHUNK)))
            rest = unpacker.unconsumed_tail
    except zlib.error as error:
        raise unreadable("A page's content in the PDF is damaged.") from error


def _resolve(item: PdfObject | None) -> PdfObject | None:
    return item.get_object() if item is not None else None


def _dictionary(item: PdfObject) -> DictionaryObject:
    node = _resolve(item)
    if not isinstance(node, DictionaryObject):
        raise _damaged()
    return node


def _damaged() -> Rejection:
    return unreadable("The PDF's list of pages is damaged.")
