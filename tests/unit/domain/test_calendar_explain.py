"""An explanation names every day from the trigger to the last one, and why it counts or not (D5, D18)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpor.domain.calendar import BusinessCalendar, DayUnit, business_calendar
from cpor.domain.calendar_explain import COUNTED, Day, Leg, explain
from cpor.domain.clocks import Timekeeper
from cpor.domain.evolve import fold
from cpor.domain.model import ClockPause, ClockStart, RunningClock
from cpor.domain.policy import policy
from cpor.domain.vocabulary import MS_PER_DAY, Clock, Edition, Instant, parse_instant
from cpor.domain.wire import decode_state, encode
from tests.unit.domain.claims import World
from tests.unit.domain.test_calendar import BAVARIA, BD, D, budgets, instants, places, units

BERLIN = business_calendar("DE", "BE", "Europe/Berlin")
CAIRO = business_calendar("EG", None, "Africa/Cairo")
NEW_YORK = business_calendar("US", None, "America/New_York")


def leg(calendar: BusinessCalendar, start: str, days: int, unit: DayUnit) -> Leg:
    at = parse_instant(start)
    return Leg(at, days, calendar.due(at, days, unit))


def lines(days: tuple[Day, ...]) -> list[str]:
    """`03-29 public_holiday Good Friday`, `04-02 business_day 1`, `03-31 sunday 23h`."""
    return [
        f"{day.day:%m-%d} {day.kind}"
        + (f" {day.number}" if day.number else "")
        + (f" {day.holiday}" if day.holiday else "")
        + (f" {day.minutes / 60:g}h" if day.minutes != 1440 else "")
        for day in days
    ]


@pytest.mark.rule("D18", edition="both")
@pytest.mark.parametrize(
    ("calendar", "start", "days", "unit", "told"),
    [
        pytest.param(
            BAVARIA, "2024-03-28T12:00:00Z", 2, BD,
            [
                "03-28 trigger", "03-29 public_holiday Good Friday", "03-30 saturday", "03-31 sunday 23h",
                "04-01 public_holiday Easter Monday", "04-02 business_day 1", "04-03 business_day 2",
            ],
            id="Easter and the change to summer time",
        ),
        pytest.param(
            BERLIN, "2024-10-25T21:59:59Z", 2, D,
            ["10-25 trigger", "10-26 calendar_day 1", "10-27 calendar_day 2 25h"],
            id="calendar days over the end of summer time",
        ),
        pytest.param(
            CAIRO, "2024-04-24T12:00:00Z", 2, D,
            ["04-24 trigger", "04-25 calendar_day 1 Sinai Liberation Day", "04-26 calendar_day 2 23h"],
            id="a holiday changes nothing for calendar days, nor does a midnight that is left out",
        ),
        pytest.param(
            NEW_YORK, "2026-07-02T12:00:00Z", 1, BD,
            [
                "07-02 trigger", "07-03 public_holiday Independence Day (observed)", "07-04 saturday Independence Day",
                "07-05 sunday", "07-06 business_day 1",
            ],
            id="a holiday on a Saturday, and the Friday on which it is kept",
        ),
        pytest.param(BAVARIA, "2024-03-28T12:00:00Z", 0, BD, ["03-28 trigger"], id="no day at all"),
    ],
)  # fmt: skip
def test_each_day_is_told_with_what_it_is(
    calendar: BusinessCalendar, start: str, days: int, unit: DayUnit, told: list[str]
) -> None:
    assert lines(explain(calendar, [leg(calendar, start, days, unit)], unit)) == told


@pytest.mark.rule("D18", edition="both")
@settings(max_examples=100, deadline=None)
@given(places, instants, budgets, units)
def test_an_explanation_has_no_gap_ends_on_the_last_day_and_counts_the_budget(
    place: tuple[str, str | None, str], start: Instant, days: int, unit: DayUnit
) -> None:
    calendar = business_calendar(*place)
    told = explain(calendar, [Leg(start, days, calendar.due(start, days, unit))], unit)
    assert told[0].day == calendar.day_of(start)
    assert told[-1].day == calendar.last_day(calendar.due(start, days, unit))
    assert all(later.day - earlier.day == timedelta(1) for earlier, later in pairwise(told))
    assert [each.number for each in told if each.number] == list(range(1, days + 1))
    assert all((each.number is not None) == (each.kind in COUNTED) for each in told)
    if unit is BD:
        assert all(calendar.is_business_day(each.day) == (each.kind in COUNTED) for each in told[1:])


# -- pauses (D5) -------------------------------------------------------------------------------------------------------

KEEPER = Timekeeper(policy(Edition.P2020), BAVARIA)


def started(at: Instant) -> ClockStart:
    return KEEPER.start(Clock.OVERALL_DECISION, at)


def paused(start: ClockStart, at: Instant) -> tuple[Leg, RunningClock]:
    """The leg that a pause ends, and the clock that stands still."""
    clock = RunningClock(start.clock, 1, start.starts_at, start.budget, start.calendar, start.due)
    pause: ClockPause = KEEPER.pause(clock, at)
    left = int(pause.remaining.removesuffix("bd"))
    days = int(start.budget.removesuffix("bd"))
    return Leg(start.starts_at, days, start.due, at, left), replace(clock, remaining=pause.remaining)


def resumed(clock: RunningClock, at: Instant) -> Leg:
    start = KEEPER.resume(clock, at)
    return Leg(start.starts_at, int(start.budget.removesuffix("bd")), start.due)


@pytest.mark.rule("D5", edition="P2020")
def test_a_pause_over_easter_costs_no_day_and_the_day_it_goes_on_is_day_0_again() -> None:
    first, clock = paused(started(parse_instant("2023-03-29T08:00:00Z")), parse_instant("2023-04-05T08:00:00Z"))
    assert clock.remaining == "5bd"
    told = lines(explain(BAVARIA, [first, resumed(clock, parse_instant("2023-04-11T08:00:00Z"))], BD))
    assert told[7:] == [
        "04-05 business_day 5", "04-06 paused", "04-07 paused Good Friday", "04-08 paused", "04-09 paused",
        "04-10 paused Easter Monday", "04-11 resumed", "04-12 business_day 6", "04-13 business_day 7",
        "04-14 business_day 8", "04-15 saturday", "04-16 sunday", "04-17 business_day 9", "04-18 business_day 10",
    ]  # fmt: skip


def test_a_clock_that_still_stands_is_told_up_to_today() -> None:
    first, _ = paused(started(parse_instant("2023-03-29T08:00:00Z")), parse_instant("2023-04-05T08:00:00Z"))
    told = lines(explain(BAVARIA, [first], BD, until=parse_instant("2023-04-07T08:00:00Z")))
    assert told[-3:] == ["04-05 business_day 5", "04-06 paused", "04-07 paused Good Friday"]
    assert lines(explain(BAVARIA, [first], BD))[-1] == "04-05 business_day 5"


def test_a_clock_that_had_run_out_before_it_was_paused_counts_no_further() -> None:
    first, clock = paused(started(parse_instant("2023-03-01T08:00:00Z")), parse_instant("2023-03-17T08:00:00Z"))
    assert clock.remaining == "0bd"
    told = lines(explain(BAVARIA, [first, resumed(clock, parse_instant("2023-03-20T08:00:00Z"))], BD))
    assert told[-6:] == [
        "03-15 business_day 10", "03-16 run_out", "03-17 run_out", "03-18 paused", "03-19 paused", "03-20 resumed"
    ]  # fmt: skip


@pytest.mark.rule("D5", edition="P2020")
@settings(max_examples=100, deadline=None)
@given(instants, st.lists(st.tuples(st.integers(0, 4 * MS_PER_DAY), st.integers(0, 20 * MS_PER_DAY)), max_size=4))
def test_however_often_it_is_paused_the_days_that_count_are_the_budget_and_follow_each_other(
    start: Instant, pauses: list[tuple[int, int]]
) -> None:
    legs: list[Leg] = []
    begun, at = started(start), start
    for ran, stood in pauses:
        if at + ran >= begun.due:
            break
        ended, clock = paused(begun, Instant(at + ran))
        legs.append(ended)
        at = Instant(at + ran + stood)
        begun = KEEPER.resume(clock, at)
    legs.append(Leg(begun.starts_at, int(begun.budget.removesuffix("bd")), begun.due))
    told = explain(BAVARIA, legs, BD)
    assert [each.number for each in told if each.number] == list(range(1, 11))
    assert all(later.day - earlier.day == timedelta(1) for earlier, later in pairwise(told))
    assert told[-1].day == BAVARIA.last_day(begun.due)


# -- a library that counts another way ---------------------------------------------------------------------------------

#: As a version would have stored it that knew of one holiday more.
OLDER = "DE-BY/holidays-0.1"


@pytest.mark.rule("D1", "D18", edition="both")
def test_a_library_update_never_moves_a_stored_due_date() -> None:
    world = World()
    world.asked()
    events = list(world.log)
    stored = Instant(events[-1].clocks_started[0].due + MS_PER_DAY)
    older = replace(events[-1].clocks_started[0], calendar=OLDER, due=stored)
    events[-1] = replace(events[-1], clocks_started=(older,))
    state = fold(events)
    assert state is not None
    clock = decode_state(encode(state)).clock(Clock.PARTNER_ANSWER)
    assert clock is not None
    assert (clock.calendar, clock.due) == (OLDER, stored)


@pytest.mark.rule("D18", edition="both")
def test_what_is_explained_ends_with_the_stored_day_also_where_todays_library_would_end_elsewhere() -> None:
    today = leg(BAVARIA, "2024-03-04T08:00:00Z", 5, BD)
    later, earlier = (
        replace(today, due=Instant(today.due + MS_PER_DAY * 3)),
        replace(today, due=Instant(today.due - MS_PER_DAY)),
    )
    assert lines(explain(BAVARIA, [later], BD))[-1] == "03-14 business_day 8"
    assert lines(explain(BAVARIA, [earlier], BD))[-1] == "03-10 sunday"
