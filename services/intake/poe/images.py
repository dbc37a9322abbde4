"""Reads scans and photographs: PNG and JPEG, decoded whole so that a truncated one is found."""

from __future__ import annotations

import io
import warnings

from PIL import Image, UnidentifiedImageError

from services.intake.poe.limits import FileType, Kind, Limits
from services.intake.poe.verdict import unreadable

# Pillow warns of large images by a limit of its own; ours is the policy's.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

PILLOW_NAMES = {Kind.PNG: "PNG", Kind.JPEG: "JPEG"}


def check_image(content: bytes, row: FileType, limits: Limits) -> int:
    """1 (an image is one page), or `Rejection`. Pixels are counted before any is decoded."""
    try:
        _decode(content, row, limits)
    except Image.DecompressionBombError as error:
        raise _too_many_pixels(limits) from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise unreadable(f"The file is not {row.title} that can be read: it is truncated or damaged.") from error
    return 1


def _decode(content: bytes, row: FileType, limits: Limits) -> None:
    formats = [PILLOW_NAMES[row.kind]]
    with Image.open(io.BytesIO(content), formats=formats) as image:
        if image.width * image.height > limits.max_pixels:
            raise _too_many_pixels(limits)
        image.load()
    if row.kind is Kind.PNG:
        # load() stops at the last pixel; verify() reads on to the end mark and checks every CRC.
        with Image.open(io.BytesIO(content), formats=formats) as image:
            image.verify()


def _too_many_pixels(limits: Limits) -> Exception:
    millions = limits.max_pixels // 1_000_000
    return unreadable(f"The image has more than {millions} million pixels; scan it at a lower resolution.")
