"""A claim's way through review, from its first message to its end, as the topics tell it."""

from __future__ import annotations

import json

import pytest

from cpor.domain import ids
from cpor.domain.events import CompetitionFlagged
from cpor.domain.vocabulary import CommandName, PartnerRole, Status, SubscriptionId
from cpor.runtime.topics import Topic
from tests.unit.review.pipeline import (
    ACKNOWLEDGED,
    OPERATOR,
    SUBSCRIPTION,
    TENANT,
    Pipeline,
    file_of,
    of,
    said_of,
    sales_form,
    usage_form,
)

C = CommandName


def test_a_claim_goes_from_draft_to_official_with_a_receipt_for_each_message(pipeline: Pipeline) -> None:
    outcomes = [
        pipeline.partner("c", C.CREATE, usage_form()),
        pipeline.partner("c", C.POE_ATTACH, said_of(), files=(file_of(),)),
        pipeline.partner("c", C.SUBMIT, {"acknowledgements": ACKNOWLEDGED}),
    ]
    assert [each.status for each in outcomes] == ["draft", "draft", "submitted"]
    assert [each.clock for each in outcomes[-1].due] == ["review_start"]
    pipeline.review("c", C.REVIEW_START)
    pipeline.review(
        "c", C.REVIEW_REQUEST_INFORMATION, reasons=[{"code": "missing_or_old_dates"}], comment="Which date?"
    )
    pipeline.partner("c", C.COMMENT, {"text": "The date stands on page two."})
    again = pipeline.partner("c", C.RESUBMIT, {"comment": "See page two."})
    assert again.status == "submitted"
    pipeline.review("c", C.REVIEW_START)
    pipeline.review("c", C.REVIEW_APPROVE)
    approval = pipeline.claim().sequence
    pipeline.pass_days(8)
    pipeline.inside("c", C.CONSENT_OUTCOME, outcome="completed", approval=approval)
    assert [each.NAME for each in pipeline.events("c")] == [
        "drafted",
        "document_attached",
        "submitted",
        "review_started",
        "information_requested",
        "commented",
        "resubmitted",
        "review_started",
        "approved",
        "consent_completed",
    ]
    assert [kind for kind, _ in pipeline.handed_off(Topic.APPROVED)] == ["cpor.approved.v1"]
    assert [kind for kind, _ in pipeline.handed_off(Topic.ELIGIBLE)] == ["cpor.eligible.v1"]


@pytest.mark.rule("R48", "D4")
def test_an_association_is_held_from_approval_and_official_from_consent(pipeline: Pipeline) -> None:
    approval = pipeline.approved(form=usage_form("teams")).sequence
    unit = f"{TENANT}/workload/teams"
    held = pipeline.associations()[unit]
    assert (held["partner_id"], held["products"], held["official_from"]) == ("P-1", ["teams"], None)
    pipeline.pass_days(8)
    pipeline.inside("c", C.CONSENT_OUTCOME, outcome="completed", approval=approval)
    assert pipeline.associations()[unit]["official_from"] is not None


def test_a_decline_after_the_hand_off_revokes_approved_and_eligible_and_frees_the_units(pipeline: Pipeline) -> None:
    approval = pipeline.official().approval
    assert approval is not None
    pipeline.inside("c", C.CONSENT_OUTCOME, outcome="declined", approval=approval.sequence)
    assert pipeline.claim().status == Status.REJECTED
    kinds = [kind for kind, _ in pipeline.handed_off(Topic.APPROVED)]
    assert kinds == ["cpor.approved.v1", "cpor.approved.revoked.v1"]
    kind, revoked = pipeline.handed_off(Topic.ELIGIBLE)[-1]
    assert (kind, revoked["reason"]) == ("cpor.eligible.revoked.v1", "customer_declined")
    assert pipeline.associations() == {}


def test_a_decline_during_the_wait_revokes_the_approval_only(pipeline: Pipeline) -> None:
    approval = pipeline.approved().sequence
    (event,) = pipeline.inside("c", C.CONSENT_OUTCOME, outcome="declined", approval=approval)
    assert event.actor.kind == "customer"
    assert [kind for kind, _ in pipeline.handed_off(Topic.APPROVED)][-1] == "cpor.approved.revoked.v1"
    assert pipeline.handed_off(Topic.ELIGIBLE) == []


def test_an_early_decline_ends_an_open_claim_without_any_hand_off(pipeline: Pipeline) -> None:
    pipeline.file()
    pipeline.inside("c", C.CONSENT_OUTCOME, outcome="declined")
    claim = pipeline.claim()
    assert (claim.status, [each.code for each in claim.reasons]) == (Status.REJECTED, ["customer_declined"])
    assert pipeline.handed_off(Topic.APPROVED) == []


def test_a_disassociation_is_final_and_leaves_a_tombstone_for_each_unit(pipeline: Pipeline) -> None:
    pipeline.official()
    receipt = pipeline.partner("c", C.DISASSOCIATE, {"reason": "The project is over."})
    assert receipt.status == "rejected_final"
    rows = pipeline.broker.records(Topic.ASSOCIATIONS)
    ended = {each.key for each in rows if each.value is None}
    assert ended == {f"{TENANT}/workload/{name}".encode() for name in ("teams", "intune")}
    assert pipeline.handed_off(Topic.ELIGIBLE)[-1][1]["reason"] == "disassociated"


def test_a_dispute_that_is_won_leads_to_an_approval_of_its_own(pipeline: Pipeline) -> None:
    pipeline.rejected()
    receipt = pipeline.partner("c", C.DISPUTE, {"justification": "Page two names the products."})
    assert (receipt.outcome, receipt.status) == ("accepted", "disputed")
    (approved,) = pipeline.review("c", C.REVIEW_APPROVE)
    assert pipeline.handed_off(Topic.APPROVED)[-1][1]["approval"] == approved.sequence


def test_a_dispute_that_is_lost_is_final_and_cannot_be_repeated(pipeline: Pipeline) -> None:
    pipeline.rejected()
    pipeline.partner("c", C.DISPUTE, {"justification": "Page two names the products."})
    pipeline.review("c", C.REVIEW_REJECT, reasons=[{"code": "insufficient_poe"}], comment="Still too thin")
    assert pipeline.claim().status == Status.REJECTED_FINAL
    again = pipeline.partner("c", C.DISPUTE, {"justification": "Please."})
    assert (again.outcome, again.code) == ("rejected", "illegal_transition")


def test_a_claim_approved_again_after_a_dispute_is_handed_off_once_for_each_approval(pipeline: Pipeline) -> None:
    first = pipeline.official(form=usage_form("teams")).approval
    pipeline.approved("d", "P-2", usage_form("teams"), number=2, displaces=[of("c")])
    pipeline.partner("c", C.DISPUTE, {"justification": "We have served them for years."})
    pipeline.review("c", C.REVIEW_APPROVE, displaces=[of("d", "P-2")])
    second = pipeline.claim().approval
    assert first is not None
    assert second is not None
    pipeline.inside("c", C.CONSENT_OUTCOME, outcome="completed", approval=first.sequence)
    assert pipeline.claim().approval == second
    pipeline.pass_days(8)
    pipeline.inside("c", C.CONSENT_OUTCOME, outcome="completed", approval=second.sequence)
    eligible = [data["approval"] for kind, data in pipeline.handed_off(Topic.ELIGIBLE) if kind == "cpor.eligible.v1"]
    assert eligible == [first.sequence, second.sequence]


@pytest.mark.rule("D17", "D30")
def test_competing_claims_are_both_flagged_and_neither_learns_who_the_other_is(pipeline: Pipeline) -> None:
    pipeline.file("c", "P-1", usage_form("teams", "intune"))
    pipeline.file("d", "P-2", usage_form("teams"), number=2)
    flags = [each for each in pipeline.events() if each.NAME == "competition_flagged"]
    assert {each.claim_id for each in flags} == {of("c"), of("d", "P-2")}
    comments = [each.comment for each in flags if isinstance(each, CompetitionFlagged)]
    assert len(comments) == 2
    assert not any(name in text for text in comments for name in ("P-1", "P-2", "Partner P"))


@pytest.mark.rule("D17")
def test_an_approval_over_an_incumbent_needs_its_name_and_displaces_the_contested_units_only(
    pipeline: Pipeline,
) -> None:
    pipeline.approved("c", "P-1", usage_form("teams", "intune"))
    pipeline.file("d", "P-2", usage_form("teams"), number=2)
    pipeline.review("d", C.REVIEW_START, by="P-2")
    (refused,) = pipeline.review("d", C.REVIEW_APPROVE, by="P-2")
    assert (refused.NAME, refused.code) == ("command_refused", "incumbents_not_named")  # type: ignore[union-attr]
    pipeline.review("d", C.REVIEW_APPROVE, by="P-2", displaces=[of("c")])
    holders = {unit.rpartition("/")[2]: row["partner_id"] for unit, row in pipeline.associations().items()}
    assert holders == {"teams": "P-2", "intune": "P-1"}
    assert pipeline.claim("c").status == Status.APPROVED
    kind, revoked = next(each for each in pipeline.handed_off(Topic.APPROVED) if "revoked" in each[0])
    assert (kind, revoked["units"]) == ("cpor.approved.revoked.v1", [f"{TENANT}/workload/teams"])


@pytest.mark.rule("T20")
def test_a_displaced_claim_that_holds_nothing_any_more_is_rejected(pipeline: Pipeline) -> None:
    pipeline.approved("c", "P-1", usage_form("teams"))
    pipeline.approved("d", "P-2", usage_form("teams"), number=2, displaces=[of("c")])
    assert pipeline.claim("c").status == Status.REJECTED
    assert pipeline.associations()[f"{TENANT}/workload/teams"]["partner_id"] == "P-2"
    revoked = [data for kind, data in pipeline.handed_off(Topic.APPROVED) if kind == "cpor.approved.revoked.v1"]
    assert len(revoked) == 1


def test_two_roles_of_one_partner_share_a_subscription_and_its_row_ends_with_the_last(pipeline: Pipeline) -> None:
    pipeline.approved("c", form=sales_form("build_intent_advisor"))
    pipeline.approved("d", form=sales_form("usage_recognition"), number=2)
    unit = f"{TENANT}/subscription/{SUBSCRIPTION}"
    roles = [each["partner_role"] for each in pipeline.associations()[unit]["claims"]]
    assert roles == ["build_intent_advisor", "usage_recognition"]
    pipeline.partner("c", C.DISASSOCIATE, {"reason": "Over."})
    assert [each["claim_id"] for each in pipeline.associations()[unit]["claims"]] == [of("d")]
    pipeline.partner("d", C.DISASSOCIATE, {"reason": "Over."})
    assert unit not in pipeline.associations()


@pytest.mark.rule("D23")
def test_an_imported_association_has_a_reference_of_its_own_by_which_its_partner_ends_it(pipeline: Pipeline) -> None:
    """D23: it may be disassociated; the customer is in the reference, as intake never saw a create for it."""
    ref = ids.legacy_reference(TENANT, SubscriptionId(SUBSCRIPTION), PartnerRole.USAGE_RECOGNITION)
    wanted = {"partner_id": "P-1", "location_id": "4711001", "tenant_id": TENANT, "subscription_id": SUBSCRIPTION}
    imported = {**wanted, "partner_role": "usage_recognition"}
    pipeline.inside(ref, C.OPS_IMPORT_LEGACY, actor=OPERATOR, **imported)
    assert pipeline.claim(ref).claim_ref == ref
    assert pipeline.partner(ref, C.DISASSOCIATE, {"reason": "Over."}).status == Status.REJECTED_FINAL
    assert pipeline.associations() == {}


def test_an_import_under_an_id_that_is_not_its_references_is_refused(pipeline: Pipeline) -> None:
    """Nobody could ever speak of such a claim (contract §2)."""
    wanted = {"partner_id": "P-1", "location_id": "4711001", "tenant_id": TENANT, "subscription_id": SUBSCRIPTION}
    imported = {**wanted, "partner_role": "usage_recognition"}
    (event,) = pipeline_refusals(pipeline, "anything", imported)
    assert event["code"] == "invalid_fields"


def pipeline_refusals(pipeline: Pipeline, ref: str, imported: dict[str, str]) -> list[dict[str, object]]:
    """Refusals with sequence 0, which stand outside any fold."""
    pipeline.inside(ref, C.OPS_IMPORT_LEGACY, actor=OPERATOR, **imported)
    return [json.loads(record.value or b"") for record in pipeline.event_records()]


@pytest.mark.rule("T19", "D16")
def test_an_ended_subscription_is_told_downstream_as_ended_not_as_revoked(pipeline: Pipeline) -> None:
    pipeline.official(form=sales_form())
    pipeline.inside("c", C.OPS_END_SUBSCRIPTION, actor=OPERATOR, ends_on="2024-06-30")
    assert pipeline.claim().status == Status.APPROVED
    assert pipeline.handed_off(Topic.APPROVED)[-1][0] == "cpor.approved.ended.v1"
    assert pipeline.handed_off(Topic.ELIGIBLE)[-1][0] == "cpor.eligible.ended.v1"
    assert pipeline.associations() == {}


@pytest.mark.rule("D23")
def test_a_legacy_association_holds_its_unit_and_a_new_claim_of_the_partner_replaces_it(pipeline: Pipeline) -> None:
    pipeline.inside(
        "old",
        C.OPS_IMPORT_LEGACY,
        actor=OPERATOR,
        partner_id="P-1",
        claim_ref="old",
        location_id="4711001",
        tenant_id=TENANT,
        subscription_id=SUBSCRIPTION,
        partner_role="usage_recognition",
        ends_on="2024-06-30",
    )
    unit = f"{TENANT}/subscription/{SUBSCRIPTION}"
    assert pipeline.associations()[unit]["ends_on"] == "2024-06-30"
    assert pipeline.handed_off(Topic.APPROVED) == []
    pipeline.approved("c", form=sales_form("usage_recognition"))
    assert [each["claim_id"] for each in pipeline.associations()[unit]["claims"]] == [of("c")]
    assert [kind for kind, _ in pipeline.handed_off(Topic.APPROVED)] == ["cpor.approved.v1"]
