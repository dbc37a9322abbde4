"""What others wrote, names and comments, made harmless: it shows as text, on one line, and turns nothing beside it."""

from __future__ import annotations

import unicodedata
from typing import Self

from markupsafe import escape

#: Isolates a name from the direction of what stands around it (Unicode UAX #9); HTML has `<bdi>` for that.
FIRST_STRONG, POP = "\u2068", "\u2069"
ELLIPSIS = "…"
#: For a name of which nothing can be seen.
NAMELESS = "–"
#: Joiners change how letters and emoji stand together; they are part of how names are written.
_JOINERS = "\u200c\u200d"
_RIGHT_TO_LEFT = ("R", "AL", "AN")
#: Control characters, separators of lines and paragraphs, halves of characters.
_GAPS = ("Cc", "Zl", "Zp", "Cs")
#: Combining, enclosing, and what continues an emoji: it belongs to the character before it.
_CONTINUES = ("Mn", "Me", "Mc", "Sk")
#: Marks on one letter; more than any language has would cover the lines above.
_MOST_MARKS = 4


class Foreign(str):
    """A name: in plain text isolated where it is written from right to left, in HTML always."""

    __slots__ = ("plain",)
    plain: str

    def __new__(cls, text: str) -> Self:
        plain = one_line(text)
        plain = plain if plain.strip(_JOINERS) else NAMELESS
        made = super().__new__(cls, f"{FIRST_STRONG}{plain}{POP}" if _turns(plain) else plain)
        made.plain = plain
        return made

    def __html__(self) -> str:
        return f"<bdi>{escape(self.plain)}</bdi>"

    def cut(self, room: int) -> Foreign:
        """With at most `room` characters, the middle left out: the ends are what tells names apart."""
        return Foreign(cut(self.plain, room))


def one_line(text: str) -> str:
    """Without control characters, changes of direction, what cannot be seen, and gaps of more than one space."""
    return " ".join(_seen(text).split())


def lines(text: str) -> str:
    """A comment: as `one_line`, each line by itself; no more than one empty line between two."""
    kept = [one_line(each) for each in text.splitlines()]
    return "\n".join(each for n, each in enumerate(kept) if each or (n and kept[n - 1])).strip("\n")


def cut(text: str, room: int) -> str:
    """`Northwind…Services Ltd`, at most `room` characters; none is torn from its marks."""
    if len(text) <= room:
        return text
    head, tail = room // 2, len(text) - (room - 1) // 2
    while head and _is_within(text, head):
        head -= 1
    while tail < len(text) and _is_within(text, tail):
        tail += 1
    return f"{text[:head].rstrip()}{ELLIPSIS}{text[tail:].lstrip()}"


def _is_within(text: str, place: int) -> bool:
    """Whether the character at `place` belongs to the one before it."""
    here = text[place]
    return unicodedata.category(here) in _CONTINUES or here in _JOINERS or text[place - 1] in _JOINERS


def _seen(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    made, marks = [], 0
    for each in text:
        kind = unicodedata.category(each)
        marks = marks + 1 if kind in ("Mn", "Me") else 0
        if kind in _GAPS:
            made.append(" ")
        elif (kind != "Cf" or each in _JOINERS) and marks <= _MOST_MARKS:
            made.append(each)
    return "".join(made)


def _turns(text: str) -> bool:
    return not text.isascii() and any(unicodedata.bidirectional(each) in _RIGHT_TO_LEFT for each in text)
