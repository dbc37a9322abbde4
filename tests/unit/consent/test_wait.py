"""Silence is consent, but only of a customer who was told (D4, D20), and never against a no in time (D19)."""

from __future__ import annotations

import pytest

from cpor.domain.vocabulary import CommandName, Edition, Status
from cpor.runtime.clock import ManualClock
from cpor.runtime.topics import Topic
from tests.unit.consent.stage import GRACE, IN_2020, SLOW, Crash, Stage, stage_of
from tests.unit.domain.rules.editions import IN_BOTH

FAULT_POINTS = ("send", "send_positions", "commit", "committed")
CONTACT = {"name": "Ken Abe", "title": "CTO", "email": "ken@contoso.example", "language": "ja"}


def approved(edition: Edition) -> Stage:
    """An approved claim whose customer was asked, and of whose notice nothing is known yet."""
    stage = Stage() if edition is Edition.P2023 else Stage(clock=ManualClock(IN_2020))
    if edition is Edition.P2023:
        stage.waiting(delivered=False)
    else:
        stage.submitted_2020()
        stage.approves()
    return stage


@IN_BOTH
@pytest.mark.rule("R47", "T12", edition="both")
def test_silence_after_a_delivered_notice_completes_the_consent_once_after_the_grace(edition: Edition) -> None:
    stage = approved(edition)
    stage.arrives()
    due = stage.due()
    stage.pass_to(due + GRACE - 1)
    assert stage.outcomes() == []
    stage.pass_to(due + GRACE)
    stage.run()
    stage.pass_days(30)
    stage.run()
    assert stage.outcomes() == ["completed"]
    assert stage_of(stage.claim()) == "completed"
    before = ["requested: submitted"] if edition is Edition.P2023 else []
    assert stage.told() == [*before, "requested: approved", "completed"]
    assert [kind for kind, _ in stage.handed_off(Topic.ELIGIBLE)] == ["cpor.eligible.v1"]
    stage.audit()


@IN_BOTH
@pytest.mark.rule("D20", edition="both")
def test_silence_of_a_customer_who_was_never_reached_suspends_the_wait(edition: Edition) -> None:
    stage = approved(edition)
    due = stage.due()
    stage.pass_to(due + GRACE)
    stage.run()
    assert stage.outcomes() == ["suspended"]
    assert stage.told()[-1] == "suspended: not_delivered"
    assert stage_of(stage.claim()) == "suspended"
    stage.arrives()
    stage.pass_days(30)
    stage.run()
    assert stage_of(stage.claim()) == "suspended"
    assert stage.handed_off(Topic.ELIGIBLE) == []


def test_a_delivered_submitted_notice_does_not_stand_for_that_of_the_approval() -> None:
    stage = Stage()
    stage.file()
    stage.arrives()
    stage.review("c", CommandName.REVIEW_START)
    stage.review("c", CommandName.REVIEW_APPROVE)
    stage.pass_to(stage.due() + GRACE)
    stage.run()
    assert stage.told()[-1] == "suspended: not_delivered"


@IN_BOTH
@pytest.mark.rule("D20", edition="both")
def test_a_bounced_notice_suspends_the_wait_at_once_and_a_corrected_contact_restarts_it(edition: Edition) -> None:
    stage = approved(edition)
    first = stage.due()
    stage.bounces()
    assert stage.told()[-1] == "suspended: notice_bounced"
    stage.pass_days(3)
    old = stage.request()
    stage.resend(customer_contact=CONTACT)
    assert stage.told()[-1] == "requested: approved"
    assert stage.due() > first
    stage.arrives(old)
    stage.pass_to(first + GRACE)
    assert stage.outcomes() == ["suspended"]
    stage.arrives()
    stage.pass_to(stage.due() + GRACE)
    stage.run()
    assert stage.outcomes() == ["suspended", "completed"]
    assert stage_of(stage.claim()) == "completed"


@IN_BOTH
@pytest.mark.rule("D20", edition="both")
def test_a_notice_that_comes_back_after_its_delivery_suspends_the_wait_until_a_new_one_arrives(
    edition: Edition,
) -> None:
    stage = approved(edition)
    stage.arrives()
    stage.pass_days(3)
    stage.bounces()
    stage.bounces()
    stage.arrives()
    assert stage.outcomes() == ["suspended"]
    assert stage_of(stage.claim()) == "suspended"
    stage.resend(customer_contact=CONTACT)
    stage.arrives()
    stage.pass_to(stage.due() + GRACE)
    stage.run()
    assert stage.outcomes() == ["suspended", "completed"]


@IN_BOTH
@pytest.mark.rule("D20", edition="both")
def test_a_notice_that_comes_back_after_the_wait_has_passed_changes_nothing(edition: Edition) -> None:
    stage = approved(edition)
    stage.arrives()
    stage.pass_to(stage.due() + GRACE)
    stage.run()
    official = stage.claim()
    assert stage_of(official) == "completed"
    stage.bounces()
    stage.run()
    assert stage.outcomes() == ["completed"]
    assert stage.claim() == official
    assert len(stage.handed_off(Topic.ELIGIBLE)) == 1
    stage.audit()


def test_the_bounce_of_an_older_notice_no_longer_matters() -> None:
    stage = Stage()
    stage.waiting(delivered=False)
    old = stage.request()
    stage.resend()
    stage.bounces(old)
    stage.arrives()
    stage.pass_to(stage.due() + GRACE)
    stage.run()
    assert stage.outcomes() == ["completed"]


def test_a_bounced_submitted_notice_suspends_nothing() -> None:
    stage = Stage()
    stage.file()
    stage.bounces()
    assert stage.outcomes() == []
    assert stage.claim().status == Status.SUBMITTED


@IN_BOTH
@pytest.mark.rule("D19", "R45", edition="both")
def test_a_decline_on_the_topic_wins_although_consent_was_stopped_across_the_due_instant(edition: Edition) -> None:
    stage = approved(edition)
    stage.arrives()
    due = stage.due()
    stage.clock.tick(due - 60_000 - stage.clock.now())
    stage.stopped = True
    stage.answers("decline")
    stage.pass_to(due + 3_600_000)
    stage.goes_on()
    stage.run()
    assert stage.outcomes() == ["declined"]
    assert stage.claim().status == Status.REJECTED
    assert stage.reasons() == ["customer_declined"]
    assert stage.handed_off(Topic.ELIGIBLE) == []
    stage.audit()


def test_a_notice_that_was_delivered_while_consent_was_stopped_counts() -> None:
    stage = Stage()
    due = stage.waiting(delivered=False)
    stage.stopped = True
    stage.arrives()
    stage.pass_to(due + 3_600_000)
    stage.goes_on()
    stage.run()
    assert stage.outcomes() == ["completed"]


@IN_BOTH
@pytest.mark.rule("D20", edition="both")
@pytest.mark.parametrize(("late", "outcome"), [(-1, "completed"), (0, "suspended"), (3 * 86_400_000, "suspended")])
def test_a_notice_that_arrives_after_the_wait_fell_due_is_none_in_time_though_consent_was_stopped(
    edition: Edition, late: int, outcome: str
) -> None:
    stage = approved(edition)
    due = stage.due()
    stage.stopped = True
    stage.clock.tick(due + late - stage.clock.now())
    stage.arrives()
    stage.pass_to(due + 4 * 86_400_000)
    stage.goes_on()
    stage.run()
    assert stage.outcomes() == [outcome]


@pytest.mark.rule("D20")
def test_a_yes_to_the_first_notice_is_none_to_that_of_the_approval_in_whatever_order_consent_reads_them() -> None:
    stage = Stage()
    stage.file()
    stage.stopped = True
    stage.answers("agree")
    stage.approves()
    stage.pass_to(stage.due() + GRACE)
    stage.goes_on()
    stage.run()
    assert stage.outcomes() == ["agreed", "suspended"]
    assert stage.told()[-1] == "suspended: not_delivered"


@pytest.mark.rule("D20")
def test_a_wait_that_a_new_notice_began_anew_is_not_ended_by_the_end_of_the_one_before() -> None:
    stage = Stage(limits=SLOW)
    first = stage.waiting()
    stage.stopped = True
    stage.pass_to(first + 3_600_000)
    stage.partner("c", CommandName.COMMENT, {"text": "Is it official?"})
    stage.resend()
    stage.pass_to(stage.due() + 3_600_000)
    stage.goes_on()
    assert stage.outcomes() == ["completed", "suspended"]
    assert stage_of(stage.claim()) == "suspended"
    assert stage.handed_off(Topic.ELIGIBLE) == []


def test_a_parked_claim_s_wait_stands_still_and_goes_on_when_it_is_unparked() -> None:
    stage = Stage()
    due = stage.waiting()
    stage.inside("c", CommandName.PARK, letter_id="l-1")
    stage.pass_to(due + GRACE)
    stage.run()
    assert stage.outcomes() == []
    stage.inside("c", CommandName.UNPARK, letter_id="l-1")
    stage.run()
    assert stage.outcomes() == ["completed"]


def test_an_approval_that_ended_before_the_wait_passed_is_never_completed() -> None:
    stage = Stage()
    due = stage.waiting()
    stage.partner("c", CommandName.DISASSOCIATE, {"reason": "A mistake"})
    stage.pass_to(due + GRACE)
    stage.run()
    assert stage.outcomes() == []


@pytest.mark.parametrize("store_lost", [False, True], ids=["store kept", "store lost"])
@pytest.mark.parametrize("point", FAULT_POINTS)
def test_a_wait_comes_to_one_outcome_wherever_the_worker_dies(point: str, store_lost: bool) -> None:
    stage = Stage()
    due = stage.waiting()
    stage.clock.tick(due + GRACE - stage.clock.now())
    stage.crash_at(point)
    with pytest.raises(Crash):
        stage.consent.step()
    stage.restart(store_lost=store_lost)
    stage.run()
    stage.run()
    assert stage.outcomes() == ["completed"]
    assert stage.told().count("completed") == 1
    assert len(stage.handed_off(Topic.ELIGIBLE)) == 1


@pytest.mark.parametrize("store_lost", [False, True], ids=["store kept", "store lost"])
@pytest.mark.parametrize("point", FAULT_POINTS)
def test_an_answer_has_one_outcome_wherever_the_worker_dies(point: str, store_lost: bool) -> None:
    stage = Stage()
    stage.waiting()
    stage.stopped = True
    stage.answers("decline")
    stage.crash_at(point)
    with pytest.raises(Crash):
        drain(stage)
    stage.restart(store_lost=store_lost)
    stage.goes_on()
    stage.run()
    assert stage.outcomes() == ["declined"]
    assert stage.told().count("declined") == 1


def drain(stage: Stage) -> None:
    while stage.consent.step():
        pass
