"""A reviewer's desk: what waits and how urgent it is, what to look at, and how reasons are given (D17, D21)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest

from cpor.domain import ids
from cpor.domain.vocabulary import CommandName, Edition, EventName, Status, TenantId
from cpor.ops.book import Claim
from cpor.ops.errors import Refused, WrongUse
from cpor.ops.inbox import Hearing, Outcome, by_reviewer, judged, to_inbox
from cpor.ops.queue import flags_of, is_old, queue_of
from cpor.ops.reading import Follower
from cpor.ops.review import needed, reasons, tell
from cpor.runtime.clock import ManualClock
from cpor.runtime.record import TopicPartition
from cpor.runtime.topics import Topic
from cpor.runtime.transport.memory import MemoryTransport
from tests.unit.domain.claims import TENANT, World, in_status, usage_form
from tests.unit.domain.rules.editions import BEGINS, IN_BOTH
from tests.unit.review.pipeline import N, Pipeline, of


def test_the_queue_holds_what_waits_for_a_reviewer_and_nothing_else() -> None:
    claims = [Claim(in_status(status).claim("c"), None) for status in Status]
    assert {each.claim.state.status for each in queue_of(claims, now=0)} == {
        Status.SUBMITTED,
        Status.UNDER_REVIEW,
        Status.DISPUTED,
    }


def test_the_most_urgent_claim_comes_first_and_a_late_one_is_marked() -> None:
    world = World()
    early, late = world.filed("a"), world.pass_days(3).filed("b", form=usage_form("yammer"), doc=2)
    due = early.due()[0].due
    waiting = queue_of([Claim(late, None), Claim(early, None)], now=due)
    assert [(each.claim.state.claim_ref, each.late) for each in waiting] == [("a", True), ("b", False)]


@IN_BOTH
@pytest.mark.rule("R26", edition="both")
def test_a_workload_that_no_document_covers_is_flagged(edition: Edition) -> None:
    state = in_status(Status.SUBMITTED, BEGINS[edition]).claim("c")
    narrow = replace(state.documents[0], covers=("teams",))
    assert "not covered: intune" in flags_of(replace(state, documents=(narrow,)))
    assert not any("covered" in each for each in flags_of(state))


@IN_BOTH
@pytest.mark.parametrize(("days", "old"), [(-1, True), (0, False), (365, False)])
@pytest.mark.rule("R26", edition="both")
def test_a_signature_is_old_when_twelve_months_had_passed_at_submission(edition: Edition, days: int, old: bool) -> None:
    """Submitted on 6 March 2023 and on 4 March 2024: a year before, the day before that, and a year later."""
    a_year_before = {Edition.P2020: date(2022, 3, 6), Edition.P2023: date(2023, 3, 4)}[edition]
    state = in_status(Status.SUBMITTED, BEGINS[edition]).claim("c")
    assert is_old(state, a_year_before + timedelta(days)) is old
    signed = replace(state.documents[0], customer_signed_on=a_year_before + timedelta(days))
    flags = list(flags_of(replace(state, documents=(signed,))))
    assert any("too old" in each for each in flags) is old


def test_an_unknown_day_of_signature_is_not_old() -> None:
    assert not is_old(in_status(Status.SUBMITTED).claim("c"), None)


def test_competition_and_an_undated_signature_are_flagged() -> None:
    world = World()
    world.filed("c")
    world.filed("d", by="P-2", doc=2)
    state = world.claim("c")
    undated = replace(state.documents[0], customer_signed_on=None)
    flags = list(flags_of(replace(state, documents=(undated,))))
    assert "competes with 1" in flags
    assert "signature undated" in flags


def test_reasons_may_name_workloads() -> None:
    assert reasons(["other", "missing_products:teams, intune"]) == [
        {"code": "other"},
        {"code": "missing_products", "workloads": ["teams", "intune"]},
    ]


def test_reasons_and_a_comment_are_asked_for_before_anything_is_sent() -> None:
    with pytest.raises(WrongUse, match="--reason"):
        reasons(None)
    for blank in (None, "", "  "):
        with pytest.raises(WrongUse, match="--comment"):
            needed(blank)


def test_a_command_that_the_contract_does_not_know_never_leaves_the_desk() -> None:
    claim_id = "329bd813-1508-54e2-8f43-89929e26cde2"
    wrong = by_reviewer("r-1", reasons=[{"code": "because"}], comment="No")
    with pytest.raises(WrongUse, match="reasons"):
        to_inbox(CommandName.REVIEW_REJECT, claim_id, TenantId(TENANT), wrong, "/reviewers/r-1", 0, 8)


def outcome(event: EventName, **value: object) -> Outcome:
    return Outcome(event, 4, value)


def test_a_refusal_is_raised_with_its_code_and_silence_is_not_taken_for_success() -> None:
    refused = outcome(EventName.COMMAND_REFUSED, code="stale_sequence", detail="The claim has changed.")
    with pytest.raises(Refused, match="stale_sequence: The claim has changed") as told:
        judged(refused, 1)
    assert told.value.exit_code == 1
    with pytest.raises(Exception, match="did not answer within 30 s"):
        judged(None, 30)
    good = outcome(EventName.APPROVED, status="approved")
    assert judged(good, 1) is good


@pytest.mark.rule("D9", edition="P2020")
def test_2020_a_reviewer_whose_approval_an_early_no_undoes_is_told_of_both_and_why(
    capsys: pytest.CaptureFixture[str],
) -> None:
    pipeline = Pipeline(clock=ManualClock(BEGINS[Edition.P2020]))
    pipeline.submitted_2020()
    pipeline.review("c", CommandName.REVIEW_START)
    pipeline.inside("c", CommandName.CONSENT_OUTCOME, outcome="declined")
    places = [TopicPartition(Topic.CLAIM_EVENTS, place) for place in range(N)]
    follower = Follower(MemoryTransport(pipeline.broker), places)
    events = pipeline.review("c", CommandName.REVIEW_APPROVE)
    assert [each.NAME for each in events] == [EventName.APPROVED, EventName.REJECTED]
    message_id = ids.name_id(f"tool/{pipeline.sent}")
    told = follower.await_one(Hearing(message_id, of("c")), 5)
    assert told is not None
    assert (told.event, told.status, told.after) == (EventName.REJECTED, "rejected", (EventName.APPROVED,))
    capsys.readouterr()
    tell(pipeline.claim(), told, as_json=True)
    said = json.loads(capsys.readouterr().out)
    assert (said["event"], said["events"], said["status"]) == ("rejected", ["approved", "rejected"], "rejected")
    tell(pipeline.claim(), told, as_json=False)
    shown = capsys.readouterr()
    assert "c is rejected" in shown.out
    assert "approved, then rejected" in shown.out
    assert "by the system: The customer declined the association" in shown.err


def test_a_decision_that_stands_is_told_as_one_event(capsys: pytest.CaptureFixture[str]) -> None:
    state = in_status(Status.UNDER_REVIEW).claim("c")
    tell(state, outcome(EventName.APPROVED, status="approved", actor={"kind": "reviewer", "id": "r-1"}), as_json=False)
    shown = capsys.readouterr()
    assert "c is approved  (event 4: approved)" in shown.out
    assert shown.err == ""
