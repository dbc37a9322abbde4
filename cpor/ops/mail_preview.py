"""`cpor mail preview`: all mails to look at, without an instance. Made by notify itself, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from cpor.domain.vocabulary import Edition
from cpor.ops import screen
from cpor.ops.errors import WrongUse
from cpor.ops.filters import one_of
from cpor.words import LANGUAGES
from schemas.mail import MailKind

#: Operations import no service.
PROGRAM = (sys.executable, "-m", "services.notify.preview")


def preview_mails(
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Where to write.")] = Path(
        "mail-preview"
    ),
    kind: Annotated[
        str | None, typer.Option("--mail", metavar="KIND", help="One kind, or several with commas.")
    ] = None,
    language: Annotated[
        str | None, typer.Option("--language", metavar="TAG", help=f"Of {', '.join(LANGUAGES)}; several with commas.")
    ] = None,
    edition: Annotated[str | None, typer.Option("--edition", metavar="E", help="P2020 or P2023.")] = None,
) -> None:
    """Write every mail in every language to a folder, with a page that shows them side by side."""
    chosen = {
        "--mail": one_of(MailKind, kind, "--mail"),
        "--language": _languages(language),
        "--edition": one_of(Edition, edition and edition.upper(), "--edition"),
    }
    asked = [part for option, values in chosen.items() if values for part in (option, ",".join(values))]
    made = subprocess.run((*PROGRAM, "-o", str(output), *asked), stdout=subprocess.PIPE, text=True, check=False)
    if made.returncode:
        raise typer.Exit(made.returncode)
    screen.done(f"open {made.stdout.strip()} in a browser")


def _languages(text: str | None) -> tuple[str, ...] | None:
    known = {tag.lower(): tag for tag in LANGUAGES}
    names = tuple(each.strip() for each in text.split(",")) if text else None
    unknown = [each for each in names or () if each.lower() not in known]
    if unknown:
        raise WrongUse(f"--language: {unknown[0]} is none of {', '.join(LANGUAGES)}")
    return names and tuple(known[each.lower()] for each in names)
