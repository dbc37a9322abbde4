"""What others wrote does no harm, wherever a mail shows it: subject, To, text, HTML, calendar file."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from functools import cache
from html.parser import HTMLParser
from itertools import groupby
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from cpor.words import LANGUAGES
from schemas.mail import Mail
from services.notify.drafts import Draft, Told
from services.notify.foreign import Foreign, cut, lines, one_line
from services.notify.mime import message_bytes
from services.notify.outbox import written
from services.notify.preview.table import PREVIEWS
from services.notify.preview.world import Size, World

#: What breaks out, forges, hides or turns something, each by another way.
HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "</p></div></title><h1>Pay here</h1><a href=https://x.example>now</a>",
    "Eve\r\nBcc: all@x.example\r\n\r\n<b>body</b>",
    "Eve\u2028Bcc: all@x.example\x0b\x0c\x85\x00\x1b[31m",
    "invoice\u202egpj.exe \u2066\u2067\u200f\u200e\u061c",
    "שלום עולם (2024) مرحبا",
    "zero\u200bwidth\u2060\ufeff\u00ad\u180e",
    "{{7*7}} {% for x in [].__class__.__base__.__subclasses__() %}{{x}}{% endfor %} %(name)s %s {0}",
    "=?utf-8?q?Bcc=3A_all=40x=2Eexample?= =?utf-8?b?PGI+?=",
    '"Eve" <eve@x.example>, all@x.example; \\',
    "👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 é",
    "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘!͖̬̰̙̗̿̋ͥͥ̂ͣ̐́́͜͞",
    "W" * 300,
    "長い名前の株式会社" * 34,
    "BEGIN:VCALENDAR\nEND:VEVENT\r\nATTACH:https://x.example\\n;,",
)
ANY_NAME = st.one_of(st.text(min_size=1, max_size=300), st.sampled_from(HOSTILE))
SENDER = "CPOR claims <no-reply@cpor.example>"


@cache
def letter(name: str, language: str = "en") -> tuple[Told, Draft]:
    preview = next(each for each in PREVIEWS if each.name == name)
    return preview.letter(World(language, preview.editions[0], Size.FULL))


NAMES = [each.name for each in PREVIEWS]
ONE_OF_EACH = [next(ours).name for _, ours in groupby(PREVIEWS, lambda each: each.kind)]


def named(told: Told, draft: Draft, name: str) -> tuple[Told, Draft]:
    """Everything that others may name is called this, and their comments say it."""
    assert told.partner is not None
    assert told.customer is not None
    row = replace(told.row, claim_ref=name, form=replace(told.row.form, claim_name=name, domain=name))
    partner, customer = replace(told.partner, name=name), replace(told.customer, name=name)
    facts = {**draft.facts, "comment": name} if draft.facts.get("comment") else draft.facts
    return (
        replace(told, row=row, partner=partner, customer=customer),
        replace(draft, to=draft.to._replace(name=name), facts=facts),
    )


def of(preview: str, name: str, language: str = "en") -> Mail:
    return written(*named(*letter(preview, language), name))


class _Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[Any] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, *attrs))

    def handle_endtag(self, tag: str) -> None:
        self.found.append(tag)


def bad_characters(text: str) -> set[str]:
    """Controls, separators and what turns or hides; a line's end is none, nor are isolates in pairs."""
    kept = re.sub("\u2068[^\u2068\u2069]*\u2069", "", text).replace("\n", "")
    return {each for each in kept if unicodedata.category(each) in ("Cc", "Cf", "Zl", "Zp", "Cs")} - {
        "\u200c",
        "\u200d",
    }


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("preview", ONE_OF_EACH)
def test_no_name_or_comment_changes_what_a_mail_is(preview: str, language: str) -> None:
    plain = of(preview, "Eve", language)
    for name in HOSTILE if language == "en" else HOSTILE[:3]:
        mail = of(preview, name, language)
        assert _Tags(mail.html).found == _Tags(plain.html).found
        assert not bad_characters(mail.subject + mail.text + mail.html)
        assert "49" not in mail.subject
        assert heads(mail) == heads(plain)


def heads(mail: Mail) -> list[str]:
    """Names of the headers, and the parts of the message."""
    message = message_from_bytes(message_bytes(mail, SENDER), policy=policy.default)
    assert not message.defects
    assert [each.addr_spec for each in message["To"].addresses] == [mail.to]
    return [*message.keys(), *(part.get_content_type() for part in message.walk())]


@settings(deadline=None, max_examples=150)
@given(name=ANY_NAME)
def test_whatever_somebody_is_called_the_mail_is_the_same_mail(name: str) -> None:
    plain = of("information_requested", "Eve")
    mail = of("information_requested", name)
    assert _Tags(mail.html).found == _Tags(plain.html).found
    assert not bad_characters(mail.subject + mail.text + mail.html)
    assert heads(mail) == heads(plain)


@settings(deadline=None, max_examples=150)
@given(name=ANY_NAME)
def test_a_calendar_file_holds_one_entry_whatever_somebody_is_called(name: str) -> None:
    file = of("rejected-disputable", name).calendar
    assert file is not None
    (entry,) = Calendar.from_ical(file).walk("VEVENT")
    assert set(entry) == {"SUMMARY", "DTSTART", "DTEND", "DTSTAMP", "UID", "SEQUENCE", "DESCRIPTION", "TRANSP"}
    assert not bad_characters(str(entry["SUMMARY"]) + str(entry["DESCRIPTION"]))
    assert max(len(line.encode()) for line in file.split("\r\n")) <= 75


@settings(deadline=None)
@given(st.text(max_size=300))
def test_a_name_is_one_line_that_is_cleaned_once_and_for_all(text: str) -> None:
    assert one_line(one_line(text)) == one_line(text)
    assert "\n" not in one_line(text)
    assert lines(lines(text)) == lines(text)


@settings(deadline=None)
@given(st.text(max_size=300), st.integers(min_value=4, max_value=100))
def test_a_name_that_is_cut_has_room_and_keeps_characters_whole(text: str, room: int) -> None:
    found = cut(text, room)
    assert len(found) <= max(room, 1)
    assert (found == text) == (len(text) <= room) or "…" in text


def test_a_cut_name_keeps_both_ends_and_no_letter_loses_its_marks() -> None:
    assert cut("Northwind Traders International Services Ltd", 21) == "Northwind…rvices Ltd"
    assert cut("ae\u0301" * 10, 6) == "ae\u0301…e\u0301"
    assert cut("👩\u200d👧" * 9, 6) == "👩\u200d👧…"


def test_only_a_name_that_runs_the_other_way_is_isolated() -> None:
    assert str(Foreign("Contoso K.K. (東京)")) == "Contoso K.K. (東京)"
    assert str(Foreign("חברת הדגמה (2024)")) == "\u2068חברת הדגמה (2024)\u2069"
    assert Foreign("<b>").__html__() == "<bdi>&lt;b&gt;</bdi>"


def test_names_that_run_the_other_way_stand_apart_from_the_sentence() -> None:
    mail = of("approved-assessed", "חברה")
    assert "The association of \u2068חברה\u2069 with \u2068חברה\u2069 is" in " ".join(mail.text.split())
    assert "<strong><bdi>חברה</bdi></strong>" in mail.html


# -- subjects ---------------------------------------------------------------------------------------------------------


def long_names(language: str) -> Iterator[str]:
    """Names of 300 characters, as they are in the language."""
    word = {"ja": "株式会社長谷川製作所", "zh-Hant": "北風雲端顧問服務股份"}.get(language, "Consulting ")
    yield (word * 300)[:300]
    yield "x" * 300


@pytest.mark.parametrize("preview", NAMES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_in_a_subject_names_are_shortened_and_the_sentence_stays(language: str, preview: str) -> None:
    """To 78 characters, or as far as names can be."""
    told, draft = letter(preview, language)
    least = written(*named(told, draft, "§")).subject
    for name in long_names(language):
        subject = written(*named(told, draft, name)).subject
        assert subject.startswith(least.partition("§")[0])
        assert len(subject) <= max(78, len(least) + 16 + 12 * (least.count("§") - 1))


@pytest.mark.parametrize("preview", NAMES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_subject_with_ordinary_names_has_78_characters_at_most(language: str, preview: str) -> None:
    told, draft = letter(preview, language)
    other, to = named(told, draft, "Contoso K.K.")
    subject = written(replace(other, row=replace(other.row, claim_ref="2024-teams-17")), to).subject
    assert len(subject) <= 78, subject


def test_a_short_subject_is_left_as_it_is() -> None:
    told, draft = letter("approved-assessed")
    mail = written(*named(told, draft, "Contoso"))
    assert mail.subject == "Claim Contoso is approved (Contoso)"


def test_of_a_reference_enough_is_left_to_look_for_it() -> None:
    told, draft = letter("approved-assessed")
    reference = "2024/modern-work/roll-out/united-kingdom/manchester-0017"
    other, to = named(told, draft, "Contoso Pharmaceuticals Research and Development")
    mail = written(replace(other, row=replace(other.row, claim_ref=reference)), to)
    assert mail.subject == "Claim 2024/modern-work/roll-…ingdom/manchester-0017 is approved (Contos…pment)"
