"""What a partner is told of its claim under either edition: its status at every step, and no more than it may know
(R30, D11).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cpor.domain.vocabulary import Clock, CommandName, Edition, Status, parse_instant
from cpor.runtime.clock import ManualClock
from cpor.runtime.topics import Topic, receipts_topic, updates_topic
from tests.unit.domain.rules.editions import IN_BOTH
from tests.unit.notify.stage import REVIEW_REJECT, Stage
from tests.unit.review.pipeline import SUBSCRIPTION, sales_form

BEGINS = {Edition.P2020: "2023-03-06T08:00:00Z", Edition.P2023: "2024-03-04T08:00:00Z"}
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


def everything_told(stage: Stage) -> str:
    """Receipts, updates and mails that went to the partner."""
    records = [
        each
        for topic in (updates_topic("P-1"), receipts_topic("P-1"), Topic.MAIL)
        for each in stage.broker.records(topic)
    ]
    return "\n".join((each.value or b"").decode() for each in records).replace("\\u2026", "…")
