"""A message counts once: its identity is partner, claim reference and `ce_id` (architecture §3, Idempotency)."""

from __future__ import annotations

from typing import Any

from cpor.domain.vocabulary import Code, CommandName, Outcome
from cpor.runtime.topics import commands_topic
from schemas.receipts import OriginalOutcome
from services.intake.references import NEWEST, Identity, Reference, Reservation, decode, encode, identity
from tests.unit.intake.harness import (
    DIRECTORY,
    FORM,
    TENANT,
    Desk,
    admitted,
    comment,
    header,
    receipt,
)


def bound() -> Desk:
    desk = Desk()
    desk.create()
    return desk


def test_an_admitted_message_sent_again_is_a_duplicate_of_an_admitted_one() -> None:
    desk = bound()
    admitted(desk.send(CommandName.COMMENT, comment()))
    found = receipt(desk.send(CommandName.COMMENT, comment()))
    assert (found.outcome, found.code) == (Outcome.DUPLICATE, Code.DUPLICATE)
    assert found.original is not None
    assert (found.original.outcome, found.original.code) == (OriginalOutcome.ADMITTED, None)
    assert found.claim_id == header(desk.create("c-2"), "ce_subject")


def test_the_same_id_with_other_content_is_a_conflict_and_the_first_content_stays_known() -> None:
    desk = bound()
    admitted(desk.send(CommandName.COMMENT, comment("one")))
    for body in (comment("two"), comment("three"), comment("two")):
        assert receipt(desk.send(CommandName.COMMENT, body)).code is Code.CONFLICTING_MESSAGE
    assert receipt(desk.send(CommandName.COMMENT, comment("one"))).code is Code.DUPLICATE


def test_a_conflict_is_one_answer_however_much_is_wrong_with_the_other_content() -> None:
    desk = bound()
    admitted(desk.send(CommandName.COMMENT, comment()))
    found = receipt(desk.send(CommandName.CREATE, {"user": "u-anna", **FORM, "workloads": [1] * 400}))
    assert (found.code, found.errors, found.errors_omitted) == (Code.CONFLICTING_MESSAGE, (), 0)


def test_the_same_value_under_another_type_is_other_content() -> None:
    desk = bound()
    body = comment(acknowledgements=[])
    admitted(desk.send(CommandName.COMMENT, body))
    assert receipt(desk.send(CommandName.SUBMIT, body)).code is Code.CONFLICTING_MESSAGE


def test_other_headers_are_not_other_content() -> None:
    desk = bound()
    admitted(desk.send(CommandName.COMMENT, comment()))
    trace = (("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),)
    assert receipt(desk.send(CommandName.COMMENT, comment(), headers=trace)).code is Code.DUPLICATE


def test_a_duplicate_within_one_round_is_found() -> None:
    desk = bound()
    records = [desk.record(CommandName.COMMENT, comment(), ce_id="twice") for _ in range(3)]
    first, *others = desk.send_all(records)
    admitted(first)
    assert [receipt(each).code for each in others] == [Code.DUPLICATE] * 2


def test_a_repetition_is_answered_as_such_whatever_has_become_of_the_user_since() -> None:
    desk = bound()
    admitted(desk.send(CommandName.COMMENT, comment()))
    desk.know({**DIRECTORY, "status": "suspended", "users": []})
    assert receipt(desk.send(CommandName.COMMENT, comment())).code is Code.DUPLICATE


def test_the_newest_hundred_ids_are_remembered_and_the_101st_pushes_the_oldest_out() -> None:
    desk = bound()
    for n in range(NEWEST):
        admitted(desk.send(CommandName.COMMENT, comment(), ce_id=f"m-{n}"))
    assert receipt(desk.send(CommandName.COMMENT, comment(), ce_id="m-0")).code is Code.DUPLICATE
    admitted(desk.send(CommandName.COMMENT, comment(), ce_id="one-more"))
    admitted(desk.send(CommandName.COMMENT, comment(), ce_id="m-0"))
    assert receipt(desk.send(CommandName.COMMENT, comment(), ce_id="m-99")).code is Code.DUPLICATE


def test_repetitions_push_nothing_out() -> None:
    desk = bound()
    for n in range(NEWEST):
        admitted(desk.send(CommandName.COMMENT, comment(), ce_id=f"m-{n}"))
    for _ in range(NEWEST):
        desk.send(CommandName.COMMENT, comment(), ce_id="m-99")
        desk.send(CommandName.COMMENT, comment("other"), ce_id="m-98")
    assert receipt(desk.send(CommandName.COMMENT, comment(), ce_id="m-0")).code is Code.DUPLICATE


def test_the_same_id_on_another_reference_or_of_another_partner_is_another_message() -> None:
    desk = bound()
    other = commands_topic("P-2")
    desk.know({**DIRECTORY, "partner_id": "P-2"})
    form = {"user": "u-anna", **FORM}
    admitted(desk.send(CommandName.CREATE, form, ce_id="c-1", key=b"CLM-2"))
    value = admitted(desk.send(CommandName.CREATE, form, ce_id="c-1", topic=other))
    assert value["partner_id"] == "P-2"


def test_a_reference_is_bound_by_its_first_admitted_create_and_not_by_a_refused_one() -> None:
    desk = Desk()
    other = "00000000-2222-4333-8444-555555555555"
    receipt(desk.create("c-1", location_id="nowhere", tenant_id=other))
    row = desk.row()
    assert row is not None
    assert row.tenant_id is None
    admitted(desk.create("c-2"))
    assert receipt(desk.create("c-3", tenant_id=other)).code is Code.REFERENCE_BOUND
    admitted(desk.create("c-4"))


def test_a_tenant_in_capitals_is_the_same_tenant() -> None:
    desk = bound()
    value = admitted(desk.create("c-2", tenant_id=TENANT.upper()))
    assert value["form"]["tenant_id"] == value["tenant_id"] == TENANT


def test_a_refused_message_has_no_claim_in_its_receipt_until_there_is_one() -> None:
    desk = Desk()
    assert receipt(desk.create("c-1", location_id="1")).claim_id is None
    desk.create("c-2")
    assert receipt(desk.create("c-3", location_id="1")).claim_id is not None


def test_a_row_survives_its_encoding() -> None:
    row = Reference("c", "t", 3, (Reservation("d", 'na"me\u2028é.pdf', "application/pdf", 1, "ab"),), b"")  # type: ignore[arg-type]
    for n in range(3):
        row = row.remembering(identity(f"m-{n}", "type", b"value"), Code.USER_UNKNOWN if n else None)
    assert decode(encode(row)) == row
    assert decode(encode(Reference("c", None, 0))) == Reference("c", None, 0)  # type: ignore[arg-type]
    first, second = (row.first(identity(f"m-{n}", "type", b"value")) for n in (0, 1))
    assert first is not None
    assert second is not None
    assert (first.rejected, second.rejected) == (None, Code.USER_UNKNOWN)


def test_an_id_that_only_appears_across_two_entries_is_not_known() -> None:
    row: Any = Reference("c", "t", 0)  # type: ignore[arg-type]
    row = row.remembering(Identity(b"a" * 12, b"b" * 12), None).remembering(Identity(b"c" * 12, b"a" * 12), None)
    assert row.first(Identity(b"b" * 12, b"")) is None
    assert row.first(Identity(b"b" * 11 + b"\0", b"")) is None


def test_a_row_of_a_hundred_ids_stays_small() -> None:
    row: Any = Reference("c", "t", 0)  # type: ignore[arg-type]
    for n in range(300):
        row = row.remembering(identity(f"m-{n}", "type", b"value"), None)
    assert len(encode(row)) < 4_000
