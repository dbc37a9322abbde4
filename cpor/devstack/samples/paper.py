"""Paper to draw a proof of execution on: head, foot, headings, rows, ruled tables and a place to sign."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from cpor.devstack.samples.content import PoeContent
from cpor.devstack.samples.signature import signature
from cpor.devstack.samples.text import ENCODING, legible

INK = (28, 36, 52)
ACCENT = (24, 74, 122)
PALE = (238, 243, 249)
RULE = (190, 200, 214)
GREY = (104, 112, 126)
PEN = (26, 44, 120)
MARGIN = 18.0
LABEL_WIDTH = 46.0
#: mm between two lines of a table, and around the text in its cells
LEADING = 4.4
PADDING = 1.6

#: (style, size, word) → mm. Measuring words takes most of the time that a document costs, and they recur.
_widths: dict[tuple[str, float, str], float] = {}


class Paper(FPDF):
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
        self._use(size, colour, style)
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
        self._rule(MARGIN, self.get_y() + 0.6, self.epw, 0.35, ACCENT)
        self.ln(2.8)

    def row(self, label: str, value: str) -> None:
        """A label, and its value beside it over as many lines as it needs."""
        self._use(9, GREY)
        self.text(MARGIN, self.get_y() + 3.8, label)
        self._use(9.5, INK, "B" if label.endswith("company") else "")
        for line in self._wrapped(value, self.epw - LABEL_WIDTH):
            self.text(MARGIN + LABEL_WIDTH, self.get_y() + 3.8, line)
            self.ln(5.6)

    def paragraph(self, text: str) -> None:
        self._use(9.5, INK)
        for line in self._wrapped(text, self.epw):
            self.text(MARGIN, self.get_y() + 3.6, line)
            self.ln(5)

    def grid(self, widths: Sequence[float], heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table whose last column takes what the others (`widths`, mm) leave."""
        columns = (*widths, self.epw - sum(widths))
        self._use(8.8, ACCENT, "B")
        self._grid_row(columns, heads, PALE)
        for cells in rows:
            self._use(8.8, INK)
            self._grid_row(columns, cells, None)

    def _grid_row(self, columns: Sequence[float], cells: Sequence[str], fill: tuple[int, int, int] | None) -> None:
        wrapped = [self._wrapped(cell, width - 2 * PADDING) for cell, width in zip(cells, columns, strict=True)]
        height = max(map(len, wrapped)) * LEADING + 2 * PADDING
        if self.will_page_break(height):
            self.add_page()
            self._use(8.8, INK)
        left, top = MARGIN, self.get_y()
        if fill is not None:
            self.set_fill_color(*fill)
            self.rect(left, top, self.epw, height, style="F")
        for lines, width in zip(wrapped, columns, strict=True):
            for number, line in enumerate(lines):
                self.text(left + PADDING, top + PADDING + LEADING * (number + 0.75), line)
            left += width
        self._rule(MARGIN, top + height, self.epw, 0.2, RULE)
        self.set_y(top + height)

    def _wrapped(self, text: str, width: float) -> list[str]:
        """Lines of at most `width` mm in the font in use."""
        lines: list[str] = []
        for paragraph in legible(text).split("\n"):
            line, used = "", 0.0
            for word in self._pieces(paragraph, width):
                needed = self._width(f" {word}" if line else word)
                if line and used + needed > width:
                    lines.append(line)
                    line, used, needed = "", 0.0, self._width(word)
                line, used = f"{line} {word}" if line else word, used + needed
            lines.append(line)
        return lines

    def _pieces(self, paragraph: str, width: float) -> list[str]:
        """Words, and the parts of such as are wider than a line."""
        words = paragraph.split()
        if all(self._width(word) <= width for word in words):
            return words
        length = max(4, int(width / 3))
        return [word[at : at + length] for word in words for at in range(0, len(word), length)]

    def _width(self, word: str) -> float:
        key = (self.font_style, self.font_size_pt, word)
        if key not in _widths:
            _widths[key] = self.get_string_width(word)
        return _widths[key]

    def _use(self, size: float, colour: tuple[int, int, int], style: str = "") -> None:
        self.set_font("helvetica", style, size)
        self.set_text_color(*colour)

    def _rule(self, left: float, top: float, width: float, thickness: float, colour: tuple[int, int, int]) -> None:
        self.set_draw_color(*colour)
        self.set_line_width(thickness)
        self.line(left, top, left + width, top)

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
        """A ruled line with its label below and what was written on it."""
        self._rule(left, top, width, 0.25, INK)
        self._use(7.5, GREY)
        self.text(left, top + 3.6, label)
        self._use(9.5, INK)
        self.text(left, top - (5.6 if second else 1.5), legible(value))
        self._use(8.5, INK)
        self.text(left, top - 1.5, legible(second))

    def _sign(self, name: str, left: float, top: float) -> None:
        self.set_draw_color(*PEN)
        self.set_line_width(0.42)
        self.polyline([(left + x, top + y) for x, y in signature(name, 52, 18)])
