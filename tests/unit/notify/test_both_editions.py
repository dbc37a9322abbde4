"""What partner and customer are told under either edition: every step, what it means, and no more than they may know
(R30, R31, R37, R44, R45, R47, D11, D28 to D30).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cpor.domain.vocabulary import Clock, CommandName, Edition, Status, parse_instant
from cpor.runtime.clock import ManualClock
from cpor.runtime.topics import Topic, receipts_topic, updates_topic
from schemas.mail import Mail
from tests.unit.domain.rules.editions import IN_BOTH
from tests.unit.notify.stage import REMINDER, REVIEW_REJECT, Stage
from tests.unit.review.pipeline import SUBSCRIPTION, TENANT, sales_form

BEGINS = {Edition.P2020: "2023-03-06T08:00:00Z", Edition.P2023: "2024-03-04T08:00:00Z"}
#: Last days and the instants that follow them: of the dispute of a Monday's rejection, and of the answer to a request.
LAST_DAYS = {
    Edition.P2020: ("Wednesday, April 5, 2023", "Apr 6, 2023, 00:00 (UTC+02:00)"),
    Edition.P2023: ("Wednesday, April 3, 2024", "Apr 4, 2024, 00:00 (UTC+02:00)"),
}
ANSWER_DAYS = {
    Edition.P2020: ("Monday, March 13, 2023", "Mar 14, 2023, 00:00 (UTC+01:00)"),
    Edition.P2023: ("Friday, March 22, 2024", "Mar 23, 2024, 00:00 (UTC+01:00)"),
}
CONTACT = "anna@nordwind.example"
INSUFFICIENT: dict[str, Any] = {"reasons": [{"code": "insufficient_poe"}], "comment": "Too thin"}


def submitted(edition: Edition) -> Stage:
    stage = Stage(clock=ManualClock(parse_instant(BEGINS[edition])))
    if edition is Edition.P2020:
        stage.submitted_2020()
    else:
        stage.file()
    return stage


@IN_BOTH
@pytest.mark.rule("R30", edition="both")
def test_the_partner_is_told_of_every_status_as_soon_as_the_claim_has_it(edition: Edition) -> None:
    stage = submitted(edition)
    missing = [{"code": "missing_products"}]
    lost = Status.REJECTED if edition is Edition.P2020 else Status.REJECTED_FINAL
    steps: list[tuple[Callable[[], object], Status]] = [
        (lambda: None, Status.SUBMITTED),
        (lambda: stage.review("c", CommandName.REVIEW_START), Status.UNDER_REVIEW),
        (
            lambda: stage.review("c", CommandName.REVIEW_REQUEST_INFORMATION, reasons=missing, comment="Which?"),
            Status.PARTNER_ACTION_REQUIRED,
        ),
        (lambda: stage.partner("c", CommandName.RESUBMIT, {"comment": "These."}), Status.SUBMITTED),
        (lambda: stage.review("c", CommandName.REVIEW_START), Status.UNDER_REVIEW),
        (lambda: stage.review("c", REVIEW_REJECT, **INSUFFICIENT), Status.REJECTED),
        (lambda: stage.partner("c", CommandName.DISPUTE, {"justification": "Look again"}), Status.DISPUTED),
        (lambda: stage.review("c", REVIEW_REJECT, **INSUFFICIENT), lost),
    ]
    for step, status in steps:
        step()
        stage.tell()
        told = stage.updates()[-1]
        assert (told.status, stage.claim().status) == (status, status)
        assert [(each.clock, each.due) for each in told.due] == [(each.clock, each.due) for each in stage.claim().due()]
    stage.audit_told()


@IN_BOTH
@pytest.mark.rule("R30", edition="both")
def test_a_receipt_says_where_the_claim_stands_after_the_command(edition: Edition) -> None:
    stage = submitted(edition)
    assert stage.receipts()[-1].status == Status.SUBMITTED
    assert Clock.REVIEW_START in {each.clock for each in stage.receipts()[-1].due}
    stage.review("c", CommandName.REVIEW_START)
    receipt = stage.partner("c", CommandName.COMMENT, {"text": "How long will it take?"})
    assert receipt.status == Status.UNDER_REVIEW


@pytest.mark.rule("D11", edition="P2020")
def test_2020_a_subscription_that_was_filled_in_reaches_the_partner_with_the_approval_and_not_before() -> None:
    stage = Stage(clock=ManualClock(parse_instant(BEGINS[Edition.P2020])))
    form = sales_form(domain="contoso.example", technical_contact={"name": "Ken", "email": "ken@contoso.example"})
    del form["subscription_id"]
    stage.submitted_2020(form)
    stage.review("c", CommandName.REVIEW_START)
    stage.review("c", CommandName.REVIEW_REQUEST_INFORMATION, reasons=[{"code": "missing_products"}], comment="Which?")
    stage.partner("c", CommandName.RESUBMIT, {"comment": "These."})
    stage.review("c", CommandName.REVIEW_START)
    stage.tell()
    assert stage.claim().form.subscription_id == SUBSCRIPTION
    before = everything_told(stage)
    assert SUBSCRIPTION not in before
    assert f"…{SUBSCRIPTION[-4:]}" in before
    stage.review("c", CommandName.REVIEW_APPROVE)
    stage.tell()
    assert SUBSCRIPTION in everything_told(stage)


# -- what mails say (R31, R37, R44, R45, R47, D15, D28) ---------------------------------------------------------------


def mail(stage: Stage, kind: str) -> Mail:
    """The newest of its kind, its text on one line."""
    stage.tell()
    stage.audit_told()
    found = [each for each in stage.mails() if each.kind == kind][-1]
    return found.model_copy(update={"text": " ".join(found.text.split())})


def reviewed(edition: Edition, name: CommandName, **said: Any) -> Stage:
    stage = submitted(edition)
    stage.review("c", CommandName.REVIEW_START)
    stage.review("c", name, **said)
    return stage


@IN_BOTH
@pytest.mark.rule("R37", "D28", edition="both")
def test_a_rejection_is_mailed_to_the_contact_with_where_it_stands_and_how_and_until_when_to_dispute(
    edition: Edition,
) -> None:
    told = mail(reviewed(edition, REVIEW_REJECT, **INSUFFICIENT), "rejected")
    day, instant = LAST_DAYS[edition]
    assert (told.recipient, told.to) == ("partner", CONTACT)
    for part in ("The proof of execution is not sufficient", "Too thin", "History", "Dispute", day, instant):
        assert part in told.text, part


@IN_BOTH
@pytest.mark.rule("R44", edition="both")
def test_an_approval_is_told_not_to_be_one_of_a_payout(edition: Edition) -> None:
    told = mail(reviewed(edition, CommandName.REVIEW_APPROVE), "approved")
    assert (told.to, "This is not the approval of a payout" in told.text) == (CONTACT, True)


@IN_BOTH
@pytest.mark.rule("R45", "R47", edition="both")
def test_the_customer_reads_that_silence_is_consent_and_how_long_it_may_decline(edition: Edition) -> None:
    stage = reviewed(edition, CommandName.REVIEW_APPROVE)
    stage.consent_asks()
    told = mail(stage, "customer_approved")
    assert (told.recipient, "You need not do anything" in told.text) == ("customer", True)
    how_long = "within seven days, not afterwards" if edition is Edition.P2020 else "decline at any time"
    assert how_long in told.text


@IN_BOTH
@pytest.mark.rule("R31", "D26", edition="both")
def test_what_a_reviewer_writes_reaches_the_partner_by_mail_and_update_without_a_name(edition: Edition) -> None:
    stage = submitted(edition)
    stage.review("c", CommandName.REVIEW_COMMENT, text="Which month?")
    assert "Which month?" in mail(stage, "commented").text
    told = stage.updates()[-1]
    assert (told.event, told.actor_kind, told.comment) == ("commented", "reviewer", "Which month?")
    assert "r-1" not in stage.mails()[-1].text


@IN_BOTH
@pytest.mark.rule("R33", "D15", "D28", edition="both")
def test_request_and_reminder_name_the_last_day_and_that_a_comment_alone_is_no_answer(edition: Edition) -> None:
    stage = reviewed(
        edition, CommandName.REVIEW_REQUEST_INFORMATION, reasons=[{"code": "missing_products"}], comment="Which?"
    )
    day, instant = ANSWER_DAYS[edition]
    request = mail(stage, "information_requested")
    stage.deadline(REMINDER, Clock.PARTNER_ANSWER)
    for told in (request, mail(stage, "deadline_near")):
        assert (told.to, day in told.text, instant in told.text) == (CONTACT, True, True)
    assert "A comment alone does not answer" in mail(stage, "deadline_near").text
    receipt = stage.partner("c", CommandName.COMMENT, {"text": "We are on it."})
    assert Clock.PARTNER_ANSWER in {each.clock for each in receipt.due}
    assert receipt.status == Status.PARTNER_ACTION_REQUIRED


# -- what a partner sees (D17, D29, D30) ------------------------------------------------------------------------------


@IN_BOTH
@pytest.mark.rule("D30", "R43", edition="both")
def test_every_change_of_its_own_claim_is_told_whoever_made_it(edition: Edition) -> None:
    stage = reviewed(edition, CommandName.REVIEW_APPROVE)
    stage.inside("c", CommandName.CONSENT_OUTCOME, outcome="declined", approval=stage.claim().sequence)
    stage.tell()
    stage.audit_told()
    assert [(each.event, each.actor_kind) for each in stage.updates()] == [
        ("filed", "partner"),
        ("review_started", "reviewer"),
        ("approved", "reviewer"),
        ("rejected", "customer"),
    ]
    assert "r-1" not in "".join(each.model_dump_json() for each in stage.updates())
    assert stage.updates("P-2") == []


@IN_BOTH
@pytest.mark.rule("D29", "R49", edition="both")
def test_what_the_incentive_systems_decided_is_told_as_an_update(edition: Edition) -> None:
    stage = reviewed(edition, CommandName.REVIEW_APPROVE)
    stage.inside("c", CommandName.ELIGIBILITY_RESULT, outcome="ineligible", reason="No purchase")
    named: dict[str, Any] = {
        "engagement": "modern_work_security_usage",
        "partner_role": "use_or_consume",
        "tenant_id": TENANT,
    }
    stage.inside("c", CommandName.EARNING, **named, amount="12.50", currency="EUR", period="2024-03")
    stage.tell()
    results = [{one.field: one.after for one in each.changes} for each in stage.updates()[-2:]]
    assert results[0] == {"kind": "eligibility", "outcome": "ineligible", "reason": "No purchase"}
    assert (results[1]["amount"], results[1]["currency"], results[1]["period"]) == ("12.50", "EUR", "2024-03")


def everything_told(stage: Stage) -> str:
    """Receipts, updates and mails that went to the partner."""
    records = [
        each
        for topic in (updates_topic("P-1"), receipts_topic("P-1"), Topic.MAIL)
        for each in stage.broker.records(topic)
    ]
    return "\n".join((each.value or b"").decode() for each in records).replace("\\u2026", "…")
