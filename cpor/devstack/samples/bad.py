"""One file of every kind that must be refused (D21), each with the codes it must be refused with (contract §9)."""

from __future__ import annotations

import functools
import hashlib
import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from fpdf import FPDF
from fpdf.enums import EncryptionMethod

from cpor.devstack.samples.content import PoeContent, realistic_content
from cpor.devstack.samples.docx import ZIP_EPOCH, poe_docx
from cpor.devstack.samples.pdf import poe_pdf
from cpor.devstack.samples.scans import scan_jpeg, scan_png

PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PNG = "image/png"
JPEG = "image/jpeg"
MIB = 1024 * 1024
#: One byte more than D21 allows.
TOO_LARGE = 25 * MIB + 1
PASSWORD = "open sesame"
Maker = Callable[[], bytes]


@dataclass(frozen=True)
class BadFile:
    """A file to upload (or not), what to declare of it, and the refusal it must get."""

    kind: str
    filename: str
    content_type: str
    #: The codes of contract §9, in that order.
    codes: tuple[str, ...]
    #: Makes the bytes anew each time, so that the large ones are only there while somebody holds them.
    make: Maker
    #: False: never put it into the store
    uploaded: bool = True
    #: Makes what is declared instead of the file itself; None: the truth
    declared: Maker | None = None

    def content(self) -> bytes:
        return self.make()

    def declaration(self) -> tuple[int, str]:
        """Size in bytes and SHA-256 (hex), as they go into the message."""
        declared = (self.declared or self.make)()
        return len(declared), hashlib.sha256(declared).hexdigest()


def bad_files() -> dict[str, BadFile]:
    """Kind → file. Cheap: nothing is made before its content is asked for."""
    return {file.kind: file for file in (*_of_the_upload(), *_of_the_content())}


def _of_the_upload() -> tuple[BadFile, ...]:
    return (
        BadFile("missing", "poe.pdf", PDF, ("document_missing",), _good_pdf, uploaded=False),
        BadFile("empty", "empty.pdf", PDF, ("document_empty",), bytes),
        BadFile("too_large", "huge.pdf", PDF, ("document_too_large",), lambda: bytes(TOO_LARGE)),
        BadFile("digest_mismatch", "swapped.pdf", PDF, ("document_digest_mismatch",), _good_pdf, declared=_altered_pdf),
    )


def _of_the_content() -> tuple[BadFile, ...]:
    """Declared truly, so that only the content is wrong."""
    unreadable, wrong_type = ("document_unreadable",), ("document_type_not_allowed",)
    return (
        BadFile("truncated", "cut.pdf", PDF, unreadable, lambda: _good_pdf()[:-700]),
        BadFile("encrypted", "locked.pdf", PDF, ("document_encrypted",), _encrypted_pdf),
        BadFile("program", "setup.pdf", PDF, wrong_type, _program),
        BadFile("renamed_zip", "archive.pdf", PDF, wrong_type, lambda: _zip({"notes.txt": b"no Word document"})),
        BadFile("undeclared_type", "poe.txt", "text/plain", wrong_type, lambda: b"Proof of execution\n"),
        BadFile("corrupt_docx", "broken.docx", DOCX, unreadable, _corrupt_docx),
        BadFile("zip_bomb", "bomb.docx", DOCX, unreadable, _zip_bomb),
        BadFile("xml_bomb", "laughs.docx", DOCX, unreadable, _xml_bomb),
        BadFile("image_bomb", "wall.png", PNG, unreadable, _image_bomb),
        BadFile("truncated_image", "cut.jpg", JPEG, unreadable, lambda: scan_jpeg(_content())[:-4000]),
        BadFile("truncated_scan", "cut.png", PNG, unreadable, lambda: scan_png(_content())[:-4000]),
    )


@functools.cache
def _content() -> PoeContent:
    return realistic_content(
        seed="bad files",
        partner_name="Fabrikam Consulting",
        partner_location_id="4711001",
        customer_name="Contoso",
        domain="contoso.example",
        tenant_id="3f2b8a52-6a5e-4d0b-9d43-5c1d8c2a7e10",
        country="DE",
        partner_role="use_or_consume",
        workloads=("teams", "exchange"),
        signed_on=date(2026, 3, 2),
        issued_on=date(2026, 3, 4),
    )


@functools.cache
def _good_pdf() -> bytes:
    return poe_pdf(_content())


def _altered_pdf() -> bytes:
    """A document of the same size in which one byte differs."""
    return _good_pdf()[:-1] + b"\r"


def _encrypted_pdf() -> bytes:
    paper = FPDF()
    paper.set_creation_date(datetime(2026, 3, 4, tzinfo=UTC))
    paper.set_encryption(PASSWORD, PASSWORD, encryption_method=EncryptionMethod.RC4)
    paper.add_page()
    paper.set_font("helvetica", size=12)
    paper.cell(text="Proof of execution, for those who know the word.")
    return bytes(paper.output())


def _program() -> bytes:
    """The head of a Windows program, and nothing that runs."""
    return b"MZ" + struct.pack("<29H", *range(29)) + b"This program cannot be run in DOS mode.\r\n$" + bytes(4096)


def _corrupt_docx() -> bytes:
    """A Word document in whose middle some bytes were overwritten."""
    good = bytearray(poe_docx(_content()))
    start = good.find(b"word/document.xml") + 200
    good[start : start + 64] = bytes(64)
    return bytes(good)


def _word_with(body: bytes) -> bytes:
    """The smallest package with this as its text part."""
    types = (
        b'<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        b'<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument'
        b'.wordprocessingml.document.main+xml"/></Types>'
    )
    return _zip({"[Content_Types].xml": types, "word/document.xml": body})


def _zip(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, body in members.items():
            archive.writestr(zipfile.ZipInfo(name, ZIP_EPOCH), body, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _zip_bomb() -> bytes:
    """24 MiB of spaces in 24 KiB."""
    return _word_with(b"<a>" + b" " * (24 * MIB) + b"</a>")


def _xml_bomb() -> bytes:
    """Entities that double: two to the thirtieth times one word."""
    doubled = "".join(f'<!ENTITY e{n + 1} "&e{n};&e{n};">' for n in range(30))
    return _word_with(f'<!DOCTYPE a [<!ENTITY e0 "lol">{doubled}]><a>&e30;</a>'.encode())


def _image_bomb() -> bytes:
    """A PNG of 100,000 by 100,000 pixels in a few hundred bytes."""
    head = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 0, 0, 0, 0)
    chunks = (b"IHDR", head), (b"IDAT", zlib.compress(bytes(100_000))), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, body) for name, body in chunks)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
