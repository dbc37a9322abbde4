"""A partner's file name, as a file here or in a download may have it; nothing that comes from outside is trusted."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from urllib.parse import quote

from cpor.words.filenames import harmless

#: Bytes of UTF-8: file systems take 255 for the whole name, and a number may be added.
LONGEST_STEM = 200
LONGEST_ENDING = 5
#: Windows takes them for devices, whatever stands behind the first dot.
DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in "0123456789¹²³")}
#: A shell takes them for an option, or a home directory.
LEADING = ("-", "~")


def local_name(name: str) -> str:
    """`name` as one plain file name on any system, of at most 206 bytes; "document" if nothing is left of it."""
    stem, ending = _parted(harmless(name))
    cut = stem.strip(". ").encode()[:LONGEST_STEM].decode(errors="ignore").rstrip(". ")
    device = cut.partition(".")[0].rstrip().lower() in DEVICES
    return ("_" if device or cut.startswith(LEADING) else "") + (cut or "document") + ending


def numbered(name: str) -> Iterator[str]:
    """`name`, and for when it is taken `poe (2).pdf`, `poe (3).pdf` …; without end."""
    stem, ending = _parted(name)
    yield name
    yield from (f"{stem} ({number}){ending}" for number in count(2))


def attachment(filename: str) -> str:
    """A `Content-Disposition` (RFC 6266) that makes a browser save the file, never show it."""
    plain = "".join(
        letter if letter.isascii() and letter.isprintable() and letter not in '"\\%' else "_" for letter in filename
    )
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='', errors='replace')}"


def _parted(name: str) -> tuple[str, str]:
    """Stem and ending; what looks like no ending belongs to the stem."""
    stem, dot, end = name.rpartition(".")
    is_ending = end.isascii() and end.isalnum() and len(end) <= LONGEST_ENDING
    return (stem, dot + end) if dot and is_ending else (name, "")
