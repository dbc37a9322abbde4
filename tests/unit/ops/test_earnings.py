"""What became of a partner's approved claims in the incentive systems, by tenant and subscription (R49, D29)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cpor.devstack.endpoints import Endpoints
from cpor.domain.vocabulary import CommandName, Edition, parse_instant
from cpor.ops.earnings import Result, claims_of, fits, results_of, show, totals
from cpor.ops.errors import Refused
from cpor.ops.instance import Instance
from cpor.runtime.clock import ManualClock
from cpor.runtime.topics import Topic
from cpor.runtime.transport.memory import MemoryTransport
from tests.unit.domain.rules.editions import IN_BOTH
from tests.unit.review.pipeline import SUBSCRIPTION, TENANT, Pipeline, of, sales_form, usage_form

BEGINS = {Edition.P2020: "2023-03-06T08:00:00Z", Edition.P2023: "2024-03-04T08:00:00Z"}


def approved(edition: Edition) -> Pipeline:
    """Claim `c` of P-1, approved; since 2023 also `d` of P-1 for a subscription, and `c` of P-2."""
    pipeline = Pipeline(clock=ManualClock(parse_instant(BEGINS[edition])))
    if edition is Edition.P2020:
        pipeline.submitted_2020()
        pipeline.review("c", CommandName.REVIEW_START)
        pipeline.review("c", CommandName.REVIEW_APPROVE)
        return pipeline
    pipeline.approved("c")
    pipeline.approved("d", form=sales_form(), number=2)
    pipeline.approved("c", by="P-2", form=usage_form("exchange"), number=3)
    return pipeline


def eligible(pipeline: Pipeline, ref: str = "c", by: str = "P-1", outcome: str = "eligible", **more: Any) -> None:
    pipeline.inside(ref, CommandName.ELIGIBILITY_RESULT, by=by, outcome=outcome, **more)


def earned(pipeline: Pipeline, amount: str, ref: str = "c", by: str = "P-1", **more: Any) -> None:
    named = {"engagement": "modern_work_security_usage", "partner_role": "use_or_consume", "tenant_id": TENANT}
    paid = {"amount": amount, "currency": "EUR", "period": "2024-03"}
    pipeline.inside(ref, CommandName.EARNING, by=by, **{**named, **paid, **more})


def instance(pipeline: Pipeline) -> Instance:
    """The pipeline's broker, as the command finds it."""
    found = Instance(Endpoints("nowhere", "", "", "", Path()))
    vars(found)["transport"] = MemoryTransport(pipeline.broker)
    return found


def results(pipeline: Pipeline, partner: str = "P-1", user: str | None = None) -> list[Result]:
    seen = claims_of(instance(pipeline), partner, user)
    return list(results_of(seen, pipeline.broker.records(Topic.CLAIM_EVENTS)))


@IN_BOTH
@pytest.mark.rule("R49", "D29", edition="both")
def test_a_partner_looks_up_what_was_found_eligible_and_what_it_earned(edition: Edition) -> None:
    pipeline = approved(edition)
    eligible(pipeline)
    earned(pipeline, "120.50")
    first, second = results(pipeline)
    assert (first.kind, first.outcome, first.claim_ref, first.tenant_id) == ("eligibility", "eligible", "c", TENANT)
    assert (first.engagement, first.partner_role) == ("modern_work_security_usage", "use_or_consume")
    assert (second.kind, second.amount, second.currency, second.period) == ("earning", "120.50", "EUR", "2024-03")
    assert (first.customer_name, second.claim_id) == ("Contoso", of("c"))


@pytest.mark.rule("R49", "D29")
def test_tenant_and_subscription_narrow_the_list_whatever_case_they_are_typed_in() -> None:
    pipeline = approved(Edition.P2023)
    eligible(pipeline, "c")
    eligible(pipeline, "d", outcome="ineligible", reason="No purchase in the period")
    found = results(pipeline)
    assert [each.claim_ref for each in found if fits(each, TENANT.upper(), None)] == ["c", "d"]
    assert [each.claim_ref for each in found if fits(each, None, SUBSCRIPTION.upper())] == ["d"]
    assert [each for each in found if fits(each, "9f0e1d7a-5b1c-4c7e-9a51-0d7d1a2b3c4d", None)] == []


@pytest.mark.rule("D29", "D30")
def test_nobody_reads_another_partners_results() -> None:
    pipeline = approved(Edition.P2023)
    earned(pipeline, "1.00", "c", "P-1")
    earned(pipeline, "2.00", "c", "P-2")
    assert [each.amount for each in results(pipeline, "P-1")] == ["1.00"]
    assert [each.amount for each in results(pipeline, "P-2")] == ["2.00"]
    with pytest.raises(Refused) as refused:
        results(pipeline, "P-9")
    assert refused.value.code == "partner_unknown"


def test_a_user_reads_the_results_of_its_own_locations_only() -> None:
    pipeline = approved(Edition.P2023)
    earned(pipeline, "1.00")
    assert len(results(pipeline, user="u-anna")) == 1
    for nobody in ("u-nobody", ""):  # a script that knows no user must not read what all users may
        with pytest.raises(Refused) as refused:
            results(pipeline, user=nobody)
        assert refused.value.code == "user_unknown"


def test_sums_are_exact_for_each_currency_and_count_what_was_taken_back() -> None:
    pipeline = approved(Edition.P2023)
    for amount, currency in (("0.10", "EUR"), ("0.20", "EUR"), ("-0.05", "EUR"), ("1000000.00", "JPY")):
        earned(pipeline, amount, currency=currency)
    eligible(pipeline)
    assert totals(results(pipeline)) == ["0.25 EUR", "1,000,000.00 JPY"]


@pytest.mark.rule("D29")
def test_results_are_shown_to_people_with_sums_and_to_machines_whole(capsys: pytest.CaptureFixture[str]) -> None:
    pipeline = approved(Edition.P2023)
    eligible(pipeline, "d", outcome="ineligible", reason="No purchase in the period")
    earned(pipeline, "1234.50")
    found = results(pipeline)
    capsys.readouterr()  # what the pipeline logged
    show(found, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert [(each["claim_ref"], each["outcome"], each["amount"]) for each in told] == [
        ("d", "ineligible", None),
        ("c", None, "1234.50"),
    ]
    assert told[0]["subscription_id"] == SUBSCRIPTION
    show(found, as_json=False)
    shown = capsys.readouterr()
    assert "1,234.50 EUR" in shown.out
    assert shown.err.strip() == "2 results; 1,234.50 EUR"
