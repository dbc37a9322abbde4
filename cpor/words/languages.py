"""The languages that are kept, and which of them somebody gets who asked for another.

The wanted tag itself, then its language, then English. Portuguese of any country is answered in European Portuguese;
Chinese in the traditional script unless the tag says that the reader writes the simplified one, which is not kept.
"""

from __future__ import annotations

from functools import cache

ENGLISH = "en"
#: BCP 47 tags; also names of folders and catalogues.
LANGUAGES = (ENGLISH, "de", "ja", "pt-PT", "zh-Hant")
_CLOSEST = {tag.partition("-")[0]: tag for tag in LANGUAGES}
#: What a Chinese tag names where it is written in the simplified script.
_SIMPLIFIED = frozenset({"hans", "cn", "sg", "my"})


@cache
def chain(wanted: str | None) -> tuple[str, ...]:
    """What is tried, in order: the last is what is spoken. `("pt-BR", "pt-PT")`, `("fr", "en")`, `("de",)`."""
    if not wanted:
        return (ENGLISH,)
    subtags = wanted.replace("_", "-").split("-")
    spoken = _spoken(subtags[0].lower(), {each.lower() for each in subtags[1:]})
    return (spoken,) if spoken == wanted else (wanted, spoken)


def _spoken(language: str, others: set[str]) -> str:
    if language == "zh" and others & _SIMPLIFIED:
        return ENGLISH
    return _CLOSEST.get(language, ENGLISH)
