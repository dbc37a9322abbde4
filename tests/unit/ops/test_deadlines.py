"""Clocks as operators see them: which run, what was told of them, and how a due instant came about (D5, D18)."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest
from rich.console import Console

from cpor.domain import commands as cmd
from cpor.domain.vocabulary import MS_PER_DAY, Clock, CommandName, Instant, Status, instant_text, parse_instant
from cpor.domain.wire import decode, encode
from cpor.ops.book import Claim
from cpor.ops.deadline import explain_runs, explanation_json
from cpor.ops.deadline_picture import explanation_sheet
from cpor.ops.deadline_rows import Row, Told, Wanted, left_words, row_json, rows_of, told_of, told_words
from cpor.ops.deadline_runs import ClockEvent, Explanation, Run, runs_of
from cpor.ops.deadline_svg import picture
from cpor.ops.errors import Refused
from cpor.runtime.record import Record
from schemas.deadlines import MISSED, REMINDER
from tests.unit.domain.claims import EXAMPLES, World, in_status

#: A Wednesday a week before Good Friday, under P2020.
BEFORE_EASTER = parse_instant("2023-03-29T08:00:00Z")


def claim(world: World, ref: str = "c", by: str = "P-1") -> Claim:
    return Claim(world.claim(ref, by), "Contoso")


def runs(world: World) -> list[Run]:
    """By way of the JSON of the claim's events."""
    events = world.events[world.claim("c").claim_id]
    return runs_of(decode(ClockEvent, encode(event)) for event in events)


def asked_2020() -> World:
    """Submitted before Easter 2023, then asked: `overall_decision` stands still with 5 of 10 business days left."""
    world = World(BEFORE_EASTER)
    world.filed()
    world.pass_days(1).must("c", cmd.StartReview())
    world.pass_days(6).must("c", EXAMPLES[CommandName.REVIEW_REQUEST_INFORMATION])
    return world


def explained(world: World, clock: str | None = None) -> list[Explanation]:
    return explain_runs(claim(world), runs(world), clock, world.now)


# -- runs --------------------------------------------------------------------------------------------------------------


def test_each_start_of_a_clock_is_a_run_that_ends_with_the_event_that_stopped_it() -> None:
    told = runs(in_status(Status.DISPUTED))
    assert [(run.clock, run.started_by, run.stopped_by) for run in told] == [
        (Clock.REVIEW_START, 1, 2),
        (Clock.REVIEW_DECISION, 2, 3),
        (Clock.DISPUTE_WINDOW, 3, 4),
        (Clock.DISPUTE_ANSWER, 4, None),
    ]


@pytest.mark.rule("D5", edition="P2020")
def test_a_clock_that_goes_on_after_a_pause_is_the_same_run_with_one_more_leg() -> None:
    world = asked_2020()
    standing = next(run for run in runs(world) if run.clock == Clock.OVERALL_DECISION)
    assert (standing.paused, standing.due, standing.leg.left) == (True, None, 5)
    world.pass_days(6).must("c", EXAMPLES[CommandName.RESUBMIT])
    going = next(run for run in runs(world) if run.clock == Clock.OVERALL_DECISION)
    assert [leg.days for leg in going.legs] == [10, 5]
    assert going.due == claim(world).state.clock(Clock.OVERALL_DECISION).due  # type: ignore[union-attr]


def test_a_wait_that_is_started_anew_is_another_run() -> None:
    world = World()
    world.approved()
    contact = cmd.ResendNotice()
    world.pass_days(3).must("c", contact)
    waits = [run for run in runs(world) if run.clock == Clock.CONSENT_WAIT]
    assert [len(run.legs) for run in waits] == [1] * len(waits)
    assert [run.stopped_by is None for run in waits] == [False, True]


def test_the_runs_that_go_on_are_the_clocks_of_the_state() -> None:
    for status in Status:
        world = in_status(status)
        going = {(run.clock, run.started_by, run.due) for run in runs(world) if run.stopped_by is None}
        assert going == {(each.clock, each.started_by, each.due) for each in claim(world).state.clocks}


# -- explanations ------------------------------------------------------------------------------------------------------


def test_without_a_name_all_running_clocks_are_explained_and_with_one_also_a_stopped_one() -> None:
    world = asked_2020()
    assert [each.run.clock for each in explained(world)] == [Clock.OVERALL_DECISION, Clock.PARTNER_ANSWER]
    stopped = explained(world, Clock.REVIEW_START)
    assert [each.run.stopped_by for each in stopped] == [2]


def test_where_nothing_runs_the_clocks_that_ran_are_named() -> None:
    with pytest.raises(Refused, match=r"no clock runs for c .*review_start, review_decision, dispute_window"):
        explained(in_status(Status.REJECTED_FINAL))
    with pytest.raises(Refused, match="partner_answer never ran for c"):
        explained(in_status(Status.SUBMITTED), Clock.PARTNER_ANSWER)


def test_an_explanation_in_json_tells_start_days_end_and_source() -> None:
    world = in_status(Status.REJECTED)
    told = json.loads(json.dumps(explanation_json(claim(world), explained(world)[0])))
    assert told["due"] == instant_text(claim(world).state.clocks[0].due) == told["due_by_today"]
    assert told["due_local"] == "2024-04-04T00:00:00+02:00"
    assert (told["last_day"], told["zone"], told["moved"]) == ("2024-04-03", "Europe/Berlin", None)
    assert told["legs"][0]["starts_local"] == "2024-03-04T09:00:00+01:00"
    assert "T17" in told["source"]
    assert [told["days"][0]["kind"], told["days"][-1]["number"]] == ["trigger", 30]
    assert [day["date"] for day in told["days"] if day["hours"] != 24] == ["2024-03-31"]


def moved() -> tuple[World, Explanation]:
    """A claim whose answer was due a day later by the library of its time."""
    world = in_status(Status.PARTNER_ACTION_REQUIRED)
    run = runs(world)[-1]
    older = replace(run.leg, due=Instant(run.leg.due + 3 * MS_PER_DAY))
    stored = replace(run, legs=(older,), calendar="DE-BY/holidays-0.1")
    return world, explain_runs(claim(world), [stored], None, world.now)[0]


def test_a_stored_due_date_that_todays_library_would_not_give_is_kept_and_said_to_be_so() -> None:
    world, told = moved()
    assert told.moved
    value = explanation_json(claim(world), told)
    assert (value["due"], value["due_by_today"]) == ("2024-03-25T23:00:00.000Z", "2024-03-22T23:00:00.000Z")
    assert "a library update never moves a stored due date" in value["moved"]
    text = printed(told, 200)
    assert "Mon 2024-03-25 24:00 Europe/Berlin = 2024-03-25T23:00:00.000Z, as stored in event 3" in text
    assert "of today would give Fri 2024-03-22 24:00" in text


def printed(told: Explanation, width: int) -> str:
    out = io.StringIO()
    Console(file=out, width=width).print(explanation_sheet(told, "c", width))
    return out.getvalue()


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_days_and_calendars_fit_the_terminal_and_need_no_colour(width: int) -> None:
    text = printed(explained(asked_2020(), Clock.PARTNER_ANSWER)[0], width)
    assert max(map(len, text.splitlines())) <= width
    for told in ("day 0: it started", "public holiday: Good Friday", "business day 5, the last", "April 2023", "[5]"):
        assert told in text
    assert "start    1   hol" in text


def test_a_paused_clock_is_shown_with_what_is_left_and_without_an_end() -> None:
    text = printed(explained(asked_2020(), Clock.OVERALL_DECISION)[0], 100)
    assert "with 5 business days left" in text
    assert "none while it is paused" in text
    assert "[" not in text


def test_the_picture_is_well_formed_and_names_each_day_and_its_mark() -> None:
    world = asked_2020().pass_days(2)
    drawn = ElementTree.fromstring(picture([("c <&> x", each) for each in explained(world)]))
    texts = [element.text or "" for element in drawn.iter("{http://www.w3.org/2000/svg}text")]
    titles = [element.text or "" for element in drawn.iter("{http://www.w3.org/2000/svg}title")]
    assert {"March 2023", "April 2023", "start", "pause", "hol", "[5]"} <= set(texts)
    assert "Fri 2023-04-07: public holiday: Good Friday" in titles
    assert any("c <&> x" in text for text in texts)


# -- the list ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def several() -> tuple[World, list[Claim]]:
    """P-1's claim was asked, and P-2's approved, on Monday 4 March 2024."""
    world = World()
    world.asked("c")
    world.approved("d", "P-2")
    return world, [claim(world), claim(world, "d", "P-2")]


def clocks(rows: Sequence[Row]) -> list[tuple[str, str]]:
    return [(row.claim.state.claim_ref, row.clock.clock) for row in rows]


def test_clocks_are_listed_the_soonest_first_and_narrowed_by_each_filter(several: tuple[World, list[Claim]]) -> None:
    world, claims = several
    both = [("d", "consent_wait"), ("c", "partner_answer")]
    soon, late = parse_instant("2024-03-12T00:00:00Z"), parse_instant("2024-03-23T00:00:00Z")

    def listed(now: int = world.now, **wanted: Any) -> list[tuple[str, str]]:
        return clocks(rows_of(claims, {}, Wanted(**wanted), now))

    assert listed() == both
    assert listed(clocks=("partner_answer", "review_start")) == both[1:]
    assert listed(partner="P-2") == both[:1]
    assert listed(due_before=soon) == both[:1]
    assert listed(overdue=True) == []
    assert listed(soon, overdue=True) == both[:1]
    assert listed(late, overdue=True) == both


def test_a_paused_clock_comes_last_and_is_never_overdue() -> None:
    world = asked_2020()
    rows = rows_of([claim(world)], {}, Wanted(), world.now)
    assert clocks(rows) == [("c", "partner_answer"), ("c", "overall_decision")]
    told = row_json(rows[1], world.now + 90 * MS_PER_DAY)
    assert (told["paused"], told["due"], told["overdue"], told["days_left"]) == (True, None, False, 5)
    assert left_words(rows[1], world.now) == "paused, 5 bd"


@pytest.mark.rule("T17", edition="both")
def test_a_window_that_closed_no_longer_runs() -> None:
    world = in_status(Status.REJECTED)
    due = claim(world).state.clocks[0].due
    assert len(rows_of([claim(world)], {}, Wanted(), due - 1)) == 1
    assert rows_of([claim(world)], {}, Wanted(), due) == []


@pytest.mark.parametrize(
    ("now", "words"),
    [
        ("2024-03-04T08:00:00Z", "14 bd"),
        ("2024-03-21T22:59:59Z", "1 bd"),
        ("2024-03-22T15:00:00Z", "8 h"),
        ("2024-03-22T23:00:00Z", "overdue 0.0 s"),
        ("2024-03-26T23:00:00Z", "overdue 4 d"),
    ],
)
def test_what_is_left_is_told_in_the_clocks_own_days_and_on_the_last_day_in_hours(now: str, words: str) -> None:
    world = in_status(Status.PARTNER_ACTION_REQUIRED)
    assert left_words(Row(claim(world), claim(world).state.clocks[0]), parse_instant(now)) == words


def told_record(claim_id: str, ce_type: str, rung: int, started_by: int = 3) -> Record:
    value = {
        "claim_id": claim_id,
        "clock": "partner_answer",
        "started_by": started_by,
        "due": "2024-03-22T23:00:00.000Z",
        "fired_at": "2024-03-13T15:30:00.000Z",
        "rung": rung,
    }
    return Record("t", 0, 0, 0, b"k", json.dumps(value).encode(), (("ce_type", ce_type.encode()),))


def test_reminders_and_missed_ends_stand_beside_the_start_they_belong_to() -> None:
    world = in_status(Status.PARTNER_ACTION_REQUIRED)
    name = claim(world).claim_id
    records = [
        told_record(name, REMINDER, 0),
        told_record(name, REMINDER, 1, started_by=9),
        told_record(name, "cpor.deadline.forgotten.v1", 9),
        told_record(name, MISSED, 9),
    ]
    (row,) = rows_of([claim(world)], told_of(records), Wanted(), world.now)
    assert row.told == (Told(0, row.told[0].at, False), Told(9, row.told[1].at, True))
    assert told_words(row) == "half time\nmissed"
    told = row_json(row, world.now)
    assert [each["name"] for each in told["reminders"]] == ["half time"]
    assert told["missed_at"] == "2024-03-13T15:30:00.000Z"
