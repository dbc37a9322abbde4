"""What CPOR is for: areas, roles, engagements, what a role brings, what belongs elsewhere (R1-R4, R8-R11, D13)."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from cpor.domain import commands as cmd
from cpor.domain.associations import Association, associations_after
from cpor.domain.handoff import ApprovedClaim, HandoffType, handoffs
from cpor.domain.model import FormData
from cpor.domain.vocabulary import (
    Channel,
    Code,
    CommandName,
    Edition,
    Engagement,
    Incentive,
    IncentiveReason,
    PartnerRole,
    SolutionArea,
    Status,
    UnitId,
)
from tests.unit.domain.claims import CUSTOMER, EXAMPLES, SALES, SUBSCRIPTION, TENANT, document
from tests.unit.domain.rules.editions import (
    BUSINESS_ROLES,
    IN_BOTH,
    advisor,
    codes,
    edit,
    filing,
    refusal,
    rules_of,
    usage,
    world_of,
)

AREA_LABELS = {Edition.P2020: "Microsoft 365", Edition.P2023: "Modern Work and Security"}
ENGAGEMENTS = {
    PartnerRole.BUILD_INTENT_ADVISOR: Engagement.MCI_BIZAPPS_PRESALES_ADVISOR,
    PartnerRole.USAGE_RECOGNITION: Engagement.USAGE_RECOGNITION_BIZAPPS,
    PartnerRole.INFLUENCED_REVENUE: Engagement.BUSINESS_APPLICATIONS_REVENUE,
    PartnerRole.USE_OR_CONSUME: Engagement.MODERN_WORK_SECURITY_USAGE,
}
PAID = {
    Edition.P2020: {PartnerRole.BUILD_INTENT_ADVISOR, PartnerRole.USAGE_RECOGNITION, PartnerRole.USE_OR_CONSUME},
    Edition.P2023: {PartnerRole.BUILD_INTENT_ADVISOR, PartnerRole.USE_OR_CONSUME},
}
EVERY_ROLE = pytest.mark.parametrize("role", PartnerRole)


def form_of(edition: Edition, role: PartnerRole) -> FormData:
    return usage(edition) if role is PartnerRole.USE_OR_CONSUME else advisor(edition, role)


@IN_BOTH
@pytest.mark.rule("R1", "D31", edition="both")
def test_there_are_two_solution_areas_and_no_claim_outside_them(edition: Edition) -> None:
    labels = rules_of(edition).labels.areas
    assert labels == {
        SolutionArea.BUSINESS_APPLICATIONS: "Business Applications",
        SolutionArea.MODERN_WORK_SECURITY: AREA_LABELS[edition],
    }
    assert set(rules_of(edition).catalogue) == set(labels)
    outside = replace(usage(edition), solution_area=None)
    assert codes(world_of(edition).give("c", cmd.CreateClaim(form=outside))) == {Code.INVALID_FIELDS}


@IN_BOTH
@EVERY_ROLE
@pytest.mark.rule("R2", "R8", "D13", edition="both")
def test_each_role_has_its_one_engagement(edition: Edition, role: PartnerRole) -> None:
    claim = world_of(edition).filed("c", form=form_of(edition, role))
    assert claim.form.engagement is ENGAGEMENTS[role]


@IN_BOTH
@pytest.mark.parametrize("name", ["CSP", "Managed Reseller", "Hosting", "Microsoft Surface"])
@pytest.mark.rule("R2", "D13", edition="both")
def test_a_co_op_claim_is_refused_and_told_where_it_belongs(edition: Edition, name: str) -> None:
    no = refusal(world_of(edition).give("c", cmd.CreateClaim(form=advisor(edition, engagement=name))))
    assert no.code == Code.NOT_A_CPOR_ENGAGEMENT
    assert "co-op process" in no.detail


@IN_BOTH
@pytest.mark.parametrize(
    ("role", "name"),
    [
        (PartnerRole.BUILD_INTENT_ADVISOR, "OSA"),
        (PartnerRole.BUILD_INTENT_ADVISOR, "MCI BizApps Presales Advisor"),
        (PartnerRole.USAGE_RECOGNITION, "OSU"),
        (PartnerRole.INFLUENCED_REVENUE, "Revenue Recognition Association"),
        (PartnerRole.USE_OR_CONSUME, "OSU"),
        (PartnerRole.USE_OR_CONSUME, "modern_work_security_usage"),
    ],
)
@pytest.mark.rule("D13", edition="both")
def test_an_engagement_may_be_called_by_an_older_name(edition: Edition, role: PartnerRole, name: str) -> None:
    form = replace(form_of(edition, role), engagement=name)
    assert world_of(edition).must("c", cmd.CreateClaim(form=form)).form.engagement is ENGAGEMENTS[role]


@IN_BOTH
@EVERY_ROLE
@pytest.mark.rule("R8", edition="both")
def test_a_role_of_the_other_area_is_refused(edition: Edition, role: PartnerRole) -> None:
    other = usage(edition) if role in BUSINESS_ROLES else advisor(edition)
    no = refusal(world_of(edition).give("c", cmd.CreateClaim(form=replace(other, partner_role=role))))
    assert (no.code, no.errors[0].field) == (Code.ROLE_NOT_IN_AREA, "partner_role")


@IN_BOTH
@pytest.mark.rule("R3", edition="both")
def test_what_a_customer_bought_from_a_reseller_is_no_ground_for_a_claim_and_no_hindrance_to_another(
    edition: Edition,
) -> None:
    world = world_of(edition)
    world.customer = replace(CUSTOMER, channels=(Channel.CSP,))
    world.subscriptions = {SUBSCRIPTION: replace(SALES, channel=Channel.CSP)}
    bought = filing(edition, advisor(edition), document(1, "sales"))
    assert Code.SUBSCRIPTION_CSP in codes(world.give("a", bought))
    assert world.approved("b", form=usage(edition)).status == Status.APPROVED


@IN_BOTH
@pytest.mark.rule("R3", edition="both")
def test_an_association_and_its_hand_off_say_nothing_of_how_the_customer_buys(edition: Edition) -> None:
    world = world_of(edition)
    claim = world.approved("c", form=advisor(edition))
    (handed,) = handoffs(world.log[-1], claim)
    names = {each.name for kind in (Association, type(handed.data)) for each in fields(kind)}
    assert not {name for name in names if "channel" in name or "csp" in name or "reseller" in name}


@IN_BOTH
@EVERY_ROLE
@pytest.mark.rule("R4", "R10", "D13", edition="both")
def test_an_association_gives_insight_and_recognition_and_payment_to_paid_roles_only(
    edition: Edition, role: PartnerRole
) -> None:
    world = world_of(edition)
    claim = world.official("c", form=form_of(edition, role))
    record = associations_after(claim.units[0], world.states.values())
    assert record is not None
    assert (record.partner_id, record.official_from) == ("P-1", world.now)
    assert record.claims[0].partner_role is role
    (handed,) = handoffs(world.log[-1], claim)
    assert handed.type == HandoffType.ELIGIBLE
    assert isinstance(handed.data, ApprovedClaim)
    paid = role in PAID[edition]
    assert handed.data.incentive is (Incentive.ASSESS if paid else Incentive.NONE)
    assert handed.data.incentive_reason is (None if paid else IncentiveReason.ROLE_NOT_INCENTIVIZED)


@IN_BOTH
@EVERY_ROLE
@pytest.mark.rule("R10", edition="both")
def test_what_a_role_means_is_told_and_agrees_with_what_it_is_paid(edition: Edition, role: PartnerRole) -> None:
    rules = rules_of(edition)
    (row,) = (each for each in rules.roles if each.role is role)
    assert ("influenced" in row.meaning) is (role in (BUSINESS_ROLES[0], BUSINESS_ROLES[2]))
    assert rules.is_payable(role) is (role in PAID[edition])
    assert ("never a payment" in row.meaning) is (role not in PAID[edition])
    assert ("incentives" in row.meaning) is (role in PAID[edition])


@IN_BOTH
@pytest.mark.parametrize("status", [Status.DRAFT, Status.SUBMITTED, Status.PARTNER_ACTION_REQUIRED])
@pytest.mark.rule("R11", edition="both")
def test_a_wrong_role_is_mended_by_a_new_claim_only(edition: Edition, status: Status) -> None:
    world = world_of(edition)
    form = advisor(edition)
    if status is Status.DRAFT:
        world.must("c", cmd.CreateClaim(form=form))
    else:
        world.filed("c", form=form)
    if status is Status.PARTNER_ACTION_REQUIRED:
        for name in (CommandName.REVIEW_START, CommandName.REVIEW_REQUEST_INFORMATION):
            world.must("c", EXAMPLES[name])
    changed = edit(partner_role=PartnerRole.USAGE_RECOGNITION)
    refused = {Code.EDIT_NOT_ALLOWED, Code.ILLEGAL_TRANSITION}
    assert refusal(world.give("c", changed)).code in refused
    assert world.must("new", cmd.CreateClaim(form=advisor(edition, PartnerRole.USAGE_RECOGNITION))).status == "draft"


@IN_BOTH
@pytest.mark.rule("R9", edition="both")
def test_only_the_three_business_roles_ask_how_the_customer_bought(edition: Edition) -> None:
    asked = {row.role: set(row.channels) for row in rules_of(edition).roles}
    bought = {Channel.VOLUME_LICENSING, Channel.WEB_DIRECT}
    assert asked == {role: bought if role in BUSINESS_ROLES else set() for role in PartnerRole}


@IN_BOTH
@pytest.mark.rule("R4", "D13", edition="both")
def test_what_is_handed_off_names_who_for_whom_and_for_what(edition: Edition) -> None:
    world = world_of(edition)
    claim = world.official("c", form=usage(edition, "teams"))
    (handed,) = handoffs(world.log[-1], claim)
    assert isinstance(handed.data, ApprovedClaim)
    told = handed.data
    assert (told.partner_id, told.tenant_id, told.policy) == ("P-1", TENANT, edition)
    assert (told.units, told.workloads) == ((UnitId(f"{TENANT}/workload/teams"),), ("teams",))
    assert (told.engagement, told.partner_role) == (claim.form.engagement, claim.form.partner_role)
