"""Who is told what: receipts for partners, events for everybody else; races by the order of the inbox."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cpor.domain import ids
from cpor.domain.events import CommandRefused as Refusal
from cpor.domain.vocabulary import Code, CommandName, EventName, Instant, Status, TenantId
from cpor.runtime.record import Output
from cpor.runtime.topics import Topic
from schemas.base import check
from schemas.claim_events import CommandRefused
from schemas.envelope import headers, read_envelope
from tests.unit.review.pipeline import (
    ACKNOWLEDGED,
    DAY_MS,
    OPERATOR,
    OTHER_TENANT,
    SALES,
    SUBSCRIPTION,
    TENANT,
    N,
    Pipeline,
    file_of,
    of,
    said_of,
    sales_form,
    usage_form,
)

C = CommandName
#: Lies in the partition of `TENANT`.
NEIGHBOUR = TenantId("6a0e1d7a-5b1c-4c7e-9a51-0d7d1a2b3c4d")
ANOTHER = "8d0f7780-8536-51ef-955c-f18ad2a01bf8"
UPLOAD = {
    "url": "https://poe.example/poe",
    "fields": {"key": "incoming/P-1/x"},
    "expires_at": "2024-03-05T08:00:00.000Z",
}


# -- receipts ---------------------------------------------------------------------------------------------------------


def test_a_refused_partner_command_gets_a_receipt_with_every_error_and_leaves_no_event(pipeline: Pipeline) -> None:
    pipeline.partner("c", C.CREATE, usage_form())
    receipt = pipeline.partner("c", C.SUBMIT, {"acknowledgements": []})
    assert (receipt.outcome, receipt.status) == ("rejected", "draft")
    assert {each.code for each in receipt.errors} == {"acknowledgements_incomplete", "poe_missing"}
    assert [each.NAME for each in pipeline.events("c")] == ["drafted"]


def test_facts_that_speak_against_a_draft_are_warnings_and_at_submission_errors(pipeline: Pipeline) -> None:
    form = sales_form(subscription_id="11111111-2222-4333-8444-555555555555")
    receipt = pipeline.partner("c", C.CREATE, form)
    assert (receipt.outcome, [each.code for each in receipt.warnings]) == ("accepted", ["subscription_unknown"])
    pipeline.partner("c", C.POE_ATTACH, said_of(1, ["sales"]), files=(file_of(),))
    refused = pipeline.partner("c", C.SUBMIT, {"acknowledgements": ACKNOWLEDGED})
    assert (refused.outcome, refused.code) == ("rejected", "subscription_unknown")


@pytest.mark.rule("R18", "D22", edition="both")
@pytest.mark.parametrize("tenant", [OTHER_TENANT, NEIGHBOUR], ids=["in another partition", "in the same partition"])
def test_another_customers_subscription_is_told_from_an_unknown_one_wherever_it_lies(
    pipeline: Pipeline, tenant: TenantId
) -> None:
    there = ids.tenant_partition(tenant, N)
    pipeline.load(Topic.SUBSCRIPTIONS, ANOTHER, {**SALES, "subscription_id": ANOTHER, "tenant_id": tenant}, there)
    receipt = pipeline.partner("c", C.CREATE, sales_form(subscription_id=ANOTHER))
    assert [each.code for each in receipt.warnings] == ["subscription_other_tenant"]


@pytest.mark.rule("D22", edition="both")
def test_a_subscription_that_was_loaded_under_the_wrong_customer_first_counts_once_it_is_mended(
    pipeline: Pipeline,
) -> None:
    """Its old record is deleted where it lay, which touches the new one nowhere."""
    there = ids.tenant_partition(OTHER_TENANT, N)
    pipeline.load(Topic.SUBSCRIPTIONS, ANOTHER, {**SALES, "subscription_id": ANOTHER, "tenant_id": OTHER_TENANT}, there)
    pipeline.load(Topic.SUBSCRIPTIONS, ANOTHER, {**SALES, "subscription_id": ANOTHER})
    pipeline.broker.append(Output(Topic.SUBSCRIPTIONS, there, ANOTHER.encode(), None, []))
    assert pipeline.partner("c", C.CREATE, sales_form(subscription_id=ANOTHER)).warnings == ()


def test_reference_data_loaded_before_a_command_counts_for_it(pipeline: Pipeline) -> None:
    pipeline.partner("c", C.CREATE, usage_form())
    gone = {"kind": "subscription", "subscription_id": SUBSCRIPTION, "tenant_id": TENANT, "products": ["sales"]}
    pipeline.load(Topic.SUBSCRIPTIONS, SUBSCRIPTION, {**gone, "channel": "volume_licensing", "state": "ended"})
    receipt = pipeline.partner("d", C.CREATE, sales_form())
    assert [each.code for each in receipt.warnings] == ["subscription_inactive"]


def test_an_unreadable_reference_record_counts_as_absent_and_stops_nobody(pipeline: Pipeline) -> None:
    pipeline.load(Topic.CUSTOMERS, TENANT, {"kind": "customer", "name": 7})
    receipt = pipeline.partner("c", C.CREATE, usage_form())
    assert (receipt.outcome, [each.code for each in receipt.warnings]) == ("accepted", ["tenant_unknown"])


def test_a_command_for_a_claim_that_does_not_exist_is_answered_claim_unknown(pipeline: Pipeline) -> None:
    receipt = pipeline.partner("c", C.CANCEL)
    assert (receipt.outcome, receipt.code, receipt.status) == ("rejected", "claim_unknown", None)


def test_a_second_create_of_a_reference_is_answered_claim_exists(pipeline: Pipeline) -> None:
    pipeline.partner("c", C.CREATE, usage_form())
    assert pipeline.partner("c", C.CREATE, usage_form()).code == "claim_exists"


def test_a_user_without_the_role_is_not_permitted_whatever_intake_let_through(pipeline: Pipeline) -> None:
    pipeline.partner("c", C.CREATE, usage_form())
    assert pipeline.partner("c", C.CANCEL, {"user": "u-uwe"}).code == "not_permitted"


def test_a_reservation_is_answered_with_the_upload_and_changes_nothing(pipeline: Pipeline) -> None:
    pipeline.partner("c", C.CREATE, usage_form())
    file = {"filename": "poe.pdf", "content_type": "application/pdf", "size": 2048, "sha256": "a" * 64}
    receipt = pipeline.partner("c", C.POE_RESERVE, file, document_id=file_of().document_id, upload=UPLOAD)
    assert receipt.upload is not None
    assert (receipt.upload.url, receipt.document_id) == (UPLOAD["url"], file_of().document_id)
    assert [each.NAME for each in pipeline.events("c")] == ["drafted"]


def test_a_reservation_in_the_wrong_status_carries_no_upload(pipeline: Pipeline) -> None:
    pipeline.file()
    file = {"filename": "poe.pdf", "content_type": "application/pdf", "size": 2048, "sha256": "a" * 64}
    receipt = pipeline.partner("c", C.POE_RESERVE, file, document_id=file_of().document_id, upload=UPLOAD)
    assert (receipt.outcome, receipt.code, receipt.upload) == ("rejected", "illegal_transition", None)


def test_the_receipt_of_a_comment_says_that_it_does_not_stop_the_partners_clock(pipeline: Pipeline) -> None:
    pipeline.asked()
    receipt = pipeline.partner("c", C.COMMENT, {"text": "We are on it."})
    assert "resubmit" in receipt.detail
    assert [each.clock for each in receipt.due] == ["partner_answer"]


def test_an_edit_that_changes_nothing_is_accepted_without_an_event(pipeline: Pipeline) -> None:
    pipeline.partner("c", C.CREATE, usage_form())
    receipt = pipeline.partner("c", C.EDIT, {"claim_name": "Teams roll-out"})
    assert receipt.outcome == "accepted"
    assert len(pipeline.events("c")) == 1


def test_an_edit_that_says_null_takes_away_and_one_that_is_silent_leaves(pipeline: Pipeline) -> None:
    pipeline.partner("c", C.CREATE, usage_form(domain="contoso.com"))
    pipeline.partner("c", C.EDIT, {"claim_name": "Roll-out 2"})
    assert pipeline.claim().form.domain == "contoso.com"
    assert pipeline.partner("c", C.EDIT, {"domain": None}).outcome == "accepted"
    assert (pipeline.claim().form.domain, pipeline.claim().form.claim_name) == (None, "Roll-out 2")


def test_an_edit_of_a_contact_keeps_names_and_addresses_inside_personal(pipeline: Pipeline) -> None:
    pipeline.partner("c", C.CREATE, usage_form())
    contact = {"name": "Ren Sato", "title": "CTO", "email": "ren@contoso.example"}
    pipeline.partner("c", C.EDIT, {"customer_contact": contact, "claim_name": "Roll-out 2"})
    event = json.loads(pipeline.event_records()[-1].value or b"")
    assert event.pop("personal")["customer_contact"]["email"] == "ren@contoso.example"
    assert "Ren" not in json.dumps(event)


def test_a_withdrawal_a_removal_and_an_amendment_each_get_their_receipt(pipeline: Pipeline) -> None:
    pipeline.partner("c", C.CREATE, usage_form())
    pipeline.partner("c", C.POE_ATTACH, said_of(1), files=(file_of(1),))
    pipeline.partner("c", C.POE_ATTACH, said_of(2), files=(file_of(2),))
    amend = {"document_id": file_of(1).document_id, "customer_signed_on": None}
    assert pipeline.partner("c", C.POE_AMEND, amend).outcome == "accepted"
    assert pipeline.partner("c", C.POE_REMOVE, {"document_id": file_of(2).document_id}).outcome == "accepted"
    (document,) = pipeline.claim().documents
    assert document.customer_signed_on is None
    pipeline.partner("c", C.SUBMIT, {"acknowledgements": ACKNOWLEDGED})
    assert pipeline.partner("c", C.WITHDRAW, {"reason": "wrong_role"}).status == "rejected"


def test_a_cancelled_draft_is_over(pipeline: Pipeline) -> None:
    pipeline.partner("c", C.CREATE, usage_form())
    assert pipeline.partner("c", C.CANCEL).status == "cancelled"


def test_a_receipt_names_the_clock_by_the_decision_and_not_by_the_wall(pipeline: Pipeline) -> None:
    receipt = pipeline.file()
    assert receipt.due[0].due == pipeline.claim().clocks[0].due
    assert receipt.decided_at >= receipt.received_at


# -- refusals of everybody else ---------------------------------------------------------------------------------------


def test_a_reviewers_command_for_an_unknown_claim_is_refused_with_sequence_zero(pipeline: Pipeline) -> None:
    pipeline.review("nothing", C.REVIEW_START)
    (record,) = pipeline.event_records()
    envelope = read_envelope(record.headers)
    refused = check(CommandRefused, record.value or b"")
    assert (envelope.sequence, refused.sequence, refused.code) == (0, 0, "claim_unknown")
    assert pipeline.broker.records(Topic.CLAIM_STATE) == []


def test_two_refusals_for_one_unknown_claim_have_ids_of_their_own(pipeline: Pipeline) -> None:
    pipeline.review("nothing", C.REVIEW_START)
    pipeline.review("nothing", C.REVIEW_START)
    assert len({read_envelope(each.headers).id for each in pipeline.event_records()}) == 2


def test_an_illegal_command_of_a_reviewer_is_an_event_of_the_claim(pipeline: Pipeline) -> None:
    pipeline.file()
    (event,) = pipeline.review("c", C.REVIEW_APPROVE)
    assert (event.NAME, event.sequence) == ("command_refused", 2)
    assert pipeline.claim().status == Status.SUBMITTED


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        (C.REVIEW_REQUEST_INFORMATION, {"comment": "Which?"}, Code.REASON_REQUIRED),
        (C.REVIEW_REQUEST_INFORMATION, {"reasons": [{"code": "other"}]}, Code.REASON_REQUIRED),
        (C.REVIEW_REQUEST_INFORMATION, {"reasons": [{"code": "missing_products"}]}, Code.INVALID_FIELDS),
        (C.REVIEW_REJECT, {"comment": "No"}, Code.REASON_REQUIRED),
        (C.REVIEW_COMMENT, {}, Code.INVALID_FIELDS),
    ],
)
def test_what_a_reviewer_forgot_is_an_event_and_parks_nobody(
    pipeline: Pipeline, name: CommandName, data: dict[str, Any], code: Code
) -> None:
    """As a dead letter it would hold up the partner's own messages (contract §4)."""
    pipeline.file()
    pipeline.review("c", C.REVIEW_START)
    (event,) = pipeline.review("c", name, **data)
    assert (event.NAME, event.code) == ("command_refused", code)  # type: ignore[union-attr]
    assert not pipeline.claim().parked


def test_of_two_reviewers_who_saw_the_same_claim_the_second_is_refused_as_stale(pipeline: Pipeline) -> None:
    pipeline.file()
    (started,) = pipeline.review("c", C.REVIEW_START)
    reasons = [{"code": "insufficient_poe"}]
    pipeline.review("c", C.REVIEW_REJECT, reasons=reasons, expected_sequence=started.sequence)
    (second,) = pipeline.review("c", C.REVIEW_APPROVE, expected_sequence=started.sequence)
    assert second.code == "stale_sequence"  # type: ignore[union-attr]


def test_a_partners_comment_does_not_make_a_reviewers_view_stale(pipeline: Pipeline) -> None:
    pipeline.file()
    (started,) = pipeline.review("c", C.REVIEW_START)
    pipeline.partner("c", C.COMMENT, {"text": "By the way ..."})
    (approved,) = pipeline.review("c", C.REVIEW_APPROVE, expected_sequence=started.sequence)
    assert approved.NAME == "approved"


def test_an_incentive_result_becomes_an_event_of_its_claim(pipeline: Pipeline) -> None:
    pipeline.official()
    pipeline.inside("c", C.ELIGIBILITY_RESULT, outcome="eligible", reason="ok")
    (event,) = pipeline.inside(
        "c",
        C.EARNING,
        engagement="modern_work_security_usage",
        partner_role="use_or_consume",
        tenant_id=TENANT,
        amount="12.50",
        currency="EUR",
        period="2024-03",
    )
    assert (event.NAME, event.amount) == ("incentive_result", "12.50")  # type: ignore[union-attr]


@pytest.mark.rule("D29")
def test_an_earning_that_was_sent_twice_is_told_once(pipeline: Pipeline) -> None:
    pipeline.official()
    paid = {
        "engagement": "x",
        "partner_role": "use_or_consume",
        "amount": "12.50",
        "currency": "EUR",
        "period": "2024-03",
    }
    value = json.dumps({"claim_id": of("c"), "tenant_id": TENANT, **paid}).encode()
    for message in ("first", "first", "second"):
        told = headers(C.EARNING, ids.name_id(message), "/services/intake", Instant(pipeline.clock.now()), of("c"))
        pipeline.append(value, told)
        pipeline.worker = pipeline.fresh_worker()
        pipeline.run()
    assert [each.NAME for each in pipeline.events("c")].count(EventName.INCENTIVE_RESULT) == 2
    pipeline.audit()


def test_a_corrected_notice_restarts_a_suspended_wait(pipeline: Pipeline) -> None:
    approval = pipeline.approved().sequence
    pipeline.inside("c", C.CONSENT_OUTCOME, outcome="suspended", approval=approval, reason="notice_bounced")
    contact = {"name": "Ren Sato", "title": "CTO", "email": "ren@contoso.example"}
    (event,) = pipeline.inside("c", C.OPS_RESEND_NOTICE, actor=OPERATOR, customer_contact=contact)
    assert [each.clock for each in event.clocks_started] == ["consent_wait"]


def test_the_refusal_of_a_wrong_contact_names_its_fields_and_repeats_no_contact_data(pipeline: Pipeline) -> None:
    """Events are kept for ever, and contact data stands in `personal` alone (contract §5)."""
    approval = pipeline.approved().sequence
    pipeline.inside("c", C.CONSENT_OUTCOME, outcome="suspended", approval=approval, reason="notice_bounced")
    contact = {"name": "Ken", "title": "CFO", "email": "ken.abe@@contoso", "language": "jp!"}
    (event,) = pipeline.inside("c", C.OPS_RESEND_NOTICE, actor=OPERATOR, customer_contact=contact)
    assert isinstance(event, Refusal)
    assert event.code == Code.INVALID_FIELDS
    assert "customer_contact.email, customer_contact.language" in event.detail
    assert "ken.abe" not in event.detail


# -- races, by the order of the inbox ---------------------------------------------------------------------------------


def test_an_expired_answer_rejects_the_claim_once_its_window_is_over(pipeline: Pipeline) -> None:
    clock = pipeline.asked().clocks[0]
    pipeline.pass_days(30)
    (event,) = pipeline.inside("c", C.DEADLINE_EXPIRED, clock=clock.clock, started_by=clock.started_by, due=clock.due)
    assert (event.NAME, event.actor.kind) == ("rejected", "system")
    assert [each.code for each in pipeline.claim().reasons] == ["no_partner_response"]


def test_an_answer_received_in_time_wins_over_a_time_out_behind_it(pipeline: Pipeline) -> None:
    clock = pipeline.asked().clocks[0]
    pipeline.pass_days(30)
    answer = pipeline.partner("c", C.RESUBMIT, {"comment": "Here."}, received_at=clock.due - 1)
    assert answer.status == "submitted"
    events = pipeline.inside("c", C.DEADLINE_EXPIRED, clock=clock.clock, started_by=clock.started_by, due=clock.due)
    assert events == []


def test_an_answer_received_too_late_is_refused_even_before_the_time_out_comes(pipeline: Pipeline) -> None:
    clock = pipeline.asked().clocks[0]
    pipeline.pass_days(30)
    answer = pipeline.partner("c", C.RESUBMIT, {"comment": "Here."}, received_at=clock.due)
    assert (answer.outcome, answer.code) == ("rejected", "window_closed")


def test_a_time_out_of_an_earlier_request_does_nothing(pipeline: Pipeline) -> None:
    clock = pipeline.asked().clocks[0]
    pipeline.partner("c", C.RESUBMIT, {"comment": "Here."})
    pipeline.review("c", C.REVIEW_START)
    pipeline.review("c", C.REVIEW_REQUEST_INFORMATION, reasons=[{"code": "missing_all_poe"}], comment="Again")
    pipeline.pass_days(60)
    events = pipeline.inside("c", C.DEADLINE_EXPIRED, clock=clock.clock, started_by=clock.started_by, due=clock.due)
    assert events == []


def test_a_consent_outcome_for_an_older_approval_is_ignored(pipeline: Pipeline) -> None:
    approval = pipeline.approved().sequence
    pipeline.pass_days(8)
    assert pipeline.inside("c", C.CONSENT_OUTCOME, outcome="completed", approval=approval - 1) == []
    assert pipeline.handed_off(Topic.ELIGIBLE) == []


def test_a_completed_consent_that_comes_twice_is_handed_off_once(pipeline: Pipeline) -> None:
    approval = pipeline.official().approval
    assert approval is not None
    assert pipeline.inside("c", C.CONSENT_OUTCOME, outcome="completed", approval=approval.sequence) == []
    assert len(pipeline.handed_off(Topic.ELIGIBLE)) == 1


def test_a_dispute_on_the_day_after_its_window_is_refused(pipeline: Pipeline) -> None:
    due = pipeline.rejected().clocks[0].due
    pipeline.clock.tick(due - pipeline.clock.now() + DAY_MS)
    assert pipeline.partner("c", C.DISPUTE, {"justification": "Please."}).code == "window_closed"
