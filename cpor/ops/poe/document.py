"""The template as a Word document: the four parts of R27. The same content gives the same bytes."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from docx import Document
from docx.shared import Pt

from cpor.devstack.samples.docx import add_table, repacked
from cpor.devstack.samples.text import visible
from cpor.ops.poe.content import Content
from cpor.ops.poe.words import Words, words_in

#: Rows to write on where the claim does not fill them.
EMPTY_ROWS = 4
#: Word's core properties need a time; any fixed one will do.
MADE_AT = datetime(2023, 10, 10, tzinfo=UTC)

Row = tuple[str, ...]


def template_docx(content: Content, language: str) -> bytes:
    """`language` is one of `words.LANGUAGES`."""
    words = words_in(language)
    document = Document()
    document.styles["Normal"].font.size = Pt(10)
    document.core_properties.title = words.title
    document.core_properties.author = ""
    document.core_properties.created = document.core_properties.modified = MADE_AT
    document.add_heading(words.title, level=0)
    for line in _head(words, content):
        document.add_paragraph(visible(line))
    for number, part in enumerate((_parties, _acknowledgement, _work, _products), start=1):
        part(document, words, content, number)
    buffer = io.BytesIO()
    document.save(buffer)
    return repacked(buffer.getvalue())


def _head(words: Words, content: Content) -> Iterator[str]:
    if content.claim_name:
        yield words.claim.format(name=content.claim_name)
    if content.role is not None:
        yield words.role.format(role=content.role_label)


def _parties(document: Any, words: Words, content: Content, number: int) -> None:
    told = words.parties
    _heading(document, number, told.heading)
    rows = [
        (told.partner, content.partner),
        (told.location, content.location),
        (told.customer, content.customer),
        (told.domain, content.domain),
        (told.tenant, content.tenant),
        *([(told.subscription, content.subscription)] if content.has_subscription else []),
        (told.project, ""),
        *([(told.disclosure, "\n".join(f"☐ {each}" for each in told.choices))] if content.disclosure else []),
    ]
    add_table(document, rows)


def _acknowledgement(document: Any, words: Words, content: Content, number: int) -> None:
    told = words.acknowledgement
    _heading(document, number, told.heading)
    partner, customer = content.partner or told.the_partner, content.customer or told.the_customer
    document.add_paragraph(visible(told.text.format(partner=partner, customer=customer)))
    date = told.date.format(months=content.rules.documents.max_signature_age_months)
    add_table(
        document,
        [(told.name, content.signer), (told.title, content.signer_title), (date, ""), (told.signature, "")],
    )


def _work(document: Any, words: Words, content: Content, number: int) -> None:
    _heading(document, number, words.work.heading)
    add_table(document, [words.work.columns, *_empty(len(words.work.columns))])


def _products(document: Any, words: Words, content: Content, number: int) -> None:
    told = words.usage if content.is_usage else words.products
    _heading(document, number, told.heading)
    activity = words.activities[content.role] if content.role else ""
    rest = ("",) * (len(told.columns) - 2)
    filled: list[Row] = [(name, activity, *rest) for name in content.workloads]
    add_table(document, [told.columns, *(filled or _empty(len(told.columns)))])


def _empty(columns: int) -> list[Row]:
    return [("",) * columns] * EMPTY_ROWS


def _heading(document: Any, number: int, text: str) -> None:
    document.add_heading(f"{number}   {text}", level=1)
