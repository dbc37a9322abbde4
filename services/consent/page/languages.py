"""Which language the page speaks to whom, and what each calls itself."""

from __future__ import annotations

from cpor.words import ENGLISH, LANGUAGES, chain

#: In the order of `LANGUAGES`.
NAMES = dict(zip(LANGUAGES, ("English", "Deutsch", "日本語", "Português", "繁體中文"), strict=True))


def language_of(*wanted: str | None) -> str:
    """The first of those wanted that we speak; English where we speak none of them."""
    for each in wanted:
        if each and (chain(each)[-1] != ENGLISH or each.lower().partition("-")[0] == ENGLISH):
            return chain(each)[-1]
    return ENGLISH
