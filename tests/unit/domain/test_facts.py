"""Facts about tenant, subscription and location speak for or against a claim, each by its own code (D22, R18)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from cpor.domain.facts import candidate_subscriptions, check_facts, resolved_subscription
from cpor.domain.model import ClaimForm, FormData
from cpor.domain.policy import Policy
from cpor.domain.reference import Customer, Location, Subscription
from cpor.domain.vocabulary import (
    Channel,
    Code,
    Edition,
    Instant,
    SubscriptionId,
    SubscriptionState,
    TenantId,
    parse_instant,
)
from tests.unit.domain.forms import (
    ADVISOR,
    ADVISOR_2020,
    BERLIN,
    CUSTOMER,
    MODERN_WORK,
    NOW,
    OTHER_TENANT,
    P2020,
    P2023,
    SALES,
    SECOND,
    SUBSCRIPTION,
    claimed,
)

TODAY = date(2024, 3, 1)


def found(
    form: ClaimForm,
    *subscriptions: Subscription,
    rules: Policy = P2023,
    customer: Customer | None = CUSTOMER,
    location: Location = BERLIN,
    at: Instant = NOW,
) -> list[tuple[str, Code]]:
    known = {each.subscription_id: each for each in subscriptions}
    errors = check_facts(rules, form, customer=customer, subscriptions=known, location=location, at=at)
    return [(error.field, error.code) for error in errors]


def found_2020(form: FormData, *subscriptions: Subscription) -> list[tuple[str, Code]]:
    return found(claimed(form, Edition.P2020), *subscriptions, rules=P2020)


def subscribed(**changes: Any) -> Subscription:
    return replace(SALES, **changes)


def test_a_claim_that_all_facts_speak_for_has_none_against_it() -> None:
    assert found(claimed(ADVISOR), SALES) == []
    assert found(claimed(MODERN_WORK)) == []


def test_the_tenant_must_be_known() -> None:
    assert found(claimed(MODERN_WORK), customer=None) == [("tenant_id", Code.TENANT_UNKNOWN)]


@pytest.mark.parametrize(
    ("domain", "codes"),
    [
        (None, []),
        ("contoso.example", []),
        ("CONTOSO.example", []),
        ("contoso.test", []),
        ("mail.contoso.example", [("domain", Code.TENANT_DOMAIN_MISMATCH)]),
        ("fabrikam.example", [("domain", Code.TENANT_DOMAIN_MISMATCH)]),
    ],
)
def test_a_domain_that_is_given_must_be_the_tenants(domain: str | None, codes: list[tuple[str, Code]]) -> None:
    assert found(claimed(replace(MODERN_WORK, domain=domain))) == codes


def test_the_location_should_be_enrolled() -> None:
    outside = replace(BERLIN, enrolled=False)
    assert found(claimed(MODERN_WORK), location=outside) == [("location_id", Code.LOCATION_NOT_ENROLLED)]


@pytest.mark.parametrize(
    ("subscription", "codes"),
    [
        pytest.param(subscribed(), [], id="bought by volume licensing"),
        pytest.param(subscribed(channel=Channel.WEB_DIRECT), [], id="bought by web-direct"),
        pytest.param(subscribed(state=SubscriptionState.GRACE), [], id="in grace"),
        pytest.param(
            subscribed(state=SubscriptionState.GRACE, ends_on=date(2024, 2, 15)),
            [],
            id="in grace after its end",
        ),
        pytest.param(subscribed(ends_on=date(2024, 3, 1)), [], id="its last day"),
        pytest.param(subscribed(provisioned_at=NOW), [], id="provisioned just now"),
        pytest.param(subscribed(tenant_id=OTHER_TENANT), [Code.SUBSCRIPTION_OTHER_TENANT], id="another tenant's"),
        pytest.param(
            subscribed(tenant_id=OTHER_TENANT, state=SubscriptionState.ENDED, channel=Channel.CSP),
            [Code.SUBSCRIPTION_OTHER_TENANT],
            id="no more is told of another tenant's",
        ),
        pytest.param(subscribed(products=("finance",)), [Code.SUBSCRIPTION_OTHER_PRODUCT], id="another product"),
        pytest.param(subscribed(products=()), [Code.SUBSCRIPTION_OTHER_PRODUCT], id="no product"),
        pytest.param(
            subscribed(channel=Channel.CSP), [Code.SUBSCRIPTION_CSP, Code.CHANNEL_NOT_ELIGIBLE], id="bought from a CSP"
        ),
        pytest.param(subscribed(state=SubscriptionState.ENDED), [Code.SUBSCRIPTION_INACTIVE], id="ended"),
        pytest.param(subscribed(ends_on=date(2024, 2, 29)), [Code.SUBSCRIPTION_INACTIVE], id="ended yesterday"),
        pytest.param(
            subscribed(state=SubscriptionState.PROVISIONING), [Code.SUBSCRIPTION_NOT_PROVISIONED], id="in provisioning"
        ),
        pytest.param(
            subscribed(provisioned_at=Instant(NOW + 1)), [Code.SUBSCRIPTION_NOT_PROVISIONED], id="provisioned later"
        ),
        pytest.param(
            subscribed(products=("hr",), channel=Channel.CSP, state=SubscriptionState.ENDED),
            [
                Code.SUBSCRIPTION_OTHER_PRODUCT,
                Code.SUBSCRIPTION_CSP,
                Code.CHANNEL_NOT_ELIGIBLE,
                Code.SUBSCRIPTION_INACTIVE,
            ],
            id="everything at once",
        ),
    ],
)
def test_each_fault_of_the_named_subscription_has_its_own_code(subscription: Subscription, codes: list[Code]) -> None:
    assert found(claimed(ADVISOR), subscription) == [("subscription_id", code) for code in codes]


def test_a_subscription_must_sell_every_claimed_product() -> None:
    both = replace(ADVISOR, workloads=("sales", "power_bi"))
    more = replace(ADVISOR, workloads=("sales", "finance"))
    assert found(claimed(both), SALES) == []
    assert found(claimed(more), SALES) == [("subscription_id", Code.SUBSCRIPTION_OTHER_PRODUCT)]


@pytest.mark.parametrize(
    ("subscription_id", "code"),
    [
        (str(SECOND), Code.SUBSCRIPTION_UNKNOWN),
        ("ORDER-4711", Code.NOT_A_SUBSCRIPTION_ID),
        (str(SUBSCRIPTION).upper(), Code.NOT_A_SUBSCRIPTION_ID),
        ("", Code.NOT_A_SUBSCRIPTION_ID),
        ("x" * 4000, Code.NOT_A_SUBSCRIPTION_ID),
    ],
)
def test_an_unknown_subscription_is_told_from_what_is_no_subscription_id(subscription_id: str, code: Code) -> None:
    form = replace(claimed(ADVISOR), subscription_id=SubscriptionId(subscription_id))
    assert found(form, SALES) == [("subscription_id", code)]


@pytest.mark.parametrize(
    ("provisioned_at", "again"),
    [
        (None, "2024-03-08"),
        ("2024-02-28T12:00:00Z", "2024-03-06"),
        ("2024-02-28T23:30:00Z", "2024-03-07"),
        ("2023-01-01T00:00:00Z", "2024-03-02"),
        ("9999-12-31T00:00:00Z", "9999-12-31"),
        ("0001-01-01T00:00:00Z", "2024-03-02"),
    ],
)
def test_who_is_too_early_is_told_when_to_try_again(provisioned_at: str | None, again: str) -> None:
    begun = parse_instant(provisioned_at) if provisioned_at else None
    waiting = subscribed(state=SubscriptionState.PROVISIONING, provisioned_at=begun)
    (error,) = check_facts(
        P2023, claimed(ADVISOR), customer=CUSTOMER, subscriptions={SUBSCRIPTION: waiting}, location=BERLIN, at=NOW
    )
    assert again in error.detail


def test_the_last_day_of_a_subscription_is_that_of_the_locations_zone() -> None:
    ends = subscribed(ends_on=date(2024, 2, 29))
    honolulu = replace(BERLIN, timezone="Pacific/Honolulu")
    assert found(claimed(ADVISOR), ends, location=honolulu) == []


def test_modern_work_asks_nothing_of_subscriptions() -> None:
    assert found(claimed(MODERN_WORK), subscribed(channel=Channel.CSP, state=SubscriptionState.ENDED)) == []


def test_the_only_subscription_is_filled_in_under_2020() -> None:
    form = claimed(ADVISOR_2020, Edition.P2020)
    assert resolved_subscription(P2020, form, {SUBSCRIPTION: SALES}, TODAY) == SUBSCRIPTION
    assert found_2020(ADVISOR_2020, SALES) == []


def test_nothing_is_filled_in_under_2023_or_for_workloads() -> None:
    unnamed = replace(claimed(ADVISOR), subscription_id=None)
    assert resolved_subscription(P2023, unnamed, {SUBSCRIPTION: SALES}, TODAY) is None
    assert resolved_subscription(P2020, claimed(MODERN_WORK, Edition.P2020), {SUBSCRIPTION: SALES}, TODAY) is None


def test_a_named_subscription_is_never_replaced() -> None:
    named = claimed(replace(ADVISOR_2020, subscription_id=SECOND), Edition.P2020)
    assert resolved_subscription(P2020, named, {SUBSCRIPTION: SALES}, TODAY) == SECOND


def test_2020_asks_for_the_subscription_when_there_are_several() -> None:
    second = subscribed(subscription_id=SECOND)
    assert found_2020(ADVISOR_2020, SALES, second) == [("subscription_id", Code.INVALID_FIELDS)]
    assert found_2020(replace(ADVISOR_2020, subscription_id=SECOND), SALES, second) == []


def test_2020_judges_the_channel_of_what_the_tenant_has() -> None:
    csp = subscribed(channel=Channel.CSP)
    channel = ("subscription_id", Code.CHANNEL_NOT_ELIGIBLE)
    assert found_2020(ADVISOR_2020) == [channel]
    assert found_2020(ADVISOR_2020, csp) == [("subscription_id", Code.SUBSCRIPTION_CSP), channel]
    assert found_2020(ADVISOR_2020, csp, subscribed(subscription_id=SECOND, channel=Channel.CSP)) == [
        ("subscription_id", Code.INVALID_FIELDS),
        channel,
    ]


def test_what_is_anothers_and_what_sells_other_things_is_no_candidate() -> None:
    form = claimed(ADVISOR_2020, Edition.P2020)
    for other in (subscribed(tenant_id=TenantId(OTHER_TENANT)), subscribed(products=("finance",))):
        assert candidate_subscriptions(form, {SUBSCRIPTION: other}, TODAY) == ()


@pytest.mark.rule("D11", edition="P2020")
@pytest.mark.parametrize("over", [{"state": SubscriptionState.ENDED}, {"ends_on": date(2024, 2, 29)}])
def test_2020_a_subscription_that_is_over_makes_its_successor_no_less_the_only_one(over: dict[str, Any]) -> None:
    """Whether the feed says that it has ended or merely until when it ran."""
    form, old = claimed(ADVISOR_2020, Edition.P2020), subscribed(**over)
    successor = subscribed(subscription_id=SECOND)
    assert resolved_subscription(P2020, form, {SUBSCRIPTION: old, SECOND: successor}, TODAY) == SECOND
    assert found_2020(ADVISOR_2020, old, successor) == []


@pytest.mark.rule("D11", "D22", edition="P2020")
def test_2020_where_the_only_subscription_is_over_the_answer_says_so() -> None:
    ended = subscribed(state=SubscriptionState.ENDED)
    assert found_2020(ADVISOR_2020, ended) == [("subscription_id", Code.SUBSCRIPTION_INACTIVE)]


def test_candidates_come_in_the_order_of_their_ids() -> None:
    second = subscribed(subscription_id=SECOND)
    form = claimed(ADVISOR_2020, Edition.P2020)
    assert candidate_subscriptions(form, {SECOND: second, SUBSCRIPTION: SALES}, TODAY) == (SALES, second)
