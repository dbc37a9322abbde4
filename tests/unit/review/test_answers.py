"""Who is told what: receipts for partners, events for everybody else, dead letters for what cannot be understood."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from cpor.domain import ids
from cpor.domain.events import CommandRefused as Refusal
from cpor.domain.vocabulary import Code, CommandName, Instant, Status, TenantId
from cpor.runtime.errors import Stop
from cpor.runtime.topics import Topic
from schemas.base import check
from schemas.claim_events import CommandRefused
from schemas.envelope import Header, headers, read_envelope
from services.review import worker
from tests.unit.review.pipeline import (
    ACKNOWLEDGED,
    DAY_MS,
    OPERATOR,
    OTHER_TENANT,
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
UPLOAD = {
    "url": "https://poe.example/poe",
    "fields": {"key": "incoming/P-1/x"},
    "expires_at": "2024-03-05T08:00:00.000Z",
}


@pytest.fixture
def pipeline() -> Iterator[Pipeline]:
    made = Pipeline()
    yield made
    made.audit()


def told(claim: str, name: str = C.REVIEW_START, message_id: str = "t-1") -> list[Header]:
    return headers(name, message_id, "/reviewers/r-1", Instant(0), claim)


def said(claim: str, **data: Any) -> bytes:
    return json.dumps({"claim_id": claim, "actor": {"kind": "reviewer", "id": "r-1"}, **data}).encode()


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


# -- what goes on with a message --------------------------------------------------------------------------------------


def test_an_event_names_its_cause_and_the_message_behind_it(pipeline: Pipeline) -> None:
    pipeline.partner("c", C.CREATE, usage_form())
    inbox = pipeline.broker.records(Topic.CLAIM_COMMANDS)[-1]
    cause, event = read_envelope(inbox.headers), read_envelope(pipeline.event_records()[-1].headers)
    assert (event.causation, event.correlation) == (cause.id, pipeline.admitted[-1][2])
    assert (event.origin, event.received_at_text) == (cause.origin, cause.received_at_text)


def test_the_trace_of_a_message_is_passed_on_to_everything_it_brings_about(pipeline: Pipeline) -> None:
    pipeline.file()
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    pipeline.append(said(of("c")), [*told(of("c")), ("traceparent", trace.encode())])
    pipeline.run()
    assert read_envelope(pipeline.event_records()[-1].headers).traceparent == trace


def test_a_malformed_trace_is_dropped_and_the_command_is_decided(pipeline: Pipeline) -> None:
    pipeline.file()
    pipeline.append(said(of("c")), [*told(of("c")), ("traceparent", b"\xff")])
    pipeline.run()
    assert pipeline.claim().status == Status.UNDER_REVIEW
    assert read_envelope(pipeline.event_records()[-1].headers).traceparent is None


def test_a_field_of_a_newer_sender_is_ignored(pipeline: Pipeline) -> None:
    pipeline.file()
    pipeline.append(said(of("c"), priority="high"), told(of("c")))
    pipeline.run()
    assert pipeline.claim().status == Status.UNDER_REVIEW


# -- what cannot be understood ----------------------------------------------------------------------------------------


def reason_of(pipeline: Pipeline) -> str | None:
    (letter,) = pipeline.letters()
    return dict(letter.headers)["dlq_reason"].decode()


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"{",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b"{}",
        said("another"),
        json.dumps({"claim_id": of("c")}).encode(),
        json.dumps({"claim_id": of("c"), "actor": {"kind": "ghost", "id": "x"}}).encode(),
        said(of("c"), expected_sequence="one"),
    ],
)
def test_a_value_that_is_no_command_is_a_dead_letter(pipeline: Pipeline, value: bytes | None) -> None:
    pipeline.append(value, told(of("c")))
    pipeline.run()
    assert reason_of(pipeline) == "malformed_command"
    assert pipeline.event_records() == []


def test_a_partner_command_that_does_not_say_who_asks_is_a_dead_letter(pipeline: Pipeline) -> None:
    pipeline.append(json.dumps({"claim_id": of("c"), "text": "x"}).encode(), told(of("c"), C.COMMENT))
    pipeline.run()
    assert reason_of(pipeline) == "malformed_command"


@pytest.mark.parametrize("name", ["cpor.claim.create.v2", "cpor.claim.drafted.v1", ""])
def test_a_type_that_is_no_command_is_a_dead_letter(pipeline: Pipeline, name: str) -> None:
    pipeline.append(said(of("c")), told(of("c"), name))
    pipeline.run()
    assert reason_of(pipeline) == "unknown_type"


@pytest.mark.parametrize("missing", ["ce_id", "ce_subject"])
def test_a_command_without_id_or_subject_is_a_dead_letter(pipeline: Pipeline, missing: str) -> None:
    pipeline.append(said(of("c")), [each for each in told(of("c")) if each[0] != missing])
    pipeline.run()
    assert reason_of(pipeline) == "malformed_command"


def test_a_command_in_another_partition_than_its_tenants_is_a_dead_letter(pipeline: Pipeline) -> None:
    pipeline.append(said(of("c")), told(of("c")), partition=(ids.tenant_partition(TENANT, N) + 1) % N)
    pipeline.run()
    assert reason_of(pipeline) == "wrong_partition"


def test_a_command_keyed_by_another_tenant_than_the_claims_is_a_dead_letter(pipeline: Pipeline) -> None:
    pipeline.file()
    wrong = next(f"{n:08x}-0000-4000-8000-000000000000" for n in range(99) if _same_partition(n))
    pipeline.append(said(of("c")), told(of("c")), tenant=wrong)
    pipeline.run()
    assert reason_of(pipeline) == "wrong_key"
    assert pipeline.review("c", C.REVIEW_START) != []  # the claim itself is not held up by it


def _same_partition(n: int) -> bool:
    tenant = TenantId(f"{n:08x}-0000-4000-8000-000000000000")
    return ids.tenant_partition(tenant, N) == ids.tenant_partition(TENANT, N)


def test_a_tenant_in_capital_letters_is_a_dead_letter(pipeline: Pipeline) -> None:
    tenant = OTHER_TENANT.upper()
    pipeline.append(said(of("c")), told(of("c")), tenant, ids.tenant_partition(TenantId(tenant), N))
    pipeline.run()
    assert reason_of(pipeline) == "wrong_key"


def test_a_letter_never_repeats_what_a_person_wrote(pipeline: Pipeline) -> None:
    pipeline.file()
    value = said(of("c"), reasons="Kana Ito said so", comment="x")
    pipeline.append(value, told(of("c"), C.REVIEW_REJECT))
    pipeline.run()
    (letter,) = pipeline.letters()
    assert b"Kana" not in dict(letter.headers)["dlq_detail"]


def test_a_letter_of_a_known_claim_parks_it_and_later_commands_wait_behind(pipeline: Pipeline) -> None:
    pipeline.file()
    pipeline.append(b"{", told(of("c")))
    pipeline.run()
    assert pipeline.claim().parked
    assert pipeline.review("c", C.REVIEW_START) == []
    assert [dict(each.headers)["dlq_reason"] for each in pipeline.letters()] == [b"malformed_command", b"parked_behind"]


def test_a_letter_of_one_claim_holds_up_no_other_claim_of_the_tenant(pipeline: Pipeline) -> None:
    pipeline.file()
    pipeline.append(b"{", told(of("c")))
    pipeline.run()
    assert pipeline.file("d", number=2, form=usage_form("exchange")).outcome == "accepted"


def test_a_time_out_of_a_claim_that_intake_parked_is_held_with_the_letters(pipeline: Pipeline) -> None:
    clock = pipeline.asked().clocks[0]
    pipeline.inside("c", C.PARK, letter_id="letter-1")
    pipeline.pass_days(30)
    pipeline.inside("c", C.DEADLINE_EXPIRED, clock=clock.clock, started_by=clock.started_by, due=clock.due)
    assert pipeline.claim().status == Status.PARTNER_ACTION_REQUIRED
    assert reason_of(pipeline) == "held_while_parked"
    (event,) = pipeline.inside("c", C.UNPARK, letter_id="letter-1")
    assert event.NAME == "unparked"
    late = pipeline.inside("c", C.DEADLINE_EXPIRED, clock=clock.clock, started_by=clock.started_by, due=clock.due)
    assert [each.NAME for each in late] == ["rejected"]


def test_a_fault_in_the_rules_stops_the_worker_instead_of_being_passed_over(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(worker, "decide", broken)  # a bug in `decide` can be made in no other way
        pipeline.append(said(of("c")), told(of("c")))
        with pytest.raises(Stop):
            pipeline.run()
    assert pipeline.letters() == []


# -- the store is a cache ---------------------------------------------------------------------------------------------


def test_a_worker_with_an_empty_store_goes_on_from_the_topics(pipeline: Pipeline) -> None:
    pipeline.approved("c", "P-1", usage_form("teams", "intune"))
    pipeline.engines = type(pipeline.engines)()
    pipeline.worker = pipeline.fresh_worker()
    pipeline.approved("d", "P-2", usage_form("teams"), number=2, displaces=[of("c")])
    assert pipeline.associations()[f"{TENANT}/workload/teams"]["partner_id"] == "P-2"
