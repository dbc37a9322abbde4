"""The previews show everything there is: a mail nobody can look at is a mail nobody has read."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from itertools import product
from pathlib import Path

import pytest

from cpor.domain.vocabulary import Edition
from cpor.words import LANGUAGES
from schemas.mail import MailKind
from services.notify.mails import Task
from services.notify.preview.__main__ import main
from services.notify.preview.pages import Shown, Wanted, shown
from services.notify.preview.table import PREVIEWS
from services.notify.preview.world import PEOPLE, Size, World

FEW = Wanted((MailKind.CUSTOMER_APPROVED, MailKind.COMMENTED), ("en", "ja"))


def test_every_kind_of_mail_stands_in_the_table() -> None:
    assert {each.kind for each in PREVIEWS} == set(MailKind)
    assert len({each.name for each in PREVIEWS}) == len(PREVIEWS)


def test_every_language_has_people_to_write_to() -> None:
    assert tuple(PEOPLE) == LANGUAGES


@pytest.mark.parametrize("task", Task)
def test_everything_operators_may_have_to_see_to_is_shown(task: Task) -> None:
    tasks = [each for each in PREVIEWS if each.kind == MailKind.OPERATOR_TASK]
    made = [each.letter(World("en", Edition.P2023, Size.MINIMAL))[1].facts["task"] for each in tasks]
    assert task.value in made


@pytest.mark.parametrize(("size", "edition"), list(product(Size, Edition)))
def test_a_preview_is_a_mail_in_the_wanted_language(size: Size, edition: Edition) -> None:
    found = [each for each in shown(Wanted(editions=(edition,))) if each.world.size is size]
    assert {each.world.language for each in found} == set(LANGUAGES)
    assert all(each.mail.kind == each.preview.kind for each in found)


def test_the_least_says_less_than_everything() -> None:
    lengths = {each.path: len(each.mail.text) for each in shown(Wanted(languages=("en",)))}
    for path, length in lengths.items():
        if path.endswith("minimal") and "-copy-" not in path:
            assert length < lengths[path.replace("minimal", "full")]


def test_each_mail_is_written_as_text_html_and_message(tmp_path: Path) -> None:
    main(["-o", str(tmp_path), "--mail", "customer_approved,commented", "--language", "en,ja"])
    for one in shown(FEW):
        text, html, raw = (tmp_path / f"{one.path}{end}" for end in (".txt", ".html", ".eml"))
        assert text.read_text("utf-8") == f"{one.mail.subject}\n\n{one.mail.text}"
        assert html.read_text("utf-8") == one.mail.html
        assert message_from_bytes(raw.read_bytes(), policy=policy.default)["Subject"] == one.mail.subject


def test_the_index_shows_each_mail_once_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    main(["-o", str(tmp_path), "--mail", "customer_approved,commented", "--language", "en,ja"])
    page = (tmp_path / "index.html").read_text("utf-8")
    paths: list[Shown] = list(shown(FEW))
    assert sorted(re.findall(r'<iframe src="([^"]+)\.html"', page)) == sorted(each.path for each in paths)
    loaded = re.findall(r'(?:src|href)="([^"#]+)"', page)
    assert all((tmp_path / each).is_file() for each in loaded)
    assert "<script" not in page


def test_a_language_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--language", "tlh"])
    assert "tlh is none of en, de, ja, pt-PT, zh-Hant" in capsys.readouterr().err
