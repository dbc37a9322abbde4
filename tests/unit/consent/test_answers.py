"""What a customer's answer comes to: in both editions, early, late, held, void, and twice (D4, D9, D19, D20)."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from cpor.domain import ids
from cpor.domain.calendar import local_date
from cpor.domain.vocabulary import CommandName, PartnerRole, Status, SubscriptionId, parse_instant
from cpor.runtime.clock import ManualClock
from cpor.runtime.record import Output
from cpor.runtime.topics import Topic
from services.consent.tokens import Tokens, recipient_of
from tests.unit.consent.stage import GRACE, IN_2020, KEY, PARTITION, SLOW, Stage, of_2020, stage_of
from tests.unit.review.pipeline import OPERATOR, OTHER_TENANT, SUBSCRIPTION, TENANT, of, usage_form

CONTACT = {"name": "Ken Abe", "title": "CTO", "email": "ken@contoso.example", "language": "ja"}


# -- P2020: seven days, then never (D4) -------------------------------------------------------------------------------


@pytest.mark.rule("D19", "R46", "D4", edition="P2020")
def test_2020_a_decline_on_the_last_evening_wins_although_consent_was_stopped() -> None:
    stage, due = of_2020()
    stage.stopped = True
    stage.clock.tick(due - 1 - stage.clock.now())
    stage.answers("decline")
    stage.pass_to(due + 3_600_000)
    stage.goes_on()
    stage.run()
    assert stage.outcomes() == ["declined"]
    assert (stage.claim().status, stage.reasons()) == (Status.REJECTED, ["customer_declined"])
    assert stage.handed_off(Topic.ELIGIBLE) == []


@pytest.mark.rule("R46", "D4", edition="P2020")
def test_2020_a_decline_at_the_first_instant_after_the_seven_days_changes_nothing() -> None:
    stage, due = of_2020()
    stage.clock.tick(due - stage.clock.now())
    stage.answers("decline")
    stage.pass_to(due + GRACE)
    stage.run()
    assert stage.outcomes() == ["completed"]
    assert "ignored: the days to decline were over when the answer was received" in stage.told()
    assert stage.claim().status == Status.APPROVED


@pytest.mark.rule("D19", edition="P2020")
def test_2020_a_no_by_phone_counts_from_when_it_was_taken_also_when_it_is_entered_later() -> None:
    stage, due = of_2020()
    stage.pass_to(due + GRACE)
    stage.run()
    assert stage.outcomes() == ["completed"]
    stage.by_phone("decline", answered_at=due - 1)
    assert stage.claim().status == Status.REJECTED
    assert [kind for kind, _ in stage.handed_off(Topic.ELIGIBLE)] == ["cpor.eligible.v1", "cpor.eligible.revoked.v1"]


@pytest.mark.rule("D19", edition="P2020")
def test_an_answer_never_counts_from_later_than_it_lay_on_the_topic() -> None:
    stage, due = of_2020()
    taken = stage.clock.now()
    stage.by_phone("decline", answered_at=due + 1)
    received = stage.said(Topic.CLAIM_COMMANDS, "c")[-1].header("cpor_received_at")
    assert received is not None
    assert parse_instant(received) == taken
    assert stage.claim().status == Status.REJECTED


@pytest.mark.rule("D9", edition="P2020")
def test_2020_an_early_no_is_kept_and_applied_with_the_approval_and_no_notice_goes_out() -> None:
    stage = Stage(clock=ManualClock(IN_2020))
    stage.submitted_2020()
    stage.by_phone("decline")
    assert stage.claim().status == Status.SUBMITTED
    stage.approves()
    assert stage.claim().status == Status.REJECTED
    assert stage.told() == ["declined"]
    stage.pass_days(30)
    stage.run()
    assert stage.outcomes() == ["declined"]


@pytest.mark.rule("D20", edition="P2020")
def test_2020_the_seven_days_stand_still_while_the_wait_is_suspended() -> None:
    stage, due = of_2020()
    stage.resend()
    stage.bounces()
    assert stage_of(stage.claim()) == "suspended"
    stage.pass_to(due + 30 * 86_400_000)
    stage.by_phone("decline")
    assert stage.claim().status == Status.REJECTED


def renewed_2020(*, by_partner: bool) -> tuple[Stage, int]:
    """P2020, on day three a new notice to a corrected contact; the end of the first seven days."""
    stage, due = of_2020()
    stage.pass_days(3)
    if by_partner:
        stage.resend()
        stage.bounces()
        stage.partner("c", CommandName.EDIT, {"customer_contact": CONTACT})
        stage.run()
    else:
        stage.resend(customer_contact=CONTACT)
    stage.arrives()
    return stage, due


@pytest.mark.rule("D20", "D4", edition="P2020")
@pytest.mark.parametrize("by_partner", [False, True], ids=["by an operator", "by the partner"])
def test_2020_the_seven_days_to_decline_restart_with_a_new_notice(by_partner: bool) -> None:
    stage, first = renewed_2020(by_partner=by_partner)
    assert stage.due() == first + 3 * 86_400_000
    stage.clock.tick(stage.due() - 1 - stage.clock.now())
    stage.answers("decline")
    assert stage.claim().status == Status.REJECTED
    assert stage.handed_off(Topic.ELIGIBLE) == []


def test_2020_the_days_that_restarted_are_seven_and_no_more() -> None:
    stage, _ = renewed_2020(by_partner=False)
    stage.clock.tick(stage.due() - stage.clock.now())
    stage.answers("decline")
    assert stage.claim().status == Status.APPROVED
    stage.pass_to(stage.due() + GRACE)
    stage.run()
    assert stage.outcomes() == ["completed"]


def test_2020_a_no_that_came_before_the_new_notice_counts_whenever_it_is_entered() -> None:
    stage, first = renewed_2020(by_partner=False)
    stage.pass_to(stage.due() + GRACE)
    stage.run()
    stage.by_phone("decline", answered_at=first - 5 * 86_400_000)
    assert stage.claim().status == Status.REJECTED


@pytest.mark.rule("D9", "D19", edition="P2020")
def test_2020_a_no_that_came_before_the_approval_was_known_is_in_time_however_long_review_took() -> None:
    stage = Stage(clock=ManualClock(IN_2020))
    stage.submitted_2020()
    stage.review_stopped = stage.stopped = True
    stage.approves()
    stage.pass_days(10)
    stage.by_phone("decline")
    stage.review_stopped = False
    stage.goes_on()
    assert (stage.claim().status, stage.reasons()) == (Status.REJECTED, ["customer_declined"])


# -- P2023: at any time (D4, D9) --------------------------------------------------------------------------------------


@pytest.mark.rule("D4", "R45")
def test_a_no_after_the_hand_off_revokes_it() -> None:
    stage = Stage()
    stage.pass_to(stage.waiting() + GRACE)
    stage.run()
    stage.pass_days(100)
    stage.answers("decline")
    assert stage.claim().status == Status.REJECTED
    assert stage.handed_off(Topic.ELIGIBLE)[-1][0] == "cpor.eligible.revoked.v1"


@pytest.mark.rule("D9", "T11b")
def test_an_early_no_by_the_link_of_the_first_notice_rejects_the_claim() -> None:
    stage = Stage()
    stage.file()
    stage.answers("decline", evidence="by the link")
    assert (stage.claim().status, stage.reasons()) == (Status.REJECTED, ["customer_declined"])
    assert stage.told() == ["requested: submitted", "declined"]


@pytest.mark.parametrize("seed", range(8))
def test_a_no_is_not_lost_in_whatever_order_consent_reads_what_it_missed(seed: int) -> None:
    stage = Stage(limits=SLOW)
    stage.broker.random.seed(seed)
    stage.stopped = True
    for ref, workload in (("a", "teams"), ("b", "intune"), ("c", "exchange")):
        assert stage.file(ref, form=usage_form(workload)).outcome == "accepted"
    stage.by_phone("decline")
    stage.goes_on()
    stage.run()
    assert stage.claim().status == Status.REJECTED


def test_a_yes_is_shown_and_neither_shortens_the_wait_nor_bars_a_later_no() -> None:
    stage = Stage()
    due = stage.waiting()
    stage.answers("agree")
    assert stage.claim().consent.agreed_at is not None
    assert stage.due() == due
    stage.answers("decline")
    assert stage.claim().status == Status.REJECTED
    assert stage.outcomes() == ["agreed", "declined"]


def test_a_yes_ends_a_suspension_and_stands_for_the_notice_that_never_arrived() -> None:
    stage = Stage()
    due = stage.waiting(delivered=False)
    stage.bounces()
    stage.by_phone("agree")
    assert stage_of(stage.claim()) == "waiting"
    stage.pass_to(due + GRACE)
    stage.run()
    assert stage.outcomes() == ["suspended", "agreed", "completed"]
    assert stage_of(stage.claim()) == "completed"


# -- links ------------------------------------------------------------------------------------------------------------


def test_every_notice_has_a_link_of_its_own_that_says_whose_it_is_and_all_count() -> None:
    stage = Stage()
    stage.waiting()
    found = stage.requests()
    assert len({told.token for _, told in found}) == 2
    for request, told in found:
        about = Tokens(KEY).read(told.token)
        assert about is not None
        assert about[:4] == (TENANT, of("c"), request, recipient_of("kana@contoso.example"))
        asked = local_date(told.at, "UTC")
        assert about.last_day == asked + timedelta(days=400)
    stage.answers("decline", token_id=found[0][0])
    assert stage.claim().status == Status.REJECTED


def test_links_sent_to_a_contact_that_was_replaced_are_void() -> None:
    stage = Stage()
    stage.waiting(delivered=False)
    stage.bounces()
    old = stage.request()
    stage.resend(customer_contact=CONTACT)
    stage.answers("decline", token_id=old)
    assert stage.claim().status == Status.APPROVED
    assert stage.told()[-1].startswith("ignored: the link does not count")
    stage.answers("decline")
    assert stage.claim().status == Status.REJECTED


def test_a_contact_edited_in_an_open_request_voids_the_link_before_the_new_notice_goes_out() -> None:
    stage = Stage()
    stage.asked()
    old = stage.request()
    stage.partner("c", CommandName.EDIT, {"customer_contact": CONTACT})
    stage.answers("decline", token_id=old)
    assert stage.claim().status == Status.PARTNER_ACTION_REQUIRED
    stage.partner("c", CommandName.RESUBMIT)
    stage.run()
    assert stage.told()[-1] == "requested: submitted"
    stage.answers("decline")
    assert stage.claim().status == Status.REJECTED


@pytest.mark.rule("D9", "D19")
def test_a_no_by_a_link_that_counted_when_it_came_is_not_lost_to_a_contact_replaced_since() -> None:
    stage = Stage()
    stage.asked()
    stage.stopped = True
    stage.answers("decline")
    stage.partner("c", CommandName.EDIT, {"customer_contact": CONTACT})
    stage.goes_on()
    assert (stage.claim().status, stage.reasons()) == (Status.REJECTED, ["customer_declined"])


@pytest.mark.rule("D20", "D19", "D4", edition="P2020")
def test_2020_a_no_by_a_link_that_counted_when_it_came_is_not_lost_to_a_new_notice() -> None:
    stage, _ = of_2020()
    stage.stopped = True
    stage.answers("decline")
    stage.resend(customer_contact=CONTACT)
    stage.goes_on()
    assert (stage.claim().status, stage.reasons()) == (Status.REJECTED, ["customer_declined"])


@pytest.mark.rule("D20", "D19", "D4", edition="P2020")
def test_2020_a_no_that_follows_a_yes_of_which_review_has_not_read_counts_as_it_was_told() -> None:
    stage, due = of_2020()
    stage.resend()
    stage.bounces()
    stage.pass_to(due + 20 * 86_400_000)
    stage.review_stopped = True
    stage.by_phone("agree")
    stage.pass_days(0.1)
    stage.by_phone("decline")
    assert stage.told()[-1] == "declined"
    stage.review_stopped = False
    stage.pass_days(10)
    stage.run()
    assert (stage.claim().status, stage.reasons()) == (Status.REJECTED, ["customer_declined"])


# -- what changes nothing, and why ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "more", "reason"),
    [
        ("decline", {"token_id": "guessed"}, "the link does not count"),
        ("decline", {"token_id": None}, "the link does not count"),
        ("decline", {"token_id": None, "operator": "o-1"}, "the link does not count"),
        ("agree", {"ref": "unknown", "channel": "phone"}, "there is no such claim"),
    ],
)
def test_what_changes_nothing_is_told_with_its_reason(answer: str, more: dict[str, str], reason: str) -> None:
    stage = Stage()
    stage.waiting()
    stage.answers(answer, **more)
    assert stage.told(more.get("ref", "c"))[-1].startswith(f"ignored: {reason}")
    assert stage.outcomes() == []


def test_the_same_answer_twice_changes_nothing_the_second_time() -> None:
    stage = Stage()
    stage.waiting()
    for answer in ("agree", "agree", "decline", "decline", "agree"):
        stage.by_phone(answer)
    kinds = [each.partition(":")[0] for each in stage.told()[2:]]
    assert kinds == ["agreed", "ignored", "declined", "ignored", "ignored"]
    assert stage.outcomes() == ["agreed", "declined"]


def test_a_claim_that_is_over_or_not_submitted_takes_no_answer() -> None:
    stage = Stage()
    stage.waiting()
    stage.partner("c", CommandName.DISASSOCIATE, {"reason": "A mistake"})
    stage.by_phone("decline")
    assert stage.told()[-1] == "ignored: the claim is over"
    assert stage.outcomes() == []


def test_an_answer_of_another_customer_never_reaches_the_claim() -> None:
    stage = Stage()
    stage.waiting()
    stage.by_phone("decline", tenant=OTHER_TENANT)
    assert stage.told()[-1].startswith("ignored: ")
    assert stage.claim().status == Status.APPROVED


@pytest.mark.rule("D23")
def test_an_imported_association_asks_nobody_and_waits_for_nothing() -> None:
    stage = Stage()
    ref = ids.legacy_reference(TENANT, SubscriptionId(SUBSCRIPTION), PartnerRole.BUILD_INTENT_ADVISOR)
    stage.inside(
        ref,
        CommandName.OPS_IMPORT_LEGACY,
        actor=OPERATOR,
        claim_ref=ref,
        partner_id="P-1",
        location_id="4711001",
        tenant_id=TENANT,
        subscription_id=SUBSCRIPTION,
        partner_role="build_intent_advisor",
    )
    stage.pass_days(30)
    stage.run()
    assert stage.told(ref) == []
    assert stage.outcomes() == []
    stage.by_phone("decline", ref=ref)
    assert stage.claim(ref).status == Status.REJECTED


@pytest.mark.parametrize("value", [b"{", b"{}", b'{"claim_id": "x", "answer": "maybe"}'])
def test_what_is_no_answer_is_dead_lettered_and_holds_up_nothing(value: bytes) -> None:
    stage = Stage()
    stage.waiting()
    told = [("ce_type", b"cpor.consent.response.v1")]
    stage.broker.append(Output(Topic.CONSENT_RESPONSES, PARTITION, TENANT.encode(), value, told))
    stage.run()
    assert len(stage.letters()) == 1
    stage.answers("decline")
    assert stage.claim().status == Status.REJECTED


def test_evidence_stands_in_the_event_and_nowhere_in_the_outcome() -> None:
    stage = Stage()
    stage.waiting()
    stage.answers("decline", evidence="from the address of the contact")
    event = json.loads(stage.said(Topic.CONSENT_EVENTS, "c")[-1].value or b"")
    command = json.loads(stage.said(Topic.CLAIM_COMMANDS, "c")[-1].value or b"")
    assert event["evidence"] == "from the address of the contact"
    assert "evidence" not in command
