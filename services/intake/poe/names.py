"""File names as they may be stored, shown and put into a header."""

from __future__ import annotations

import unicodedata
from urllib.parse import quote

from services.intake.poe.limits import FileType

MAX_STEM = 100
#: Letters that mean something to a shell, a path, a header or Windows.
FORBIDDEN = set("/\\:*?\"<>|;%'`$&")
#: Controls, and the marks that turn a name's direction around ("gpj.exe" shown as "exe.jpg").
FORBIDDEN_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def safe_filename(name: str, row: FileType) -> str:
    """`name` without folders and dangerous letters, with its type's extension; "document" if none is left."""
    last = unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1])
    kept = " ".join("".join(letter for letter in last if _is_harmless(letter)).split())
    extension = next((end for end in row.extensions if kept.lower().endswith(end)), None)
    stem = kept[: -len(extension)] if extension is not None else kept
    return (stem.strip(". ")[:MAX_STEM].rstrip(". ") or "document") + (extension or row.extensions[0])


def _is_harmless(letter: str) -> bool:
    return letter not in FORBIDDEN and unicodedata.category(letter) not in FORBIDDEN_CATEGORIES


def attachment(filename: str) -> str:
    """A `Content-Disposition` (RFC 6266) that makes a browser save the file, never show it."""
    plain = "".join(
        letter if letter.isascii() and letter.isprintable() and letter not in '"\\%' else "_" for letter in filename
    )
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='', errors='replace')}"
