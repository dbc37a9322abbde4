"""The catalogues of `cpor.words`: `python -m tools.catalogue` brings them up to date, `--check` says what is missing.

What is said is found where it stands: in the templates and the code (`say("kind", "English")`), in the editions' files
(labels, D31) and in `cpor.words.codes`. Translations are written into `cpor/words/locale/<language>.po`.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from babel.core import Locale
from babel.messages.catalog import Catalog
from babel.messages.catalog import Message as Entry
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from cpor.domain.deciding.competing import COMPETITION_COMMENT
from cpor.domain.policy import policy
from cpor.domain.vocabulary import Edition
from cpor.words.codes import ALL
from cpor.words.languages import ENGLISH, LANGUAGES
from cpor.words.speech import CATALOGUES

ROOT = Path(__file__).parent.parent
#: Where something is said, and how it is read.
PLACES = (Path("services/notify"), Path("services/consent"), Path("cpor/words"))
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2"), ("**/templates/**.txt", "jinja2")]
#: `say(kind, english)`.
KEYWORDS = {"say": ((1, "c"), 2)}
MAILS = Path("services/notify/templates")
#: What in a folder of templates is no mail.
SHARED = "shared"
_VALUE = re.compile(r"%\((\w+)\)s")


class Said(NamedTuple):
    """Something that is said, and where."""

    kind: str
    english: str
    place: str


#: The one comment that the rules write by themselves (D17).
OWN_COMMENT = Said("comment", COMPETITION_COMMENT, "cpor/domain/deciding/competing.py")


def said(root: Path = ROOT) -> list[Said]:
    """All of it, each once, in order of kind and text."""
    found: dict[tuple[str, str], Said] = {}
    for each in (*_in_files(root), *_in_editions(), *_of_codes(), OWN_COMMENT):
        found.setdefault(each[:2], each)
    return sorted(found.values())


def _in_files(root: Path) -> Iterator[Said]:
    for place in PLACES:
        options = {"**/templates/**.html": {"silent": "false"}, "**/templates/**.txt": {"silent": "false"}}
        for name, _, english, _, kind in extract_from_dir(
            root / place, METHODS, options, KEYWORDS, callback=None, strip_comment_tags=False
        ):
            if kind is not None and isinstance(english, str):
                yield Said(kind, english, (place / name).as_posix())


def _in_editions() -> Iterator[Said]:
    for edition in Edition:
        rules = policy(edition)
        place = f"cpor/domain/policies/{edition.lower()}.toml"
        yield from (Said("status", each, place) for each in rules.labels.statuses.values())
        yield from (Said("area", each, place) for each in rules.labels.areas.values())
        yield from (Said("role", each.label, place) for each in rules.roles)
        yield from (Said("product", name, place) for area in rules.catalogue.values() for name in area.values())


def _of_codes() -> Iterator[Said]:
    for codes in ALL:
        yield from (Said(codes.kind, text, "cpor/words/codes.py") for text in codes.english.values())


# -- catalogues -------------------------------------------------------------------------------------------------------


def catalogue_of(language: str) -> Catalog:
    path = CATALOGUES / f"{language}.po"
    if not path.exists():
        return Catalog(Locale.parse(language, sep="-"), fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=Locale.parse(language, sep="-"))


def updated(language: str, wanted: Iterable[Said]) -> Catalog:
    """With an entry for all that is wanted and nothing else; what was translated stays."""
    before = catalogue_of(language)
    fresh = Catalog(Locale.parse(language, sep="-"), project="cpor", fuzzy=False)
    for each in wanted:
        known = before.get(each.english, each.kind)
        flags = known.flags if known else set()
        string = known.string if known else ""
        fresh.add(each.english, string, [(each.place, 0)], flags, context=each.kind)
    return fresh


def text_of(made: Catalog) -> bytes:
    """Without dates: the same words are the same file."""
    lines = BytesIO()
    write_po(lines, made, width=110, omit_header=True, include_lineno=False)
    head = f'# {made.locale.english_name if made.locale else ""}: see tools/catalogue.py\nmsgid ""\nmsgstr ""\n'
    head += (
        '"MIME-Version: 1.0\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n"Content-Transfer-Encoding: 8bit\\n"\n\n'
    )
    return head.encode() + lines.getvalue()


# -- what is wrong ----------------------------------------------------------------------------------------------------


def faults(root: Path = ROOT) -> Iterator[str]:
    """A sentence for each thing that is missing or cannot be right, in all languages."""
    wanted = said(root)
    for language in LANGUAGES:
        if language != ENGLISH:
            yield from (f"{language}: {fault}" for fault in _of_catalogue(catalogue_of(language), wanted))
    yield from _of_templates(root / MAILS)


def _of_catalogue(there: Catalog, wanted: Iterable[Said]) -> Iterator[str]:
    known: dict[tuple[str, str], Entry] = {(each.context or "", str(each.id)): each for each in there if each.id}
    for each in wanted:
        entry = known.pop(each[:2], None)
        if entry is None or not str(entry.string).strip():
            yield f"{each.kind}: no words for {each.english!r} ({each.place})"
        elif entry.fuzzy:
            yield f"{each.kind}: the words for {each.english!r} are marked as fuzzy"
        elif _values(str(entry.string)) != _values(each.english):
            yield f"{each.kind}: {each.english!r} has other values than its translation"
    yield from (f"{kind}: nobody says {english!r} any more" for kind, english in known)


def _values(text: str) -> set[str]:
    return set(_VALUE.findall(text))


def _of_templates(mails: Path) -> Iterator[str]:
    """Every mail, and every shared part that is written in English, has the same files in each language."""
    for english in sorted(mails.glob(f"*/{ENGLISH}")):
        names = {path.name for path in english.iterdir()}
        for language in LANGUAGES:
            folder = english.parent / language
            there = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
            yield from (f"{language}: no {folder.parent.name}/{name}" for name in sorted(names - there))
            yield from (f"{language}: {folder.parent.name}/{name} is not in English" for name in sorted(there - names))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="bring the catalogues up to date")
    parser.add_argument("--check", action="store_true", help="write nothing; say what is missing and fail")
    if parser.parse_args(arguments).check:
        found = [*faults(), *stale()]
        print(
            "\n".join(found) if found else "every language has words for everything",
            file=sys.stderr if found else sys.stdout,
        )
        return 1 if found else 0
    wanted = said()
    for language in LANGUAGES:
        if language != ENGLISH:
            made = updated(language, wanted)
            (CATALOGUES / f"{language}.po").write_bytes(text_of(made))
            print(f"{language}: {sum(not each.string for each in made if each.id)} of {len(wanted)} without words")
    return 0


def stale() -> Iterator[str]:
    """Catalogues that `python -m tools.catalogue` would write otherwise."""
    wanted = said()
    for language in LANGUAGES:
        path = CATALOGUES / f"{language}.po"
        if language != ENGLISH and (not path.exists() or path.read_bytes() != text_of(updated(language, wanted))):
            yield f"{language}: the catalogue is not as `python -m tools.catalogue` writes it: run it"


if __name__ == "__main__":
    sys.exit(main())
