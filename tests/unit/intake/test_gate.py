"""Each bad input of a partner gets exactly one receipt with its code, and goes no further."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cpor.domain.ids import legacy_reference
from cpor.domain.vocabulary import Code, CommandName, Outcome, PartnerRole, SubscriptionId, TenantId
from services.intake.gate import ENTRANCE, GATE
from tests.unit.intake.harness import (
    DIRECTORY,
    FILE,
    FORM,
    NOW,
    PARTNER,
    RESERVE,
    TOPIC,
    Desk,
    admitted,
    codes,
    comment,
    filing,
    header,
    receipt,
)

CREATE = {"user": "u-anna", **FORM}
DEEP = b"[" * 100_000
BIG = json.dumps(comment("x" * 5_000_000)).encode()
OTHER_TENANT = "99999999-2222-4333-8444-555555555555"

AT_THE_ENTRANCE: list[tuple[str, dict[str, Any], Code, bool]] = [
    # what is wrong, the record, code, whether the receipt is named by the record's place
    ("no value at all", {"value": b""}, Code.MALFORMED_JSON, True),
    ("not JSON", {"value": b"\xff\xfe not json"}, Code.MALFORMED_JSON, True),
    ("half a JSON object", {"value": b'{"user": "u-anna"'}, Code.MALFORMED_JSON, True),
    ("JSON 100,000 brackets deep", {"value": DEEP}, Code.MALFORMED_JSON, True),
    ("NaN", {"value": b'{"user": "u-anna", "text": "x", "n": NaN}'}, Code.MALFORMED_JSON, True),
    ("a value of 5 MB", {"value": BIG}, Code.MESSAGE_TOO_LARGE, True),
    ("no ce_id", {"ce_id": None, "body": comment()}, Code.MISSING_MESSAGE_ID, True),
    ("an empty ce_id", {"ce_id": "", "body": comment()}, Code.MISSING_MESSAGE_ID, True),
    ("a ce_id of 65 letters", {"ce_id": "x" * 65, "body": comment()}, Code.MISSING_MESSAGE_ID, True),
    ("a ce_id with a blank", {"ce_id": "a b", "body": comment()}, Code.MISSING_MESSAGE_ID, True),
    ("a ce_id with a line end", {"ce_id": "a\n", "body": comment()}, Code.MISSING_MESSAGE_ID, True),
    ("no key", {"key": None, "body": comment()}, Code.WRONG_KEY, False),
    ("an empty key", {"key": b"", "body": comment()}, Code.WRONG_KEY, False),
    ("a key that is not UTF-8", {"key": b"\xff\xff", "body": comment()}, Code.WRONG_KEY, False),
    ("a key with a slash", {"key": b"CLM/1", "body": comment()}, Code.WRONG_KEY, False),
    ("a key of a megabyte", {"key": b"x" * 1_000_000, "body": comment()}, Code.WRONG_KEY, False),
]


@pytest.mark.parametrize(
    ("told", "code", "by_place"), [row[1:] for row in AT_THE_ENTRANCE], ids=[r[0] for r in AT_THE_ENTRANCE]
)
def test_what_cannot_be_identified_gets_one_receipt_and_owns_no_message_id(
    told: dict[str, Any], code: Code, by_place: bool
) -> None:
    desk = Desk()
    desk.create()
    output = desk.send(**told)
    found = receipt(output)
    assert (found.outcome, found.code) == (Outcome.REJECTED, code)
    assert found.message_id == (f"{TOPIC}-0-{desk.offset}" if by_place else "m-1")
    key = told.get("key", b"CLM-1")
    assert output.key == (None if key is None else key[:256])
    admitted(desk.send(CommandName.COMMENT, comment(), ce_id="m-1"))


ANNA = {"user": "u-anna"}
LENA = {"user": "u-lena"}


def signed(on: Any) -> dict[str, Any]:
    return filing({**FILE, "customer_signed_on": on})


def created(**fields: Any) -> dict[str, Any]:
    return {**CREATE, **fields}


def reserving(**fields: Any) -> dict[str, Any]:
    return {**ANNA, **RESERVE, **fields}


C = CommandName
# fmt: off
BEHIND_IT: list[tuple[str, str | None, Any, Code]] = [
    ("an unknown type",               "cpor.claim.explode.v1", {},          Code.UNKNOWN_TYPE),
    ("an unknown version",            "cpor.claim.comment.v2", comment(),   Code.UNKNOWN_TYPE),
    ("no type",                       None, comment(),                      Code.UNKNOWN_TYPE),
    ("a reviewer's type",             C.REVIEW_APPROVE, {"claim_id": "x"},  Code.UNKNOWN_TYPE),
    ("a list",                        C.COMMENT, [],                        Code.INVALID_FIELDS),
    ("a number",                      C.COMMENT, 7,                         Code.INVALID_FIELDS),
    ("null",                          C.COMMENT, None,                      Code.INVALID_FIELDS),
    ("nothing in it",                 C.COMMENT, {},                        Code.INVALID_FIELDS),
    ("a blank comment",               C.COMMENT, comment("  "),             Code.INVALID_FIELDS),
    ("a comment of 4,001 letters",    C.COMMENT, comment("x" * 4001),       Code.INVALID_FIELDS),
    ("half a form",                   C.CREATE, {**ANNA, "claim_name": ""}, Code.INVALID_FIELDS),
    ("no reason to disassociate",     C.DISASSOCIATE, ANNA,                 Code.REASON_REQUIRED),
    ("a withdrawal of no kind",       C.WITHDRAW, ANNA,                     Code.REASON_REQUIRED),
    ("a date that is none",           C.FILE, signed("2024-02-30"),         Code.INVALID_FIELDS),
    ("a date of the year 0",          C.FILE, signed("0000-01-01"),         Code.INVALID_FIELDS),
    ("a date as a number",            C.FILE, signed(10**30),               Code.INVALID_FIELDS),
    ("a signature of tomorrow",       C.FILE, signed("2024-03-02"),         Code.INVALID_FIELDS),
    ("a signature of the year 9999",  C.FILE, signed("9999-12-31"),         Code.INVALID_FIELDS),
    ("a signature of the year 1",     C.FILE, signed("0001-01-01"),         Code.INVALID_FIELDS),
    ("another reference in the body", C.COMMENT, comment(claim_ref="X"),    Code.WRONG_KEY),
    ("another partner in the body",   C.COMMENT, comment(partner_id="P-2"), Code.PARTNER_MISMATCH),
    ("an unknown user",               C.COMMENT, comment(user="u-nobody"),  Code.USER_UNKNOWN),
    ("a user who only reads",         C.COMMENT, comment(user="u-uwe"),     Code.NOT_PERMITTED),
    ("a location of nobody",          C.CREATE, created(location_id="1"),   Code.LOCATION_UNKNOWN),
    ("another user's location",       C.CREATE, {**CREATE, **LENA, "location_id": "4711002"}, Code.NOT_PERMITTED),
    ("a move to another's location",  C.EDIT, {**LENA, "location_id": "4711002"},       Code.NOT_PERMITTED),
    ("a move to nowhere",             C.EDIT, {**ANNA, "location_id": "1"}, Code.LOCATION_UNKNOWN),
    ("another customer",              C.CREATE, created(tenant_id=OTHER_TENANT),        Code.REFERENCE_BOUND),
    ("a role of another area",        C.CREATE, created(partner_role="usage_recognition"), Code.ROLE_NOT_IN_AREA),
    ("a workload of another area",    C.CREATE, created(workloads=["sales"]),           Code.WORKLOAD_NOT_IN_AREA),
    ("a co-op programme",             C.CREATE, created(engagement="Surface"),          Code.NOT_A_CPOR_ENGAGEMENT),
    ("an empty upload",               C.POE_RESERVE, reserving(size=0),     Code.DOCUMENT_EMPTY),
    ("a huge upload",                 C.POE_RESERVE, reserving(size=26_214_401),        Code.DOCUMENT_TOO_LARGE),
    ("a ZIP",                         C.POE_RESERVE, reserving(content_type="application/zip"),
                                                                            Code.DOCUMENT_TYPE_NOT_ALLOWED),
    ("a document of nobody",          C.POE_ATTACH, {**ANNA, "document_id": OTHER_TENANT, "description": "x"},
                                                                            Code.DOCUMENT_UNKNOWN),
    ("21 documents",                  C.FILE, filing(*[FILE] * 21),         Code.TOO_MANY_DOCUMENTS),
]
# fmt: on


@pytest.mark.parametrize(("ce_type", "body", "code"), [row[1:] for row in BEHIND_IT], ids=[row[0] for row in BEHIND_IT])
def test_a_refused_message_gets_one_receipt_by_its_own_id_and_nothing_reaches_the_inbox(
    ce_type: str | None, body: Any, code: Code
) -> None:
    desk = Desk()
    desk.create()
    output = desk.send(ce_type, body)
    found = receipt(output)
    assert (found.outcome, found.code, found.message_id) == (Outcome.REJECTED, code, "m-1")
    assert (found.claim_ref, output.key, found.received_at) == ("CLM-1", b"CLM-1", NOW)
    assert header(output, "ce_causationid") == "m-1"


def test_the_same_bad_message_again_is_a_duplicate_with_its_first_code() -> None:
    for _, ce_type, body, code in BEHIND_IT:
        desk = Desk()
        desk.create()
        desk.send(ce_type, body)
        found = receipt(desk.send(ce_type, body))
        assert (found.outcome, found.code) == (Outcome.DUPLICATE, Code.DUPLICATE)
        assert found.original is not None
        assert (found.original.outcome.value, found.original.code) == ("rejected", code)


def test_a_command_on_a_reference_never_bound_is_about_no_claim() -> None:
    for command in (CommandName.COMMENT, CommandName.CANCEL):
        found = receipt(Desk().send(command, comment()))
        assert (found.code, found.claim_id) == (Code.CLAIM_UNKNOWN, None)


def test_an_imported_association_is_known_by_its_reference_and_bound_to_its_customer() -> None:
    """D23: it may be disassociated, though no create of it ever came this way."""
    tenant = TenantId(FORM["tenant_id"])
    reference = legacy_reference(tenant, SubscriptionId("s-1"), PartnerRole.USAGE_RECOGNITION).encode()
    desk = Desk()
    value = admitted(desk.send(CommandName.DISASSOCIATE, {"user": "u-anna", "reason": "Over"}, key=reference))
    assert (value["tenant_id"], value["claim_ref"]) == (tenant, reference.decode())
    elsewhere = {**CREATE, "tenant_id": OTHER_TENANT}
    found = receipt(desk.send(CommandName.CREATE, elsewhere, ce_id="c-2", key=reference))
    assert found.code is Code.REFERENCE_BOUND


def test_a_partner_without_an_entry_is_unknown_and_a_suspended_one_is_told_so() -> None:
    assert receipt(Desk(directory=None).create()).code is Code.PARTNER_UNKNOWN
    assert receipt(Desk({**DIRECTORY, "status": "suspended"}).create()).code is Code.PARTNER_SUSPENDED


def test_an_entry_that_cannot_be_read_counts_as_none_and_stops_nothing() -> None:
    assert receipt(Desk({"partner_id": PARTNER, "kind": "partner"}).create()).code is Code.PARTNER_UNKNOWN


def test_all_errors_of_a_form_are_told_at_once_with_their_paths() -> None:
    bad = {**CREATE, "location_id": "1", "workloads": ["teams", "sales"], "revenue": None, "subscription_id": "s-1"}
    output = Desk().send(CommandName.CREATE, bad)
    assert receipt(output).code is Code.INVALID_FIELDS
    assert sorted(codes(output)) == [
        ("location_id", "location_unknown"),
        ("subscription_id", "invalid_fields"),
        ("workloads[1]", "workload_not_in_area"),
    ]


def test_all_fields_of_the_wrong_shape_are_told_at_once() -> None:
    output = Desk().send(CommandName.CREATE, {**CREATE, "tenant_id": 5, "workloads": "teams", "user": None})
    assert {field for field, _ in codes(output)} == {"tenant_id", "workloads", "user"}


def test_a_field_of_the_wrong_shape_hides_no_error_of_another() -> None:
    contact = {"name": "", "title": "CIO", "email": "nobody"}
    bad = {**CREATE, "customer_contact": contact, "partner_role": "usage_recognition", "workloads": ["teams", "sales"]}
    output = Desk().send(CommandName.CREATE, {**bad, "location_id": "1", "domain": None, "engagement": "Surface"})
    assert receipt(output).code is Code.INVALID_FIELDS
    assert codes(output) == [
        ("customer_contact.name", "invalid_fields"),
        ("customer_contact.email", "invalid_fields"),
        ("location_id", "location_unknown"),
        ("partner_role", "role_not_in_area"),
        ("engagement", "not_a_cpor_engagement"),
        ("workloads[1]", "workload_not_in_area"),
    ]


def test_what_does_not_apply_may_be_sent_as_null() -> None:
    nulls = dict.fromkeys(
        ("subscription_id", "domain", "incentive_opt_out", "technical_contact", "revenue", "engagement")
    )
    value = admitted(Desk().send(CommandName.CREATE, {**CREATE, **nulls}))
    assert value["form"]["incentive_opt_out"] is False
    wrong = Desk().send(CommandName.CREATE, {**CREATE, **nulls, "claim_name": "", "workloads": ["sales"]})
    assert {field for field, _ in codes(wrong)} == {"claim_name", "workloads[0]"}


def test_a_field_of_the_wrong_shape_is_told_once() -> None:
    faults: list[dict[str, Any]] = [
        {"workloads": []},
        {"tenant_id": "x"},
        {"workloads": ["teams", 5]},
        {"partner_contact": None},
    ]
    for wrong in faults:
        assert len(codes(Desk().send(CommandName.CREATE, {**CREATE, **wrong}))) == 1


def test_a_value_that_is_no_object_or_wrong_in_too_many_places_is_answered_for_that_alone() -> None:
    assert codes(Desk().send(CommandName.CREATE, [])) == [("", "invalid_fields")]
    bad = {**CREATE, "location_id": "1", "workloads": [1] * 400}
    assert {code for _, code in codes(Desk().send(CommandName.CREATE, bad))} == {"invalid_fields"}


def test_a_misshapen_form_of_a_partner_without_an_entry_is_answered_by_its_shape() -> None:
    output = Desk(directory=None).send(CommandName.CREATE, {**CREATE, "tenant_id": "x", "location_id": "1"})
    assert codes(output) == [("tenant_id", "invalid_fields")]


@pytest.mark.rule("R28", "R23", "R26")
@pytest.mark.parametrize("wrong", [{"workloads": ["sales"]}, {"claim_name": ""}], ids=["a rule", "a shape"])
def test_a_filing_that_is_refused_anyway_is_told_all_that_its_submission_lacks(wrong: dict[str, Any]) -> None:
    covering = {**FILE, "covers": ["teams", "sales"]}
    output = Desk().send(CommandName.FILE, filing(covering, **wrong, acknowledgements=[]))
    assert codes(output)[1:] == [
        ("acknowledgements", "acknowledgements_incomplete"),
        ("documents[0].covers[1]", "workload_not_in_area"),
    ]
    bare = Desk().send(CommandName.FILE, filing(**wrong))
    assert codes(bare)[1:] == [("documents", "poe_missing")]


def test_more_than_a_hundred_errors_are_counted_and_cut() -> None:
    found = receipt(Desk().send(CommandName.CREATE, {**CREATE, "workloads": [1] * 400}))
    assert (len(found.errors), found.errors_omitted) == (100, 300)


def test_no_answer_repeats_more_than_64_characters_of_what_was_sent() -> None:
    long = "y" * 200
    for body in (comment(user="u-" + "y" * 60), comment(claim_ref=long), comment(partner_id=long)):
        desk = Desk()
        desk.create()
        told = receipt(desk.send(CommandName.COMMENT, body))
        assert "y" * 65 not in told.detail


@pytest.mark.rule("D1", edition="P2020")
def test_the_edition_of_the_form_is_that_of_the_day_of_receipt_at_the_location() -> None:
    desk = Desk()
    record = desk.record(CommandName.CREATE, CREATE)
    (output,) = desk.send_all([record._replace(appended_at=1_696_800_000_000)])  # 2023-10-08: P2020 asks for a domain
    assert ("domain", "invalid_fields") in codes(output)


@pytest.mark.rule("R5", "D14")
def test_only_an_incentives_admin_begins_and_submits_claims_and_a_reader_does_nothing() -> None:
    allowed = {
        CommandName.SUBMIT: {"u-anna", "u-lena"},
        CommandName.CANCEL: {"u-anna", "u-lena"},
        CommandName.COMMENT: {"u-anna", "u-lena", "u-bill", "u-gert"},
        CommandName.RESUBMIT: {"u-anna", "u-lena", "u-bill", "u-gert"},
        CommandName.CREATE: {"u-anna", "u-lena"},
    }
    for command, users in allowed.items():
        for user in ("u-anna", "u-bill", "u-gert", "u-uwe", "u-lena"):
            desk = Desk()
            desk.create()
            body = {**FORM, "text": "x", "acknowledgements": [], "user": user}
            output = desk.send(command, body)
            if user in users:
                admitted(output)
            else:
                assert receipt(output).code is Code.NOT_PERMITTED


def test_every_code_of_the_tables_is_met_by_a_bad_input_above() -> None:
    met = {row[3] for row in BEHIND_IT} | {Code.CLAIM_UNKNOWN, Code.PARTNER_UNKNOWN, Code.PARTNER_SUSPENDED}
    assert {code for row in GATE for code in row.codes} <= met
    assert {row.code for row in ENTRANCE} == {row[2] for row in AT_THE_ENTRANCE}


def test_a_user_may_name_the_right_partner_and_reference_in_the_body() -> None:
    desk = Desk()
    desk.create()
    value = admitted(desk.send(CommandName.COMMENT, comment(partner_id=PARTNER, claim_ref="CLM-1")))
    assert value["text"] == "Hello"


def test_fields_that_are_not_known_are_ignored() -> None:
    value = admitted(Desk().send(CommandName.CREATE, {**CREATE, "from_the_future": {"x": 1}}))
    assert "from_the_future" not in value["form"]
