"""Silence is consent, of who was told and said nothing in time, in either edition (R45 to R47, T11, T12, D19, D20)."""

from __future__ import annotations

import pytest

from cpor.domain import commands as cmd
from cpor.domain.events import Edited
from cpor.domain.handoff import HandoffType, handoffs
from cpor.domain.model import ClaimState, ConsentStage, CustomerContact
from cpor.domain.result import Ignored
from cpor.domain.vocabulary import (
    Clock,
    Code,
    CommandName,
    ConsentOutcome,
    Edition,
    Instant,
    Status,
    SuspensionReason,
)
from tests.unit.domain.claims import EXAMPLES, World
from tests.unit.domain.rules.editions import IN_BOTH, codes, edit, standing

DECLINE = EXAMPLES[CommandName.CONSENT_OUTCOME]
CONTACT = CustomerContact("Ken Abe", "CFO", "ken@contoso.example", "ja")


def outcome(claim: ClaimState, what: ConsentOutcome, reason: SuspensionReason | None = None) -> cmd.RecordConsent:
    assert claim.approval is not None
    return cmd.RecordConsent(outcome=what, approval=claim.approval.sequence, reason=reason)


def suspended(edition: Edition, reason: SuspensionReason) -> World:
    world = standing(edition, Status.APPROVED)
    claim = world.must("c", outcome(world.claim("c"), ConsentOutcome.SUSPENDED, reason))
    assert (claim.consent.stage, claim.consent.suspended, claim.clocks) == (ConsentStage.SUSPENDED, reason, ())
    return world


def wait_of(world: World) -> Instant:
    clock = world.claim("c").clock(Clock.CONSENT_WAIT)
    assert clock is not None
    assert clock.budget == "7d"
    return clock.due


def types(world: World) -> list[HandoffType]:
    """What downstream hears of the newest event."""
    return [each.type for each in handoffs(world.log[-1], world.claim("c"))]


# -- silence (R46, R47, T12) ------------------------------------------------------------------------------------------


@IN_BOTH
@pytest.mark.rule("R47", "T12", edition="both")
def test_a_customer_who_says_nothing_for_seven_days_has_agreed(edition: Edition) -> None:
    world = standing(edition, Status.APPROVED)
    claim, due = world.claim("c"), wait_of(world)
    assert HandoffType.ELIGIBLE not in types(world)
    world.now = due
    official = world.must("c", outcome(claim, ConsentOutcome.COMPLETED))
    assert (official.status, official.consent.stage, official.units) == (
        Status.APPROVED,
        ConsentStage.COMPLETED,
        claim.units,
    )
    assert types(world) == [HandoffType.ELIGIBLE]


@IN_BOTH
@pytest.mark.rule("T12", edition="both")
def test_an_approval_is_handed_off_once(edition: Edition) -> None:
    world = standing(edition, Status.APPROVED)
    claim = world.claim("c")
    world.now = wait_of(world)
    world.must("c", outcome(claim, ConsentOutcome.COMPLETED))
    assert isinstance(world.give("c", outcome(claim, ConsentOutcome.COMPLETED)), Ignored)


@pytest.mark.rule("R46", edition="P2020")
def test_2020_the_status_stays_approved_for_the_seven_days_and_only_then_the_claim_goes_to_assessment() -> None:
    world = standing(Edition.P2020, Status.APPROVED)
    claim, due = world.claim("c"), wait_of(world)
    assert 7 <= (due - world.now) / 86_400_000 < 8
    world.now = Instant(due - 1)
    assert isinstance(world.give("c", outcome(claim, ConsentOutcome.COMPLETED)), Ignored)
    assert world.claim("c").status == Status.APPROVED
    world.now = due
    world.must("c", outcome(claim, ConsentOutcome.COMPLETED))
    assert (world.claim("c").status, types(world)) == (Status.APPROVED, [HandoffType.ELIGIBLE])


@pytest.mark.rule("R46", edition="P2020")
def test_2020_a_claim_that_was_declined_never_goes_to_assessment() -> None:
    world = standing(Edition.P2020, Status.APPROVED)
    claim, due = world.claim("c"), wait_of(world)
    world.now = Instant(due - 1)
    world.must("c", DECLINE)
    world.now = due
    assert isinstance(world.give("c", outcome(claim, ConsentOutcome.COMPLETED)), Ignored)
    assert world.claim("c").status == Status.REJECTED


# -- a no (R45, T11) --------------------------------------------------------------------------------------------------


@IN_BOTH
@pytest.mark.rule("R45", "T11", edition="both")
def test_a_no_takes_the_association_and_its_units_away(edition: Edition) -> None:
    world = standing(edition, Status.APPROVED)
    claim = world.must("c", DECLINE)
    assert ([each.code for each in claim.reasons], claim.units) == (["customer_declined"], ())
    assert types(world) == [HandoffType.APPROVED_REVOKED]
    rival = world.approved("rival", "P-2", doc=4)
    assert rival.status == Status.APPROVED


@IN_BOTH
@pytest.mark.rule("T11", edition="both")
def test_what_names_an_older_approval_is_void(edition: Edition) -> None:
    world = standing(edition, Status.DISPUTED)
    world.must("c", cmd.ApproveClaim())
    before = world.claim("c")
    for what in ConsentOutcome:
        assert isinstance(world.give("c", cmd.RecordConsent(outcome=what, approval=2)), Ignored)
    assert world.claim("c") == before


@IN_BOTH
@pytest.mark.rule("D19", edition="both")
def test_an_answer_counts_from_when_it_was_received_however_late_it_is_read(edition: Edition) -> None:
    world = standing(edition, Status.APPROVED)
    due = wait_of(world)
    world.now = Instant(due + 5 * 86_400_000)
    assert world.must("c", DECLINE, received_at=Instant(due - 1)).status == Status.REJECTED


@IN_BOTH
@pytest.mark.rule("D19", edition="both")
def test_what_a_partner_sends_in_time_counts_however_late_it_is_read(edition: Edition) -> None:
    asked = standing(edition, Status.PARTNER_ACTION_REQUIRED)
    due = asked.claim("c").due()[-1].due
    asked.now = Instant(due + 86_400_000)
    answer = cmd.ResubmitClaim(comment="Done")
    assert codes(asked.give("c", answer, received_at=due)) == {Code.WINDOW_CLOSED}
    assert asked.must("c", answer, received_at=Instant(due - 1)).status == Status.SUBMITTED


# -- who was not told (D20) -------------------------------------------------------------------------------------------


@IN_BOTH
@pytest.mark.parametrize("reason", SuspensionReason)
@pytest.mark.rule("D20", "R47", edition="both")
def test_silence_of_who_was_not_reached_is_no_consent(edition: Edition, reason: SuspensionReason) -> None:
    world = suspended(edition, reason)
    world.pass_days(100)
    assert isinstance(world.give("c", outcome(world.claim("c"), ConsentOutcome.COMPLETED)), Ignored)
    assert world.claim("c").status == Status.APPROVED


@IN_BOTH
@pytest.mark.parametrize("by_partner", [False, True], ids=["operator", "partner"])
@pytest.mark.rule("D20", edition="both")
def test_a_corrected_contact_gets_a_new_notice_and_seven_days_of_its_own(edition: Edition, by_partner: bool) -> None:
    world = suspended(edition, SuspensionReason.NOTICE_BOUNCED).pass_days(20)
    world.must("c", edit(customer_contact=CONTACT) if by_partner else cmd.ResendNotice(customer_contact=CONTACT))
    event = world.log[-1]
    assert isinstance(event, Edited)
    assert (event.customer_notice, world.claim("c").personal.customer_contact) == (True, CONTACT)
    due = wait_of(world)
    assert 7 <= (due - world.now) / 86_400_000 < 8
    world.now = Instant(due - 1)
    assert world.must("c", DECLINE).status == Status.REJECTED


@pytest.mark.rule("D20", edition="P2020")
def test_2020_the_days_to_decline_restart_with_the_wait_and_end_with_it() -> None:
    world = suspended(Edition.P2020, SuspensionReason.NOT_DELIVERED).pass_days(20)
    world.must("c", cmd.ResendNotice())
    world.now = wait_of(world)
    assert isinstance(world.give("c", DECLINE), Ignored)
    assert world.claim("c").status == Status.APPROVED


@IN_BOTH
@pytest.mark.rule("D20", edition="both")
def test_an_agreement_ends_a_suspension_and_a_no_is_heard_during_one(edition: Edition) -> None:
    world = standing(edition, Status.APPROVED)
    due = wait_of(world)
    world.must("c", outcome(world.claim("c"), ConsentOutcome.SUSPENDED))
    claim = world.must("c", outcome(world.claim("c"), ConsentOutcome.AGREED))
    assert (claim.consent.stage, wait_of(world)) == (ConsentStage.WAITING, due)
    silent = suspended(edition, SuspensionReason.ANSWER_HELD)
    assert silent.must("c", DECLINE).status == Status.REJECTED
    assert silent.claim("c").clocks == ()
