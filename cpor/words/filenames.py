"""Names that somebody else gave to a file, without what would mean more than a name elsewhere."""

from __future__ import annotations

import unicodedata

#: Letters that mean something to a shell, a path, a header or Windows.
FORBIDDEN = set("/\\:*?\"<>|;%'`$&")
#: Controls, and the marks that turn a name's direction around ("gpj.exe" shown as "exe.jpg").
FORBIDDEN_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def harmless(name: str) -> str:
    """`name` without folders and dangerous letters, composed (NFC), with single blanks; may be empty, or dots."""
    last = unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1])
    return " ".join("".join(letter for letter in last if _is_harmless(letter)).split())


def _is_harmless(letter: str) -> bool:
    return letter not in FORBIDDEN and unicodedata.category(letter) not in FORBIDDEN_CATEGORIES
