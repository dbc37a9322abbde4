"""Of a pipeline of all services the checker finds nothing where all is well, and exactly the fault where one is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

import services.consent.answers
import services.consent.worker
import services.deadlines.worker
import services.notify.updates
from cpor.devstack.mail import Received
from cpor.domain.vocabulary import CommandName, EventName, parse_instant
from cpor.ops.checker import (
    Arrival,
    Balances,
    Fate,
    Finding,
    FindingCode,
    PipelineLog,
    balances,
    check,
    log_topics,
    read_log,
    summary,
)
from cpor.runtime.topics import Topic
from schemas.mail import MailKind
from services.deadlines.worker import Deadlines
from tests.unit.ops.checker.five import PUT_OFF, Five, lives
from tests.unit.ops.checker.planted_five import PLANTED, SILENT, mail
from tests.unit.ops.checker.planting import double, drop, drop_all, of
from tests.unit.ops.checker.whole import PARTNERS, N
from tests.unit.review.pipeline import DAY_MS, SUBSCRIPTION, directory_entry, sales_form, usage_form

F = FindingCode
#: A Monday under P2020.
MONDAY_2020 = parse_instant("2023-06-05T08:00:00Z")


@pytest.fixture(scope="module")
def good() -> PipelineLog:
    return lives().log()


def codes(found: list[Finding]) -> set[FindingCode]:
    return {each.code for each in found}


def test_a_good_log_has_no_findings(good: PipelineLog) -> None:
    assert [str(each) for each in check(good)] == []


def test_every_mail_there_is_has_been_sent(good: PipelineLog) -> None:
    assert set(summary(good).mails_by_kind) == {each.value for each in MailKind}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found_and_nothing_else(good: PipelineLog, name: str) -> None:
    plant, expected = PLANTED[name]
    found = check(plant(good))
    assert codes(found) == expected, "\n".join(map(str, found))
    assert all(each.ids and each.sentence.endswith(".") and each.source for each in found)


def test_a_finding_about_a_claim_names_it(good: PipelineLog) -> None:
    (found,) = check(drop(good, "updates", of(claim_id=SILENT)))
    assert (found.claim, found.source) == (SILENT, "D30")


# -- books ---------------------------------------------------------------------------------------------------------


def test_the_books_balance(good: PipelineLog) -> None:
    found = balances(good)
    assert [row for row in found.rows() if not row.holds] == []
    assert all(each.called_for == each.written for each in found.mails)
    assert (found.doubles, found.deferred, found.expired) == (0, 1, 1)


def test_every_fate_of_an_approval_is_counted(good: PipelineLog) -> None:
    found = balances(good)
    assert found.approvals == sum(found.fates.values())
    assert found.fates == {
        Fate.HANDED_OFF: 6,
        Fate.DECLINED: 2,
        Fate.WITHDRAWN: 0,
        Fate.DISASSOCIATED: 1,
        Fate.DISPLACED: 1,
        Fate.ENDED: 1,
        Fate.WAITING: 1,
        Fate.SUSPENDED: 2,
    }


def test_the_summary_adds_up(good: PipelineLog) -> None:
    told = summary(good)
    assert told.approvals == sum(told.approvals_by_fate.values())
    assert told.updates == told.events
    assert sum(told.mails_by_kind.values()) == sum(told.mails_by_outcome.values())


@pytest.mark.parametrize(
    ("what", "left"),
    [
        (lambda log: drop(log, "eligible", of("cpor.eligible.v1")), "approvals"),
        (lambda log: drop(log, "updates", of()), "claim events"),
        (lambda log: drop(log, "mails", mail(MailKind.OFFICIAL, SILENT)), "mails the events call for"),
        (lambda log: drop_all(log, "deliveries", of(claim_id=SILENT, kind="official")), "mails written"),
        (lambda log: replace(log, sink=(log.sink or ())[1:]), "mails delivered"),
    ],
)
def test_books_with_something_missing_do_not_balance(
    good: PipelineLog, what: Callable[[PipelineLog], PipelineLog], left: str
) -> None:
    assert left in {row.left for row in balances(what(good)).rows() if not row.holds}


def test_a_mail_that_comes_twice_under_its_one_id_is_counted_and_no_fault(good: PipelineLog) -> None:
    twice = replace(good, sink=(*(good.sink or ()), *(good.sink or ())[:2]))
    assert check(twice) == []
    assert balances(twice).doubles == 2


def test_a_delivery_that_is_told_twice_is_no_fault(good: PipelineLog) -> None:
    twice = double(good, "deliveries", of(claim_id=SILENT, kind="official"))
    assert check(twice) == []
    assert [row for row in balances(twice).rows() if not row.holds] == []


def test_nobody_looked_into_the_mailboxes_and_nothing_is_said_of_them(good: PipelineLog) -> None:
    unseen = replace(good, sink=None)
    found: Balances = balances(unseen)
    assert check(unseen) == []
    assert (found.arrived, found.doubles) == (None, None)


def test_mails_of_the_sink_are_known_by_their_message_id_and_address() -> None:
    message = EmailMessage()
    message["Message-ID"] = "<11-22@cpor.example>"
    message["To"] = "Kana Ito <kana@contoso.example>"
    log = PipelineLog(1).with_sink([Received(Path("1.eml"), message)])
    assert log.sink == (Arrival("11-22", "kana@contoso.example"),)


def test_a_copy_goes_to_who_submitted_and_asks_for_it_and_to_nobody_else() -> None:
    five = Five()
    entry = directory_entry("P-1")
    entry["users"][0]["copy_on_mail"] = True
    five.append(Topic.PARTNERS, 0, "P-1", entry)
    contact = {"name": "Otto Weber", "email": "otto@nordwind.example"}
    five.file("c", usage_form(partner_contact=contact))
    five.approve("c")
    log = five.log()
    assert [str(each) for each in check(log)] == []
    unasked = replace(log, directory=log.directory[:-1])
    found = check(unasked)
    assert [(each.code, each.ids["kind"]) for each in found] == [(F.MAIL_TO_ANOTHER, "approved")]


# -- work that is not finished -------------------------------------------------------------------------------------


def test_of_services_that_did_not_run_nothing_is_expected(good: PipelineLog) -> None:
    ran = frozenset(("intake", "review", "consent", "deadlines"))
    front = replace(good, updates=(), mails=(), services=ran)
    assert codes(check(front)) == {F.DELIVERY_WITHOUT_MAIL, F.SINK_WITHOUT_MAIL}
    assert check(replace(front, deliveries=(), sink=None, services=ran - {"consent"})) == []


@pytest.mark.parametrize("working", range(1, 6), ids=["intake", "and review", "and notify", "and consent", "all"])
def test_a_pipeline_that_is_still_working_has_no_faults_only_work_left(working: int) -> None:
    """Some services have done all, the others nothing since the claims were approved."""
    five = Five()
    five.file("done")
    five.approve("done")
    everybody, five.workers = five.workers, five.workers[:working]
    five.file("fresh", usage_form("exchange"), digest="b")
    five.approve("fresh")
    five.clock.tick(9 * DAY_MS)
    for worker in everybody[:working]:
        worker.step()
    log = five.log()
    assert [str(each) for each in check(log, settled=False)] == []
    assert all(each.code.passes for each in check(log))


def test_a_doubled_update_is_a_fault_even_of_a_pipeline_that_is_still_working(good: PipelineLog) -> None:
    twice = double(good, "updates", of(claim_id=SILENT))
    assert codes(check(twice, settled=False)) == {F.UPDATE_DOUBLED}


def test_every_topic_that_is_read_is_named_beforehand() -> None:
    asked: list[str] = []

    def read(topic: str) -> list[Any]:
        asked.append(topic)
        return []

    read_log(read, PARTNERS, N)
    assert sorted(asked) == sorted(log_topics(PARTNERS))


# -- services with a fault in them ---------------------------------------------------------------------------------


def test_a_consent_that_hears_no_no_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    always = ((lambda case, said, at: True, "nobody listens"),)
    monkeypatch.setattr(services.consent.answers, "NOTHING_CHANGES", always)
    five = Five()
    five.file("c")
    five.approve("c")
    five.answer("c")
    five.days(9)
    assert codes(check(five.log())) == {F.ANSWER_LOST}


def test_a_no_that_is_said_again_while_review_stands_still_is_not_taken_for_lost() -> None:
    five = Five()
    five.file("c")
    five.approve("c")
    review = next(each for each in five.workers if each.processor.service == "review")
    five.workers.remove(review)
    five.answer("c")
    five.answer("c")
    five.run()
    assert [str(each) for each in check(five.log(), settled=False)] == []
    assert codes(check(five.log())) == {F.ANSWER_WITHOUT_EFFECT}
    five.workers.append(review)
    five.run()
    assert [str(each) for each in check(five.log())] == []


def test_a_consent_that_takes_silence_of_the_unasked_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services.consent.worker, "knows", lambda case: True)
    five = Five()
    form = usage_form(customer_contact={"name": "K", "title": "CIO", "email": PUT_OFF, "language": "ja"})
    five.file("c", form)
    five.approve("c")
    monkeypatch.setattr(five, "_post", lambda topic: 0)
    five.days(9)
    assert codes(check(five.log())) == {F.COMPLETED_UNTOLD, F.MAIL_UNDELIVERED}


def unfair_world() -> Five:
    """Intake stands still while a clock runs out, and the partner's answer lies on its topic."""
    five = Five()
    five.asked("c", usage_form())
    due = five.claim("c").clocks[0].due
    intake, *others = five.workers
    five.workers = others
    five.clock.tick(due - five.clock.now() - DAY_MS)
    five.say("c", CommandName.RESUBMIT, {"comment": "In time."})
    five.days(3)
    five.workers = [intake, *others]
    five.run()
    five.days(1)
    return five


def test_an_answer_that_a_fair_clock_has_waited_for_is_no_finding() -> None:
    five = unfair_world()
    assert five.claim("c").status == "submitted"
    assert [str(each) for each in check(five.log())] == []


def test_an_answer_that_is_lost_to_an_unfair_clock_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Deadlines, "gate", lambda self, due, look: due)
    five = unfair_world()
    assert five.claim("c").status == "rejected"
    assert codes(check(five.log())) == {F.ANSWER_LOST}


@pytest.mark.rule("T19")
def test_deadlines_that_do_not_hear_of_a_subscriptions_end_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services.deadlines.worker, "_hear_news", lambda context, record: None)
    five = Five()
    five.file("c", sales_form())
    five.approve("c")
    five.sells(SUBSCRIPTION, state="ended")
    five.days(1)
    five.file("d", usage_form("teams"), digest="d")
    assert codes(check(five.log())) == {F.END_MISSING}


def test_a_notify_that_tells_the_reviewers_name_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def tells(row: Any, event: Any) -> Any:
        yield services.notify.updates._now("reviewer", event.actor.id)

    changes = {**services.notify.updates._CHANGES, EventName.REVIEW_STARTED: tells}
    monkeypatch.setattr(services.notify.updates, "_CHANGES", changes)
    five = Five()
    five.file("c")
    five.approve("c")
    assert codes(check(five.log())) == {F.UPDATE_TELLS_TOO_MUCH}


# -- the earlier edition -------------------------------------------------------------------------------------------


def approved_2020() -> Five:
    five = Five(MONDAY_2020)
    five.file("c", usage_form(domain="contoso.example"), acknowledged=())
    five.approve("c")
    return five


def at_the_last_evening(five: Five, *, late: bool) -> None:
    """A minute before the wait ends, or after it."""
    due = five.claim("c").consent.due
    assert due is not None
    five.clock.tick(due - five.clock.now() + (60_000 if late else -60_000))


def test_a_no_on_the_last_evening_of_2020s_seven_days_is_no_finding() -> None:
    five = approved_2020()
    at_the_last_evening(five, late=False)
    five.answer("c")
    five.days(2)
    assert five.claim("c").status == "rejected"
    assert [str(each) for each in check(five.log())] == []


def test_a_no_after_2020s_seven_days_is_rightly_ignored() -> None:
    five = approved_2020()
    at_the_last_evening(five, late=True)
    five.answer("c")
    five.days(2)
    assert five.claim("c").status == "approved"
    assert [str(each) for each in check(five.log())] == []


def test_a_no_on_the_last_evening_that_is_called_too_late_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    late = ((lambda case, said, at: case.wait is not None and at >= case.wait.due - DAY_MS, "too late"),)
    monkeypatch.setattr(services.consent.answers, "NOTHING_CHANGES", late)
    five = approved_2020()
    at_the_last_evening(five, late=False)
    five.answer("c")
    five.days(2)
    assert codes(check(five.log())) == {F.ANSWER_LOST}
