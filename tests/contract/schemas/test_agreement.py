"""The domain's dataclasses and the published models say the same."""

from __future__ import annotations

import dataclasses
import json
import typing
from typing import Any

import pytest
from pydantic import BaseModel

from cpor.domain import events, model, reference, wire
from cpor.domain.vocabulary import PARTNER_COMMANDS, Code, CommandName, EventName, Outcome
from schemas import associations, claim_state, inbox, partner_commands, receipts
from schemas import reference as reference_records
from schemas.base import check
from schemas.claim_events import CLAIM_EVENTS
from schemas.upcast import versions
from tests.contract.schemas.examples import example

Shape = dict[str, Any]
N = 8


def shape(kind: Any) -> Shape:
    """Field names, whether they are needed, and the same of every part."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return {name: (field.is_required(), _parts(field.annotation)) for name, field in kind.model_fields.items()}
    hints = typing.get_type_hints(kind)
    return {
        each.name: (each.default is dataclasses.MISSING, _parts(hints[each.name])) for each in dataclasses.fields(kind)
    }


def _parts(annotation: Any) -> list[Shape]:
    if isinstance(annotation, type) and (dataclasses.is_dataclass(annotation) or issubclass(annotation, BaseModel)):
        return [shape(annotation)]
    return [found for each in typing.get_args(annotation) for found in _parts(each)]


@pytest.mark.parametrize("name", EventName)
def test_an_event_has_the_fields_its_schema_has(name: EventName) -> None:
    assert shape(events.EVENT_TYPES[name]) == shape(CLAIM_EVENTS[name])


def test_a_state_has_the_fields_its_schema_has() -> None:
    ours, published = shape(model.ClaimState), shape(claim_state.ClaimState)
    assert {name: parts for name, (_, parts) in ours.items()} == {name: parts for name, (_, parts) in published.items()}


@pytest.mark.parametrize("name", EventName)
def test_an_event_as_the_domain_writes_it_is_its_example(name: EventName) -> None:
    shown = example(name.ce_type)
    written = wire.encode(wire.decode_event(name, shown.bytes))
    check(shown.spec.model, written)
    assert as_released(written, shown.value) == shown.value


def test_a_state_as_the_domain_writes_it_is_its_example() -> None:
    shown = example(claim_state.STATE)
    written = wire.encode(wire.decode_state(shown.bytes))
    check(claim_state.ClaimState, written)
    assert as_released(written, shown.value) == shown.value


def as_released(written: bytes, example: dict[str, Any]) -> dict[str, Any]:
    """Without the fields that are younger than the example, which must be at rest in what was read from it."""
    value: dict[str, Any] = json.loads(written)
    younger = {name: value[name] for name in value if name not in example}
    assert not any(younger.values()), younger
    return {name: value[name] for name in example if name in value}


def test_a_refusal_for_an_unknown_claim_stands_outside_any_fold() -> None:
    shown = example(EventName.COMMAND_REFUSED.ce_type)
    value = {**shown.value, "sequence": 0, "policy": None, "status": None}
    written = wire.encode(wire.decode(events.UnknownClaimRefused, json.dumps(value).encode()))
    check(shown.spec.model, written)


@pytest.mark.parametrize(
    ("ours", "published"),
    [
        (reference.Partner, reference_records.Partner),
        (reference.Customer, reference_records.Customer),
        (reference.Subscription, reference_records.Subscription),
    ],
)
def test_reference_facts_have_the_fields_of_their_records(ours: type, published: type) -> None:
    assert shape(ours).keys() == shape(published).keys() - {"kind"}


def test_every_command_of_the_vocabulary_has_a_schema() -> None:
    inside = {*inbox.INBOX_FROM_INSIDE, CommandName.ELIGIBILITY_RESULT, CommandName.EARNING}
    assert {*PARTNER_COMMANDS} == {*partner_commands.PARTNER_COMMANDS} == {*inbox.INBOX_FROM_PARTNERS}
    assert {each for name in CommandName for each in versions(name)} == {*PARTNER_COMMANDS} | inside


IDENTITY = inbox.Identity(*(example("inbox/cpor.claim.file.v1").value[name] for name in inbox.Identity._fields))


@pytest.mark.parametrize("name", PARTNER_COMMANDS)
def test_an_admitted_command_is_written_as_its_example(name: CommandName) -> None:
    admitted = example(f"inbox/{name}")
    command = partner_commands.parse_partner_command(name, example(name).bytes)
    assert isinstance(command, partner_commands.PartnerCommand)
    value = json.loads(inbox.partner_value(command, IDENTITY, **_found_out(name, admitted.value)))
    assert value == admitted.value


def _found_out(name: CommandName, value: dict[str, Any]) -> dict[str, Any]:
    """What intake adds to the command of the example."""
    documents = [value["document"]] if name == CommandName.POE_ATTACH else value.get("documents", [])
    accepted = [inbox.AcceptedFile(*(each[field] for field in inbox.AcceptedFile._fields)) for each in documents]
    reserved = ("document_id", "upload") if name == CommandName.POE_RESERVE else ()
    return {"accepted": accepted, **{field: value[field] for field in reserved}}


def test_a_receipt_is_written_as_its_model_says() -> None:
    shown = example(receipts.RECEIPT).value
    told = [receipts.problem(f"workloads[{n}]", Code.WORKLOAD_NOT_IN_AREA, "No.") for n in range(130)]
    written = receipts.receipt_value(
        message_id=shown["message_id"], claim_ref=shown["claim_ref"], claim_id=shown["claim_id"],
        outcome=Outcome.REJECTED, code=Code.INVALID_FIELDS, detail="No.", errors=told, errors_omitted=5,
        received_at=1_709_283_600_000, decided_at=1_709_283_600_412,
        upload={"url": "u", "fields": {}, "expires_at": shown["decided_at"]},
        original=(receipts.OriginalOutcome.REJECTED, Code.POE_MISSING),
    )  # fmt: skip
    receipt = check(receipts.Receipt, written)
    assert len(receipt.errors) == 100
    assert receipt.errors_omitted == 35
    assert receipt.received_at == 1_709_283_600_000
    assert receipt.original is not None
    assert receipt.original.code == Code.POE_MISSING


def test_the_smallest_receipt_is_whole() -> None:
    written = receipts.receipt_value(
        message_id="cpor.partners.P-1.commands-0-1", claim_ref=None, claim_id=None, outcome=Outcome.REJECTED,
        code=Code.MALFORMED_JSON, detail="The value is not JSON.", received_at=0, decided_at=1,
    )  # fmt: skip
    assert check(receipts.Receipt, written).status is None


def test_an_association_is_keyed_by_the_unit_it_names() -> None:
    shown = example(associations.ASSOCIATION)
    assert shown.key == shown.value["unit"]
