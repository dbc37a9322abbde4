"""Partners are told of an association's known end thirty days before (D23)."""

from __future__ import annotations

from typing import Any

import pytest

from cpor.domain import ids
from cpor.domain.vocabulary import CommandName, PartnerRole, SubscriptionId
from cpor.runtime.topics import Topic
from tests.unit.notify.stage import Stage
from tests.unit.review.pipeline import DAY_MS, OPERATOR, SUBSCRIPTION, TENANT, sales_form


def imported(ends_on: str | None) -> Stage:
    """With an association from before on the subscription."""
    stage = Stage()
    legacy = {"partner_id": "P-1", "location_id": "4711001", "tenant_id": TENANT, "subscription_id": SUBSCRIPTION}
    ref = ids.legacy_reference(TENANT, SubscriptionId(SUBSCRIPTION), PartnerRole.USAGE_RECOGNITION)
    role: dict[str, Any] = {"partner_role": "usage_recognition", "ends_on": ends_on}
    stage.inside(ref, CommandName.OPS_IMPORT_LEGACY, actor=OPERATOR, **legacy, **role)
    stage.tell()
    assert stage.kinds() == []
    return stage


def feed(stage: Stage, ends_on: str) -> None:
    """News of the subscription."""
    ends = {"kind": "subscription", "subscription_id": SUBSCRIPTION, "tenant_id": TENANT, "products": ["sales"]}
    rest = {"channel": "volume_licensing", "state": "active", "provisioned_at": "2023-01-01T00:00:00.000Z"}
    stage.load(Topic.SUBSCRIPTIONS, SUBSCRIPTION, {**ends, **rest, "ends_on": ends_on})


@pytest.mark.rule("D23")
def test_an_imported_association_is_told_of_thirty_days_before_its_end_once() -> None:
    stage = imported("2024-05-31")
    stage.clock.tick(57 * DAY_MS)
    stage.tell()
    assert stage.kinds() == []
    stage.clock.tick(2 * DAY_MS)
    stage.tell()
    assert stage.kinds() == ["reassociate"]
    stage.clock.tick(60 * DAY_MS)
    stage.tell()
    assert stage.kinds() == ["reassociate"]
    assert stage.mails()[0].to == "anna@nordwind.example"


@pytest.mark.parametrize("ends_on", ["2025-05-31", None])
@pytest.mark.rule("D23", "T19")
def test_an_imported_association_whose_subscription_ends_first_is_told_of_that_end(ends_on: str | None) -> None:
    stage = imported(ends_on)
    feed(stage, "2024-05-31")
    stage.clock.tick(57 * DAY_MS)
    stage.tell()
    assert stage.kinds() == []
    stage.clock.tick(10 * DAY_MS)
    stage.tell()
    assert stage.kinds() == ["reassociate"]
    assert "May 31, 2024" in stage.mails()[-1].subject


def test_a_subscription_that_is_renewed_is_told_of_at_its_new_end() -> None:
    stage = Stage()
    stage.approved(form=sales_form())
    feed(stage, "2024-05-31")
    stage.tell()
    feed(stage, "2025-05-31")
    stage.clock.tick(80 * DAY_MS)
    stage.tell()
    assert "reassociate" not in stage.kinds()
    stage.clock.tick(350 * DAY_MS)
    stage.tell()
    assert stage.kinds().count("reassociate") == 1
    assert "May 31, 2025" in stage.mails()[-1].subject
