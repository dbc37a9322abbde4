"""What operators do by hand is on `cpor.audit` before it is done: by whom, on what, and why (contract §1)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cpor.devstack.endpoints import Endpoints
from cpor.domain.vocabulary import ActorKind, CommandName
from cpor.ops.directory import add_partners, load_reference
from cpor.ops.errors import NotReachable, WrongUse
from cpor.ops.inbox import by_actor, by_reviewer, exchange, send
from cpor.ops.instance import Instance
from cpor.ops.writing import Why, file_name
from cpor.runtime.record import Record
from cpor.runtime.topics import Topic
from cpor.runtime.transport.memory import MemoryTransport
from cpor.runtime.transport.port import PublishFailed
from schemas.audit import CommandGiven, PartnerAdded, ReferenceLoaded
from schemas.base import check
from schemas.reference import Customer, Partner, Subscription
from tests.unit.ops.test_records import PARTNER
from tests.unit.review.pipeline import CUSTOMER, SALES, TENANT, Pipeline, of

RESEND, END, START = CommandName.OPS_RESEND_NOTICE, CommandName.OPS_END_SUBSCRIPTION, CommandName.REVIEW_START
CONTACT = {"name": "Ken Abe", "title": "CTO", "email": "ken@contoso.example"}
ISAR = check(Partner, json.dumps({**PARTNER, "partner_id": "P-7"}))
CONTOSO = check(Customer, json.dumps(CUSTOMER))
REASON = {"note": "Ticket 7", "file": "isar.json"}


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline()


def instance_of(pipeline: Pipeline) -> Instance:
    """As a command meets it, with the broker in memory."""
    found = Instance(Endpoints("memory", "memory", "", "", Path()))
    found.__dict__.update(transport=MemoryTransport(pipeline.broker), clock=pipeline.clock)
    return found


def given(pipeline: Pipeline, name: CommandName, told: dict[str, Any], why: Why) -> Record:
    """Send the command, which nobody answers here; its record."""
    with exchange(instance_of(pipeline)) as talk, pytest.raises(NotReachable):
        send(talk, name, of("c"), TENANT, told, seconds=0, why=why)
    return pipeline.broker.records(Topic.CLAIM_COMMANDS)[-1]


def audit(pipeline: Pipeline) -> list[Record]:
    return pipeline.broker.records(Topic.AUDIT)


@pytest.mark.parametrize(("name", "data"), [(RESEND, {"customer_contact": CONTACT}), (END, {"ends_on": "2024-01-31"})])
def test_an_operators_command_is_audited_with_who_gave_it_on_which_claim_and_why(
    pipeline: Pipeline, name: CommandName, data: dict[str, Any]
) -> None:
    record = given(pipeline, name, by_actor(ActorKind.OPERATOR, "o-lind", **data), {"note": "Rang back.", "file": None})
    (entry,) = audit(pipeline)
    told = check(CommandGiven, entry.value or b"")
    assert (told.operator, told.command, told.claim_id, told.note) == ("o-lind", name, of("c"), "Rang back.")
    assert told.message_id == record.header("ce_id")
    assert (entry.key, entry.header("ce_subject")) == (b"o-lind", of("c"))
    assert b"contoso.example" not in (entry.value or b""), "the claim holds contact data, the audit does not"


def test_what_a_reviewer_decides_is_no_operators_doing(pipeline: Pipeline) -> None:
    given(pipeline, START, by_reviewer("r-1"), {})
    assert audit(pipeline) == []


def test_what_cannot_be_put_on_the_audit_is_not_done(pipeline: Pipeline) -> None:
    broker, instance = pipeline.broker, instance_of(pipeline)
    before = {topic: len(broker.records(topic)) for topic in (Topic.CLAIM_COMMANDS, Topic.PARTNERS, Topic.CUSTOMERS)}
    broker.create(Topic.AUDIT, 1, max_bytes=1)
    with exchange(instance) as talk, pytest.raises(PublishFailed):
        send(talk, RESEND, of("c"), TENANT, by_actor(ActorKind.OPERATOR, "o-lind"))
    with pytest.raises(PublishFailed):
        add_partners(instance, [ISAR], "o-lind")
    with pytest.raises(PublishFailed):
        load_reference(instance, [CONTOSO], by="o-lind")
    assert {topic: len(broker.records(topic)) for topic in before} == before


def test_each_partner_that_is_added_is_audited_with_what_became_of_its_entry(pipeline: Pipeline) -> None:
    changed = ISAR.model_copy(update={"name": "Isar AG"})
    for partner in (ISAR, ISAR, changed):
        add_partners(instance_of(pipeline), [partner], "o-lind", REASON)
    entries = [check(PartnerAdded, each.value or b"") for each in audit(pipeline)]
    assert [(each.partner_id, each.change) for each in entries] == [
        ("P-7", "added"),
        ("P-7", "unchanged"),
        ("P-7", "updated"),
    ]
    assert {(each.operator, each.note, each.file) for each in entries} == {("o-lind", "Ticket 7", "isar.json")}
    assert len({each.header("ce_id") for each in audit(pipeline)}) == 3
    assert pipeline.broker.records(Topic.PARTNERS)[-1].header("ce_source") == "/operators/o-lind"


def test_a_load_is_audited_once_with_its_file_and_how_much_it_brought(pipeline: Pipeline) -> None:
    rows: list[Customer | Subscription] = [CONTOSO, check(Subscription, json.dumps(SALES))]
    load_reference(instance_of(pipeline), rows, by="o-lind", why={"file": file_name(Path("/data/new/feed.ndjson"))})
    (entry,) = audit(pipeline)
    told = check(ReferenceLoaded, entry.value or b"")
    assert (told.operator, told.customers, told.subscriptions, told.file) == ("o-lind", 1, 1, "feed.ndjson")
    assert entry.header("ce_subject") is None


def test_a_note_that_is_too_long_writes_nothing(pipeline: Pipeline) -> None:
    before = len(pipeline.broker.records(Topic.PARTNERS))
    with pytest.raises(WrongUse, match="note"):
        add_partners(instance_of(pipeline), [ISAR], "o-lind", {"note": "x" * 4_001})
    assert (audit(pipeline), len(pipeline.broker.records(Topic.PARTNERS))) == ([], before)
