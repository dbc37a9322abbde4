"""Text for fonts that are there without shipping one: PDF's built-in ones hold Western European letters only.

Letters beyond them are transliterated (`anyascii`): embedding a font with Chinese, Japanese and Korean
letters would add megabytes of dependency and a second of subsetting to each sample. The Word samples keep
every letter.
"""

from __future__ import annotations

import re
import unicodedata

from anyascii import anyascii

ENCODING = "windows-1252"
FOREIGN_RUN = re.compile(r"[^\x00-\xff€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]+")


def visible(text: str) -> str:
    """`text` without controls and lone surrogates, which no document format takes."""
    return "".join(letter for letter in text if unicodedata.category(letter) not in {"Cc", "Cs"} or letter == "\n")


def legible(text: str) -> str:
    """`text` with what the built-in fonts lack written in Latin letters."""
    composed = unicodedata.normalize("NFC", visible(text))
    return FOREIGN_RUN.sub(lambda run: anyascii(run.group()), composed).encode(ENCODING, "replace").decode(ENCODING)


def plain(text: str) -> str:
    """`text` in ASCII, for the one font that comes with the imaging library."""
    return anyascii(legible(text))
