"""The previews as files: each mail as text, HTML and message, and a page that shows them side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, StrictUndefined

from cpor.domain.vocabulary import Edition
from cpor.words import LANGUAGES
from schemas.mail import Mail, MailKind
from services.notify.mime import message_bytes
from services.notify.outbox import written
from services.notify.preview.table import PREVIEWS, Preview
from services.notify.preview.world import Size, World

SENDER = "CPOR <no-reply@cpor.example>"
REPLY_TO = "help@cpor.example"
INDEX = Path(__file__).with_name("index.html")

#: Characters a subject should have at most, where the language allows.
SUBJECT = 78


class Wanted(NamedTuple):
    """What to show: everything, unless something is named."""

    kinds: Sequence[MailKind] = tuple(MailKind)
    languages: Sequence[str] = LANGUAGES
    editions: Sequence[Edition] = tuple(Edition)


class Shown(NamedTuple):
    """A mail as it would be sent."""

    preview: Preview
    world: World
    mail: Mail

    @property
    def row(self) -> str:
        """What it has in common with its translations."""
        return f"{self.preview.name}-{self.world.edition.value}-{self.world.size.value}"

    @property
    def path(self) -> str:
        """Of its files, without their ends."""
        return f"{self.world.language}/{self.row}"

    @property
    def is_translated(self) -> bool:
        return self.mail.language == self.world.language

    @property
    def is_long(self) -> bool:
        return len(self.mail.subject) > SUBJECT


def shown(wanted: Wanted) -> Iterator[Shown]:
    for preview, world in worlds(wanted):
        yield Shown(preview, world, written(*preview.letter(world)))


def worlds(wanted: Wanted) -> list[tuple[Preview, World]]:
    """By mail, edition and size, then by language."""
    return [
        (preview, World(language, edition, size))
        for preview in PREVIEWS
        if preview.kind in wanted.kinds
        for edition in preview.editions
        if edition in wanted.editions
        for size in Size
        for language in wanted.languages
    ]


def write_mail(folder: Path, one: Shown) -> None:
    mail, place = one.mail, folder / one.path
    place.parent.mkdir(parents=True, exist_ok=True)
    _beside(place, ".txt").write_text(f"{mail.subject}\n\n{mail.text}", "utf-8")
    _beside(place, ".html").write_text(mail.html, "utf-8")
    _beside(place, ".eml").write_bytes(message_bytes(mail, SENDER, REPLY_TO))


def _beside(place: Path, end: str) -> Path:
    return place.with_name(place.name + end)


def write_index(folder: Path, mails: Iterable[Shown]) -> Path:
    """One row a mail, one column a language; returns the page."""
    rows: dict[str, dict[str, Shown]] = {}
    contents: dict[str, dict[str, None]] = {}
    for each in mails:
        rows.setdefault(each.row, {})[each.world.language] = each
        contents.setdefault(each.preview.name, {})[each.row] = None
    page = Environment(undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    languages = list(dict.fromkeys(language for row in rows.values() for language in row))
    place = folder / "index.html"
    html = page.from_string(INDEX.read_text("utf-8")).render(rows=rows, contents=contents, languages=languages)
    place.write_text(html, "utf-8")
    return place
