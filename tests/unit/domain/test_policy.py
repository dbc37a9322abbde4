"""The editions of the rules are data, and the data says what the decisions say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

import cpor.domain
from cpor.domain.policy import (
    DocumentAction,
    EarlyDecline,
    Notice,
    Policy,
    SubscriptionRule,
    UnitKind,
    edition_on,
    policy,
)
from cpor.domain.vocabulary import (
    Clock,
    Code,
    Edition,
    Engagement,
    PartnerRole,
    RejectionReason,
    SolutionArea,
    Status,
    parse_instant,
)

P2020, P2023 = policy(Edition.P2020), policy(Edition.P2023)


@pytest.mark.parametrize("edition", Edition)
def test_each_edition_loads_once_and_under_its_own_name(edition: Edition) -> None:
    assert policy(edition).edition is edition
    assert policy(edition) is policy(edition)


@pytest.mark.parametrize("edition", Edition)
def test_every_area_role_status_and_clock_is_provided_for(edition: Edition) -> None:
    rules = policy(edition)
    assert set(rules.labels.statuses) == set(Status)
    assert set(rules.labels.areas) == set(rules.catalogue) == {row.area for row in rules.roles} == set(SolutionArea)
    assert {row.role for row in rules.roles} == set(PartnerRole)
    assert {row.engagement for row in rules.roles} == set(Engagement)
    assert set(rules.clocks) | {Clock.OVERALL_DECISION} == set(Clock)


@pytest.mark.parametrize(
    ("clock", "in_2020", "in_2023"),
    [
        (Clock.REVIEW_START, "5bd", "5bd"),
        (Clock.REVIEW_DECISION, "5bd", "14bd"),
        (Clock.PARTNER_ANSWER, "5bd", "14bd"),
        (Clock.DISPUTE_ANSWER, "5bd", "5bd"),
        (Clock.DISPUTE_WINDOW, "30d", "30d"),
        (Clock.CONSENT_WAIT, "7d", "7d"),
        (Clock.OVERALL_DECISION, "10bd", None),
    ],
)
def test_the_clocks_of_both_editions_are_those_of_the_table(clock: Clock, in_2020: str, in_2023: str | None) -> None:
    assert P2020.clocks[clock].text == in_2020
    assert (P2023.clocks[clock].text if clock in P2023.clocks else None) == in_2023


def test_only_the_overall_clock_of_2020_can_be_paused_and_only_while_the_partner_is_asked() -> None:
    paused = {
        (rules.edition, clock) for rules in (P2020, P2023) for clock, rule in rules.clocks.items() if rule.paused_in
    }
    assert paused == {(Edition.P2020, Clock.OVERALL_DECISION)}
    assert P2020.clocks[Clock.OVERALL_DECISION].paused_in == (Status.PARTNER_ACTION_REQUIRED,)


def test_a_submitted_claim_can_be_edited_in_2020_only() -> None:
    asked = ("location_id", "workloads", "customer_contact", "partner_contact")
    assert P2023.editable(Status.SUBMITTED) == ()
    assert P2020.editable(Status.SUBMITTED) == asked
    assert P2020.editable(Status.PARTNER_ACTION_REQUIRED) == P2023.editable(Status.PARTNER_ACTION_REQUIRED) == asked


@pytest.mark.parametrize("edition", Edition)
def test_tenant_area_and_role_can_never_be_edited(edition: Edition) -> None:
    fields = {name for names in policy(edition).editing.fields.values() for name in names}
    assert not fields & {"tenant_id", "solution_area", "partner_role"}


def test_documents_are_add_only_after_submission_in_2020() -> None:
    assert P2020.document_actions(Status.PARTNER_ACTION_REQUIRED) == (DocumentAction.ADD,)
    assert P2023.document_actions(Status.PARTNER_ACTION_REQUIRED) == tuple(DocumentAction)
    assert P2023.document_actions(Status.SUBMITTED) == P2023.document_actions(Status.UNDER_REVIEW) == ()
    assert P2023.documents.max_bytes == 25 * 2**20
    assert P2023.documents.max_per_claim == 20


def test_the_customer_is_told_at_submission_since_2023_and_may_decline_for_ever_since_then() -> None:
    assert P2020.submission.customer_notices == (Notice.APPROVED,)
    assert P2023.submission.customer_notices == (Notice.SUBMITTED, Notice.APPROVED)
    assert (P2020.consent.decline_days, P2023.consent.decline_days) == (7, None)
    assert P2020.consent.early_decline is EarlyDecline.KEPT_FOR_APPROVAL
    assert P2023.consent.early_decline is EarlyDecline.APPLIED


@pytest.mark.rule("R41", "R42", "D25")
def test_a_claim_of_2023_is_disputed_once_and_loses_for_good() -> None:
    assert (P2020.dispute.max_disputes, P2020.dispute.lost_status) == (None, Status.REJECTED)
    assert (P2023.dispute.max_disputes, P2023.dispute.lost_status) == (1, Status.REJECTED_FINAL)


@pytest.mark.parametrize("edition", Edition)
def test_no_reviewer_is_asked_to_overrule_a_customer_or_a_partner(edition: Edition) -> None:
    undisputable = (RejectionReason.CUSTOMER_DECLINED, RejectionReason.PARTNER_REQUEST)
    assert policy(edition).dispute.undisputable_reasons == undisputable


def test_disassociation_came_in_2023_and_withdrawing_an_approved_claim_went() -> None:
    assert P2023.endings.disassociate_from == (Status.APPROVED,)
    assert P2020.endings.disassociate_from == ()
    assert set(P2020.endings.withdraw_from) - set(P2023.endings.withdraw_from) == {Status.APPROVED}


@pytest.mark.rule("D13", "R50", edition="both")
def test_usage_recognition_was_paid_in_2020_and_is_not_in_2023() -> None:
    assert [role for role in PartnerRole if P2020.is_payable(role) and not P2023.is_payable(role)] == [
        PartnerRole.USAGE_RECOGNITION
    ]
    assert not P2020.is_payable(PartnerRole.INFLUENCED_REVENUE)


@pytest.mark.rule("D31", edition="both")
def test_acknowledgements_and_the_payment_opt_out_exist_in_2023_only() -> None:
    assert P2020.submission.acknowledgements == ()
    assert len(P2023.submission.acknowledgements) == 3
    assert P2020.form.incentive_opt_out_areas == ()
    assert P2023.form.incentive_opt_out_areas == (SolutionArea.MODERN_WORK_SECURITY,)


def test_a_subscription_was_asked_for_only_when_ambiguous_in_2020() -> None:
    assert P2020.form.subscription is SubscriptionRule.WHEN_AMBIGUOUS
    assert P2023.form.subscription is SubscriptionRule.REQUIRED


@pytest.mark.rule("D31", "D25", edition="both")
def test_labels_differ_by_edition_while_codes_do_not() -> None:
    assert (P2020.labels.statuses[Status.DRAFT], P2023.labels.statuses[Status.DRAFT]) == ("Editing", "Draft")
    assert P2020.labels.statuses[Status.DISPUTED] == P2020.labels.statuses[Status.UNDER_REVIEW]
    assert P2020.labels.areas[SolutionArea.MODERN_WORK_SECURITY] == "Microsoft 365"
    assert {row.label for row in P2020.roles} == {"Pre-sales", "Usage", "Revenue association"}


@pytest.mark.parametrize("edition", Edition)
def test_business_applications_are_held_by_subscription_and_modern_work_by_workload(edition: Edition) -> None:
    units = {(row.area, row.unit) for row in policy(edition).roles}
    assert units == {
        (SolutionArea.BUSINESS_APPLICATIONS, UnitKind.SUBSCRIPTION),
        (SolutionArea.MODERN_WORK_SECURITY, UnitKind.WORKLOAD),
    }


@pytest.mark.parametrize("edition", Edition)
def test_the_catalogue_holds_snake_case_codes_that_belong_to_one_area(edition: Edition) -> None:
    modern, business = (set(policy(edition).catalogue[area]) for area in reversed(SolutionArea))
    assert not modern & business
    assert all(re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", code) for code in modern | business)


def test_the_catalogue_has_the_codes_of_the_contract_and_ten_workloads_in_2020() -> None:
    modern = P2023.catalogue[SolutionArea.MODERN_WORK_SECURITY]
    business = P2023.catalogue[SolutionArea.BUSINESS_APPLICATIONS]
    assert {"teams", "teams_phone", "azure_ad_premium", "exchange", "sharepoint", "intune"} <= set(modern)
    assert {"business_central", "power_apps"} <= set(business)
    assert len(P2020.catalogue[SolutionArea.MODERN_WORK_SECURITY]) == 10


@pytest.mark.parametrize(
    ("name", "engagements"),
    [
        ("mci_bizapps_presales_advisor", {Engagement.MCI_BIZAPPS_PRESALES_ADVISOR}),
        ("MCI  BizApps Presales Advisor", {Engagement.MCI_BIZAPPS_PRESALES_ADVISOR}),
        ("osa-sell", {Engagement.MCI_BIZAPPS_PRESALES_ADVISOR}),
        ("OSU - Microsoft 365", {Engagement.MODERN_WORK_SECURITY_USAGE}),
        ("OSU", {Engagement.USAGE_RECOGNITION_BIZAPPS, Engagement.MODERN_WORK_SECURITY_USAGE}),
        ("Revenue Recognition Association", {Engagement.BUSINESS_APPLICATIONS_REVENUE}),
        ("Something else", set()),
    ],
)
@pytest.mark.parametrize("edition", Edition)
def test_an_engagement_is_known_by_its_id_its_label_and_older_names(
    edition: Edition, name: str, engagements: set[Engagement]
) -> None:
    assert {row.engagement for row in policy(edition).rows_named(name)} == engagements


@pytest.mark.parametrize(
    "name", ["CSP", "csp incentive", "Managed Reseller", "Hosting", "Microsoft Surface", "cloud-solution-provider"]
)
def test_co_op_programmes_are_known_by_whole_words(name: str) -> None:
    assert P2023.is_coop(name)
    assert not P2023.is_coop(f"x{name}x")


@pytest.mark.parametrize(
    ("received", "zone", "edition"),
    [
        ("2019-01-01T00:00:00Z", "UTC", Edition.P2020),
        ("2023-10-09T23:59:59.999Z", "UTC", Edition.P2020),
        ("2023-10-10T00:00:00Z", "UTC", Edition.P2023),
        ("2023-10-09T22:00:00Z", "Europe/Berlin", Edition.P2023),
        ("2023-10-09T21:59:59.999Z", "Europe/Berlin", Edition.P2020),
        ("2023-10-10T09:59:59Z", "Pacific/Honolulu", Edition.P2020),
        ("2023-10-09T10:00:00Z", "Pacific/Kiritimati", Edition.P2023),
    ],
)
def test_the_edition_is_that_of_the_local_day_of_the_create(received: str, zone: str, edition: Edition) -> None:
    assert edition_on(parse_instant(received), zone) is edition


def test_a_value_that_the_rules_do_not_know_is_a_fault_of_the_data_file() -> None:
    adapter = TypeAdapter(Policy)
    data = adapter.dump_python(P2023)
    assert adapter.validate_python(data) == P2023
    with pytest.raises(ValidationError, match="surprise"):
        adapter.validate_python({**data, "surprise": 1})


def test_every_code_the_domain_answers_with_is_in_the_closed_list() -> None:
    sources = Path(cpor.domain.__file__).parent.rglob("*.py")
    used = {name for path in sources for name in re.findall(r"\bCode\.([A-Z_]+)\b", path.read_text("utf-8"))}
    assert used
    assert used <= set(Code.__members__)
