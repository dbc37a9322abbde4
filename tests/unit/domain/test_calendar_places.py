"""Deadlines around the world, reckoned by hand from published calendars, and places that nobody knows (D18)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import available_timezones

import holidays
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpor.domain.calendar import BusinessCalendar, DayUnit, business_calendar, end_of_day, local_date, place_fault
from cpor.domain.clocks import calendar_of
from cpor.domain.vocabulary import Instant, instant_text, parse_instant

ZONE_NAMES = sorted(available_timezones())
BD, D = DayUnit.BUSINESS_DAYS, DayUnit.CALENDAR_DAYS


@dataclass(frozen=True)
class Case:
    """A start, a length, and the instant at which the last day is over there; `name` says what is special."""

    name: str
    place: tuple[str, str | None, str]
    start: str
    days: int
    unit: DayUnit
    due: str


BAVARIA = ("DE", "BY", "Europe/Berlin")
BERLIN = ("DE", "BE", "Europe/Berlin")
GERMANY = ("DE", None, "Europe/Berlin")
NEW_YORK = ("US", None, "America/New_York")
SAO_PAULO = ("BR", "SP", "America/Sao_Paulo")
SANTIAGO = ("CL", None, "America/Santiago")
CAIRO = ("EG", None, "Africa/Cairo")
LORD_HOWE = ("AU", None, "Australia/Lord_Howe")
TOKYO = ("JP", None, "Asia/Tokyo")
HAWAII = ("US", "HI", "Pacific/Honolulu")
HONOLULU = ("US", None, "Pacific/Honolulu")
TAIPEI = ("TW", None, "Asia/Taipei")
KATHMANDU = ("NP", None, "Asia/Kathmandu")
CHATHAM = ("NZ", None, "Pacific/Chatham")
LISBON = ("PT", None, "Europe/Lisbon")
BRAZIL = ("BR", None, "America/Sao_Paulo")
KIRITIMATI = ("KI", None, "Pacific/Kiritimati")

SEASONS = (
    Case("summer time begins within", GERMANY, "2024-03-27T12:00Z", 7, D, "2024-04-03T22:00Z"),
    Case("summer time ends within", GERMANY, "2024-10-10T12:00Z", 30, D, "2024-11-09T23:00Z"),
    Case("begun in a doubled hour", GERMANY, "2024-10-27T01:30Z", 1, D, "2024-10-28T23:00Z"),
    Case("the last day has 23 hours", GERMANY, "2024-03-30T12:00Z", 1, D, "2024-03-31T22:00Z"),
    Case("the last day has 25 hours", GERMANY, "2024-10-26T12:00Z", 1, D, "2024-10-27T23:00Z"),
    Case("the first hour of the next day is left out", SANTIAGO, "2024-09-06T15:00Z", 1, D, "2024-09-08T04:00Z"),
    Case("the last hour comes twice", SANTIAGO, "2024-04-05T15:00Z", 1, D, "2024-04-07T04:00Z"),
    Case("a day without 00:00 as last day", CAIRO, "2024-04-25T12:00Z", 1, D, "2024-04-26T21:00Z"),
    Case("a day without 00:00 as day 0", CAIRO, "2024-04-25T22:30Z", 1, D, "2024-04-27T21:00Z"),
    Case("a day with two last hours, in Egypt", CAIRO, "2024-10-30T12:00Z", 1, D, "2024-10-31T22:00Z"),
    Case("half an hour of summer time", LORD_HOWE, "2024-04-06T01:00Z", 1, D, "2024-04-07T13:30Z"),
    Case("no more summer time", SAO_PAULO, "2024-10-18T15:00Z", 7, D, "2024-10-26T03:00Z"),
)  # fmt: skip
ZONES = (
    Case("UTC-10", HAWAII, "2024-03-25T20:00Z", 1, BD, "2024-03-28T10:00Z"),
    Case("UTC-10, the same day in the rest of the country", HONOLULU, "2024-03-25T20:00Z", 1, BD, "2024-03-27T10:00Z"),
    Case("UTC+14, a Friday that is free", KIRITIMATI, "2024-03-06T22:00Z", 1, BD, "2024-03-11T10:00Z"),
    Case("UTC+14, Friday to Monday", KIRITIMATI, "2024-02-29T22:00Z", 1, BD, "2024-03-04T10:00Z"),
    Case("UTC+9, a holiday that moved from Sunday", TOKYO, "2024-02-09T03:00Z", 1, BD, "2024-02-13T15:00Z"),
    Case("UTC+8, the lunar new year", TAIPEI, "2024-02-07T03:00Z", 1, BD, "2024-02-15T16:00Z"),
    Case("UTC+5:45", KATHMANDU, "2024-03-01T20:00Z", 7, D, "2024-03-09T18:15Z"),
    Case("UTC+12:45", CHATHAM, "2024-06-10T12:00Z", 7, D, "2024-06-18T11:15Z"),
    Case("UTC+1 in summer, UTC in winter", LISBON, "2024-04-24T12:00Z", 1, BD, "2024-04-26T23:00Z"),
    Case("UTC-3", BRAZIL, "2024-07-08T12:00Z", 1, BD, "2024-07-10T03:00Z"),
)  # fmt: skip
HOLIDAYS = (
    Case("a state's own holiday", SAO_PAULO, "2024-07-08T12:00Z", 1, BD, "2024-07-11T03:00Z"),
    Case("women's day is free in Berlin", BERLIN, "2024-03-07T12:00Z", 1, BD, "2024-03-11T23:00Z"),
    Case("and not in Bavaria", BAVARIA, "2024-03-07T12:00Z", 1, BD, "2024-03-08T23:00Z"),
    Case("Epiphany is free in Bavaria", BAVARIA, "2024-12-19T12:00Z", 14, BD, "2025-01-14T23:00Z"),
    Case("and not everywhere in Germany", GERMANY, "2024-12-19T12:00Z", 14, BD, "2025-01-13T23:00Z"),
    Case("a holiday on a Saturday that nobody moves", GERMANY, "2027-04-30T12:00Z", 1, BD, "2027-05-03T22:00Z"),
    Case("one that is moved to the Friday before", NEW_YORK, "2026-07-02T12:00Z", 1, BD, "2026-07-07T04:00Z"),
    Case("one that is moved to the Monday after", NEW_YORK, "2021-07-02T12:00Z", 1, BD, "2021-07-07T04:00Z"),
    Case("next year's holiday, moved into this year", NEW_YORK, "2021-12-30T15:00Z", 1, BD, "2022-01-04T05:00Z"),
    Case("two holidays at the year's end", BAVARIA, "2026-12-23T12:00Z", 5, BD, "2026-12-31T23:00Z"),
    Case("29 February is a day as any other", GERMANY, "2024-02-28T12:00Z", 1, BD, "2024-02-29T23:00Z"),
    Case("begun on 29 February", GERMANY, "2024-02-29T12:00Z", 1, BD, "2024-03-01T23:00Z"),
    Case("no 29 February", GERMANY, "2023-02-28T12:00Z", 1, BD, "2023-03-01T23:00Z"),
    Case("begun on a holiday", GERMANY, "2024-03-29T12:00Z", 1, BD, "2024-04-02T22:00Z"),
    Case("begun in a Friday's last millisecond", GERMANY, "2024-03-01T22:59:59.999Z", 1, BD, "2024-03-04T23:00Z"),
    Case("and in a Saturday's first", GERMANY, "2024-03-01T23:00Z", 1, BD, "2024-03-04T23:00Z"),
)  # fmt: skip


@pytest.mark.rule("D18", edition="both")
@pytest.mark.parametrize("case", [*SEASONS, *ZONES, *HOLIDAYS], ids=lambda case: case.name)
def test_a_deadline_falls_where_the_calendar_on_the_wall_says(case: Case) -> None:
    due = business_calendar(*case.place).due(parse_instant(case.start), case.days, case.unit)
    assert due == parse_instant(case.due), instant_text(due)


@pytest.mark.rule("D18", edition="both")
@settings(max_examples=300, deadline=None)
@given(st.sampled_from(ZONE_NAMES), st.dates(date(2019, 1, 1), date(2032, 12, 31)))
def test_in_every_zone_a_day_ends_where_the_next_one_begins(zone: str, day: date) -> None:
    end = end_of_day(day, zone)
    assert local_date(Instant(end - 1), zone) == day
    assert local_date(end, zone) == day + timedelta(1)


@pytest.mark.rule("D18", edition="both")
@pytest.mark.parametrize(
    ("country", "region", "said"),
    [
        ("DE", "BY", None),
        ("DE", None, None),
        ("US", "HI", None),
        ("JP", None, None),
        ("JP", "13", None),
        ("DE", "XX", "XX is no region of DE"),
        ("DE", "by", "there are BB, BE, BW, BY"),
        ("XX", None, "XX is no country"),
        ("XX", "BY", "XX is no country"),
    ],
)
def test_a_place_whose_holidays_are_not_known_is_said_to_be_so(
    country: str, region: str | None, said: str | None
) -> None:
    fault = place_fault(country, region)
    assert (fault is None) if said is None else (fault is not None and said in fault)


@pytest.mark.rule("D1", "D18", edition="both")
def test_every_calendar_is_found_again_by_the_name_that_events_keep_of_it() -> None:
    places = [(c, r) for c, regions in holidays.list_supported_countries().items() for r in (None, *regions)]
    assert len(places) > 1_000
    for country, region in places:
        again = calendar_of(BusinessCalendar(country, region, "UTC").name, "UTC")
        assert (again.country, again.region) == (country, region)
