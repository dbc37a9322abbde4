"""The form of a claim, whole in either edition, and the draft that it becomes (R6, R7, R13-R17, D2, D31, T1, T2)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cpor.domain import commands as cmd
from cpor.domain.events import Drafted
from cpor.domain.model import CustomerContact, FormData, PartnerContact, Revenue, TechnicalContact
from cpor.domain.vocabulary import (
    Code,
    Edition,
    Incentive,
    IncentiveReason,
    PartnerRole,
    SolutionArea,
    Status,
    SubscriptionId,
    TenantId,
)
from tests.unit.domain.claims import OTHER_LOCATION, SALES, SUBSCRIPTION
from tests.unit.domain.rules.editions import (
    BUSINESS_ROLES,
    IN_BOTH,
    advisor,
    codes,
    drafted,
    edit,
    filing,
    is_2020,
    named,
    rules_of,
    submission,
    usage,
    warned,
    world_of,
)

INVALID = Code.INVALID_FIELDS
ALWAYS = (
    "claim_name",
    "location_id",
    "tenant_id",
    "solution_area",
    "partner_role",
    "workloads",
    "customer_contact",
    "partner_contact",
)
REVENUE = PartnerRole.INFLUENCED_REVENUE
KEN = TechnicalContact("Ken Sato", "ken@contoso.example")


def create(edition: Edition, form: FormData) -> set[tuple[str, Code]]:
    """Field and code of everything that is wrong with a form."""
    return named(world_of(edition).give("c", cmd.CreateClaim(form=form)))


@IN_BOTH
@pytest.mark.parametrize("field", ALWAYS)
@pytest.mark.rule("R6", "T1", edition="both")
def test_a_form_that_lacks_a_field_is_no_draft(edition: Edition, field: str) -> None:
    world = world_of(edition)
    decision = world.give("c", cmd.CreateClaim(form=replace(usage(edition), **{field: None})))
    assert (field, INVALID) in named(decision)
    assert world.states == {}


@pytest.mark.rule("R6", edition="P2020")
@pytest.mark.parametrize("field", ["domain", "technical_contact"])
def test_2020_asked_for_the_domain_and_for_a_technical_contact_too(field: str) -> None:
    form = advisor(Edition.P2020)
    assert create(Edition.P2020, replace(form, **{field: None})) == {(field, INVALID)}
    later = replace(advisor(Edition.P2023), **{field: None})
    assert world_of(Edition.P2023).must("c", cmd.CreateClaim(form=later)).status == Status.DRAFT


@IN_BOTH
@pytest.mark.rule("R7", edition="both")
def test_influenced_revenue_names_the_seller_the_customer_and_the_solution(edition: Edition) -> None:
    form = advisor(edition, REVENUE)
    assert create(edition, replace(form, revenue=None)) == {("revenue", INVALID)}
    assert create(edition, replace(form, revenue=Revenue(" ", "", ""))) == {
        ("revenue.solution_seller_name", INVALID),
        ("revenue.customer_name", INVALID),
        ("revenue.isv_solution_name", INVALID),
    }
    claim = world_of(edition).must("c", cmd.CreateClaim(form=form))
    assert claim.personal.revenue == form.revenue


@IN_BOTH
@pytest.mark.parametrize("role", [each for each in PartnerRole if each is not REVENUE])
@pytest.mark.rule("R7", edition="both")
def test_no_other_role_is_asked_for_the_names_of_influenced_revenue(edition: Edition, role: PartnerRole) -> None:
    form = usage(edition) if role not in BUSINESS_ROLES else advisor(edition, role)
    spoilt = replace(form, revenue=Revenue("Sam", "Contoso", "Route Planner"))
    assert create(edition, spoilt) == {("revenue", Code.REVENUE_NOT_OFFERED)}


@pytest.mark.rule("R13", "D31")
def test_a_modern_work_claim_that_opted_out_is_never_assessed_for_payment() -> None:
    world = world_of(Edition.P2023)
    approval = world.approved("c", form=usage(Edition.P2023, incentive_opt_out=True)).approval
    assert approval is not None
    assert (approval.incentive, approval.incentive_reason) == (Incentive.NONE, IncentiveReason.OPTED_OUT)


@pytest.mark.rule("R13", "D31")
@pytest.mark.parametrize("role", BUSINESS_ROLES)
def test_no_claim_of_business_applications_may_opt_out(role: PartnerRole) -> None:
    form = advisor(Edition.P2023, role, incentive_opt_out=True)
    assert create(Edition.P2023, form) == {("incentive_opt_out", Code.OPT_OUT_NOT_OFFERED)}


@pytest.mark.rule("D31", edition="P2020")
def test_2020_knew_no_opt_out() -> None:
    form = usage(Edition.P2020, incentive_opt_out=True)
    assert create(Edition.P2020, form) == {("incentive_opt_out", Code.OPT_OUT_NOT_OFFERED)}


@IN_BOTH
@pytest.mark.rule("R14", "D2", edition="both")
def test_a_claim_names_one_workload_or_more_and_as_many_as_there_are(edition: Edition) -> None:
    assert create(edition, replace(usage(edition), workloads=())) == {("workloads", INVALID)}
    every = tuple(rules_of(edition).catalogue[SolutionArea.MODERN_WORK_SECURITY])
    for chosen in (every[:1], every[:5], every):
        claim = world_of(edition).approved("c", form=usage(edition, *chosen))
        assert len(claim.units) == len(chosen)


@IN_BOTH
@pytest.mark.parametrize("status", [Status.DRAFT, Status.PARTNER_ACTION_REQUIRED])
@pytest.mark.rule("R14", edition="both")
def test_the_last_workload_cannot_go(edition: Edition, status: Status) -> None:
    world = world_of(edition)
    if status is Status.DRAFT:
        drafted(world, usage(edition))
    else:
        world.asked("c")
    assert codes(world.give("c", edit(workloads=()))) == {Code.LAST_WORKLOAD}


@IN_BOTH
@pytest.mark.rule("D2", "R15", edition="both")
def test_a_business_claim_stands_on_one_subscription_that_sells_every_product_it_names(edition: Edition) -> None:
    world = world_of(edition)
    both = world.approved("c", form=advisor(edition, workloads=("sales", "power_bi")))
    assert [each.rpartition("/")[2] for each in both.units] == [SUBSCRIPTION]
    other = filing(edition, advisor(edition, PartnerRole.USAGE_RECOGNITION, workloads=("sales", "finance")))
    assert Code.SUBSCRIPTION_OTHER_PRODUCT in codes(world.give("d", other))


@pytest.mark.rule("R15", "D11")
@pytest.mark.parametrize("role", BUSINESS_ROLES)
def test_a_business_claim_must_name_its_subscription(role: PartnerRole) -> None:
    form = advisor(Edition.P2023, role, subscription_id=None)
    assert create(Edition.P2023, form) == {("subscription_id", INVALID)}


@IN_BOTH
@pytest.mark.rule("R15", edition="both")
def test_a_modern_work_claim_names_no_subscription(edition: Edition) -> None:
    form = replace(usage(edition), subscription_id=SUBSCRIPTION)
    assert create(edition, form) == {("subscription_id", INVALID)}


@IN_BOTH
@pytest.mark.parametrize(
    ("contact", "fields"),
    [
        ({"customer_contact": CustomerContact("", " ", "")}, ("name", "title", "email")),
        ({"partner_contact": PartnerContact("", "nobody")}, ("name", "email")),
    ],
    ids=["the customer's", "the partner's"],
)
@pytest.mark.rule("R16", edition="both")
def test_every_field_of_both_contacts_is_needed(
    edition: Edition, contact: dict[str, Any], fields: tuple[str, ...]
) -> None:
    (name,) = contact
    assert create(edition, replace(usage(edition), **contact)) == {(f"{name}.{each}", INVALID) for each in fields}


@IN_BOTH
@pytest.mark.rule("T1", "R17", edition="both")
def test_a_whole_form_becomes_a_draft_with_an_id_that_follows_from_partner_and_reference(edition: Edition) -> None:
    world = world_of(edition)
    claim = world.must("c", cmd.CreateClaim(form=usage(edition)))
    assert (claim.status, claim.clocks, claim.documents) == (Status.DRAFT, (), ())
    assert rules_of(edition).labels.statuses[claim.status] == ("Editing" if is_2020(edition) else "Draft")
    assert isinstance(world.log[0], Drafted)
    again = world.give("c", cmd.CreateClaim(form=usage(edition)))
    assert codes(again) == {Code.CLAIM_EXISTS}


@IN_BOTH
@pytest.mark.rule("T1", edition="both")
def test_what_is_known_of_customer_and_subscription_only_warns_on_a_draft(edition: Edition) -> None:
    world = world_of(edition)
    world.customer, world.subscriptions = None, {SUBSCRIPTION: replace(SALES, products=("finance",))}
    decision = world.give("c", cmd.CreateClaim(form=advisor(edition)))
    assert warned(decision) == {Code.TENANT_UNKNOWN, Code.SUBSCRIPTION_OTHER_PRODUCT}
    assert world.claim("c").status == Status.DRAFT


MENDED: dict[str, Any] = {
    "claim_name": "Another name",
    "location_id": OTHER_LOCATION,
    "domain": "other.example",
    "workloads": ("power_bi",),
    "subscription_id": SubscriptionId("8b1c1d7a-0000-4c7e-9a51-0d7d1a2b3c4d"),
    "customer_contact": CustomerContact("Ken Abe", "CFO", "ken@contoso.example"),
    "partner_contact": PartnerContact("Bill", "bill@example.org"),
    "revenue": Revenue("Sue", "Contoso Ltd", "Planner"),
}


@IN_BOTH
@pytest.mark.parametrize("field", MENDED)
@pytest.mark.rule("R17", "T2", "D6", edition="both")
def test_any_section_of_a_draft_can_be_mended(edition: Edition, field: str) -> None:
    world = world_of(edition)
    world.must("c", cmd.CreateClaim(form=advisor(edition, REVENUE)))
    claim = world.must("c", edit(**{field: MENDED[field]}))
    part = claim.personal if hasattr(claim.personal, field) else claim.form
    assert getattr(part, field) == MENDED[field]
    assert claim.status == Status.DRAFT


@pytest.mark.rule("R17", "T2", "D6")
def test_the_opt_out_of_a_draft_can_be_mended() -> None:
    world = world_of(Edition.P2023)
    world.must("c", cmd.CreateClaim(form=usage(Edition.P2023)))
    assert world.must("c", edit(incentive_opt_out=True)).form.incentive_opt_out


@pytest.mark.rule("T2", "D6", edition="P2020")
def test_2020_the_technical_contact_of_a_draft_can_be_mended() -> None:
    world = world_of(Edition.P2020)
    world.must("c", cmd.CreateClaim(form=advisor(Edition.P2020)))
    other = replace(KEN, name="Ren Sato")
    assert world.must("c", edit(technical_contact=other)).personal.technical_contact == other


@IN_BOTH
@pytest.mark.parametrize(
    "changes",
    [
        {"tenant_id": TenantId("9f0e1d7a-5b1c-4c7e-9a51-0d7d1a2b3c4d")},
        {"solution_area": SolutionArea.BUSINESS_APPLICATIONS},
        {"partner_role": PartnerRole.USAGE_RECOGNITION},
    ],
    ids=lambda value: next(iter(value)),
)
@pytest.mark.rule("T2", "D6", edition="both")
def test_tenant_area_and_role_of_a_draft_mean_a_new_one(edition: Edition, changes: dict[str, Any]) -> None:
    world = world_of(edition)
    drafted(world, usage(edition))
    assert codes(world.give("c", edit(**changes))) == {Code.EDIT_NOT_ALLOWED}


@IN_BOTH
@pytest.mark.rule("T2", edition="both")
def test_an_edit_that_spoils_the_form_leaves_the_draft_as_it_was(edition: Edition) -> None:
    world = world_of(edition)
    before = drafted(world, usage(edition))
    assert named(world.give("c", edit(claim_name="", workloads=("sales",)))) == {
        ("claim_name", INVALID),
        ("workloads[0]", Code.WORKLOAD_NOT_IN_AREA),
    }
    assert world.claim("c") == before
    assert world.must("c", submission(edition)).status == Status.SUBMITTED
