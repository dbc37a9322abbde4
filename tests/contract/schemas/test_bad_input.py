"""Whatever a partner sends gets a coded answer: no crash, no silence, no megabytes of echo."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpor.domain.vocabulary import PARTNER_COMMANDS, Code, CommandName
from schemas.errors import LONGEST_ECHO, MOST_ERRORS
from schemas.partner_commands import PartnerCommand, WrongShape, parse_partner_command
from tests.contract.schemas.examples import example

COMMENT = CommandName.COMMENT
DEEP = 100_000
CONTACT = example(CommandName.CREATE).value["customer_contact"]
FIELDS = sorted({field for name in PARTNER_COMMANDS for field in example(name).value})


def refused(name: str, value: bytes | dict[str, Any]) -> WrongShape:
    answer = parse_partner_command(name, value if isinstance(value, bytes) else json.dumps(value).encode())
    assert isinstance(answer, WrongShape), answer
    return answer


def changed(name: str, **fields: Any) -> dict[str, Any]:
    return {**example(name).value, **fields}


def codes(answer: WrongShape) -> dict[str, Code]:
    return {each.field: each.code for each in answer.errors.errors}


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"not json",
        b"{",
        b'{"user":"u","text":"a"} trailing',
        b"[" * DEEP,
        b'{"user":"u","text":"a","unknown":' + b"[" * DEEP + b"]" * DEEP + b"}",
        b'{"user":' * DEEP,
        b'\xef\xbb\xbf{"user":"u","text":"a"}',
        b'{"user":"u","text":"\xff"}',
        b'{"user":"u","text":"a","unknown":"\xc3("}',
        b'{"user":"u","text":"\\ud800"}',
        b'{"user":"u","text":"a","unknown":"\\udc00 alone"}',
        b'{"user":"u","text":"a","unknown":NaN}',
        b'{"user":"u","text":"a","unknown":[-Infinity]}',
        b'{"user":"u","text":"a","unknown":' + b"9" * 5000 + b"}",
        b'{"user":"u","text":"tab\there"}',
        json.dumps({"user": "u", "text": "a"}).encode("utf-16"),
    ],
    ids=lambda value: repr(value[:40]),
)
def test_what_is_no_json_is_called_so(value: bytes) -> None:
    answer = refused(COMMENT, value)
    assert answer.code == Code.MALFORMED_JSON
    assert not answer.errors.errors
    assert len(answer.detail) < 200


@pytest.mark.parametrize("value", [b"null", b"[]", b"5", b'"text"', b"true", b"[[[[[[]]]]]]"])
def test_json_that_is_no_object_has_the_wrong_shape(value: bytes) -> None:
    assert codes(refused(COMMENT, value)) == {"": Code.INVALID_FIELDS}


def test_a_record_without_a_value_is_no_json() -> None:
    answer = parse_partner_command(COMMENT, None)
    assert isinstance(answer, WrongShape)
    assert answer.code == Code.MALFORMED_JSON


@pytest.mark.parametrize("name", [None, "", "cpor.claim.comment.v2", "cpor.review.approve.v1", "COMMENT"])
def test_a_type_no_partner_may_send_is_unknown(name: str | None) -> None:
    answer = parse_partner_command(name, b"{}")
    assert isinstance(answer, WrongShape)
    assert answer.code == Code.UNKNOWN_TYPE


def test_of_a_key_given_twice_the_last_counts_as_json_readers_do() -> None:
    command = parse_partner_command(COMMENT, b'{"user":"u","text":"first","text":"last"}')
    assert isinstance(command, PartnerCommand)
    assert command.model_dump()["text"] == "last"


def test_the_words_nan_and_infinity_are_text_like_any_other() -> None:
    command = parse_partner_command(COMMENT, b'{"user":"u","text":"NaN, Infinity"}')
    assert isinstance(command, PartnerCommand)


@pytest.mark.parametrize("name", PARTNER_COMMANDS)
def test_unknown_fields_of_a_partner_are_ignored(name: CommandName) -> None:
    value = json.dumps(changed(name, cost_centre={"deep": [1, None]})).encode()
    assert isinstance(parse_partner_command(name, value), PartnerCommand)


@pytest.mark.parametrize("name", PARTNER_COMMANDS)
def test_every_command_names_its_user(name: CommandName) -> None:
    value = {key: each for key, each in example(name).value.items() if key != "user"}
    assert codes(refused(name, value))["user"] == Code.INVALID_FIELDS


@pytest.mark.parametrize("name", PARTNER_COMMANDS)
def test_all_wrong_fields_are_told_at_once(name: CommandName) -> None:
    wrong = {key: [{"no": "sense"}] for key in example(name).value}
    told = codes(refused(name, wrong))
    assert {field.split(".")[0].split("[")[0] for field in told} == wrong.keys()


@pytest.mark.parametrize(
    ("name", "fields", "field"),
    [
        (CommandName.CREATE, {"tenant_id": "contoso"}, "tenant_id"),
        (CommandName.CREATE, {"claim_name": "two\nlines"}, "claim_name"),
        (CommandName.CREATE, {"claim_name": " \u3000 "}, "claim_name"),
        (CommandName.CREATE, {"claim_name": "x" * 201}, "claim_name"),
        (CommandName.CREATE, {"claim_name": "nul\x00byte"}, "claim_name"),
        (CommandName.CREATE, {"workloads": []}, "workloads"),
        (CommandName.CREATE, {"workloads": ["teams", "teams"]}, "workloads"),
        (CommandName.CREATE, {"workloads": ["Teams!"]}, "workloads[0]"),
        (CommandName.CREATE, {"solution_area": "azure"}, "solution_area"),
        (CommandName.CREATE, {"incentive_opt_out": "true"}, "incentive_opt_out"),
        (CommandName.CREATE, {"customer_contact": {**CONTACT, "name": ""}}, "customer_contact.name"),
        (CommandName.CREATE, {"domain": "not a domain"}, "domain"),
        (CommandName.EDIT, {"claim_name": None}, "claim_name"),
        (CommandName.EDIT, {"partner_contact": {"name": "A", "email": "a@b"}}, "partner_contact.email"),
        (CommandName.EDIT, {"partner_contact": {"name": "A", "email": "a@b.example\r\nBcc:"}}, "partner_contact.email"),
        (CommandName.EDIT, {"customer_contact": {"name": "A", "email": "a@b.example"}}, "customer_contact.title"),
        (CommandName.POE_RESERVE, {"size": -1}, "size"),
        (CommandName.POE_RESERVE, {"size": 10**400}, "size"),
        (CommandName.POE_RESERVE, {"size": 1.5}, "size"),
        (CommandName.POE_RESERVE, {"sha256": "abc"}, "sha256"),
        (CommandName.POE_RESERVE, {"filename": "../../etc/passwd"}, "filename"),
        (CommandName.POE_RESERVE, {"filename": "a\r\nX-Header: 1.pdf"}, "filename"),
        (CommandName.POE_RESERVE, {"content_type": "pdf"}, "content_type"),
        (CommandName.POE_ATTACH, {"customer_signed_on": "0000-00-00"}, "customer_signed_on"),
        (CommandName.POE_ATTACH, {"customer_signed_on": "2024-03-01T00:00:00Z"}, "customer_signed_on"),
        (CommandName.POE_ATTACH, {"customer_signed_on": 1709283600}, "customer_signed_on"),
        (CommandName.POE_ATTACH, {"customer_signed_on": "99999-01-01"}, "customer_signed_on"),
        (CommandName.POE_AMEND, {"document_id": "../x"}, "document_id"),
        (CommandName.COMMENT, {"text": "x" * 4001}, "text"),
        (CommandName.COMMENT, {"text": " \n\t "}, "text"),
        (CommandName.COMMENT, {"user": "no spaces please"}, "user"),
        (CommandName.SUBMIT, {"acknowledgements": ["anything_goes"]}, "acknowledgements[0]"),
        (CommandName.WITHDRAW, {"reason": "bored"}, "reason"),
    ],
)  # fmt: skip
def test_a_field_of_the_wrong_form_is_named(name: CommandName, fields: dict[str, Any], field: str) -> None:
    answer = refused(name, changed(name, **fields))
    assert answer.code == Code.INVALID_FIELDS
    assert codes(answer) == {field: Code.INVALID_FIELDS}


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        (CommandName.WITHDRAW, {"user": "u", "reason": "other"}, "text"),
        (CommandName.WITHDRAW, {"user": "u", "reason": "other", "text": "  "}, "text"),
        (CommandName.WITHDRAW, {"user": "u"}, "reason"),
        (CommandName.DISASSOCIATE, {"user": "u"}, "reason"),
        (CommandName.DISASSOCIATE, {"user": "u", "reason": " \n "}, "reason"),
    ],
)
def test_a_reason_left_blank_has_its_own_code(name: CommandName, value: dict[str, Any], field: str) -> None:
    assert codes(refused(name, value)) == {field: Code.REASON_REQUIRED}


def test_ids_of_a_sender_are_made_lower_case() -> None:
    tenant = example(CommandName.CREATE).value["tenant_id"]
    value = json.dumps(changed(CommandName.CREATE, tenant_id=tenant.upper())).encode()
    command = parse_partner_command(CommandName.CREATE, value)
    assert isinstance(command, PartnerCommand)
    assert command.model_dump()["tenant_id"] == tenant


def test_at_most_a_hundred_errors_are_told_and_the_rest_counted() -> None:
    answer = refused(CommandName.CREATE, changed(CommandName.CREATE, workloads=["!"] * 130))
    assert len(answer.errors.errors) == MOST_ERRORS
    assert answer.errors.omitted == 30


@given(text=st.text(min_size=65, max_size=3000))
def test_no_more_than_64_characters_of_input_are_repeated(text: str) -> None:
    for name, field in ((CommandName.WITHDRAW, "reason"), (CommandName.POE_RESERVE, "sha256")):
        detail = refused(name, changed(name, **{field: text})).errors.errors[0].detail
        assert text[: LONGEST_ECHO + 1] not in detail
        assert detail.isprintable()


@given(
    name=st.sampled_from(PARTNER_COMMANDS),
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=80),
        lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from(FIELDS) | st.text(), inner),
        max_leaves=30,
    ),
)
def test_any_json_at_all_is_answered(name: CommandName, value: Any) -> None:
    assert isinstance(parse_partner_command(name, json.dumps(value).encode()), PartnerCommand | WrongShape)


@given(st.sampled_from(PARTNER_COMMANDS), st.binary(max_size=200))
def test_any_bytes_at_all_are_answered(name: CommandName, value: bytes) -> None:
    assert isinstance(parse_partner_command(name, value), PartnerCommand | WrongShape)
