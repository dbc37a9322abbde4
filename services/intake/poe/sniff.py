"""What a file is, by its first bytes; what is often sent under a wrong name is named in the answer."""

from __future__ import annotations

from services.intake.poe.limits import BY_KIND, FILE_TYPES, FileType, Kind, Limits
from services.intake.poe.verdict import encrypted, not_allowed

#: Readers of PDF look for its mark in the first KiB: some producers put a line before it.
PDF_MARK_WITHIN = 1024
COMPOUND_FILE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#: Word puts a document under a password into a compound file with this stream.
PASSWORD_STREAM = "EncryptedPackage".encode("utf-16-le")

#: First bytes → what to call it.
STRANGERS: tuple[tuple[bytes, str], ...] = (
    (COMPOUND_FILE, "an old Office document"),
    (b"MZ", "a program"),
    (b"\x7fELF", "a program"),
    (b"GIF8", "a GIF image"),
    (b"II*\x00", "a TIFF image"),
    (b"MM\x00*", "a TIFF image"),
    (b"{\\rtf", "an RTF document"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"<", "a web page or XML file"),
)


def sniff(content: bytes) -> Kind | None:
    """The format that the first bytes tell; a ZIP counts as DOCX until its parts are read."""
    for row in FILE_TYPES:
        if content.startswith(row.magic):
            return row.kind
    return Kind.PDF if BY_KIND[Kind.PDF].magic in content[:PDF_MARK_WITHIN] else None


def check_is_what_it_claims(content: bytes, declared: FileType, limits: Limits) -> None:
    """Raises `Rejection` when the content is of another type than the declared one."""
    found = sniff(content)
    if found is declared.kind:
        return
    if declared.kind is Kind.DOCX and _is_word_under_password(content):
        raise encrypted("The Word document is protected with a password; send it without one.")
    raise not_allowed(f"The file was declared as {declared.title} but is {_title_of(content, found)}.")


def _is_word_under_password(content: bytes) -> bool:
    return content.startswith(COMPOUND_FILE) and PASSWORD_STREAM in content


def _title_of(content: bytes, found: Kind | None) -> str:
    if found is Kind.DOCX:
        return "a ZIP archive or an Office document"
    if found is not None:
        return BY_KIND[found].title
    return next((title for magic, title in STRANGERS if content.startswith(magic)), "of no type that is known here")
