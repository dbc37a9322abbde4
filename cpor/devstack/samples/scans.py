"""The proof of execution as it comes out of an office scanner: PNG and JPEG."""

from __future__ import annotations

import io
import textwrap
from random import Random

from PIL import Image, ImageDraw, ImageFont

from cpor.devstack.samples.content import PoeContent, workload_title
from cpor.devstack.samples.pdf import ACKNOWLEDGEMENT
from cpor.devstack.samples.signature import signature
from cpor.devstack.samples.text import plain

#: A4 at 100 dpi.
PAGE = (827, 1169)
PAPER = 247
INK = 40
LEFT = 80
LINE_CHARS = 82


def scan_png(content: PoeContent) -> bytes:
    """A grey scan, slightly askew. Same content, same bytes."""
    buffer = io.BytesIO()
    _scan(content).save(buffer, "PNG", dpi=(100, 100))
    return buffer.getvalue()


def scan_jpeg(content: PoeContent) -> bytes:
    """The same as a photograph's format. Same content, same bytes."""
    buffer = io.BytesIO()
    _scan(content).save(buffer, "JPEG", quality=80, dpi=(100, 100))
    return buffer.getvalue()


def _scan(content: PoeContent) -> Image.Image:
    page = Image.new("L", PAGE, PAPER)
    pen = ImageDraw.Draw(page)
    y = _write(pen, 90, 34, ["Proof of execution"]) + 8
    y = _write(pen, y, 15, _wrapped(content)) + 70
    _sign(pen, content, y)
    askew = Random(content.document_number).uniform(-0.9, 0.9)
    return page.rotate(askew, Image.Resampling.BILINEAR, fillcolor=PAPER - 12)


def _write(pen: ImageDraw.ImageDraw, y: int, size: int, lines: list[str]) -> int:
    """The y below the last line."""
    font = ImageFont.load_default(size)
    for line in lines:
        pen.text((LEFT, y), line, fill=INK, font=font)
        y += round(size * 1.5)
    return y


def _wrapped(content: PoeContent) -> list[str]:
    paragraphs = [
        f"Partner company: {content.partner_name} (Partner ID {content.partner_location_id})",
        f"Customer company: {content.customer_name}",
        f"Domain: {content.domain}",
        f"Tenant ID: {content.tenant_id}",
        "",
        *(f"{row.title}, {row.started_on} to {row.ended_on}: {row.evidence}" for row in content.activities),
        "",
        *(f"{workload_title(row.workload)}: {row.activity_type}, {row.outcome}" for row in content.usage),
        "",
        ACKNOWLEDGEMENT.format(customer=content.customer_name, partner=content.partner_name),
    ]
    return [line for paragraph in paragraphs for line in textwrap.wrap(plain(paragraph), LINE_CHARS) or [""]]


def _sign(pen: ImageDraw.ImageDraw, content: PoeContent, y: int) -> None:
    """The signature over its line; only the line where the customer did not sign."""
    pen.line([(LEFT, y + 20), (LEFT + 330, y + 20)], fill=INK, width=1)
    _write(pen, y + 24, 12, ["Customer: signature, name and title, date"])
    if content.signed_on is not None:
        points = [(LEFT + 20 + px, y - 52 + py) for px, py in signature(content.signer_name, 260, 78)]
        pen.line(points, fill=60, width=2, joint="curve")
        signer = f"{content.signer_name}, {content.signer_title}, {content.signed_on:%d %B %Y}"
        _write(pen, y + 46, 15, [plain(signer)])
