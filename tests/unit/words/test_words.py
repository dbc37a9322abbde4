"""Who gets which language, and that no language lacks words."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel.messages.catalog import Catalog

from cpor.words import ENGLISH, LANGUAGES, chain, speak
from cpor.words.codes import REASONS
from tools import catalogue

OTHERS = [each for each in LANGUAGES if each != ENGLISH]


@pytest.mark.parametrize(
    ("wanted", "tried"),
    [
        ("de", ("de",)),
        ("de-AT", ("de-AT", "de")),
        ("DE", ("DE", "de")),
        ("pt", ("pt", "pt-PT")),
        ("pt-BR", ("pt-BR", "pt-PT")),
        ("zh", ("zh", "zh-Hant")),
        ("zh-TW", ("zh-TW", "zh-Hant")),
        ("zh-Hant-HK", ("zh-Hant-HK", "zh-Hant")),
        ("zh-CN", ("zh-CN", "en")),
        ("zh-Hans-TW", ("zh-Hans-TW", "en")),
        ("fr", ("fr", "en")),
        ("../shared", ("../shared", "en")),
        ("", ("en",)),
        (None, ("en",)),
    ],
)
def test_who_asks_for_a_language_gets_the_closest_that_is_kept(wanted: str | None, tried: tuple[str, ...]) -> None:
    assert chain(wanted) == tried


@pytest.mark.rule("D28", edition="both")
def test_a_day_names_its_weekday_in_every_language() -> None:
    said = {tag: speak(tag).day(date(2024, 3, 22)) for tag in LANGUAGES}
    assert said == {
        "en": "Friday, March 22, 2024",
        "de": "Freitag, 22. März 2024",
        "ja": "2024年3月22日金曜日",
        "pt-PT": "sexta-feira, 22 de março de 2024",
        "zh-Hant": "2024年3月22日 星期五",
    }


@pytest.mark.parametrize("tag", LANGUAGES)
@pytest.mark.rule("D28", edition="both")
def test_an_instant_is_told_to_the_minute_with_its_offset(tag: str) -> None:
    said = speak(tag).exact(datetime(2024, 3, 23, 0, 0, tzinfo=ZoneInfo("America/St_Johns")))
    assert said.endswith("00:00 (UTC-02:30)")


@pytest.mark.parametrize("tag", OTHERS)
def test_a_reason_is_told_in_words_of_the_language(tag: str) -> None:
    told = speak(tag).of(REASONS, "insufficient_poe")
    assert told
    assert told != REASONS.english["insufficient_poe"]


def test_what_nobody_translated_is_said_as_it_stands() -> None:
    assert speak("de").say("product", "A product of next year") == "A product of next year"
    assert speak("de").of(REASONS, "a_code_of_next_year") == "a_code_of_next_year"


# -- the check that fails the build -----------------------------------------------------------------------------------


def test_every_language_has_words_for_everything() -> None:
    assert [*catalogue.faults(), *catalogue.stale()] == []


SAID = [catalogue.Said("mail", "Hello %(name)s,", "somewhere")]


@pytest.mark.parametrize(
    ("string", "flags", "fault"),
    [
        ("Guten Tag %(name)s,", (), None),
        ("", (), "no words for"),
        ("  ", (), "no words for"),
        ("Guten Tag %(name)s,", ("fuzzy",), "fuzzy"),
        ("Guten Tag %(nmae)s,", (), "other values"),
    ],
)
def test_an_entry_that_is_missing_unsure_or_broken_is_found(
    string: str, flags: tuple[str, ...], fault: str | None
) -> None:
    there = Catalog("de")
    there.add("Hello %(name)s,", string, flags=flags, context="mail")
    found = list(catalogue._of_catalogue(there, SAID))
    assert [fault in each for each in found if fault] == ([True] if fault else [])
    assert len(found) == (fault is not None)


def test_a_string_that_is_new_in_a_template_is_missing_until_it_is_translated(tmp_path: Path) -> None:
    folder = tmp_path / "services" / "notify" / "templates" / "shared"
    folder.mkdir(parents=True)
    (folder / "new.html").write_text('{{ say("mail", "Something new") }}')
    (folder / "new.py").write_text('speech.say("page", "Something else", at=1)')
    found = {each[:2] for each in catalogue.said(tmp_path)}
    assert {("mail", "Something new"), ("page", "Something else")} <= found
    assert any("Something new" in fault for fault in catalogue.faults(tmp_path))


def test_words_that_nobody_says_any_more_are_found() -> None:
    there = Catalog("de")
    there.add("Gone", "Weg", context="mail")
    assert list(catalogue._of_catalogue(there, [])) == ["mail: nobody says 'Gone' any more"]


def test_a_mail_that_lacks_a_file_in_a_language_is_found(tmp_path: Path) -> None:
    for name, tag in (("body.txt", "en"), ("body.html", "en"), ("body.txt", "de"), ("extra.txt", "de")):
        (tmp_path / "approved" / tag).mkdir(parents=True, exist_ok=True)
        (tmp_path / "approved" / tag / name).write_text("")
    found = [each for each in catalogue._of_templates(tmp_path) if each.startswith("de")]
    assert found == ["de: no approved/body.html", "de: approved/extra.txt is not in English"]


def test_a_catalogue_bears_no_date_so_that_the_same_words_are_the_same_file() -> None:
    for tag in OTHERS:
        assert b"-Date:" not in catalogue.text_of(catalogue.catalogue_of(tag))
