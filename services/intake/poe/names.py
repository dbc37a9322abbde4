"""File names as they may be stored and shown."""

from __future__ import annotations

from cpor.words.filenames import harmless
from services.intake.poe.limits import FileType

MAX_STEM = 100


def safe_filename(name: str, row: FileType) -> str:
    """`name` without folders and dangerous letters, with its type's extension; "document" if none is left."""
    kept = harmless(name)
    extension = next((end for end in row.extensions if kept.lower().endswith(end)), None)
    stem = kept[: -len(extension)] if extension is not None else kept
    return (stem.strip(". ")[:MAX_STEM].rstrip(". ") or "document") + (extension or row.extensions[0])
