"""`python -m services.notify.preview -o DIR [--mail KIND,…] [--language TAG,…] [--edition E]`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.progress import track

from cpor.domain.vocabulary import Edition
from cpor.words import LANGUAGES
from schemas.mail import MailKind
from services.notify.preview import pages
from services.notify.preview.pages import Wanted

T = TypeVar("T")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m services.notify.preview", description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=Path("mail-preview"), metavar="DIR")
    parser.add_argument("--mail", type=_several(MailKind), default=tuple(MailKind), metavar="KIND")
    parser.add_argument("--language", type=_several(_language), default=LANGUAGES, metavar="TAG")
    parser.add_argument("--edition", type=_several(Edition), default=tuple(Edition), metavar="E")
    given = parser.parse_args(arguments)
    try:
        print(write_all(given.output, Wanted(given.mail, given.language, given.edition)))
    except OSError as fault:
        parser.exit(1, f"{given.output}: {fault.strerror}\n")


def write_all(folder: Path, wanted: Wanted) -> Path:
    """The index page. Raises OSError where the folder cannot be written to."""
    made, number = [], len(pages.worlds(wanted))
    for one in track(pages.shown(wanted), "Mails", number, console=Console(stderr=True), transient=True):
        pages.write_mail(folder, one)
        made.append(one)
    return pages.write_index(folder, made)


def _several(one: Callable[[str], T]) -> Callable[[str], tuple[T, ...]]:
    def read(text: str) -> tuple[T, ...]:
        return tuple(one(each.strip()) for each in text.split(","))

    return read


def _language(tag: str) -> str:
    if tag not in LANGUAGES:
        raise argparse.ArgumentTypeError(f"{tag} is none of {', '.join(LANGUAGES)}")
    return tag


if __name__ == "__main__":
    main()
