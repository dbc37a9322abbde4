"""The guards of each step: drafts, submission, edits and answers, documents and comments (T1 to T6, T18, D1 to D28)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from cpor.domain import commands as cmd
from cpor.domain.events import DocumentAmended, Edited, Resubmitted
from cpor.domain.model import CustomerContact, Reason
from cpor.domain.result import Accepted, Refused
from cpor.domain.vocabulary import (
    Channel,
    Clock,
    Code,
    CommandName,
    DocumentId,
    Edition,
    LocationId,
    PartnerRole,
    SolutionArea,
    Status,
    SubscriptionState,
    parse_instant,
)
from tests.unit.domain.claims import (
    ACKNOWLEDGED,
    CUSTOMER,
    EXAMPLES,
    MONDAY,
    OTHER_LOCATION,
    SALES,
    SUBSCRIPTION,
    TENANT,
    World,
    document,
    in_status,
    sales_form,
    usage_form,
)
from tests.unit.domain.rules.editions import edit, refusal

# --- Beginning ---------------------------------------------------------------------------------------------------


def test_a_claim_takes_the_edition_of_the_local_day_it_was_received() -> None:
    last_hour_of_p2020 = parse_instant("2023-10-09T21:59:59Z")  # 23:59:59 in Berlin
    for moment, edition in ((last_hour_of_p2020, Edition.P2020), (last_hour_of_p2020 + 1000, Edition.P2023)):
        claim = World(MONDAY).must("c", cmd.CreateClaim(form=usage_form()), received_at=moment)
        assert claim.policy == edition


def test_zone_calendar_and_source_are_fixed_when_the_claim_begins() -> None:
    world = in_status(Status.PARTNER_ACTION_REQUIRED)
    before = world.claim("c").origin
    assert (before.zone, before.source) == ("Europe/Berlin", "cpor.partners.P-1.commands-0-1")
    assert before.calendar.startswith("DE-BY/holidays-")
    assert world.must("c", edit(location_id=OTHER_LOCATION)).origin == before


def test_every_fault_of_a_form_is_told_at_once() -> None:
    form = usage_form("teams", "sales", claim_name=" ", location_id="nowhere", engagement="CSP")
    no = refusal(World().give("c", cmd.CreateClaim(form=form)))
    assert no.code == Code.INVALID_FIELDS
    assert {(each.field, each.code) for each in no.errors} == {
        ("claim_name", Code.INVALID_FIELDS),
        ("location_id", Code.LOCATION_UNKNOWN),
        ("engagement", Code.NOT_A_CPOR_ENGAGEMENT),
        ("workloads[1]", Code.WORKLOAD_NOT_IN_AREA),
    }


def test_a_single_fault_gives_its_own_code() -> None:
    form = replace(usage_form("teams"), partner_role=PartnerRole.USAGE_RECOGNITION)
    assert refusal(World().give("c", cmd.CreateClaim(form=form))).code == Code.ROLE_NOT_IN_AREA


def test_facts_only_warn_on_a_draft_and_refuse_its_submission() -> None:
    world = World(subscriptions={SUBSCRIPTION: replace(SALES, state=SubscriptionState.ENDED)})
    decision = world.give("c", cmd.CreateClaim(form=sales_form()))
    assert isinstance(decision, Accepted)
    assert [each.code for each in decision.warnings] == [Code.SUBSCRIPTION_INACTIVE]
    world.must("c", document(1, "sales"))
    no = refusal(world.give("c", EXAMPLES[CommandName.SUBMIT]))
    assert no.code == Code.SUBSCRIPTION_INACTIVE


def test_several_faults_of_one_field_go_under_the_first_and_most_exact_code() -> None:
    world = World(subscriptions={SUBSCRIPTION: replace(SALES, channel=Channel.CSP)})
    data = cmd.FileClaim(form=sales_form(), documents=(document(1, "sales"),), acknowledgements=ACKNOWLEDGED)
    no = refusal(world.give("c", data))
    assert no.code == Code.SUBSCRIPTION_CSP
    assert [each.code for each in no.errors] == [Code.SUBSCRIPTION_CSP, Code.CHANNEL_NOT_ELIGIBLE]


def test_facts_are_asked_again_at_approval() -> None:
    world = World()
    world.under_review("c", "P-1", sales_form())
    world.subscriptions = {}
    assert refusal(world.give("c", cmd.ApproveClaim())).code == Code.SUBSCRIPTION_UNKNOWN


def test_a_submission_tells_all_that_is_missing() -> None:
    world = World()
    world.must("c", cmd.CreateClaim(form=usage_form()))
    world.customer = None
    no = refusal(world.give("c", cmd.SubmitClaim(acknowledgements=("information_is_accurate",))))
    assert {each.code for each in no.errors} == {
        Code.ACKNOWLEDGEMENTS_INCOMPLETE,
        Code.POE_MISSING,
        Code.TENANT_UNKNOWN,
    }


def test_a_filed_claim_is_all_or_nothing() -> None:
    world = World()
    data = cmd.FileClaim(form=usage_form(), documents=(document(1), document(2, size=0)), acknowledgements=ACKNOWLEDGED)
    no = refusal(world.give("c", data))
    assert [(each.field, each.code) for each in no.errors] == [("documents[1].size", Code.DOCUMENT_EMPTY)]
    assert world.states == {}


def test_filing_and_the_three_steps_lead_to_the_same_claim() -> None:
    steps, filed = World(), World()
    steps.must("c", cmd.CreateClaim(form=usage_form()))
    steps.must("c", document(1))
    one, other = steps.must("c", EXAMPLES[CommandName.SUBMIT]), filed.filed()
    assert one.form == other.form
    assert one.due() == other.due()
    assert (one.status, one.documents[0].sha256) == (other.status, other.documents[0].sha256)


@pytest.mark.parametrize("user", ["u-bill", "nobody"])
def test_only_an_incentives_admin_works_on_a_draft(user: str) -> None:
    world = in_status(Status.DRAFT)
    no = refusal(world.give("c", EXAMPLES[CommandName.SUBMIT], user_id=user))
    assert no.code == (Code.NOT_PERMITTED if user == "u-bill" else Code.USER_UNKNOWN)
    assert world.must("c", EXAMPLES[CommandName.SUBMIT]).submitted_by == "u-anna"
    assert world.must("c", EXAMPLES[CommandName.COMMENT], user_id="u-bill").comment_count == 1


# --- Editing and answering ---------------------------------------------------------------------------------------


def test_fields_that_may_not_change_are_all_named() -> None:
    world = in_status(Status.PARTNER_ACTION_REQUIRED)
    no = refusal(world.give("c", edit(claim_name="x", incentive_opt_out=True, workloads=("teams",))))
    assert no.code == Code.EDIT_NOT_ALLOWED
    assert [each.field for each in no.errors] == ["claim_name", "incentive_opt_out"]


@pytest.mark.parametrize(
    "changes",
    [
        {"tenant_id": "9f0e1d7a-5b1c-4c7e-9a51-0d7d1a2b3c4d"},
        {"solution_area": SolutionArea.BUSINESS_APPLICATIONS},
        {"partner_role": PartnerRole.USAGE_RECOGNITION},
    ],
)
def test_tenant_area_and_role_mean_a_new_draft(changes: dict[str, Any]) -> None:
    assert refusal(in_status(Status.DRAFT).give("c", edit(**changes))).code == Code.EDIT_NOT_ALLOWED


def test_giving_a_field_as_it_stands_is_no_edit() -> None:
    world = in_status(Status.PARTNER_ACTION_REQUIRED)
    decision = world.give("c", edit(claim_name="Teams roll-out", tenant_id=TENANT))
    assert isinstance(decision, Accepted)
    assert decision.events == ()
    assert refusal(world.give("c", cmd.ResubmitClaim())).code == Code.NOTHING_PROVIDED


@pytest.mark.parametrize("name", ["MCI BizApps Presales Advisor", "OSA-Sell", "mci_bizapps_presales_advisor", None])
def test_another_name_of_the_same_engagement_is_no_edit(name: str | None) -> None:
    """A partner that repeats its whole form beside the one field it may change is not refused for an alias (A20)."""
    world = World()
    world.under_review("c", "P-1", sales_form())
    world.must("c", EXAMPLES[CommandName.REVIEW_REQUEST_INFORMATION])
    claim = world.must("c", edit(engagement=name, workloads=("power_bi",)))
    assert claim.form.workloads == ("power_bi",)
    assert [each.field for each in world.log[-1].changes] == ["workloads"]  # type: ignore[union-attr]


def test_an_engagement_that_does_not_fit_is_refused_in_every_status() -> None:
    for status, code in (
        (Status.DRAFT, Code.ENGAGEMENT_MISMATCH),
        (Status.PARTNER_ACTION_REQUIRED, Code.EDIT_NOT_ALLOWED),
    ):
        no = refusal(in_status(status).give("c", edit(engagement="usage_recognition_bizapps")))
        assert no.code == code


def test_the_last_workload_cannot_go() -> None:
    for status in (Status.DRAFT, Status.PARTNER_ACTION_REQUIRED):
        assert refusal(in_status(status).give("c", edit(workloads=()))).code == Code.LAST_WORKLOAD


def test_history_has_what_changed_and_no_contact_data() -> None:
    world = in_status(Status.PARTNER_ACTION_REQUIRED)
    contact = CustomerContact("Ken Abe", "CFO", "ken@contoso.example")
    world.must("c", edit(workloads=("teams",), customer_contact=contact))
    event = world.log[-1]
    assert isinstance(event, Edited)
    assert [(each.field, each.before, each.after) for each in event.changes] == [
        ("workloads", ("teams", "intune"), ("teams",)),
        ("customer_contact", None, None),
    ]
    assert world.claim("c").personal.customer_contact == contact


def test_resubmitting_needs_an_edit_a_document_or_a_comment() -> None:
    for data in (
        edit(workloads=("teams",)),
        document(9),
        EXAMPLES[CommandName.COMMENT],
        EXAMPLES[CommandName.POE_AMEND],
    ):
        world = in_status(Status.PARTNER_ACTION_REQUIRED)
        assert refusal(world.give("c", cmd.ResubmitClaim())).code == Code.NOTHING_PROVIDED
        world.must("c", data)
        assert world.must("c", cmd.ResubmitClaim()).status == Status.SUBMITTED
    world = in_status(Status.PARTNER_ACTION_REQUIRED)
    assert world.must("c", cmd.ResubmitClaim(comment="As discussed")).comments[-1].text == "As discussed"


def test_a_reviewers_comment_is_no_answer_of_the_partner() -> None:
    world = in_status(Status.PARTNER_ACTION_REQUIRED)
    world.must("c", EXAMPLES[CommandName.REVIEW_COMMENT])
    assert refusal(world.give("c", cmd.ResubmitClaim())).code == Code.NOTHING_PROVIDED


def test_a_comment_alone_never_stops_the_partners_clock() -> None:
    world = in_status(Status.PARTNER_ACTION_REQUIRED)
    before = world.claim("c").due()
    assert world.must("c", EXAMPLES[CommandName.COMMENT]).due() == before


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"workloads": ("teams",)}, True),
        ({"location_id": OTHER_LOCATION}, True),
        ({"customer_contact": CustomerContact("Ken", "CFO", "ken@contoso.example")}, True),
        ({}, False),
    ],
)
def test_the_customer_is_told_again_when_it_concerns_them(changes: dict[str, Any], told: bool) -> None:
    world = in_status(Status.PARTNER_ACTION_REQUIRED)
    world.must("c", edit(**changes))
    world.must("c", cmd.ResubmitClaim(comment="Done"))
    event = world.log[-1]
    assert isinstance(event, Resubmitted)
    assert event.customer_notice is told


def test_a_second_request_gives_a_full_new_window() -> None:
    world = in_status(Status.PARTNER_ACTION_REQUIRED)
    first = world.claim("c").clock(Clock.PARTNER_ANSWER)
    world.pass_days(2).must("c", cmd.ResubmitClaim(comment="Done"))
    world.must("c", cmd.StartReview())
    second = world.must("c", EXAMPLES[CommandName.REVIEW_REQUEST_INFORMATION]).clock(Clock.PARTNER_ANSWER)
    assert first is not None
    assert second is not None
    assert second.due > first.due
    assert second.started_by > first.started_by


def test_all_workloads_cannot_be_asked_away() -> None:
    world = in_status(Status.UNDER_REVIEW)
    ask = cmd.RequestInformation(
        reasons=(Reason("missing_products"),), comment="x", remove_workloads=("teams", "intune")
    )
    assert refusal(world.give("c", ask)).code == Code.LAST_WORKLOAD


# --- Documents and comments --------------------------------------------------------------------------------------


def test_a_claim_holds_twenty_documents() -> None:
    world = in_status(Status.DRAFT)
    for number in range(2, 21):
        world.must("c", document(number))
    assert refusal(world.give("c", document(21))).code == Code.TOO_MANY_DOCUMENTS
    assert refusal(world.give("c", EXAMPLES[CommandName.POE_RESERVE])).code == Code.TOO_MANY_DOCUMENTS
    world.must("c", EXAMPLES[CommandName.POE_REMOVE])
    assert len(world.must("c", document(21)).documents) == 20


def test_a_signature_may_be_unknown_or_old_but_not_of_tomorrow() -> None:
    world = in_status(Status.DRAFT)
    today = date(2024, 3, 4)
    for number, day in enumerate((None, date(2001, 1, 1), today), start=2):
        world.must("c", document(number, customer_signed_on=day))
    no = refusal(world.give("c", document(9, customer_signed_on=today + timedelta(2))))
    assert [(each.field, each.code) for each in no.errors] == [("customer_signed_on", Code.INVALID_FIELDS)]


@pytest.mark.parametrize(("zone", "code"), [("Asia/Tokyo", None), (None, None), ("Europe/Berlin", Code.INVALID_FIELDS)])
def test_a_signature_is_of_today_where_the_customer_is(zone: str | None, code: Code | None) -> None:
    """A customer in Japan signs while it is still yesterday at the partner's location."""
    evening = parse_instant("2024-03-04T20:00:00Z")  # Monday in Berlin, Tuesday morning in Tokyo
    world = World(evening, customer=replace(CUSTOMER, timezone=zone))
    world.must("c", cmd.CreateClaim(form=usage_form()))
    decision = world.give("c", document(2, customer_signed_on=date(2024, 3, 5)))
    assert (decision.code if isinstance(decision, Refused) else None) == code


def test_an_amendment_says_what_changed_and_needs_its_document() -> None:
    world = in_status(Status.DRAFT)
    world.must("c", EXAMPLES[CommandName.POE_AMEND])
    event = world.log[-1]
    assert isinstance(event, DocumentAmended)
    assert [(each.field, each.after) for each in event.changes] == [("description", "New")]
    ghost = DocumentId("00000000-0000-5000-8000-000000000000")
    for data in (cmd.RemoveDocument(document_id=ghost), cmd.AmendDocument(document_id=ghost, given=())):
        assert refusal(world.give("c", data)).code == Code.DOCUMENT_UNKNOWN


def test_an_approved_claim_takes_newer_proof_and_keeps_its_units() -> None:
    world = in_status(Status.APPROVED)
    claim = world.must("c", document(9))
    assert (len(claim.documents), len(claim.units)) == (2, 2)


def test_the_state_keeps_the_newest_comments_and_counts_all_up_to_the_limit() -> None:
    world = in_status(Status.SUBMITTED)
    for number in range(500):
        world.must("c", cmd.AddComment(text=f"Comment {number}"))
    claim = world.claim("c")
    assert (len(claim.comments), claim.comment_count) == (20, 500)
    assert claim.comments[-1].text == "Comment 499"
    assert refusal(world.give("c", EXAMPLES[CommandName.COMMENT])).code == Code.TOO_MANY_COMMENTS


@pytest.mark.parametrize("text", ["", "   ", "x" * 4001, "a\x00b"])
def test_a_comment_is_a_text_of_bounded_length(text: str) -> None:
    no = refusal(in_status(Status.SUBMITTED).give("c", cmd.AddComment(text=text)))
    assert no.code == Code.INVALID_FIELDS


def test_a_location_that_the_partner_does_not_have_is_refused_in_any_edit() -> None:
    world = in_status(Status.PARTNER_ACTION_REQUIRED)
    assert refusal(world.give("c", edit(location_id=LocationId("4999999")))).code == Code.LOCATION_UNKNOWN
