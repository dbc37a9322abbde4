"""What a partner may change once a claim is submitted (T4, D6), in either edition."""

from __future__ import annotations

from typing import Any

import pytest

from cpor.domain import commands as cmd
from cpor.domain.events import DocumentRemoved, Edited
from cpor.domain.model import CustomerContact, PartnerContact, Revenue
from cpor.domain.result import Accepted
from cpor.domain.vocabulary import Clock, Code, CommandName, ConsentOutcome, Edition, Status, SubscriptionId
from tests.unit.domain.claims import EXAMPLES, OTHER_LOCATION, World, document
from tests.unit.domain.rules.editions import IN_BOTH, advisor, codes, edit, usage, world_of

CONTACT = CustomerContact("Ken Abe", "CFO", "ken@contoso.example")
#: D6: the four fields of an answer to a request.
OPEN_FIELDS: dict[str, Any] = {
    "location_id": OTHER_LOCATION,
    "workloads": ("teams",),
    "customer_contact": CONTACT,
    "partner_contact": PartnerContact("Bill", "bill@example.org"),
}
#: D6: never after submission, in any status.
FIXED: dict[str, Any] = {
    "claim_name": "Another name",
    "domain": "other.example",
    "incentive_opt_out": True,
    "revenue": Revenue("Sue", "Contoso Ltd", "Planner"),
    "subscription_id": SubscriptionId("8b1c1d7a-0000-4c7e-9a51-0d7d1a2b3c4d"),
}
CLOSED = (Status.UNDER_REVIEW, Status.APPROVED, Status.REJECTED, Status.DISPUTED)
STEPS: dict[Status, tuple[CommandName, ...]] = {
    Status.SUBMITTED: (),
    Status.UNDER_REVIEW: (CommandName.REVIEW_START,),
    Status.PARTNER_ACTION_REQUIRED: (CommandName.REVIEW_START, CommandName.REVIEW_REQUEST_INFORMATION),
    Status.APPROVED: (CommandName.REVIEW_START, CommandName.REVIEW_APPROVE),
    Status.REJECTED: (CommandName.REVIEW_START, CommandName.REVIEW_REJECT),
    Status.DISPUTED: (CommandName.REVIEW_START, CommandName.REVIEW_REJECT, CommandName.DISPUTE),
}


def at(edition: Edition, status: Status) -> World:
    """A world whose claim `c` stands in a status after submission."""
    world = world_of(edition)
    world.filed("c", form=usage(edition))
    for name in STEPS[status]:
        world.must("c", EXAMPLES[name])
    assert world.claim("c").status is status
    return world


def value_of(world: World, field: str) -> Any:
    claim = world.claim("c")
    return getattr(claim.personal if hasattr(claim.personal, field) else claim.form, field)


@IN_BOTH
@pytest.mark.parametrize("field", OPEN_FIELDS)
@pytest.mark.rule("D6", edition="both")
def test_an_answer_to_a_request_may_change_location_workloads_and_contacts(edition: Edition, field: str) -> None:
    world = at(edition, Status.PARTNER_ACTION_REQUIRED)
    world.must("c", edit(**{field: OPEN_FIELDS[field]}))
    assert value_of(world, field) == OPEN_FIELDS[field]
    assert world.must("c", cmd.ResubmitClaim()).status == Status.SUBMITTED


@pytest.mark.rule("T4", "D6", edition="P2020")
@pytest.mark.parametrize("field", OPEN_FIELDS)
def test_2020_the_same_may_be_changed_while_submitted_and_the_clock_runs_on(field: str) -> None:
    world = at(Edition.P2020, Status.SUBMITTED)
    before = world.claim("c")
    world.pass_days(1)
    after = world.must("c", edit(**{field: OPEN_FIELDS[field]}))
    assert value_of(world, field) == OPEN_FIELDS[field]
    assert (after.status, after.clocks) == (Status.SUBMITTED, before.clocks)


@pytest.mark.rule("D6")
@pytest.mark.parametrize("field", OPEN_FIELDS)
def test_since_2023_a_submitted_claim_is_locked(field: str) -> None:
    world = at(Edition.P2023, Status.SUBMITTED)
    assert codes(world.give("c", edit(**{field: OPEN_FIELDS[field]}))) == {Code.ILLEGAL_TRANSITION}


@IN_BOTH
@pytest.mark.parametrize("field", FIXED)
@pytest.mark.parametrize("status", [Status.SUBMITTED, Status.PARTNER_ACTION_REQUIRED])
@pytest.mark.rule("D6", edition="both")
def test_name_domain_subscription_revenue_and_opt_out_are_fixed_from_submission_on(
    edition: Edition, status: Status, field: str
) -> None:
    decision = at(edition, status).give("c", edit(**{field: FIXED[field]}))
    locked = edition is Edition.P2023 and status is Status.SUBMITTED
    assert codes(decision) == {Code.ILLEGAL_TRANSITION if locked else Code.EDIT_NOT_ALLOWED}


@IN_BOTH
@pytest.mark.parametrize("status", CLOSED)
@pytest.mark.rule("D6", edition="both")
def test_nothing_is_edited_while_reviewers_have_the_claim_or_after_they_decided(
    edition: Edition, status: Status
) -> None:
    refused = codes(at(edition, status).give("c", edit(workloads=("teams",))))
    assert refused <= {Code.ILLEGAL_TRANSITION, Code.EDIT_NOT_ALLOWED}


@IN_BOTH
@pytest.mark.rule("D6", edition="both")
def test_while_the_consent_is_suspended_the_customers_contact_alone_may_be_corrected(edition: Edition) -> None:
    world = at(edition, Status.APPROVED)
    approval = world.claim("c").sequence
    world.must("c", cmd.RecordConsent(outcome=ConsentOutcome.SUSPENDED, approval=approval))
    assert codes(world.give("c", edit(workloads=("teams",)))) == {Code.EDIT_NOT_ALLOWED}
    claim = world.must("c", edit(customer_contact=CONTACT))
    assert claim.personal.customer_contact == CONTACT
    assert claim.clock(Clock.CONSENT_WAIT) is not None
    event = world.log[-1]
    assert isinstance(event, Edited)
    assert event.customer_notice


@pytest.mark.rule("D6", "T4", edition="P2020")
@pytest.mark.parametrize("status", [Status.SUBMITTED, Status.PARTNER_ACTION_REQUIRED])
def test_2020_documents_are_only_added_after_submission(status: Status) -> None:
    world = at(Edition.P2020, status)
    assert len(world.must("c", document(2)).documents) == 2
    for name in (CommandName.POE_REMOVE, CommandName.POE_AMEND):
        assert codes(world.give("c", EXAMPLES[name])) == {Code.ILLEGAL_TRANSITION}


@pytest.mark.rule("D6")
def test_since_2023_an_answer_may_replace_its_documents_and_history_keeps_them() -> None:
    world = at(Edition.P2023, Status.PARTNER_ACTION_REQUIRED)
    world.must("c", document(2))
    world.must("c", EXAMPLES[CommandName.POE_AMEND])
    (left,) = world.must("c", EXAMPLES[CommandName.POE_REMOVE]).documents
    assert left.document_id == document(2).document_id
    assert isinstance(world.log[-1], DocumentRemoved)


@IN_BOTH
@pytest.mark.rule("D6", edition="both")
def test_a_partner_that_repeats_its_whole_form_changes_what_differs_only(edition: Edition) -> None:
    world = world_of(edition)
    form = advisor(edition)
    world.filed("c", form=form)
    for name in STEPS[Status.PARTNER_ACTION_REQUIRED]:
        world.must("c", EXAMPLES[name])
    names = ("claim_name", "tenant_id", "solution_area", "partner_role", "subscription_id", "domain")
    same = {name: getattr(form, name) for name in names}
    decision = world.give("c", edit(**same, workloads=("power_bi",)))
    assert isinstance(decision, Accepted)
    (event,) = decision.events
    assert isinstance(event, Edited)
    assert [each.field for each in event.changes] == ["workloads"]
