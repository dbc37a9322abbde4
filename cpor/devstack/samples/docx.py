"""The same proof of execution as a Word document, with every letter of every script."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from docx import Document
from docx.shared import Pt

from cpor.devstack.samples.content import PoeContent, workload_title
from cpor.devstack.samples.pdf import ACKNOWLEDGEMENT
from cpor.devstack.samples.text import visible

#: The earliest time that a ZIP archive can hold; any fixed one would do.
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


def poe_docx(content: PoeContent) -> bytes:
    """The four sections of R27 in Word. Same content, same bytes."""
    document = Document()
    document.styles["Normal"].font.size = Pt(10)
    _set_properties(document, content)
    document.add_heading("Proof of execution", level=0)
    document.add_paragraph(f"{content.document_number}, {content.issued_on:%d %B %Y}")
    _add_parties(document, content)
    _add_acknowledgement(document, content)
    _add_work(document, content)
    buffer = io.BytesIO()
    document.save(buffer)
    return repacked(buffer.getvalue())


def repacked(archive: bytes) -> bytes:
    """The same ZIP members without the time at which they were packed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as source, zipfile.ZipFile(buffer, "w") as target:
        for name in source.namelist():
            target.writestr(zipfile.ZipInfo(name, ZIP_EPOCH), source.read(name), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _set_properties(document: Any, content: PoeContent) -> None:
    properties = document.core_properties
    properties.author = visible(content.partner_name)[:255]
    properties.title = f"Proof of execution {content.document_number}"
    properties.created = properties.modified = datetime(*content.issued_on.timetuple()[:3], 9, tzinfo=UTC)


def _add_parties(document: Any, content: PoeContent) -> None:
    document.add_heading("1   Partner and customer", level=1)
    rows = [
        ("Partner company", f"{content.partner_name} (Partner ID {content.partner_location_id})"),
        ("Customer company", content.customer_name),
        ("Customer domain", content.domain),
        ("Customer tenant ID", content.tenant_id),
        ("Project name", content.project_name or "–"),
        ("Public sector", content.public_sector or "–"),
    ]
    add_table(document, rows)


def _add_acknowledgement(document: Any, content: PoeContent) -> None:
    document.add_heading("2   Customer acknowledgement", level=1)
    statement = ACKNOWLEDGEMENT.format(customer=content.customer_name, partner=content.partner_name)
    document.add_paragraph(visible(statement))
    if content.signed_on is not None:
        signer = f"Signed: {content.signer_name}, {content.signer_title}, {content.signed_on:%d %B %Y}"
        document.add_paragraph(visible(signer))


def _add_work(document: Any, content: PoeContent) -> None:
    document.add_heading("3   Activities and evidence", level=1)
    heads = ("Activity", "Period", "What was done", "Evidence")
    rows = [
        (row.title, f"{row.started_on:%d %b %Y} – {row.ended_on:%d %b %Y}", row.description, row.evidence)
        for row in content.activities
    ]
    add_table(document, [heads, *rows])
    document.add_heading("4   Usage claims", level=1)
    usage = [(workload_title(row.workload), row.activity_type, row.outcome) for row in content.usage]
    add_table(document, [("Product or workload", "Activity type", "Outcome"), *usage])


def add_table(document: Any, rows: Sequence[Sequence[str]]) -> None:
    """A table with lines around every cell; the first row decides how many columns there are."""
    table = document.add_table(rows=len(rows), cols=len(rows[0]), style="Table Grid")
    for line, cells in zip(table.rows, rows, strict=True):
        for cell, text in zip(line.cells, cells, strict=True):
            cell.text = visible(text)
