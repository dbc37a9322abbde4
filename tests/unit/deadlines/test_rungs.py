"""When a clock speaks: reminders, missed clocks, and the days they fall on (D5, D18, domain §2.3)."""

from __future__ import annotations

import pytest

from cpor.domain import ids, wire
from cpor.domain.model import ClockStart
from cpor.domain.vocabulary import ClaimId, Clock, CommandName, Instant, parse_instant
from cpor.runtime.clock import ManualClock
from cpor.runtime.processor import Timer
from cpor.runtime.topics import Topic
from schemas.base import check
from schemas.deadlines import MISSED, REMINDER, Missed, Reminder
from services.deadlines.claim import Seen, Watched, after
from services.deadlines.rungs import Rung, Step, steps
from services.deadlines.telling import message_id
from tests.unit.consent.stage import Stage as ConsentStage
from tests.unit.deadlines.stage import GRACE, Stage
from tests.unit.review.pipeline import TENANT, usage_form

BERLIN = "Europe/Berlin"
CALENDAR = "DE-BY/holidays-0.108"
DAY_MS = 86_400_000


def clock(name: Clock, starts: str, due: str) -> ClockStart:
    return ClockStart(name, parse_instant(starts), "14bd", CALENDAR, parse_instant(due))


def step(rung: Rung, at: str) -> Step:
    return Step(rung, parse_instant(at))


def test_the_partner_s_clock_reminds_at_half_time_and_one_business_day_before_its_last_day() -> None:
    """Monday 4 March, 14 business days: the last is Friday 22 March, the one before it ends Thursday 24:00."""
    started = clock(Clock.PARTNER_ANSWER, "2024-03-04T08:00:00Z", "2024-03-22T23:00:00Z")
    assert list(steps(started, BERLIN)) == [
        step(Rung.HALF_TIME, "2024-03-13T15:30:00Z"),
        step(Rung.LAST_DAY, "2024-03-21T23:00:00Z"),
        step(Rung.END, "2024-03-22T23:00:00Z"),
    ]


def test_the_day_before_the_end_is_a_business_day_of_the_place() -> None:
    """Due at the end of Tuesday 2 April 2024; Good Friday and Easter Monday are holidays: Thursday 28 March."""
    started = clock(Clock.DISPUTE_WINDOW, "2024-03-03T08:00:00Z", "2024-04-02T22:00:00Z")
    assert step(Rung.LAST_DAY, "2024-03-28T23:00:00Z") in list(steps(started, BERLIN))


def test_a_reminder_that_would_fall_on_the_start_or_behind_the_next_one_is_left_out() -> None:
    one_day = clock(Clock.PARTNER_ANSWER, "2024-03-04T08:00:00Z", "2024-03-05T23:00:00Z")
    assert [each.rung for each in steps(one_day, BERLIN)] == [Rung.LAST_DAY, Rung.END]
    at_once = clock(Clock.PARTNER_ANSWER, "2024-03-04T08:00:00Z", "2024-03-04T23:00:00Z")
    assert [each.rung for each in steps(at_once, BERLIN)] == [Rung.END]


@pytest.mark.parametrize("name", [c for c in Clock if c != Clock.CONSENT_WAIT])
def test_every_clock_but_the_consent_wait_ends_here(name: Clock) -> None:
    started = clock(name, "2024-03-04T08:00:00Z", "2024-03-22T23:00:00Z")
    assert list(steps(started, BERLIN))[-1] == step(Rung.END, "2024-03-22T23:00:00Z")


def test_the_consent_wait_is_consent_s_own() -> None:
    assert list(steps(clock(Clock.CONSENT_WAIT, "2024-03-04T08:00:00Z", "2024-03-11T23:00:00Z"), BERLIN)) == []


def test_the_ids_of_what_is_told_never_change_and_differ_by_clock_and_rung() -> None:
    claim = ClaimId("e8e48740-69b1-5b3b-879d-b0cef59a09e4")
    timers = [Timer(1, claim, c, 3, r) for c in Clock for r in Rung]
    assert len({message_id(each, REMINDER) for each in timers}) == len(timers)
    expected = ids.derived_id(ids.event_id(claim, 3), MISSED, 39)
    assert message_id(Timer(1, claim, Clock.PARTNER_ANSWER, 3, Rung.END), MISSED) == expected


# -- on the kernel ----------------------------------------------------------------------------------------------------


def test_a_clock_of_ours_that_runs_out_is_told_once_and_changes_nothing() -> None:
    stage = Stage()
    stage.file()
    status = stage.claim().status
    due = stage.clock_of(Clock.REVIEW_START).due
    stage.pass_to(due + GRACE)
    stage.pass_days(100)
    stage.run()
    assert stage.told() == [("missed", "review_start", 9)]
    assert stage.claim().status == status
    record = stage.broker.records(Topic.DEADLINE_EVENTS)[0]
    told = check(Missed, record.value or b"")
    assert (told.started_by, told.due) == (1, due)
    assert told.fired_at >= due + GRACE


def test_reminders_come_in_order_each_once_and_then_the_end() -> None:
    stage = Stage()
    stage.rejected()
    window = stage.clock_of(Clock.DISPUTE_WINDOW)
    while stage.clock.now() < window.due + GRACE:
        stage.pass_days(0.5)
        stage.run()
    assert stage.told() == [
        ("reminder", "dispute_window", 0),
        ("reminder", "dispute_window", 1),
        ("missed", "dispute_window", 9),
    ]
    records = stage.broker.records(Topic.DEADLINE_EVENTS)
    assert {each.key for each in records} == {stage.event_records()[0].key}
    assert check(Reminder, records[0].value or b"").due == window.due


def test_what_stops_a_clock_stops_its_reminders() -> None:
    stage = Stage()
    stage.asked()
    stage.partner("c", CommandName.EDIT, {"workloads": ["teams"]})
    stage.partner("c", CommandName.RESUBMIT)
    stage.review("c", CommandName.REVIEW_START)
    stage.review("c", CommandName.REVIEW_APPROVE)
    stage.pass_days(100)
    stage.run()
    assert [each for each in stage.told() if each[1] == "partner_answer"] == []


def test_after_an_outage_only_the_newest_reminder_is_told_and_none_whose_clock_has_ended() -> None:
    stage = Stage()
    stage.rejected()
    window = stage.clock_of(Clock.DISPUTE_WINDOW)
    stage.clock.tick(window.due - 3_600_000 - stage.clock.now())
    stage.run()
    assert stage.told() == [("reminder", "dispute_window", 1)]
    late = Stage()
    late.rejected()
    late.clock.tick(40 * DAY_MS)
    late.run()
    assert late.told() == [("missed", "dispute_window", 9)]


def test_a_cancelled_draft_leaves_nothing_behind() -> None:
    stage = Stage()
    stage.partner("c", CommandName.CREATE, usage_form())
    stage.partner("c", CommandName.CANCEL)
    assert stage.broker.records(Topic.DEADLINES_STATE)[-1].value is None


def test_2020_a_clock_that_stands_still_while_the_partner_is_asked_is_not_missed() -> None:
    """D5: `overall_decision` pauses in partner action required and goes on with the whole days left."""
    stage = ConsentStage(clock=ManualClock(parse_instant("2023-03-06T08:00:00Z")))
    stage.submitted_2020()
    stage.review("c", CommandName.REVIEW_START)
    reasons = [{"code": "missing_products"}]
    stage.review("c", CommandName.REVIEW_REQUEST_INFORMATION, reasons=reasons, comment="Which?")
    row: Watched | None = None
    for record in stage.event_records():
        row = after(row, wire.decode(Seen, record.value or b""), TENANT)
    assert row is not None
    assert [each.clock for each in row.clocks] == [Clock.PARTNER_ANSWER]
    stage.partner("c", CommandName.EDIT, {"workloads": ["teams"]})
    stage.partner("c", CommandName.RESUBMIT)
    resumed = after(row, wire.decode(Seen, stage.event_records()[-1].value or b""), TENANT)
    assert resumed is not None
    assert sorted(each.clock for each in resumed.clocks) == [Clock.OVERALL_DECISION, Clock.REVIEW_START]


@pytest.mark.rule("D5", edition="P2020")
def test_2020_the_overall_clock_is_missed_once_however_often_the_partner_is_asked_afterwards() -> None:
    """A pause after the end has nothing left to freeze: resuming must not start a clock that runs out again."""
    stage = Stage(clock=ManualClock(parse_instant("2023-03-06T08:00:00Z")))
    stage.submitted_2020()
    stage.pass_to(stage.clock_of(Clock.OVERALL_DECISION).due + GRACE)
    for _ in range(2):
        stage.review("c", CommandName.REVIEW_START)
        stage.review("c", CommandName.REVIEW_REQUEST_INFORMATION, reasons=[{"code": "other"}], comment="Which?")
        stage.partner("c", CommandName.RESUBMIT, {"comment": "These."})
    stage.pass_days(20)
    stage.run()
    assert [each for each in stage.told() if each[1] == "overall_decision"] == [("missed", "overall_decision", 9)]


@pytest.mark.rule("D5", edition="P2020")
def test_2020_an_overall_clock_that_ran_out_unheard_is_still_missed_once() -> None:
    """Deadlines stood still while the clock ran out and the partner was asked: the miss is not lost."""
    stage = Stage(clock=ManualClock(parse_instant("2023-03-06T08:00:00Z")))
    stage.submitted_2020()
    stage.stopped = True
    stage.pass_to(stage.clock_of(Clock.OVERALL_DECISION).due + GRACE)
    stage.review("c", CommandName.REVIEW_START)
    stage.review("c", CommandName.REVIEW_REQUEST_INFORMATION, reasons=[{"code": "other"}], comment="Which?")
    stage.stopped = False
    stage.run()
    stage.partner("c", CommandName.RESUBMIT, {"comment": "These."})
    stage.pass_days(20)
    stage.run()
    assert [each for each in stage.told() if each[1] == "overall_decision"] == [("missed", "overall_decision", 9)]


def test_times_of_events_do_not_depend_on_when_we_came_to_tell_them() -> None:
    stage = Stage()
    stage.file()
    due = stage.clock_of(Clock.REVIEW_START).due
    stage.pass_to(due + 5 * DAY_MS)
    record = stage.broker.records(Topic.DEADLINE_EVENTS)[0]
    assert parse_instant(record.header("ce_time") or "") == Instant(due)
