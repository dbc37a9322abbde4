"""What review finds in its inbox of an admitted message, and what goes there besides."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cpor.domain.ids import claim_id, derived_id, receipt_id, tenant_partition
from cpor.domain.vocabulary import CommandName, PartnerId, TenantId
from cpor.runtime.errors import Reject
from cpor.runtime.record import Record
from cpor.runtime.topics import Topic
from schemas.inbox import Park
from services.intake.poe.keys import accepted_key
from services.intake.poe.verdict import ProblemCode
from services.intake.worker import Intake
from tests.unit.intake.harness import (
    ACKNOWLEDGED,
    DIGEST,
    FILE,
    FORM,
    NOW,
    PARTNER,
    RESERVE,
    TENANT,
    TOPIC,
    Committed,
    Desk,
    N,
    P,
    admitted,
    codes,
    comment,
    filing,
    header,
    receipt,
)

NOTHING = Committed({})
CLAIM = claim_id(PartnerId(PARTNER), "CLM-1")
SMALL: list[tuple[CommandName, dict[str, Any]]] = [
    (CommandName.CANCEL, {}),
    (CommandName.COMMENT, {"text": "Hello\nworld"}),
    (CommandName.SUBMIT, {"acknowledgements": ACKNOWLEDGED}),
    (CommandName.RESUBMIT, {"comment": "done"}),
    (CommandName.WITHDRAW, {"reason": "other", "text": "a slip"}),
    (CommandName.DISPUTE, {"justification": "look again", "document_ids": [TENANT]}),
    (CommandName.DISASSOCIATE, {"reason": "contract ended"}),
    (CommandName.POE_REMOVE, {"document_id": TENANT}),
    (CommandName.POE_AMEND, {"document_id": TENANT, "customer_signed_on": None}),
]


@pytest.mark.parametrize(("command", "data"), SMALL, ids=[row[0].value for row in SMALL])
def test_a_command_reaches_the_inbox_as_it_was_sent_with_its_claim_and_sender(
    command: CommandName, data: dict[str, Any]
) -> None:
    desk = Desk()
    desk.create()
    value = admitted(desk.send(command, {"user": "u-anna", **data}))
    sender = {"claim_id": CLAIM, "tenant_id": TENANT, "partner_id": PARTNER, "claim_ref": "CLM-1"}
    assert value == {**sender, "message_id": "m-1", "user": "u-anna", **data}


def test_the_headers_of_an_admitted_message_lead_back_to_it_and_to_the_time_it_was_received() -> None:
    desk = Desk()
    desk.create()
    trace = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    output = desk.send(CommandName.COMMENT, comment(), headers=(("traceparent", trace),))
    told = {name: value.decode() for name, value in output.headers}
    assert told == {
        "ce_specversion": "1.0",
        "ce_id": derived_id(receipt_id(TOPIC, 0, desk.offset), CommandName.COMMENT),
        "ce_type": "cpor.claim.comment.v1",
        "ce_source": "/services/intake",
        "ce_time": "2024-03-01T09:00:00.000Z",
        "ce_subject": CLAIM,
        "content-type": "application/json",
        "ce_causationid": "m-1",
        "ce_correlationid": "m-1",
        "traceparent": trace.decode(),
        "cpor_origin": f"{TOPIC}-0-{desk.offset}",
        "cpor_received_at": "2024-03-01T09:00:00.000Z",
    }
    assert (output.key, output.partition) == (TENANT.encode(), tenant_partition(TenantId(TENANT), N))


def test_contacts_of_a_create_stand_in_one_field() -> None:
    value = admitted(Desk().create())
    contacts = {"customer_contact", "partner_contact"}
    assert set(value["personal"]) == contacts
    assert value["form"] == {name: each for name, each in FORM.items() if name not in contacts}


def test_an_edit_says_what_changes_and_tells_null_from_silence() -> None:
    desk = Desk()
    desk.create()
    body = {"user": "u-anna", "domain": None, "workloads": ["teams"], "partner_contact": FORM["partner_contact"]}
    value = admitted(desk.send(CommandName.EDIT, body))
    assert value["changes"] == {"domain": None, "workloads": ["teams"]}
    assert value["personal"] == {"partner_contact": FORM["partner_contact"]}


@pytest.mark.rule("R25")
def test_a_reserve_carries_the_upload_that_was_signed_for_the_id_it_gives() -> None:
    desk = Desk()
    desk.create()
    value = admitted(desk.send(CommandName.POE_RESERVE, {"user": "u-anna", **RESERVE}))
    assert value["upload"]["fields"]["key"] == f"incoming/{PARTNER}/{value['document_id']}"
    row = desk.row()
    assert row is not None
    assert row.reserved(value["document_id"]) is not None


def reserved(desk: Desk, ce_id: str = "r-1") -> str:
    value = admitted(desk.send(CommandName.POE_RESERVE, {"user": "u-anna", **RESERVE}, ce_id=ce_id))
    return str(value["document_id"])


def attach(document_id: str, **more: Any) -> dict[str, Any]:
    return {"user": "u-anna", "document_id": document_id, "description": "SOW", "covers": ["teams"], **more}


@pytest.mark.rule("R25")
def test_an_attached_document_is_described_by_the_checked_copy() -> None:
    desk = Desk()
    desk.create()
    document = reserved(desk)
    value = admitted(desk.send(CommandName.POE_ATTACH, attach(document, customer_signed_on="2024-02-29")))
    assert value["document"] == {
        "document_id": document,
        "object_key": accepted_key(CLAIM, DIGEST),
        "version": "v1",
        "filename": "poe.pdf",
        "content_type": "application/pdf",
        "size": 1000,
        "sha256": DIGEST,
        "description": "SOW",
        "customer_signed_on": "2024-02-29",
        "covers": ["teams"],
    }
    (asked,) = desk.shelf.asked
    assert (asked.object_key, asked.claim_id) == (f"incoming/{PARTNER}/{document}", CLAIM)


def test_a_document_reserved_and_attached_in_one_round_is_checked_like_any_other() -> None:
    desk = Desk()
    desk.create()
    reserve = desk.record(CommandName.POE_RESERVE, {"user": "u-anna", **RESERVE}, ce_id="r-1")
    document = derived_id(receipt_id(*reserve[:3]), CommandName.POE_RESERVE, 1)
    _, output = desk.send_all([reserve, desk.record(CommandName.POE_ATTACH, attach(document), ce_id="a-1")])
    admitted(output)


@pytest.mark.parametrize("problem", list(ProblemCode))
def test_a_refused_document_is_answered_with_its_own_code(problem: ProblemCode) -> None:
    desk = Desk()
    desk.create()
    document = reserved(desk)
    desk.shelf.refusing[f"incoming/{PARTNER}/{document}"] = problem
    output = desk.send(CommandName.POE_ATTACH, attach(document))
    assert receipt(output).code.value == problem.value
    assert codes(output) == [("document_id", problem.value)]


def test_a_file_is_refused_whole_with_the_errors_of_every_document() -> None:
    desk = Desk()
    bad = {**FILE, "object_key": f"incoming/{PARTNER}/bad.pdf", "customer_signed_on": "2025-01-01"}
    desk.shelf.refusing[bad["object_key"]] = ProblemCode.ENCRYPTED
    output = desk.send(CommandName.FILE, filing(FILE, bad, location_id="1"))
    assert codes(output) == [
        ("location_id", "location_unknown"),
        ("documents[1]", "document_encrypted"),
        ("documents[1].customer_signed_on", "invalid_fields"),
    ]
    row = desk.row()
    assert row is not None
    assert row.tenant_id is None


def test_a_filed_claim_carries_its_documents_in_order_each_with_an_id_of_its_own() -> None:
    second = {**FILE, "object_key": f"incoming/{PARTNER}/two.pdf", "sha256": "CD" * 32, "description": "Two"}
    value = admitted(Desk().send(CommandName.FILE, filing(FILE, second, comment="hi")))
    assert [each["description"] for each in value["documents"]] == [FILE["description"], "Two"]
    assert [each["sha256"] for each in value["documents"]] == [DIGEST, "cd" * 32]
    assert len({each["document_id"] for each in value["documents"]}) == 2
    assert value["comment"] == "hi"
    assert "documents" not in value["form"]


def test_a_filed_claim_without_documents_is_left_to_review() -> None:
    assert admitted(Desk().send(CommandName.FILE, filing()))["documents"] == []


def test_a_signature_of_today_counts_where_the_day_is_farthest_on() -> None:
    late = NOW + 14 * 3_600_000 + 1_800_000  # 23:30 UTC, which is tomorrow in Berlin
    desk = Desk()
    record = desk.record(CommandName.FILE, filing({**FILE, "customer_signed_on": "2024-03-02"}))
    (output,) = desk.send_all([record._replace(appended_at=late)])
    admitted(output)


def test_a_signature_of_today_counts_wherever_the_customer_may_be() -> None:
    """Intake does not know where the customer is; review does, and judges it exactly."""
    evening = NOW + 11 * 3_600_000  # 20:00 UTC on 1 March: still that day at the partner's, the next in Tokyo
    desk = Desk()
    record = desk.record(CommandName.FILE, filing({**FILE, "customer_signed_on": "2024-03-02"}))
    (output,) = desk.send_all([record._replace(appended_at=evening)])
    admitted(output)


def test_a_message_whose_document_takes_its_time_is_held_back_and_others_are_not() -> None:
    desk = Desk()
    desk.shelf.stuck.add(FILE["object_key"])
    slow = desk.record(CommandName.FILE, filing(FILE))
    quick = desk.record(CommandName.COMMENT, comment())
    preparation = desk.intake.prepare([slow, quick], NOTHING)
    preparation.wait(0.01)
    assert (preparation.ready(slow), preparation.ready(quick)) == (False, True)


def test_a_partition_has_a_bounded_number_of_documents_under_way_and_others_still_get_their_turn() -> None:
    desk = Desk()
    batch = [desk.record(CommandName.FILE, filing(*[FILE] * 20), ce_id=f"f-{n}") for n in range(50)]
    other = desk.record(CommandName.FILE, filing(FILE))._replace(partition=1)
    preparation = desk.intake.prepare([*batch, other], NOTHING)
    assert len(desk.shelf.asked) < 300
    assert preparation.ready(batch[0])
    assert not preparation.ready(batch[-1])
    assert preparation.ready(other)


def test_no_store_is_asked_for_what_is_refused_by_its_looks() -> None:
    desk = Desk()
    hopeless: list[dict[str, Any]] = [{"key": b"a/b"}, {"ce_id": None}, {"value": b"x" * 300_000}, {"body": {}}]
    for told in hopeless:
        desk.intake.prepare([desk.record(CommandName.FILE, **{"body": filing(FILE), **told})], NOTHING)
    desk.intake.prepare([desk.record(CommandName.FILE, filing(*[FILE] * 21))], NOTHING)
    assert desk.shelf.asked == []


EARNING = {
    "claim_id": CLAIM,
    "engagement": "modern_work_security_usage",
    "partner_role": "use_or_consume",
    "tenant_id": TENANT,
    "amount": "12.50",
    "currency": "EUR",
    "period": "2024-02",
}


def result(desk: Desk, key: bytes = TENANT.encode(), body: Any = EARNING, ce_type: str = CommandName.EARNING) -> Record:
    record = desk.record(ce_type, body, key=key, topic=Topic.INCENTIVE_RESULTS, ce_id="e-1")
    return record._replace(partition=tenant_partition(TenantId(TENANT), N))


@pytest.mark.rule("D29")
def test_an_incentive_result_is_forwarded_to_its_tenants_partition_as_it_is() -> None:
    desk = Desk()
    record = result(desk)
    (output,) = desk.send_all([record])
    assert (output.topic, output.partition, output.key) == (Topic.CLAIM_COMMANDS, record.partition, record.key)
    assert json.loads(output.value or b"") == EARNING
    told = (header(output, "ce_subject"), header(output, "ce_type"), header(output, "ce_causationid"))
    assert told == (CLAIM, CommandName.EARNING, "e-1")


@pytest.mark.rule("D29")
def test_a_result_says_nothing_to_review_that_is_not_of_a_result() -> None:
    """Who sends it is no reviewer, and a field that review could not read would hold up the claim, its customer's no
    included.
    """
    desk = Desk()
    more = {"actor": {"kind": "reviewer", "id": "r-1"}, "expected_sequence": "x", "new_field": 1}
    (output,) = desk.send_all([result(desk, body=EARNING | more)])
    assert json.loads(output.value or b"") == EARNING


def test_a_result_that_nobody_could_use_is_dead_lettered() -> None:
    desk = Desk()
    for bad, reason in (
        (result(desk)._replace(partition=(tenant_partition(TenantId(TENANT), N) + 1) % N), "wrong_partition"),
        (result(desk, key=b"\xff"), "wrong_key"),
        (result(desk, key=b""), "wrong_key"),
        (result(desk, ce_type="cpor.claim.comment.v1"), "unknown_type"),
        (result(desk, body=EARNING | {"tenant_id": "9f0e1d7a-5b1c-4c7e-9a51-0d7d1a2b3c4d"}), "wrong_key"),
        (result(desk, body={"claim_id": "x"}), "malformed_result"),
        (result(desk)._replace(value=None), "malformed_result"),
    ):
        with pytest.raises(Reject) as caught:
            desk.send_all([bad])
        assert caught.value.reason == reason


def test_every_partition_of_the_results_has_one_reader_whatever_the_number_of_slots() -> None:
    desk = Desk()
    for count in (1, 4, 8, 48):
        read = [q for slot in range(P) for q in desk.intake.partitions_of(Topic.INCENTIVE_RESULTS, slot, count)]
        assert sorted(read) == list(range(count))
    assert desk.intake.partitions_of(TOPIC, 2, P) == [2]


def test_only_topics_of_partners_and_the_results_are_read() -> None:
    topics = ["cpor.claims.commands", TOPIC, f"cpor.partners.{PARTNER}.receipts", Topic.INCENTIVE_RESULTS.value]
    assert Desk().intake.sources(topics) == [TOPIC, Topic.INCENTIVE_RESULTS]
    assert Desk().intake.appears_later(TOPIC)
    assert not Desk().intake.appears_later(Topic.INCENTIVE_RESULTS)


def test_a_dead_letter_of_a_known_claim_parks_it_and_one_of_no_claim_does_not() -> None:
    desk = Desk()
    letter = desk.record(CommandName.COMMENT, comment())
    intake: Intake = desk.intake
    intake.on_dead_letter(desk.context, letter, "poison", "letter-1")
    assert desk.context.emitted == []
    desk.create()
    intake.on_dead_letter(desk.context, letter, "poison", "letter-1")
    parked = desk.context.emitted[-1]
    assert Park.model_validate_json(parked.value) == Park(claim_id=CLAIM, letter_id="letter-1")
    assert (parked.topic, parked.key, header(parked, "ce_type")) == (
        Topic.CLAIM_COMMANDS,
        TENANT.encode(),
        CommandName.PARK,
    )


def test_the_same_reference_of_two_partners_is_parked_apart() -> None:
    desk = Desk()
    mine = desk.record()
    assert desk.intake.order_key(mine) != desk.intake.order_key(mine._replace(topic="cpor.partners.P-2.commands"))


def test_deciding_twice_gives_the_same_bytes() -> None:
    first, second = Desk(), Desk()
    for desk in (first, second):
        desk.create()
        desk.send(CommandName.FILE, filing(FILE), key=b"CLM-2")
        desk.send(CommandName.COMMENT, comment("x", user="u-uwe"))
    assert json.dumps(repr(first.context.emitted)) == json.dumps(repr(second.context.emitted))
