"""Who has a deadline finds it in the calendar, at the right time in every zone, and never twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from icalendar import Calendar

from cpor.domain.vocabulary import Edition
from cpor.words import LANGUAGES
from schemas.mail import Mail
from services.notify.outbox import written
from services.notify.preview.pages import Wanted, shown
from services.notify.preview.table import PREVIEWS, TOKEN
from services.notify.preview.world import AT, DUE, Size, World

#: Mails that say until when their recipient can do something (D28).
WITH = {
    "customer_approved-P2020",
    "information_requested-P2020",
    "information_requested-P2023",
    "rejected-disputable-P2020",
    "rejected-disputable-P2023",
    "rejected-after-dispute-P2020",
    "deadline_near-partner_answer-P2023",
    "deadline_near-dispute_window-P2023",
    *(f"commented-by-{author}-P2023" for author in ("reviewer", "system", "operator", "customer")),
}
ENDS = datetime.fromtimestamp(DUE / 1000, UTC)


def mail(name: str, edition: Edition = Edition.P2023, size: Size = Size.FULL, language: str = "en") -> Mail:
    preview = next(each for each in PREVIEWS if each.name == name)
    return written(*preview.letter(World(language, edition, size)))


def entry(of: Mail) -> Any:
    assert of.calendar is not None
    (found,) = Calendar.from_ical(of.calendar).walk("VEVENT")
    return found


@pytest.mark.rule("D28", edition="both")
def test_a_mail_has_a_calendar_file_where_its_recipient_can_do_something_until_then() -> None:
    found = [each for each in shown(Wanted(languages=("en",))) if each.world.size is Size.FULL]
    assert {each.row.removesuffix("-full") for each in found if each.mail.calendar} == WITH


@pytest.mark.rule("R45", edition="both")
@pytest.mark.rule("R46", edition="P2020")
def test_a_customer_who_may_decline_at_any_time_gets_no_last_day() -> None:
    assert mail("customer_approved", Edition.P2020).calendar is not None
    assert mail("customer_approved", Edition.P2023).calendar is None


def test_a_comment_while_no_clock_runs_brings_no_calendar_file() -> None:
    assert mail("commented-by-reviewer", size=Size.MINIMAL).calendar is None


@pytest.mark.rule("D18", "D28")
def test_the_entry_ends_at_the_instant_that_is_too_late_whatever_the_zone() -> None:
    found = entry(mail("rejected-disputable"))
    assert (found.end, found.end - found.start) == (ENDS, timedelta(hours=1))
    assert found["DTEND"].to_ical() == b"20240322T230000Z"
    assert found["DTSTAMP"].dt == datetime.fromtimestamp(AT / 1000, UTC)


def test_the_entry_reminds_a_day_before_and_leaves_its_hour_free() -> None:
    found = entry(mail("rejected-disputable"))
    (alarm,) = found.walk("VALARM")
    assert (alarm["ACTION"], alarm["TRIGGER"].dt, found["TRANSP"]) == ("DISPLAY", timedelta(days=-1), "TRANSPARENT")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_entry_speaks_the_language_of_its_mail(language: str) -> None:
    names = ("customer_approved", "information_requested", "rejected-disputable")
    ours = [str(entry(mail(name, Edition.P2020, language=language))["SUMMARY"]) for name in names]
    english = [str(entry(mail(name, Edition.P2020))["SUMMARY"]) for name in names]
    assert len(set(ours)) == len(names)
    assert language == "en" or not set(ours) & set(english)


def test_a_reminder_moves_the_entry_instead_of_adding_one() -> None:
    first = entry(mail("information_requested"))
    preview = next(each for each in PREVIEWS if each.name == "deadline_near-partner_answer")
    told, draft = preview.letter(World("en", Edition.P2023, Size.FULL))
    later = entry(written(told, replace(draft, at=type(draft.at)(draft.at + 86_400_000))))
    assert later["UID"] == first["UID"]
    assert later["SEQUENCE"] > first["SEQUENCE"]
    assert entry(mail("rejected-disputable"))["UID"] != first["UID"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_power_to_decline_stands_in_no_calendar(language: str) -> None:
    """Calendars are shown to others."""
    for size in Size:
        found = mail("customer_approved", Edition.P2020, size, language)
        assert TOKEN in found.text
        assert found.calendar is not None
        assert TOKEN not in found.calendar.replace("\r\n ", "")
        assert "http" not in found.calendar


def test_the_same_mail_has_the_same_file() -> None:
    assert mail("rejected-disputable").calendar == mail("rejected-disputable").calendar
