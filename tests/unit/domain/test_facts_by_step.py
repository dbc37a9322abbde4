"""D22: what speaks against a claim warns on a draft and refuses submission, resubmission and approval."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from cpor.domain import commands as cmd
from cpor.domain.knowledge import Facts
from cpor.domain.model import FormData
from cpor.domain.reference import Location, Partner, Subscription
from cpor.domain.result import Accepted, Decision, Refused
from cpor.domain.vocabulary import (
    Channel,
    Code,
    CommandName,
    Instant,
    LocationId,
    SubscriptionId,
    SubscriptionState,
    TenantId,
)
from tests.unit.domain.claims import (
    ACKNOWLEDGED,
    CUSTOMER,
    EXAMPLES,
    MONDAY,
    SALES,
    SUBSCRIPTION,
    World,
    document,
    sales_form,
)


@dataclass
class Changing(World):
    """A world whose partner can change too."""

    change: Callable[[Partner], Partner] | None = None

    def facts(self, by: str = "P-1") -> Facts:
        known = super().facts(by)
        if self.change is None or known.partner is None:
            return known
        return replace(known, partner=self.change(known.partner))


Spoil = Callable[[Changing], None]


def subscribed(subscription: Subscription | None) -> Spoil:
    def spoil(world: Changing) -> None:
        world.subscriptions = {} if subscription is None else {SUBSCRIPTION: subscription}

    return spoil


def nobody(world: Changing) -> None:
    world.customer = None


def other_domains(world: Changing) -> None:
    world.customer = replace(CUSTOMER, domains=("fabrikam.example",))


def places(change: Callable[[Location], Location]) -> Spoil:
    def spoil(world: Changing) -> None:
        world.change = lambda partner: replace(partner, locations=tuple(map(change, partner.locations)))

    return spoil


TOMORROW = Instant(MONDAY + 86_400_000)
SPOILT: list[tuple[Spoil, Code]] = [
    (nobody, Code.TENANT_UNKNOWN),
    (other_domains, Code.TENANT_DOMAIN_MISMATCH),
    (subscribed(None), Code.SUBSCRIPTION_UNKNOWN),
    (subscribed(replace(SALES, tenant_id=TenantId("other"))), Code.SUBSCRIPTION_OTHER_TENANT),
    (subscribed(replace(SALES, products=("finance",))), Code.SUBSCRIPTION_OTHER_PRODUCT),
    (subscribed(replace(SALES, channel=Channel.CSP)), Code.SUBSCRIPTION_CSP),
    (subscribed(replace(SALES, channel=Channel.CSP)), Code.CHANNEL_NOT_ELIGIBLE),
    (subscribed(replace(SALES, state=SubscriptionState.PROVISIONING)), Code.SUBSCRIPTION_NOT_PROVISIONED),
    (subscribed(replace(SALES, provisioned_at=TOMORROW)), Code.SUBSCRIPTION_NOT_PROVISIONED),
    (subscribed(replace(SALES, state=SubscriptionState.ENDED)), Code.SUBSCRIPTION_INACTIVE),
    (places(lambda place: replace(place, enrolled=False)), Code.LOCATION_NOT_ENROLLED),
]
EVERY = pytest.mark.parametrize(("spoil", "code"), SPOILT, ids=lambda value: getattr(value, "value", ""))


def refused_with(decision: Decision) -> set[Code]:
    assert isinstance(decision, Refused), decision
    return {decision.code, *(each.code for each in decision.errors)}


def warned_of(decision: Decision) -> set[Code]:
    assert isinstance(decision, Accepted), decision
    return {each.code for each in decision.warnings}


def drafted(form: FormData | None = None) -> Changing:
    world = Changing()
    world.must("c", cmd.CreateClaim(form=form or sales_form()))
    world.must("c", document(1, "sales"))
    return world


@EVERY
@pytest.mark.rule("D22")
def test_a_draft_is_warned_and_its_submission_refused(spoil: Spoil, code: Code) -> None:
    world = Changing()
    spoil(world)
    assert code in warned_of(world.give("c", cmd.CreateClaim(form=sales_form())))
    edit = cmd.EditClaim(form=FormData(claim_name="Another"), given=("claim_name",))
    assert code in warned_of(world.give("c", edit))
    world.must("c", document(1, "sales"))
    assert code in refused_with(world.give("c", EXAMPLES[CommandName.SUBMIT]))


@EVERY
@pytest.mark.rule("D22")
def test_a_claim_filed_at_once_is_refused(spoil: Spoil, code: Code) -> None:
    world = Changing()
    spoil(world)
    filing = cmd.FileClaim(form=sales_form(), documents=(document(1, "sales"),), acknowledgements=ACKNOWLEDGED)
    assert code in refused_with(world.give("c", filing))
    assert world.states == {}


@EVERY
@pytest.mark.rule("D22")
def test_a_resubmission_is_refused_for_what_became_so_meanwhile(spoil: Spoil, code: Code) -> None:
    world = drafted()
    for name in (CommandName.SUBMIT, CommandName.REVIEW_START, CommandName.REVIEW_REQUEST_INFORMATION):
        world.must("c", EXAMPLES[name])
    spoil(world)
    assert code in refused_with(world.give("c", EXAMPLES[CommandName.RESUBMIT]))


@EVERY
@pytest.mark.rule("D22")
def test_an_approval_is_refused_for_what_became_so_meanwhile(spoil: Spoil, code: Code) -> None:
    world = drafted()
    world.must("c", EXAMPLES[CommandName.SUBMIT])
    world.must("c", EXAMPLES[CommandName.REVIEW_START])
    spoil(world)
    assert code in refused_with(world.give("c", EXAMPLES[CommandName.REVIEW_APPROVE]))


def test_an_id_that_is_none_warns_on_a_draft_and_refuses_its_submission() -> None:
    form = replace(sales_form(), subscription_id=SubscriptionId("ORDER-4711"))
    world = Changing()
    assert warned_of(world.give("c", cmd.CreateClaim(form=form))) == {Code.NOT_A_SUBSCRIPTION_ID}
    world.must("c", document(1, "sales"))
    assert refused_with(world.give("c", EXAMPLES[CommandName.SUBMIT])) == {Code.NOT_A_SUBSCRIPTION_ID}


@pytest.mark.rule("D22")
def test_a_location_the_partner_has_lost_refuses_what_needs_it_and_nothing_else() -> None:
    """D22: withdrawing, commenting and answering for a claim must stay possible."""
    world = drafted()
    world.change = lambda partner: replace(partner, locations=())
    assert refused_with(world.give("c", EXAMPLES[CommandName.SUBMIT])) == {Code.LOCATION_UNKNOWN}
    world.must("c", EXAMPLES[CommandName.COMMENT])
    moved = cmd.EditClaim(form=FormData(location_id=LocationId("4999999")), given=("location_id",))
    assert refused_with(world.give("c", moved)) == {Code.LOCATION_UNKNOWN}
    world.must("c", EXAMPLES[CommandName.CANCEL])
