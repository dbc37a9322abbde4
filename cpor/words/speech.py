"""Saying something in one of the languages: sentences and labels from its catalogue, dates by Babel (D28, D31)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path

from babel.core import Locale
from babel.dates import format_date, format_time, get_datetime_format
from babel.messages.pofile import read_po

from cpor.words.codes import Codes
from cpor.words.languages import ENGLISH, chain

CATALOGUES = Path(__file__).parent / "locale"
#: Languages whose sentences and words follow each other closely.
_WITHOUT_GAPS = ("ja", "zh-Hant")
#: (kind, English) → the words of a language.
Catalogue = Mapping[tuple[str, str], str]


@dataclass(frozen=True, slots=True)
class Speech:
    """One language; `chain` is what was tried for it, itself last."""

    chain: tuple[str, ...]

    @property
    def language(self) -> str:
        return self.chain[-1]

    @property
    def locale(self) -> Locale:
        return _locale(self.language)

    def say(self, context: str, english: str, /, **values: object) -> str:
        """The text of a kind (`mail`, `page`, `status` …) that stands in English in the code; `%(name)s` for values.

        What no catalogue knows is said in English: `tools.catalogue --check` lets nothing of ours come to that, but a
        product that a feed made up has no translation.
        """
        text = catalogue(self.language).get((context, english), english)
        return text % values if values else text

    def of(self, codes: Codes, code: str) -> str:
        """A code in words; the code itself where nobody gave it any."""
        english = codes.english.get(code)
        return code if english is None else self.say(codes.kind, english)

    def listed(self, names: Iterable[str]) -> str:
        """`Teams, Intune, Exchange`, with the commas of the language."""
        return ("、" if self.language in _WITHOUT_GAPS else ", ").join(names)

    @property
    def gap(self) -> str:
        """What stands between two sentences."""
        return "" if self.language in _WITHOUT_GAPS else " "

    def day(self, day: date) -> str:
        """`Friday, March 22, 2024`, as the language says it."""
        return str(format_date(day, format="full", locale=self.locale))

    def exact(self, moment: datetime) -> str:
        """`Mar 23, 2024, 00:00 (UTC+01:00)`; `moment` knows its zone and lies on a whole minute."""
        day = format_date(moment.date(), format="medium", locale=self.locale)
        time = format_time(moment.replace(tzinfo=None), "HH:mm", locale=self.locale)
        both = str(get_datetime_format("medium", locale=self.locale)).replace("'", "")
        offset = moment.strftime("%z")
        return f"{both.replace('{0}', time).replace('{1}', day)} (UTC{offset[:3]}:{offset[3:5]})"


@cache
def speak(wanted: str | None) -> Speech:
    """The language that somebody gets who asked for `wanted`."""
    return Speech(chain(wanted))


@cache
def _locale(tag: str) -> Locale:
    return Locale.parse(tag, sep="-")


@cache
def catalogue(language: str) -> Catalogue:
    """All that a language has words for; English has none of its own."""
    if language == ENGLISH:
        return {}
    with (CATALOGUES / f"{language}.po").open("rb") as file:
        entries = read_po(file, locale=_locale(language))
    return {(each.context or "", str(each.id)): str(each.string) for each in entries if each.id and each.string}
