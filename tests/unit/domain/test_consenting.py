"""What the events of a consent say, and how time counts in it (T11, T12, D4, D20)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cpor.domain import commands as cmd
from cpor.domain.events import ConsentAnswered, ConsentSuspended
from cpor.domain.model import CustomerContact
from cpor.domain.result import Ignored, Refused
from cpor.domain.vocabulary import Clock, Code, ConsentOutcome, Instant, Status, SuspensionReason
from tests.unit.domain.claims import UNDER_P2020, World, consent_said


def last(world: World) -> Any:
    return world.log[-1]


def test_an_agreement_is_kept_as_such_with_its_approval_and_leaves_a_running_wait_alone() -> None:
    world = World()
    before = world.approved()
    world.pass_days(2)
    after = world.must("c", consent_said(world, ConsentOutcome.AGREED))
    assert before.approval is not None
    assert isinstance(last(world), ConsentAnswered)
    assert (last(world).answer, last(world).approval) == (ConsentOutcome.AGREED, before.approval.sequence)
    assert last(world).clocks_started == ()
    assert (after.consent.agreed_at, after.due()) == (world.now, before.due())


def test_an_early_agreement_names_no_approval() -> None:
    world = World()
    world.under_review()
    world.must("c", cmd.RecordConsent(outcome=ConsentOutcome.AGREED))
    assert (last(world).answer, last(world).approval) == (ConsentOutcome.AGREED, None)


def test_an_agreement_days_into_a_suspension_neither_shortens_nor_prolongs_the_wait() -> None:
    world = World()
    due = world.approved().due()[0].due
    world.must("c", consent_said(world, ConsentOutcome.SUSPENDED))
    world.pass_days(3)
    assert world.must("c", consent_said(world, ConsentOutcome.AGREED)).due()[0].due == due


def test_an_agreement_after_the_end_of_a_suspended_wait_ends_it_at_once() -> None:
    world = World()
    world.approved()
    world.must("c", consent_said(world, ConsentOutcome.SUSPENDED))
    world.pass_days(30)
    assert world.must("c", consent_said(world, ConsentOutcome.AGREED)).due()[0].due == world.now + 1


@pytest.mark.rule("D4", "D20", edition="P2020")
def test_a_no_that_came_with_the_agreement_that_ended_a_suspension_is_in_time_and_a_later_one_is_not() -> None:
    """Found by the state machine (seed 100067): the suspension was still in force when the no was received."""
    worlds = [World(UNDER_P2020), World(UNDER_P2020)]
    for world in worlds:
        world.approved()
        world.must("c", consent_said(world, ConsentOutcome.SUSPENDED))
        world.pass_days(20)
        world.must("c", consent_said(world, ConsentOutcome.AGREED))
    with_it, later = worlds
    no = consent_said(with_it, ConsentOutcome.DECLINED)
    assert not isinstance(with_it.give("c", no, received_at=with_it.now), Ignored)
    assert with_it.claim("c").status == Status.REJECTED
    assert isinstance(later.give("c", no, received_at=Instant(later.now + 1)), Ignored)


def test_a_suspension_names_its_approval_and_its_reason_and_stops_the_wait() -> None:
    world = World()
    claim = world.approved()
    assert claim.approval is not None
    world.must("c", consent_said(world, ConsentOutcome.SUSPENDED, SuspensionReason.NOTICE_BOUNCED))
    assert isinstance(last(world), ConsentSuspended)
    assert (last(world).approval, last(world).reason) == (claim.approval.sequence, SuspensionReason.NOTICE_BOUNCED)
    assert last(world).clocks_stopped == (Clock.CONSENT_WAIT,)


@pytest.mark.rule("D20")
@pytest.mark.parametrize("what", [ConsentOutcome.COMPLETED, ConsentOutcome.SUSPENDED])
def test_what_became_of_a_wait_says_nothing_of_the_one_that_a_new_notice_began(what: ConsentOutcome) -> None:
    world = World()
    older = world.approved().clocks[0].started_by
    world.must("c", cmd.ResendNotice())
    newer = world.claim("c").clocks[0].started_by
    world.pass_days(30)
    assert isinstance(world.give("c", replace(consent_said(world, what), started_by=older)), Ignored)
    assert not isinstance(world.give("c", replace(consent_said(world, what), started_by=newer)), Ignored)


@pytest.mark.rule("D19", "D4", edition="P2020")
def test_a_no_that_consent_found_in_time_is_so_though_a_yes_has_ended_the_suspension_since() -> None:
    world = World(UNDER_P2020)
    world.approved()
    world.must("c", consent_said(world, ConsentOutcome.SUSPENDED))
    world.pass_days(20)
    world.must("c", consent_said(world, ConsentOutcome.AGREED))
    no = replace(consent_said(world, ConsentOutcome.DECLINED), in_time=True)
    assert not isinstance(world.give("c", no, received_at=Instant(world.now + 60_000)), Ignored)
    assert world.claim("c").status == Status.REJECTED


def test_under_p2020_the_seven_days_do_not_run_out_while_the_wait_is_suspended() -> None:
    world = World(UNDER_P2020)
    world.approved()
    world.must("c", consent_said(world, ConsentOutcome.SUSPENDED))
    world.pass_days(20)
    assert world.must("c", consent_said(world, ConsentOutcome.DECLINED)).status == Status.REJECTED


def test_an_answer_at_the_very_end_of_the_seven_days_comes_too_late() -> None:
    world = World(UNDER_P2020)
    due = world.approved().due()[0].due
    decision = world.give("c", consent_said(world, ConsentOutcome.DECLINED), received_at=due)
    assert isinstance(decision, Ignored)


@pytest.mark.parametrize("stage", [ConsentOutcome.SUSPENDED, None])
def test_an_operators_correction_of_the_contact_must_be_one_and_the_answer_names_the_field_alone(
    stage: ConsentOutcome | None,
) -> None:
    world = World()
    world.approved()
    if stage is not None:
        world.must("c", consent_said(world, stage))
    no = world.give("c", cmd.ResendNotice(customer_contact=CustomerContact("Ken Abe", "CFO", "ken at home", "ja")))
    assert isinstance(no, Refused)
    assert (no.code, [each.field for each in no.errors]) == (Code.INVALID_FIELDS, ["customer_contact.email"])
    assert no.detail == "Not as they should be: customer_contact.email."
