"""Documents for the tests: one good one of each type, and the makers of hostile ones."""

from __future__ import annotations

import functools
import hashlib
import io
import zipfile
import zlib
from collections.abc import Callable, Mapping
from datetime import date

from cpor.devstack.samples import PoeContent, poe_docx, poe_pdf, realistic_content, scan_jpeg, scan_png
from services.intake.poe.inspect import inspect
from services.intake.poe.limits import P2023, Limits
from services.intake.poe.verdict import Inspection, Refused

PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PNG = "image/png"
JPEG = "image/jpeg"
MAIN_TYPE = DOCX + ".main+xml"


@functools.cache
def content() -> PoeContent:
    return realistic_content(
        seed="tests",
        partner_name="Fabrikam Beratung GmbH",
        partner_location_id="4711001",
        customer_name="株式会社さくら物流",
        domain="sakura.example",
        tenant_id="3f2b8a52-6a5e-4d0b-9d43-5c1d8c2a7e10",
        country="JP",
        partner_role="use_or_consume",
        workloads=("teams_phone", "exchange"),
        signed_on=date(2026, 3, 2),
        issued_on=date(2026, 3, 4),
    )


MAKERS: Mapping[str, Callable[[PoeContent], bytes]] = {PDF: poe_pdf, DOCX: poe_docx, PNG: scan_png, JPEG: scan_jpeg}


@functools.cache
def good(mime: str) -> bytes:
    return MAKERS[mime](content())


def judge(document: bytes, mime: str, limits: Limits = P2023) -> Inspection:
    """The verdict on a document that is declared truly."""
    digest = hashlib.sha256(document).hexdigest()
    return inspect(document, declared_type=mime, declared_size=len(document), declared_sha256=digest, limits=limits)


def codes(verdict: object) -> tuple[str, ...]:
    return tuple(problem.code for problem in verdict.problems) if isinstance(verdict, Refused) else ()


def zipped(members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return buffer.getvalue()


def word(body: bytes, main_type: str = MAIN_TYPE, part: str = "word/document.xml") -> bytes:
    types = f'<Types><Override PartName="/word/document.xml" ContentType="{main_type}"/></Types>'
    return zipped({"[Content_Types].xml": types.encode(), part: body})


def pdf(objects: Mapping[int, bytes], trailer: bytes = b"/Root 1 0 R") -> bytes:
    """A PDF of these objects with a correct table of them."""
    out = bytearray(b"%PDF-1.7\n")
    offsets = {}
    for number, body in objects.items():
        offsets[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 1\n0000000000 65535 f \n"
    for number, offset in offsets.items():
        out += b"%d 1\n%010d 00000 n \n" % (number, offset)
    out += b"trailer\n<< %s /Size %d >>\nstartxref\n%d\n%%%%EOF\n" % (trailer, max(objects) + 1, table)
    return bytes(out)


def pdf_with_pages(pages: bytes, **others: bytes) -> bytes:
    """A PDF whose page tree's root is `pages`; `others` are further objects, `o3=…` for number 3."""
    numbered = {int(name.removeprefix("o")): body for name, body in others.items()}
    return pdf({1: b"<< /Type /Catalog /Pages 2 0 R >>", 2: pages, **numbered})


def stream(body: bytes, entries: bytes = b"/Filter /FlateDecode") -> bytes:
    packed = zlib.compress(body, 9)
    return b"<< %s /Length %d >>\nstream\n%s\nendstream" % (entries, len(packed), packed)
