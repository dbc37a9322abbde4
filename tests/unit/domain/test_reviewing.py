"""What the events of a review say: who did it, the comment, whom it displaced (T6 to T8, T16, D17, D24)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cpor.domain import commands as cmd
from cpor.domain.events import Approved, Rejected, RejectedFinal
from cpor.domain.model import Reason
from cpor.domain.result import Refused
from cpor.domain.vocabulary import (
    ActorKind,
    Channel,
    Code,
    CommandName,
    ConsentOutcome,
    Instant,
    Status,
    SubscriptionState,
)
from tests.unit.domain.claims import (
    EXAMPLES,
    MONDAY,
    SALES,
    SUBSCRIPTION,
    UNDER_P2020,
    World,
    in_status,
    sales_form,
    usage_form,
)

POOR = (Reason("insufficient_poe"),)
DECLINE = EXAMPLES[CommandName.CONSENT_OUTCOME]
UNWRITABLE = "A bell \a rings"


def last(world: World) -> Any:
    return world.log[-1]


@pytest.mark.parametrize(
    "data",
    [
        cmd.RequestInformation(reasons=(Reason("missing_products"),), comment=UNWRITABLE),
        cmd.ApproveClaim(comment=UNWRITABLE),
        cmd.RejectClaim(reasons=POOR, comment=UNWRITABLE),
    ],
    ids=lambda data: data.NAME,
)
def test_a_reviewers_comment_that_is_no_text_is_refused_under_its_name(data: cmd.CommandData) -> None:
    no = in_status(Status.UNDER_REVIEW).give("c", data)
    assert isinstance(no, Refused)
    assert [(each.field, each.code) for each in no.errors] == [("comment", Code.INVALID_FIELDS)]


@pytest.mark.rule("D22")
def test_an_approval_against_which_several_facts_speak_is_refused_with_all_of_them() -> None:
    world = World()
    world.under_review("c", form=sales_form())
    csp = replace(SALES, channel=Channel.CSP, state=SubscriptionState.ENDED)
    world.subscriptions = {SUBSCRIPTION: csp}
    no = world.give("c", cmd.ApproveClaim())
    assert isinstance(no, Refused)
    assert no.code == Code.SUBSCRIPTION_CSP
    for each in ("from a CSP partner", "Volume Licensing", "has ended"):
        assert each in no.detail


def test_an_approval_keeps_the_reviewers_comment_and_names_whom_it_displaced() -> None:
    world = World()
    incumbent = world.approved("a", "P-2", usage_form("teams"), doc=2)
    world.under_review("c", "P-1", usage_form("teams"))
    world.must("c", cmd.ApproveClaim(comment="The better proof", displaces=(incumbent.claim_id,)))
    assert isinstance(last(world), Approved)
    assert (last(world).comment, last(world).displaces) == ("The better proof", (incumbent.claim_id,))
    assert last(world).units == world.claim("c").units
    assert world.claim("c").comments[-1].text == "The better proof"


@pytest.mark.parametrize(
    ("status", "begins", "kind"),
    [
        (Status.UNDER_REVIEW, MONDAY, Rejected),
        (Status.DISPUTED, UNDER_P2020, Rejected),
        (Status.DISPUTED, MONDAY, RejectedFinal),
    ],
)
def test_a_rejection_keeps_the_reviewers_comment(status: Status, begins: Instant, kind: type) -> None:
    world = in_status(status, begins)
    world.must("c", cmd.RejectClaim(reasons=POOR, comment="Still not enough"))
    assert type(last(world)) is kind
    assert (last(world).comment, last(world).actor.kind) == ("Still not enough", ActorKind.REVIEWER)


def test_a_customer_who_declines_an_approval_is_named_as_who_did_it() -> None:
    world = in_status(Status.APPROVED)
    world.must("c", DECLINE)
    assert isinstance(last(world), Rejected)
    assert last(world).actor.kind == ActorKind.CUSTOMER


def test_an_early_no_in_the_way_of_a_displacement_is_carried_out_by_the_system() -> None:
    world = World(UNDER_P2020)
    incumbent = world.approved("a", "P-2", usage_form("teams"), doc=2)
    world.under_review("c", "P-1", usage_form("teams"))
    world.must("c", cmd.RecordConsent(outcome=ConsentOutcome.DECLINED))
    world.must("c", cmd.ApproveClaim(displaces=(incumbent.claim_id,)))
    assert isinstance(last(world), Rejected)
    assert last(world).actor.kind == ActorKind.SYSTEM
