"""The proof of execution as a PDF with the template's four sections (R27)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from fpdf import FPDF
from fpdf.enums import TableBordersLayout, TableCellFillMode, XPos, YPos
from fpdf.fonts import FontFace

from cpor.devstack.samples.content import PoeContent, workload_title
from cpor.devstack.samples.signature import signature
from cpor.devstack.samples.text import ENCODING, legible

INK = (28, 36, 52)
ACCENT = (24, 74, 122)
PALE = (238, 243, 249)
GREY = (104, 112, 126)
PEN = (26, 44, 120)
MARGIN = 18.0
LABEL_WIDTH = 46.0
ACKNOWLEDGEMENT = (
    "On behalf of {customer} I confirm that {partner} carried out the work described in section 3 in our tenant, "
    "that section 4 names the products and workloads it concerned, and that {customer} agrees to {partner} being "
    "recorded as its claiming partner of record for them. I know that this can be declined later."
)


class _Paper(FPDF):
    """Letter or A4, with the document's number at the head and page numbers at the foot."""

    def __init__(self, content: PoeContent) -> None:
        super().__init__(format="letter" if content.public_sector else "A4")
        self._content = content
        self.core_fonts_encoding = ENCODING
        self.set_margins(MARGIN, MARGIN, MARGIN)
        self.c_margin = 0
        self.set_auto_page_break(True, 20)
        self.alias_nb_pages("{nb}")
        # Fixed, so that the same content makes the same bytes and the same digest.
        self.set_creation_date(datetime(*content.issued_on.timetuple()[:3], 9, tzinfo=UTC))
        self.set_title(legible(f"Proof of execution {content.document_number}"))
        self.set_author(legible(content.partner_name))
        self.add_page()

    def header(self) -> None:
        self.set_fill_color(*ACCENT)
        self.rect(0, 0, self.w, 5, style="F")
        self.set_y(10)
        self._say(8, GREY, legible(self._content.partner_name))
        self.set_y(10)
        self._say(8, GREY, f"{self._content.document_number}  ·  {self._content.issued_on:%d %B %Y}", align="R")
        self.set_y(20)

    def footer(self) -> None:
        self.set_y(-14)
        self._say(7.5, GREY, f"Tenant {self._content.tenant_id}")
        self.set_y(-14)
        self._say(7.5, GREY, f"Page {self.page_no()} of {{nb}}", align="R")

    def _say(self, size: float, colour: tuple[int, int, int], text: str, *, style: str = "", align: str = "L") -> None:
        self.set_font("helvetica", style, size)
        self.set_text_color(*colour)
        self.cell(0, size * 0.5, text, align=align, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def title_block(self) -> None:
        self._say(21, INK, "Proof of execution", style="B")
        self.ln(1)
        self._say(10.5, GREY, "Claiming partner of record: association of a partner with a customer's workloads")
        self.ln(3)

    def section(self, number: int, title: str) -> None:
        if self.will_page_break(34):
            self.add_page()
        self.ln(3.5)
        self._say(12.5, ACCENT, f"{number}   {title}", style="B")
        self.set_draw_color(*ACCENT)
        self.set_line_width(0.35)
        self.line(MARGIN, self.get_y() + 0.6, self.w - MARGIN, self.get_y() + 0.6)
        self.ln(2.8)

    def row(self, label: str, value: str) -> None:
        self.set_font("helvetica", "", 9)
        self.set_text_color(*GREY)
        self.cell(LABEL_WIDTH, 5.6, label)
        self.set_font("helvetica", "B" if label.endswith("company") else "", 9.5)
        self.set_text_color(*INK)
        self.multi_cell(0, 5.6, legible(value), new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def paragraph(self, text: str) -> None:
        self.set_font("helvetica", "", 9.5)
        self.set_text_color(*INK)
        self.multi_cell(0, 5, legible(text), new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def grid(self, widths: tuple[int, ...], heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        self.set_font("helvetica", "", 8.8)
        self.set_text_color(*INK)
        self.set_draw_color(190, 200, 214)
        self.set_line_width(0.2)
        look: dict[str, Any] = {
            "col_widths": widths,
            "line_height": 4.4,
            "padding": (1.3, 1.6),
            "text_align": "L",
            "v_align": "T",
            "borders_layout": TableBordersLayout.HORIZONTAL_LINES,
            "headings_style": FontFace(emphasis="BOLD", color=ACCENT, fill_color=PALE),
            "cell_fill_mode": TableCellFillMode.NONE,
        }
        with self.table(**look) as table:
            for cells in (heads, *rows):
                line = table.row()
                for cell in cells:
                    line.cell(legible(cell))

    def signature_block(self, name: str, title: str, signed_on: date | None) -> None:
        """Three ruled fields as on paper; empty ones where the customer did not sign."""
        if self.will_page_break(32):
            self.add_page()
        top = self.get_y() + 21
        signed = signed_on is not None
        if signed:
            self._sign(name, MARGIN + 4, top - 17.5)
        date_text = f"{signed_on:%d %B %Y}" if signed else ""
        fields = (("Signature of the customer", "", 0.0, 66.0), ("Name and title", name if signed else "", 72.0, 62.0))
        for label, value, left, width in (*fields, ("Date", date_text, 140.0, self.epw - 140.0)):
            self._field(label, value, title if signed and value == name else "", MARGIN + left, top, width)
        self.set_y(top + 8)

    def _field(self, label: str, value: str, second: str, left: float, top: float, width: float) -> None:
        self.set_draw_color(*INK)
        self.set_line_width(0.25)
        self.line(left, top, left + width, top)
        self.set_font("helvetica", "", 7.5)
        self.set_text_color(*GREY)
        self.text(left, top + 3.6, label)
        self.set_text_color(*INK)
        self.set_font("helvetica", "", 9.5)
        self.text(left, top - (5.6 if second else 1.5), legible(value))
        self.set_font("helvetica", "", 8.5)
        self.text(left, top - 1.5, legible(second))

    def _sign(self, name: str, left: float, top: float) -> None:
        self.set_draw_color(*PEN)
        self.set_line_width(0.42)
        self.polyline([(left + x, top + y) for x, y in signature(name, 52, 18)])


def poe_pdf(content: PoeContent) -> bytes:
    """One to two pages, A4 (letter for customers in the United States and Puerto Rico). Same content, same bytes."""
    paper = _Paper(content)
    paper.title_block()
    _parties(paper, content)
    _acknowledgement(paper, content)
    _activities(paper, content)
    _usage(paper, content)
    return bytes(paper.output())


def _parties(paper: _Paper, content: PoeContent) -> None:
    paper.section(1, "Partner and customer")
    rows = {
        "Partner company": f"{content.partner_name} (Partner ID {content.partner_location_id})",
        "Partner contact": content.partner_contact,
        "Customer company": content.customer_name,
        "Customer domain": content.domain,
        "Customer tenant ID": content.tenant_id,
        "Subscription ID": content.subscription_id,
        "Project name": content.project_name,
        "Public sector": content.public_sector and f"The customer is {content.public_sector}.",
    }
    for label, value in rows.items():
        if value:
            paper.row(label, value)


def _acknowledgement(paper: _Paper, content: PoeContent) -> None:
    paper.section(2, "Customer acknowledgement")
    paper.paragraph(ACKNOWLEDGEMENT.format(customer=content.customer_name, partner=content.partner_name))
    paper.signature_block(content.signer_name, content.signer_title, content.signed_on)


def _activities(paper: _Paper, content: PoeContent) -> None:
    paper.section(3, "Activities and evidence")
    rows = [
        (row.title, f"{row.started_on:%d %b %Y} –\n{row.ended_on:%d %b %Y}", row.description, row.evidence)
        for row in content.activities
    ]
    paper.grid((38, 26, 68, 42), ("Activity", "Period", "What was done", "Evidence"), rows)


def _usage(paper: _Paper, content: PoeContent) -> None:
    paper.section(4, "Usage claims")
    rows = [(workload_title(row.workload), row.activity_type, row.outcome) for row in content.usage]
    paper.grid((60, 56, 58), ("Product or workload", "Activity type", "Outcome"), rows)
