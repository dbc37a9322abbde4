"""What must be true of customer, subscription and location, in either edition (R9, R12, R18, R19, D11)."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pytest

from cpor.domain import commands as cmd
from cpor.domain.knowledge import Facts
from cpor.domain.model import FormData
from cpor.domain.reference import Subscription
from cpor.domain.result import Decision
from cpor.domain.vocabulary import (
    MS_PER_DAY,
    Channel,
    Code,
    CommandName,
    Edition,
    Instant,
    LocationId,
    PartnerRole,
    PartnerStatus,
    Status,
    SubscriptionId,
    SubscriptionState,
    TenantId,
)
from cpor.ops.book import Claim
from cpor.ops.sheet import claim_json
from tests.unit.domain.claims import CUSTOMER, EXAMPLES, SALES, SUBSCRIPTION, World, document
from tests.unit.domain.rules.editions import (
    BEGINS,
    BUSINESS_ROLES,
    IN_BOTH,
    advisor,
    codes,
    drafted,
    filing,
    named,
    refusal,
    submission,
    usage,
    warned,
    world_of,
)

SECOND = SubscriptionId("8b1c1d7a-0000-4c7e-9a51-0d7d1a2b3c4d")
OTHER_TENANT = TenantId("5a0e1d7a-5b1c-4c7e-9a51-0d7d1a2b3c4d")


def with_subscriptions(edition: Edition, *subscriptions: Subscription) -> World:
    world = world_of(edition)
    world.subscriptions = {each.subscription_id: each for each in subscriptions}
    return world


def sold(**changes: Any) -> Subscription:
    return replace(SALES, **changes)


def file(world: World, edition: Edition, form: FormData) -> Decision:
    return world.give("c", filing(edition, form))


# -- how the customer bought (R9) -------------------------------------------------------------------------------------


@IN_BOTH
@pytest.mark.parametrize("role", BUSINESS_ROLES)
@pytest.mark.parametrize("channel", [Channel.VOLUME_LICENSING, Channel.WEB_DIRECT])
@pytest.mark.rule("R9", edition="both")
def test_what_was_bought_by_volume_licensing_or_web_direct_can_be_claimed(
    edition: Edition, role: PartnerRole, channel: Channel
) -> None:
    world = with_subscriptions(edition, sold(channel=channel))
    assert world.approved("c", form=advisor(edition, role)).status == Status.APPROVED


@IN_BOTH
@pytest.mark.parametrize("role", BUSINESS_ROLES)
@pytest.mark.rule("R9", "R18", "D22", edition="both")
def test_what_was_bought_from_a_csp_cannot(edition: Edition, role: PartnerRole) -> None:
    world = with_subscriptions(edition, sold(channel=Channel.CSP))
    assert codes(file(world, edition, advisor(edition, role))) == {Code.SUBSCRIPTION_CSP, Code.CHANNEL_NOT_ELIGIBLE}


@IN_BOTH
@pytest.mark.rule("R9", edition="both")
def test_modern_work_asks_nothing_of_how_the_customer_bought(edition: Edition) -> None:
    world = with_subscriptions(edition, sold(channel=Channel.CSP, products=("teams",)))
    world.customer = replace(CUSTOMER, channels=(Channel.CSP,))
    assert world.approved("c", form=usage(edition)).status == Status.APPROVED


# -- the subscription (R18) -------------------------------------------------------------------------------------------


def just_begun(edition: Edition) -> Instant:
    return Instant(BEGINS[edition] - 2 * MS_PER_DAY)


@IN_BOTH
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"tenant_id": OTHER_TENANT}, Code.SUBSCRIPTION_OTHER_TENANT),
        ({"products": ("finance",)}, Code.SUBSCRIPTION_OTHER_PRODUCT),
        ({"channel": Channel.CSP}, Code.SUBSCRIPTION_CSP),
        ({"state": SubscriptionState.PROVISIONING}, Code.SUBSCRIPTION_NOT_PROVISIONED),
        ({"state": SubscriptionState.ENDED}, Code.SUBSCRIPTION_INACTIVE),
        ({"ends_on": date(2020, 1, 1)}, Code.SUBSCRIPTION_INACTIVE),
    ],
)
@pytest.mark.rule("R18", "D22", edition="both")
def test_each_fault_of_the_subscription_has_an_answer_of_its_own(
    edition: Edition, changes: dict[str, Any], code: Code
) -> None:
    decision = file(with_subscriptions(edition, sold(**changes)), edition, advisor(edition))
    assert code in codes(decision)
    assert {field for field, _ in named(decision)} == {"subscription_id"}


@IN_BOTH
@pytest.mark.parametrize(
    ("name", "code"), [(SECOND, Code.SUBSCRIPTION_UNKNOWN), ("ORDER-4711", Code.NOT_A_SUBSCRIPTION_ID)]
)
@pytest.mark.rule("R18", "D22", edition="both")
def test_an_unknown_subscription_is_told_from_what_is_no_id(edition: Edition, name: str, code: Code) -> None:
    form = advisor(edition, subscription_id=SubscriptionId(name))
    assert codes(file(world_of(edition), edition, form)) == {code}


@IN_BOTH
@pytest.mark.rule("R18", "D22", edition="both")
def test_a_new_subscription_gets_a_week_and_the_answer_says_when_to_try_again(edition: Edition) -> None:
    waiting = sold(state=SubscriptionState.PROVISIONING, provisioned_at=just_begun(edition))
    no = refusal(file(with_subscriptions(edition, waiting), edition, advisor(edition)))
    again = {Edition.P2020: "2023-03-11", Edition.P2023: "2024-03-09"}[edition]
    assert (no.code, again in no.detail) == (Code.SUBSCRIPTION_NOT_PROVISIONED, True)


@IN_BOTH
@pytest.mark.rule("R18", edition="both")
def test_a_subscription_in_grace_still_counts(edition: Edition) -> None:
    late = sold(state=SubscriptionState.GRACE, ends_on=date(2023, 3, 1))
    assert with_subscriptions(edition, late).approved("c", form=advisor(edition)).status == Status.APPROVED


@IN_BOTH
@pytest.mark.rule("R18", "T10", "D22", edition="both")
def test_a_subscription_that_ended_meanwhile_stops_resubmission_and_approval(edition: Edition) -> None:
    world = world_of(edition)
    world.under_review("c", form=advisor(edition))
    ended, world.subscriptions = world.subscriptions, {SUBSCRIPTION: sold(state=SubscriptionState.ENDED)}
    assert codes(world.give("c", cmd.ApproveClaim())) == {Code.SUBSCRIPTION_INACTIVE}
    world.must("c", EXAMPLES[CommandName.REVIEW_REQUEST_INFORMATION])
    assert codes(world.give("c", cmd.ResubmitClaim(comment="Done"))) == {Code.SUBSCRIPTION_INACTIVE}
    world.subscriptions = ended
    assert world.must("c", cmd.ResubmitClaim(comment="Done")).status == Status.SUBMITTED


# -- tenant, domain, location (R12, R19) ------------------------------------------------------------------------------


@IN_BOTH
@pytest.mark.rule("R19", "D22", edition="both")
def test_a_domain_must_be_the_tenants_and_the_tenant_known(edition: Edition) -> None:
    world = world_of(edition)
    other = usage(edition, domain="fabrikam.example")
    assert named(file(world, edition, other)) == {("domain", Code.TENANT_DOMAIN_MISMATCH)}
    assert warned(world.give("d", cmd.CreateClaim(form=other))) == {Code.TENANT_DOMAIN_MISMATCH}
    assert world.filed("e", form=usage(edition, domain="CONTOSO.example")).status == Status.SUBMITTED
    world.customer = None
    assert named(world.give("f", filing(edition, usage(edition, "exchange")))) == {("tenant_id", Code.TENANT_UNKNOWN)}


@dataclass
class Outside(World):
    """A world whose partner's locations are not enrolled."""

    def facts(self, by: str = "P-1") -> Facts:
        known = super().facts(by)
        assert known.partner is not None
        places = tuple(replace(each, enrolled=False) for each in known.partner.locations)
        return replace(known, partner=replace(known.partner, locations=places))


@IN_BOTH
@pytest.mark.rule("R12", "D22", edition="both")
def test_the_partner_id_is_that_of_a_location_which_should_be_enrolled(edition: Edition) -> None:
    elsewhere = replace(usage(edition), location_id=LocationId("4999999"))
    assert named(world_of(edition).give("c", cmd.CreateClaim(form=elsewhere))) == {
        ("location_id", Code.LOCATION_UNKNOWN)
    }
    world = Outside(BEGINS[edition])
    assert warned(world.give("c", cmd.CreateClaim(form=usage(edition)))) == {Code.LOCATION_NOT_ENROLLED}
    world.must("c", document())
    assert named(world.give("c", submission(edition))) == {("location_id", Code.LOCATION_NOT_ENROLLED)}


@dataclass
class Suspended(World):
    """A world whose partner was suspended at some moment."""

    since: Instant | None = None

    def facts(self, by: str = "P-1") -> Facts:
        known = super().facts(by)
        assert known.partner is not None
        status = PartnerStatus.ACTIVE if self.since is None or self.now < self.since else PartnerStatus.SUSPENDED
        return replace(known, partner=replace(known.partner, status=status))


@IN_BOTH
@pytest.mark.rule("D22", edition="both")
def test_partner_and_user_are_judged_on_every_message(edition: Edition) -> None:
    world = Suspended(BEGINS[edition])
    drafted(world, usage(edition))
    for name in (CommandName.COMMENT, CommandName.EDIT, CommandName.POE_AMEND, CommandName.CANCEL):
        assert codes(world.give("c", EXAMPLES[name], user_id="nobody")) == {Code.USER_UNKNOWN}
    world.since = world.now
    for name in (CommandName.COMMENT, CommandName.EDIT, CommandName.POE_AMEND, CommandName.CANCEL):
        assert codes(world.give("c", EXAMPLES[name])) == {Code.PARTNER_SUSPENDED}


# -- which subscription (D11) -----------------------------------------------------------------------------------------


@pytest.mark.rule("D11", "R15", edition="P2020")
def test_2020_the_only_subscription_is_filled_in_at_submission_and_holds_the_claim() -> None:
    world = world_of(Edition.P2020)
    draft = drafted(world, advisor(Edition.P2020, subscription_id=None))
    assert draft.form.subscription_id is None
    claim = world.must("c", submission(Edition.P2020))
    assert (claim.form.subscription_id, claim.subscription_filled_in) == (SUBSCRIPTION, True)
    world.must("c", cmd.StartReview())
    (unit,) = world.must("c", cmd.ApproveClaim()).units
    assert unit.endswith(SUBSCRIPTION)


@pytest.mark.rule("D11", "R15", edition="P2020")
def test_2020_where_there_are_several_the_partner_must_say_which() -> None:
    world = with_subscriptions(Edition.P2020, SALES, sold(subscription_id=SECOND))
    drafted(world, advisor(Edition.P2020, subscription_id=None))
    assert named(world.give("c", submission(Edition.P2020))) == {("subscription_id", Code.INVALID_FIELDS)}
    world.must("c", cmd.EditClaim(form=FormData(subscription_id=SECOND), given=("subscription_id",)))
    claim = world.must("c", submission(Edition.P2020))
    assert (claim.form.subscription_id, claim.subscription_filled_in) == (SECOND, False)


@pytest.mark.rule("D11", "R9", edition="P2020")
def test_2020_without_a_name_some_subscription_to_the_product_must_have_been_bought_in_the_right_way() -> None:
    world = with_subscriptions(Edition.P2020, sold(products=("finance",)))
    assert codes(file(world, Edition.P2020, advisor(Edition.P2020, subscription_id=None))) == {
        Code.CHANNEL_NOT_ELIGIBLE
    }


@pytest.mark.rule("D11", edition="P2020")
def test_2020_what_was_filled_in_is_shown_to_the_partner_by_four_characters_until_the_approval() -> None:
    world = world_of(Edition.P2020)
    filed = world.filed("c", form=advisor(Edition.P2020, subscription_id=None))
    assert SUBSCRIPTION not in json.dumps(claim_json(Claim(filed, "Contoso", inside=False)))
    assert Claim(filed, "Contoso", inside=False).subscription == f"…{SUBSCRIPTION[-4:]}"
    assert Claim(filed, "Contoso", inside=True).subscription == SUBSCRIPTION
    world.must("c", cmd.StartReview())
    approved = world.must("c", cmd.ApproveClaim())
    assert Claim(approved, "Contoso", inside=False).subscription == SUBSCRIPTION


@pytest.mark.rule("D11", edition="P2020")
def test_2020_no_answer_names_what_was_filled_in_before_the_approval() -> None:
    """A subscription that is gone from the reference data by the resubmission is spoken of like any other."""
    world = world_of(Edition.P2020)
    world.under_review("c", form=advisor(Edition.P2020, subscription_id=None))
    world.must("c", EXAMPLES[CommandName.REVIEW_REQUEST_INFORMATION])
    world.subscriptions = {}
    no = refusal(world.give("c", cmd.ResubmitClaim(comment="Done")))
    assert no.code == Code.SUBSCRIPTION_UNKNOWN
    assert SUBSCRIPTION not in repr(no)
    assert f"…{SUBSCRIPTION[-4:]}" in no.detail


@pytest.mark.rule("D11", edition="both")
@IN_BOTH
def test_what_the_partner_named_itself_is_shown_whole(edition: Edition) -> None:
    filed = world_of(edition).filed("c", form=advisor(edition))
    assert Claim(filed, "Contoso", inside=False).subscription == SUBSCRIPTION
