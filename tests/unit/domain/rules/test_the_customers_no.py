"""Held at the approval, official a week later, and what a customer's no does before and after (D4, D9)."""

from __future__ import annotations

import pytest

from cpor.domain import commands as cmd
from cpor.domain.associations import Association, associations_after
from cpor.domain.handoff import HandoffType, Revoked, handoffs
from cpor.domain.model import ClaimState
from cpor.domain.result import Ignored
from cpor.domain.vocabulary import (
    Clock,
    Code,
    CommandName,
    ConsentOutcome,
    Edition,
    Instant,
    RejectionReason,
    RevocationReason,
    Status,
    instant_text,
)
from tests.unit.domain.claims import EXAMPLES, World
from tests.unit.domain.rules.editions import IN_BOTH, codes, usage, world_of

DECLINE = EXAMPLES[CommandName.CONSENT_OUTCOME]
DECLINED = RejectionReason.CUSTOMER_DECLINED
#: Seven calendar days after Monday, 6 March 2023 and 4 March 2024, to the end of the last in Munich.
WAIT_ENDS = {Edition.P2020: "2023-03-13T23:00:00.000Z", Edition.P2023: "2024-03-11T23:00:00.000Z"}
BEFORE_APPROVAL: dict[Status, tuple[CommandName, ...]] = {
    Status.SUBMITTED: (),
    Status.UNDER_REVIEW: (CommandName.REVIEW_START,),
    Status.PARTNER_ACTION_REQUIRED: (CommandName.REVIEW_START, CommandName.REVIEW_REQUEST_INFORMATION),
    Status.DISPUTED: (CommandName.REVIEW_START, CommandName.REVIEW_REJECT, CommandName.DISPUTE),
    Status.REJECTED: (CommandName.REVIEW_START, CommandName.REVIEW_REJECT),
}
#: How each goes on to an approval.
TO_APPROVAL: dict[Status, tuple[CommandName, ...]] = {
    Status.SUBMITTED: (CommandName.REVIEW_START, CommandName.REVIEW_APPROVE),
    Status.UNDER_REVIEW: (CommandName.REVIEW_APPROVE,),
    Status.PARTNER_ACTION_REQUIRED: (CommandName.RESUBMIT, CommandName.REVIEW_START, CommandName.REVIEW_APPROVE),
    Status.DISPUTED: (CommandName.REVIEW_APPROVE,),
    Status.REJECTED: (CommandName.DISPUTE, CommandName.REVIEW_APPROVE),
}


def at(edition: Edition, status: Status) -> World:
    world = world_of(edition)
    world.filed("c", form=usage(edition, "teams"))
    for name in BEFORE_APPROVAL[status]:
        world.must("c", EXAMPLES[name])
    assert world.claim("c").status is status
    return world


def approved(edition: Edition) -> tuple[World, ClaimState]:
    world = world_of(edition)
    return world, world.approved("c", form=usage(edition, "teams"))


def record(world: World) -> Association | None:
    (unit,) = [each for each in world.events[world.claim("c").claim_id] if hasattr(each, "units")][-1].units
    return associations_after(unit, world.states.values())


def completed(world: World) -> cmd.RecordConsent:
    approval = world.claim("c").approval
    assert approval is not None
    return cmd.RecordConsent(outcome=ConsentOutcome.COMPLETED, approval=approval.sequence)


@IN_BOTH
@pytest.mark.rule("D4", "T12", "R47", "R48", edition="both")
def test_a_unit_is_held_at_the_approval_and_official_at_the_end_of_the_seventh_day(edition: Edition) -> None:
    world, claim = approved(edition)
    wait = claim.clock(Clock.CONSENT_WAIT)
    assert wait is not None
    assert instant_text(wait.due) == WAIT_ENDS[edition]
    held = record(world)
    assert held is not None
    assert (held.held_from, held.official_from) == (world.now, None)
    world.now = Instant(wait.due - 1)
    assert isinstance(world.give("c", completed(world)), Ignored)
    world.now = wait.due
    official = world.must("c", completed(world))
    assert official.status == Status.APPROVED
    (handed,) = handoffs(world.log[-1], official)
    assert handed.type == HandoffType.ELIGIBLE
    found = record(world)
    assert found is not None
    assert found.official_from == wait.due


@IN_BOTH
@pytest.mark.rule("D4", "R45", "T11", edition="both")
def test_the_customer_may_decline_to_the_last_instant_of_the_seventh_day(edition: Edition) -> None:
    world, claim = approved(edition)
    world.now = Instant(claim.due()[0].due - 1)
    declined = world.must("c", DECLINE)
    assert (declined.status, declined.units) == (Status.REJECTED, ())
    assert declined.has_reason(DECLINED)
    (message,) = handoffs(world.log[-1], declined)
    assert message.type == HandoffType.APPROVED_REVOKED


@pytest.mark.rule("D4", "R46", edition="P2020")
def test_2020_from_the_eighth_day_on_a_no_comes_too_late_also_before_the_hand_off() -> None:
    world, claim = approved(Edition.P2020)
    world.now = claim.due()[0].due
    assert isinstance(world.give("c", DECLINE), Ignored)
    world.must("c", completed(world))
    assert isinstance(world.give("c", DECLINE), Ignored)
    assert world.claim("c").units == claim.units


@pytest.mark.rule("D4", "R45", "T11")
def test_since_2023_a_no_after_the_hand_off_revokes_what_was_handed_off() -> None:
    world, claim = approved(Edition.P2023)
    world.now = claim.due()[0].due
    world.must("c", completed(world))
    world.pass_days(1000)
    declined = world.must("c", DECLINE)
    messages = handoffs(world.log[-1], declined)
    assert [each.type for each in messages] == [HandoffType.APPROVED_REVOKED, HandoffType.ELIGIBLE_REVOKED]
    for message in messages:
        assert isinstance(message.data, Revoked)
        assert (message.data.reason, message.data.units) == (RevocationReason.CUSTOMER_DECLINED, claim.units)


@pytest.mark.rule("D9", "T11b")
@pytest.mark.parametrize("status", [Status.SUBMITTED, Status.UNDER_REVIEW, Status.PARTNER_ACTION_REQUIRED])
def test_since_2023_an_early_no_rejects_an_open_claim_at_once(status: Status) -> None:
    world = at(Edition.P2023, status)
    claim = world.must("c", DECLINE)
    assert (claim.status, [each.code for each in claim.reasons], claim.clocks) == (Status.REJECTED, [DECLINED], ())
    assert codes(world.give("c", EXAMPLES[CommandName.DISPUTE])) == {Code.NOT_DISPUTABLE}


@pytest.mark.rule("D9", "T11b")
def test_since_2023_an_early_no_makes_the_rejection_of_a_disputed_claim_final() -> None:
    claim = at(Edition.P2023, Status.DISPUTED).must("c", DECLINE)
    assert (claim.status, claim.has_reason(DECLINED), claim.clocks) == (Status.REJECTED_FINAL, True, ())


@pytest.mark.rule("D9", "T11b")
def test_since_2023_a_no_to_a_rejected_claim_is_added_to_its_reasons_and_closes_its_window() -> None:
    world = at(Edition.P2023, Status.REJECTED)
    claim = world.must("c", DECLINE)
    assert [each.code for each in claim.reasons] == ["insufficient_poe", DECLINED]
    assert claim.clocks == ()
    assert codes(world.give("c", EXAMPLES[CommandName.DISPUTE])) == {Code.NOT_DISPUTABLE}


@pytest.mark.rule("D9", edition="P2020")
@pytest.mark.parametrize("status", BEFORE_APPROVAL)
def test_2020_an_early_no_is_kept_and_applied_at_once_when_the_approval_comes(status: Status) -> None:
    world = at(Edition.P2020, status)
    kept = world.must("c", DECLINE)
    assert (kept.status, kept.consent.declined_early) == (status, True)
    assert isinstance(world.give("c", DECLINE), Ignored)
    for name in TO_APPROVAL[status]:
        world.must("c", EXAMPLES[name])
    claim = world.claim("c")
    assert (claim.status, claim.has_reason(DECLINED), claim.units) == (Status.REJECTED, True, ())
    assert [each.NAME.value for each in world.log[-2:]] == ["approved", "rejected"]
    assert record(world) is None


@pytest.mark.rule("D9", edition="P2020")
def test_2020_a_claim_that_is_rejected_anyway_keeps_its_own_reason_and_may_be_disputed() -> None:
    world = at(Edition.P2020, Status.UNDER_REVIEW)
    world.must("c", DECLINE)
    claim = world.must("c", EXAMPLES[CommandName.REVIEW_REJECT])
    assert [each.code for each in claim.reasons] == ["insufficient_poe"]
    assert [each.clock for each in claim.due()] == [Clock.DISPUTE_WINDOW]
