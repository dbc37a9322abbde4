"""A form is checked whole: every fault is named, with its field and its code (R6-R17, D2, D11, D13, D31)."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from cpor.domain.form import as_data, check_form, complete
from cpor.domain.model import CustomerContact, FormData, PartnerContact, Revenue, TechnicalContact
from cpor.domain.policy import Policy, policy
from cpor.domain.vocabulary import Code, Edition, Engagement, PartnerRole, SolutionArea, TenantId
from tests.unit.domain.forms import (
    ADVISOR,
    ADVISOR_2020,
    MODERN_WORK,
    MODERN_WORK_2020,
    P2020,
    P2023,
    REVENUE,
    SUBSCRIPTION,
    USAGE,
)

Faults = list[tuple[str, Code]]
INVALID = Code.INVALID_FIELDS


def faults(form: FormData, rules: Policy = P2023) -> Faults:
    return [(error.field, error.code) for error in check_form(rules, form)]


@pytest.mark.parametrize("form", [MODERN_WORK, ADVISOR, USAGE, REVENUE])
def test_a_whole_form_of_each_role_has_no_fault(form: FormData) -> None:
    assert faults(form) == []


@pytest.mark.parametrize("form", [MODERN_WORK_2020, ADVISOR_2020, replace(ADVISOR_2020, subscription_id=SUBSCRIPTION)])
def test_a_whole_form_of_2020_has_no_fault_either(form: FormData) -> None:
    assert faults(form, P2020) == []


@pytest.mark.parametrize(
    ("form", "changes", "expected"),
    [
        pytest.param(MODERN_WORK, {"claim_name": " "}, [("claim_name", INVALID)], id="blank name"),
        pytest.param(MODERN_WORK, {"claim_name": "x" * 201}, [("claim_name", INVALID)], id="overlong name"),
        pytest.param(MODERN_WORK, {"location_id": ""}, [("location_id", INVALID)], id="blank location"),
        pytest.param(MODERN_WORK, {"tenant_id": "contoso"}, [("tenant_id", INVALID)], id="tenant is no uuid"),
        pytest.param(MODERN_WORK, {"domain": "not a domain"}, [("domain", INVALID)], id="domain is no domain"),
        pytest.param(MODERN_WORK, {"workloads": ()}, [("workloads", INVALID)], id="no workload (D2)"),
        pytest.param(MODERN_WORK, {"workloads": ("teams", "teams")}, [("workloads[1]", INVALID)], id="workload twice"),
        pytest.param(
            MODERN_WORK,
            {"workloads": ("teams", "sales")},
            [("workloads[1]", Code.WORKLOAD_NOT_IN_AREA)],
            id="product (R8)",
        ),
        pytest.param(
            ADVISOR, {"workloads": ("teams",)}, [("workloads[0]", Code.WORKLOAD_NOT_IN_AREA)], id="workload (R8)"
        ),
        pytest.param(
            MODERN_WORK, {"workloads": ("Teams",)}, [("workloads[0]", Code.WORKLOAD_NOT_IN_AREA)], id="label, no code"
        ),
        pytest.param(
            MODERN_WORK,
            {"partner_role": PartnerRole.BUILD_INTENT_ADVISOR},
            [("partner_role", Code.ROLE_NOT_IN_AREA)],
            id="advisor outside business applications (R8)",
        ),
        pytest.param(
            ADVISOR,
            {"partner_role": PartnerRole.USE_OR_CONSUME},
            [("partner_role", Code.ROLE_NOT_IN_AREA)],
            id="use (R8)",
        ),
        pytest.param(
            ADVISOR, {"incentive_opt_out": True}, [("incentive_opt_out", Code.OPT_OUT_NOT_OFFERED)], id="opt-out (R13)"
        ),
        pytest.param(MODERN_WORK, {"incentive_opt_out": True}, [], id="opt-out where it is offered (R13)"),
        pytest.param(ADVISOR, {"incentive_opt_out": False}, [], id="no opt-out"),
        pytest.param(ADVISOR, {"revenue": REVENUE.revenue}, [("revenue", Code.REVENUE_NOT_OFFERED)], id="revenue (R7)"),
        pytest.param(REVENUE, {"revenue": None}, [("revenue", INVALID)], id="revenue names are required (R7)"),
        pytest.param(
            REVENUE,
            {"revenue": Revenue("", "Contoso", " ")},
            [("revenue.solution_seller_name", INVALID), ("revenue.isv_solution_name", INVALID)],
            id="all three revenue names (R7)",
        ),
        pytest.param(ADVISOR, {"subscription_id": None}, [("subscription_id", INVALID)], id="subscription (R15, D11)"),
        pytest.param(
            MODERN_WORK, {"subscription_id": SUBSCRIPTION}, [("subscription_id", INVALID)], id="none for workloads"
        ),
        pytest.param(
            ADVISOR,
            {"technical_contact": TechnicalContact("Ken", "ken@contoso.example")},
            [("technical_contact", INVALID)],
            id="technical contact is of 2020",
        ),
        pytest.param(
            MODERN_WORK,
            {"customer_contact": CustomerContact("", "", "nobody", "Japanese")},
            [(f"customer_contact.{part}", INVALID) for part in ("name", "email", "title", "language")],
            id="customer contact (R16)",
        ),
        pytest.param(
            MODERN_WORK,
            {"partner_contact": PartnerContact(" ", "a@b", "de_DE")},
            [(f"partner_contact.{part}", INVALID) for part in ("name", "email", "language")],
            id="partner contact (R16)",
        ),
    ],
)
def test_each_fault_of_a_form_is_named(form: FormData, changes: dict[str, Any], expected: Faults) -> None:
    assert faults(replace(form, **changes)) == expected


@pytest.mark.parametrize(
    ("form", "changes", "expected"),
    [
        pytest.param(MODERN_WORK_2020, {"domain": None}, [("domain", INVALID)], id="domain"),
        pytest.param(
            ADVISOR_2020, {"technical_contact": None}, [("technical_contact", INVALID)], id="technical contact"
        ),
        pytest.param(
            ADVISOR_2020,
            {"technical_contact": TechnicalContact("", "x")},
            [("technical_contact.name", INVALID), ("technical_contact.email", INVALID)],
            id="technical contact's fields",
        ),
        pytest.param(
            MODERN_WORK_2020,
            {"technical_contact": TechnicalContact("Ken", "ken@contoso.example")},
            [("technical_contact", INVALID)],
            id="technical contact only for business applications",
        ),
        pytest.param(
            MODERN_WORK_2020,
            {"incentive_opt_out": True},
            [("incentive_opt_out", Code.OPT_OUT_NOT_OFFERED)],
            id="opt-out (D31)",
        ),
        pytest.param(
            MODERN_WORK_2020,
            {"workloads": ("viva_topics",)},
            [("workloads[0]", Code.WORKLOAD_NOT_IN_AREA)],
            id="later workload",
        ),
    ],
)
def test_2020_asks_for_other_things(form: FormData, changes: dict[str, Any], expected: Faults) -> None:
    assert faults(replace(form, **changes), P2020) == expected


@pytest.mark.parametrize(
    ("form", "name", "code"),
    [
        (MODERN_WORK, "modern_work_security_usage", None),
        (MODERN_WORK, "OSU-Microsoft 365", None),
        (MODERN_WORK, "OSU", None),
        (USAGE, "OSU", None),
        (ADVISOR, "OSA", None),
        (MODERN_WORK, "OSA", Code.ENGAGEMENT_MISMATCH),
        (ADVISOR, "usage_recognition_bizapps", Code.ENGAGEMENT_MISMATCH),
        (ADVISOR, "no such engagement", Code.ENGAGEMENT_MISMATCH),
        (ADVISOR, "", Code.ENGAGEMENT_MISMATCH),
        (ADVISOR, "CSP", Code.NOT_A_CPOR_ENGAGEMENT),
        (MODERN_WORK, "Managed Reseller", Code.NOT_A_CPOR_ENGAGEMENT),
        (MODERN_WORK, "Hosting", Code.NOT_A_CPOR_ENGAGEMENT),
        (MODERN_WORK, "Surface co-op", Code.NOT_A_CPOR_ENGAGEMENT),
    ],
)
def test_a_named_engagement_must_fit_and_co_op_goes_elsewhere(form: FormData, name: str, code: Code | None) -> None:
    expected = [("engagement", code)] if code else []
    assert faults(replace(form, engagement=name)) == expected


def test_a_co_op_claim_is_told_where_to_go() -> None:
    (error,) = check_form(P2023, replace(ADVISOR, engagement="CSP"))
    assert "co-op process" in error.detail


def test_an_empty_form_lacks_everything_that_is_always_asked_for() -> None:
    required = {
        "claim_name", "location_id", "tenant_id", "solution_area", "partner_role", "workloads", "customer_contact",
        "partner_contact",
    }  # fmt: skip
    assert set(faults(FormData())) == {(name, INVALID) for name in required}
    assert set(faults(FormData(), P2020)) == {(name, INVALID) for name in required | {"domain"}}


def test_all_faults_come_at_once() -> None:
    spoilt = replace(
        REVENUE,
        claim_name="",
        tenant_id=TenantId("x"),
        engagement="CSP",
        incentive_opt_out=True,
        workloads=("teams",),
        partner_contact=PartnerContact("", "x"),
    )
    assert [field for field, _ in faults(spoilt)] == [
        "claim_name", "tenant_id", "engagement", "incentive_opt_out", "workloads[0]", "partner_contact.name",
        "partner_contact.email",
    ]  # fmt: skip


def test_more_than_four_workloads_are_allowed() -> None:
    every = tuple(P2023.catalogue[SolutionArea.MODERN_WORK_SECURITY])
    assert len(every) > 4
    assert faults(replace(MODERN_WORK, workloads=every)) == []


def test_a_maximum_of_workloads_is_a_value_of_the_policy() -> None:
    capped = replace(P2023, form=replace(P2023.form, max_workloads=1))
    assert faults(MODERN_WORK, capped) == [("workloads", INVALID)]


def test_no_answer_echoes_more_than_64_characters_of_the_form() -> None:
    long = "x" * 5000
    spoilt = replace(
        ADVISOR,
        tenant_id=TenantId(long),
        domain=long,
        engagement=long,
        workloads=(long,),
        partner_contact=PartnerContact(long, long, long),
    )
    details = [error.detail for error in check_form(P2023, spoilt)]
    assert len(details) == 7
    assert not any("x" * 65 in detail for detail in details)


@pytest.mark.parametrize("form", [MODERN_WORK, ADVISOR, USAGE, REVENUE, replace(MODERN_WORK, incentive_opt_out=True)])
def test_a_completed_form_is_the_same_form_again_when_it_is_edited(form: FormData) -> None:
    whole, personal = complete(P2023, form)
    again = as_data(whole, personal)
    assert check_form(P2023, again) == ()
    assert complete(P2023, again) == (whole, personal)
    given = [each.name for each in fields(FormData) if getattr(form, each.name) is not None]
    assert [getattr(again, name) for name in given] == [getattr(form, name) for name in given]


@pytest.mark.parametrize("edition", Edition)
def test_the_engagement_follows_from_area_and_role(edition: Edition) -> None:
    assert complete(policy(edition), MODERN_WORK)[0].engagement is Engagement.MODERN_WORK_SECURITY_USAGE
    assert complete(policy(edition), REVENUE)[0].engagement is Engagement.BUSINESS_APPLICATIONS_REVENUE


def test_a_form_with_faults_cannot_become_a_claim() -> None:
    with pytest.raises(ValueError, match="check it first"):
        complete(P2023, replace(MODERN_WORK, partner_role=PartnerRole.INFLUENCED_REVENUE))
    with pytest.raises(ValueError, match="check it first"):
        complete(P2023, FormData())


def engagement_codes(form: FormData) -> list[Code]:
    return [each.code for each in check_form(P2023, form) if each.field == "engagement"]


def test_without_a_role_only_an_engagement_that_nobody_knows_is_a_fault_of_its_own() -> None:
    nobody = replace(MODERN_WORK, partner_role=None)
    assert engagement_codes(replace(nobody, engagement="toasters")) == [Code.ENGAGEMENT_MISMATCH]
    assert engagement_codes(replace(nobody, engagement=Engagement.MODERN_WORK_SECURITY_USAGE.value)) == []


def test_as_many_workloads_as_an_edition_allows_are_allowed() -> None:
    two = replace(P2023, form=replace(P2023.form, max_workloads=2))
    assert check_form(two, replace(MODERN_WORK, workloads=("teams", "exchange"))) == ()
    more = check_form(two, replace(MODERN_WORK, workloads=("teams", "exchange", "intune")))
    assert [each.field for each in more] == ["workloads"]
