"""An association ends with its subscription: when its last day is over, or the feed says so (T19, D16, D23)."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from cpor.domain import ids, wire
from cpor.domain.calendar import end_of_day
from cpor.domain.vocabulary import ClaimId, CommandName, EventName, PartnerId, Status, SubscriptionId, parse_instant
from cpor.runtime.clock import ManualClock
from cpor.runtime.record import Output, Record
from cpor.runtime.store.engine import MemoryEngines
from cpor.runtime.topics import Topic
from schemas.base import check
from schemas.inside import EndSubscription
from services.deadlines.claim import Seen, Watched, after
from services.deadlines.holding import Held
from services.deadlines.worker import decode
from tests.unit.deadlines.stage import SLOW, Crash, Stage
from tests.unit.review.pipeline import (
    LOCATION,
    OPERATOR,
    SALES,
    SUBSCRIPTION,
    TENANT,
    N,
    file_of,
    of,
    said_of,
    sales_form,
    usage_form,
)

BERLIN = "Europe/Berlin"
#: The last day of most tests, and the first instant after it.
LAST_DAY = date(2024, 5, 31)
MIDNIGHT = end_of_day(LAST_DAY, BERLIN)


def sold(stage: Stage, **changes: Any) -> None:
    """What the feed says of the subscription from now on."""
    stage.load(Topic.SUBSCRIPTIONS, SUBSCRIPTION, {**SALES, **changes})
    stage.run()


def holding(**changes: Any) -> Stage:
    """An official claim `c` on a subscription that is sold like this."""
    stage = Stage()
    sold(stage, **changes)
    stage.official(form=sales_form())
    stage.run()
    return stage


def ends(stage: Stage) -> list[Record]:
    """What deadlines told review."""
    found = stage.broker.records(Topic.CLAIM_COMMANDS)
    return [each for each in found if each.header("ce_type") == CommandName.OPS_END_SUBSCRIPTION]


def days(stage: Stage) -> list[str]:
    return [json.loads(each.value or b"")["ends_on"] for each in ends(stage)]


def imported(stage: Stage, ends_on: str | None) -> None:
    stage.inside(
        "old",
        CommandName.OPS_IMPORT_LEGACY,
        actor=OPERATOR,
        partner_id="P-1",
        claim_ref="old",
        location_id=LOCATION,
        tenant_id=TENANT,
        subscription_id=SUBSCRIPTION,
        partner_role="build_intent_advisor",
        ends_on=ends_on,
    )
    stage.run()


@pytest.mark.rule("T19", "D16")
def test_an_association_ends_when_the_last_day_of_its_subscription_is_over_where_the_location_is() -> None:
    stage = holding(ends_on="2024-05-31")
    stage.pass_to(MIDNIGHT - 2_000)
    assert (ends(stage), stage.claim().units) == ([], (f"{TENANT}/subscription/{SUBSCRIPTION}",))
    stage.pass_to(MIDNIGHT)
    assert (days(stage), stage.claim().units, stage.claim().status) == (["2024-05-31"], (), Status.APPROVED)
    assert stage.handed_off(Topic.ELIGIBLE)[-1][0] == "cpor.eligible.ended.v1"
    stage.audit()


@pytest.mark.rule("T19")
def test_what_is_told_names_the_approval_and_the_service_and_is_told_once() -> None:
    stage = holding(ends_on="2024-05-31")
    approval = next(each.sequence for each in stage.events("c") if each.NAME == EventName.APPROVED)
    stage.pass_to(MIDNIGHT)
    for _ in range(5):
        stage.pass_days(40)
        stage.run()
    (record,) = ends(stage)
    told = check(EndSubscription, record.value or b"")
    assert (told.claim_id, told.actor.kind, told.actor.id) == (of("c"), "system", "deadlines")
    assert record.header("ce_source") == "/services/deadlines"
    assert record.header("ce_causationid") == ids.event_id(of("c"), approval)
    assert record.header("ce_time") == "2024-05-31T22:00:00.000Z"


@pytest.mark.rule("T19", "D16")
def test_a_renewal_moves_the_end_however_often_it_comes() -> None:
    stage = holding(ends_on="2024-05-31")
    sold(stage, ends_on="2024-06-30")
    stage.pass_to(MIDNIGHT)
    stage.run()
    assert ends(stage) == []
    sold(stage, ends_on=None)
    stage.pass_days(200)
    stage.run()
    assert ends(stage) == []
    sold(stage, ends_on="2025-01-31")
    stage.pass_to(end_of_day(date(2025, 1, 31), BERLIN))
    assert days(stage) == ["2025-01-31"]
    assert stage.claim().units == ()


@pytest.mark.rule("T19")
def test_a_state_that_is_said_to_have_ended_ends_the_association_on_that_day() -> None:
    """The feed knows no day: the one in Munich on which it says so."""
    stage = holding()
    stage.pass_to(parse_instant("2024-05-31T22:30:00Z"))
    sold(stage, state="ended")
    assert (days(stage), stage.claim().units) == (["2024-06-01"], ())


@pytest.mark.rule("T19")
def test_grace_ends_nothing_before_the_feed_says_that_it_is_over() -> None:
    stage = holding(ends_on="2024-05-31")
    sold(stage, ends_on="2024-05-31", state="grace")
    stage.pass_to(MIDNIGHT + 40 * 86_400_000)
    assert ends(stage) == []
    sold(stage, ends_on="2024-05-31", state="ended")
    assert (days(stage), stage.claim().units) == (["2024-05-31"], ())


@pytest.mark.rule("T19", "D23")
def test_an_imported_association_ends_after_its_last_day_though_the_subscription_goes_on() -> None:
    stage = Stage()
    imported(stage, "2024-05-31")
    stage.pass_to(MIDNIGHT - 2_000)
    assert ends(stage) == []
    stage.pass_to(MIDNIGHT)
    assert (days(stage), stage.claim("old").units) == (["2024-05-31"], ())


@pytest.mark.rule("D17", "D23")
def test_an_imported_association_that_was_displaced_and_came_back_still_ends_after_its_last_day() -> None:
    stage = Stage()
    imported(stage, "2024-05-31")
    rival = stage.approved("rival", "P-2", sales_form(), displaces=[of("old")])
    said = said_of(3, ["sales", "power_bi"])
    stage.partner("old", CommandName.POE_ATTACH, said, files=(file_of(3),))
    stage.partner("old", CommandName.DISPUTE, {"justification": "Ours."})
    stage.review("old", CommandName.REVIEW_APPROVE, displaces=[rival.claim_id])
    assert (stage.claim("old").status, len(stage.claim("old").units)) == (Status.APPROVED, 1)
    stage.pass_to(MIDNIGHT)
    assert (days(stage), stage.claim("old").units) == (["2024-05-31"], ())
    stage.audit()


@pytest.mark.rule("T19", "D23")
def test_an_import_whose_last_day_is_over_already_ends_at_once() -> None:
    stage = Stage()
    imported(stage, "2024-02-29")
    assert (days(stage), stage.claim("old").units) == (["2024-02-29"], ())


@pytest.mark.rule("T19", "D23")
def test_what_was_given_up_replaced_or_rejected_before_is_not_ended_again() -> None:
    """The import is replaced by the partner's claim, which then leaves its customer."""
    stage = Stage()
    imported(stage, "2024-05-31")
    stage.approved(form=sales_form())
    stage.partner("c", CommandName.DISASSOCIATE, {"reason": "No longer ours."})
    sold(stage, state="ended", ends_on="2024-03-31")
    stage.pass_to(MIDNIGHT)
    assert ends(stage) == []
    assert {each.held for each in rows(stage).values()} == {None}


@pytest.mark.rule("T19")
def test_a_claim_on_workloads_is_never_ended_by_a_subscription() -> None:
    stage = Stage()
    stage.official(form=usage_form("teams"))
    sold(stage, state="ended")
    stage.pass_days(400)
    stage.run()
    assert ends(stage) == []
    assert stage.claim().units != ()


@pytest.mark.rule("T19", "D16")
def test_a_renewal_that_overtakes_the_end_wins_and_the_next_end_is_told_anew() -> None:
    """Review reads the renewal before the end that was told; then the subscription ends on the same day after all."""
    stage = holding()
    stage.load(Topic.SUBSCRIPTIONS, SUBSCRIPTION, {**SALES, "state": "ended", "ends_on": "2024-03-10"})
    stage.run_deadlines()
    assert len(ends(stage)) == 1
    sold(stage)
    assert stage.claim().units != ()
    sold(stage, state="ended", ends_on="2024-03-10")
    assert stage.claim().units == ()
    assert len({each.header("ce_id") for each in ends(stage)}) == len(ends(stage)) == 2
    stage.audit()


@pytest.mark.rule("T19")
def test_an_end_is_not_told_again_for_news_that_changes_nothing() -> None:
    stage = holding()
    stage.load(Topic.SUBSCRIPTIONS, SUBSCRIPTION, {**SALES, "state": "ended"})
    stage.run_deadlines()
    stage.load(Topic.SUBSCRIPTIONS, SUBSCRIPTION, {**SALES, "state": "ended", "ends_on": "2024-03-01"})
    stage.run_deadlines()
    stage.run()
    assert len(ends(stage)) == 1


@pytest.mark.parametrize("value", [b"{", b'{"kind": "subscription"}', None])
def test_a_record_that_cannot_be_read_counts_as_absent_and_stops_nobody(value: bytes | None) -> None:
    stage = holding(ends_on="2024-05-31")
    there = ids.tenant_partition(TENANT, N)
    stage.broker.append(Output(Topic.SUBSCRIPTIONS, there, SUBSCRIPTION.encode(), value, []))
    stage.run()
    stage.pass_to(MIDNIGHT)
    assert ends(stage) == []
    assert stage.broker.records(Topic.DEAD_LETTERS) == []
    sold(stage, ends_on="2024-05-31")
    assert days(stage) == ["2024-05-31"]


@pytest.mark.parametrize("point", ["send", "send_positions", "commit", "committed"])
@pytest.mark.parametrize("keeps", [True, False])
def test_an_end_is_told_once_whenever_the_worker_dies(point: str, keeps: bool) -> None:
    stage = holding(ends_on="2024-05-31")
    stage.clock.tick(MIDNIGHT - stage.clock.now())
    stage.crash_at(point)
    with pytest.raises(Crash):
        stage.run_deadlines()
    stage.unharmed()
    stage.rows = stage.rows if keeps else MemoryEngines()
    stage.deadlines = stage.fresh_deadlines()
    stage.run()
    assert (days(stage), stage.claim().units) == (["2024-05-31"], ())
    stage.audit()


def test_whatever_happened_meanwhile_is_told_after_an_outage_with_its_own_day() -> None:
    """Ended, renewed, and ended again in June; deadlines stood still from March to August."""
    stage = Stage(limits=SLOW)
    stage.official(form=sales_form())
    stage.stopped = True
    for day, changes in (
        (date(2024, 4, 1), {"ends_on": "2024-05-31"}),
        (date(2024, 5, 1), {"ends_on": "2025-05-31"}),
        (date(2024, 6, 15), {"state": "ended"}),
    ):
        stage.clock.tick(end_of_day(day, BERLIN) - stage.clock.now())
        sold(stage, **changes)
    stage.pass_days(50)
    stage.stopped = False
    stage.run()
    assert days(stage) == ["2024-06-16"]
    assert stage.claim().units == ()


@pytest.mark.rule("T19", edition="P2020")
def test_2020_a_subscription_that_ends_during_the_wait_is_never_handed_off() -> None:
    stage = Stage(clock=ManualClock(parse_instant("2023-03-06T08:00:00Z")))
    sold(stage, ends_on="2023-03-08")
    stage.submitted_2020(
        sales_form(domain="contoso.example", technical_contact={"name": "Ken", "email": "ken@contoso.example"})
    )
    stage.review("c", CommandName.REVIEW_START)
    stage.review("c", CommandName.REVIEW_APPROVE)
    stage.pass_to(end_of_day(date(2023, 3, 8), BERLIN))
    assert (days(stage), stage.claim().units, stage.claim().clocks) == (["2023-03-08"], (), ())
    assert [each for each, _ in stage.handed_off(Topic.ELIGIBLE)] == []


# -- instances from before -------------------------------------------------------------------------------------------


def rows(stage: Stage) -> dict[bytes, Watched]:
    found = {each.key or b"": each.value for each in stage.broker.records(Topic.DEADLINES_STATE)}
    return {key: decode(value) for key, value in found.items() if value is not None}


def test_a_row_from_before_is_read_as_one_that_holds_nothing_known() -> None:
    old = Watched(TENANT, BERLIN, "cpor.partners.P-1.commands-0")
    value = json.loads(wire.encode(old))
    del value["held"]
    assert decode(json.dumps(value).encode()) == old


def test_an_instance_from_before_reads_all_that_is_known_of_subscriptions_and_goes_on() -> None:
    """Its group has positions of claim events alone, beside rows that are not new."""
    stage = holding(ends_on="2024-05-31")
    group = stage.broker.groups["cpor.deadlines"]
    for tp in [each for each in group.committed if each.topic == Topic.SUBSCRIPTIONS]:
        del group.committed[tp]
    stage.deadlines = stage.fresh_deadlines()
    stage.run()
    stage.pass_to(MIDNIGHT)
    assert days(stage) == ["2024-05-31"]


def test_a_claim_approved_anew_is_watched_whatever_its_row_was_before() -> None:
    unit = ids.subscription_unit(TENANT, SubscriptionId(SUBSCRIPTION))
    claim = ClaimId(ids.claim_id(PartnerId("P-1"), "c"))
    old = Watched(TENANT, BERLIN, "cpor.partners.P-1.commands-0")
    given = Seen(claim, 9, Status.APPROVED, units=(unit,), name=EventName.APPROVED)
    row = after(old, given, TENANT)
    assert row is not None
    assert row.held == Held(9, SubscriptionId(SUBSCRIPTION))
    flagged = Seen(claim, 10, Status.APPROVED, units=(unit,), name=EventName.COMPETITION_FLAGGED)
    assert after(row, flagged, TENANT) == row
    gone = after(row, Seen(claim, 11, Status.REJECTED), TENANT)
    assert gone is not None
    assert gone.held is None
