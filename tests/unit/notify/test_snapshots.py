"""What every mail says, in every language, is what somebody has read and accepted: `make snapshots` accepts changes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from difflib import unified_diff
from itertools import groupby
from pathlib import Path

import pytest

from cpor.words import LANGUAGES
from services.notify.preview.pages import Shown, Wanted, shown
from services.notify.preview.table import PREVIEWS
from tests.unit.notify.html_text import html_text

FOLDER = Path(__file__).parent / "snapshots"
IS_ACCEPTED = bool(os.environ.get("CPOR_WRITE_SNAPSHOTS"))
NAMES = [f"{language}/{preview.name}" for language in LANGUAGES for preview in PREVIEWS]


@pytest.fixture(scope="module")
def snapshots() -> dict[str, str]:
    """By name; nothing where a mail does not exist in a language."""
    return {f"{language}/{name}": text for language in LANGUAGES for name, text in of_language(language)}


def of_language(language: str) -> Iterator[tuple[str, str]]:
    mails = [each for each in shown(Wanted(languages=(language,))) if each.is_translated]
    for name, ours in groupby(mails, lambda each: each.preview.name):
        yield name, "\n".join(map(snapshot, ours))


def snapshot(one: Shown) -> str:
    """Subject and text as they are, the HTML as it reads, the calendar file with whole lines."""
    mail, world = one.mail, one.world
    parts = [f"{'=' * 20} {world.edition.value}, {world.size.value}", f"Subject: {mail.subject}", "", mail.text]
    parts += [f"{'-' * 20} HTML", html_text(mail.html)]
    if mail.calendar is not None:
        parts += [f"{'-' * 20} calendar", mail.calendar.replace("\r\n ", "").replace("\r\n", "\n")]
    return "\n".join(parts)


@pytest.mark.parametrize("name", NAMES)
def test_a_mail_says_what_was_accepted(name: str, snapshots: dict[str, str]) -> None:
    file, now = FOLDER / f"{name}.txt", snapshots.get(name, "")
    if IS_ACCEPTED:
        accept(file, now)
    accepted = file.read_text("utf-8") if file.exists() else ""
    if now != accepted:
        changes = unified_diff(accepted.splitlines(), now.splitlines(), "accepted", "now", lineterm="")
        pytest.fail("\n".join([*changes, "", "`make snapshots` accepts this"]), pytrace=False)


def accept(file: Path, now: str) -> None:
    file.unlink(missing_ok=True)
    if now:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(now, "utf-8")


def test_no_snapshot_is_of_a_mail_that_is_gone() -> None:
    kept = {file.relative_to(FOLDER).with_suffix("").as_posix() for file in FOLDER.rglob("*.txt")}
    if IS_ACCEPTED:
        for name in kept - set(NAMES):
            (FOLDER / f"{name}.txt").unlink()
        return
    assert kept <= set(NAMES)
