"""When the customer is told, by edition (R29, D3)."""

from __future__ import annotations

import pytest

from cpor.domain.vocabulary import CommandName, parse_instant
from cpor.runtime.clock import ManualClock
from tests.unit.consent.stage import Stage


@pytest.mark.rule("R29", "D3")
def test_since_2023_the_customer_is_told_at_submission_and_again_at_approval() -> None:
    stage = Stage()
    stage.file()
    stage.run()
    assert stage.told() == ["requested: submitted"]
    stage.approves()
    assert stage.told() == ["requested: submitted", "requested: approved"]


@pytest.mark.rule("R29", "D3", edition="P2020")
def test_2020_the_customer_is_told_at_approval_only() -> None:
    stage = Stage(clock=ManualClock(parse_instant("2023-03-06T08:00:00Z")))
    stage.submitted_2020()
    stage.run()
    assert stage.told() == []
    stage.approves()
    assert stage.told() == ["requested: approved"]


@pytest.mark.rule("D3", edition="P2020")
def test_2020_a_resubmission_tells_the_customer_nothing() -> None:
    stage = Stage(clock=ManualClock(parse_instant("2023-03-06T08:00:00Z")))
    stage.submitted_2020()
    stage.review("c", CommandName.REVIEW_START)
    reasons = [{"code": "missing_products"}]
    stage.review("c", CommandName.REVIEW_REQUEST_INFORMATION, reasons=reasons, comment="Which?")
    stage.partner("c", CommandName.EDIT, {"workloads": ["teams"]})
    stage.partner("c", CommandName.RESUBMIT)
    stage.run()
    assert stage.told() == []
