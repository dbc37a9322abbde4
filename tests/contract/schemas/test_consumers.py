"""Whoever reads a topic can read every example of every message on it, of every version that was ever published."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from typing import Any

import pytest

from cpor.domain import ids, wire
from cpor.domain.vocabulary import TenantId
from cpor.ops.book import Claim
from cpor.ops.checker.log import PipelineLog
from cpor.ops.checker.reading import Reading
from cpor.ops.deadline_rows import told_of
from cpor.ops.standing import standing_of
from cpor.ops.tasks import tasks_of
from cpor.runtime.errors import Retry
from cpor.runtime.processor import Processor
from cpor.runtime.record import Record
from cpor.runtime.topics import Topic
from schemas.base import read
from schemas.channels import CHANNELS, GROUPS, PARTNER, Channel, Side, read_by
from schemas.dead_letters import DEAD_LETTER, read_dead_letter
from schemas.envelope import read_envelope
from schemas.mail import BOUNCED, DELIVERED
from schemas.partner_commands import PartnerCommand, parse_partner_command
from schemas.registry import MESSAGES, MessageSpec
from services.consent import reading as consent
from services.consent.page import knowledge
from services.deadlines.worker import Deadlines
from services.intake.results import forward_result
from services.intake.worker import Intake
from services.notify.delivery import Delivery
from services.notify.drafts import Settings
from services.notify.sent import SHAPE, fold
from services.notify.worker import Notify
from services.review.inbox import read_message
from services.review.worker import Review
from tests.contract.schemas.examples import example

N = 8
NOTHING: Any = None


class Empty:
    """A worker's context in which there are no rows."""

    partition = 0
    now = 0

    def get(self, table: str, key: bytes) -> None:
        return None

    def emit(self, *told: object) -> None:
        pass


EMPTY: Any = Empty()
Reader = Callable[[Record], object]


def record_of(channel: Channel, spec: MessageSpec) -> Record:
    """The example of a message as it lies on a topic, with a field that nobody knows yet."""
    shown = example(spec.name)
    key = shown.key.encode()
    place = ids.tenant_partition(TenantId(shown.key), N)
    headers = [(name, text.encode()) for name, text in shown.headers.items()]
    value = json.dumps({**shown.value, "zz_new": {"deep": [None]}}).encode()
    return Record(channel.topic.replace(PARTNER, "P-1001"), place, 7, 1_709_283_600_000, key, value, tuple(headers))


def a_command(record: Record) -> None:
    """Of a partner, at the entrance."""
    assert isinstance(parse_partner_command(record.header("ce_type"), record.value), PartnerCommand)


def a_claim_event(record: Record) -> None:
    wire.decode_event(wire.event_name(record.header("ce_type") or ""), record.value or b"")


def told_to_notify(record: Record) -> None:
    """What is told of a claim that it does not know waits for the claim: it was read."""
    with suppress(Retry):
        Notify(Settings(N)).process(EMPTY, record)


def answer(record: Record) -> None:
    consent.answer(record, consent.tenant_of(record, N))


def known_by_its_envelope(record: Record) -> None:
    """Delivery looks only at which mail and attempt the newest entries are about."""
    assert read_envelope(record.headers).id


def looked_up(record: Record) -> None:
    """Who reads the mailbox of bounces takes what was delivered, and what came back, into a view."""
    with closing(sqlite3.connect(":memory:")) as rows:
        for statement in SHAPE.tables:
            rows.execute(statement)
        fold(rows, record)
        wanted = record.header("ce_type") in (DELIVERED, BOUNCED)
        assert wanted is (rows.total_changes == 1)


def known_to_the_page(record: Record) -> None:
    with closing(sqlite3.connect(":memory:")) as rows:
        for statement in knowledge.TABLES:
            rows.execute(statement)
        knowledge.TAKES[Topic(record.topic)](rows, record)


def seen_by_operators(record: Record) -> None:
    """As tasks, clocks, answers and dead letters are listed."""
    tasks_of((), [record])
    told_of([record])
    standing_of([record], record.header("ce_subject") or "")
    if record.topic == "cpor.dead-letters":
        read_dead_letter(record.headers)


#: Side and topic → how it reads a record; it raises where it cannot.
READERS: dict[tuple[Side, str], Reader] = {
    (Side.INTAKE, "cpor.partners.<partner>.commands"): a_command,
    (Side.INTAKE, "cpor.incentives.results"): lambda record: forward_result(EMPTY, record, N),
    (Side.REVIEW, "cpor.claims.commands"): lambda record: read_message(record, N),
    (Side.CONSENT, "cpor.claims.events"): consent.claim_event,
    (Side.CONSENT, "cpor.consent.responses"): answer,
    (Side.CONSENT, "cpor.notify.deliveries"): consent.delivery,
    (Side.DEADLINES, "cpor.claims.events"): Deadlines(N, 0)._read,
    (Side.NOTIFY, "cpor.claims.events"): a_claim_event,
    (Side.NOTIFY, "cpor.consent.events"): told_to_notify,
    (Side.NOTIFY, "cpor.deadlines.events"): told_to_notify,
    (Side.NOTIFY, "cpor.notify.deliveries"): told_to_notify,
    (Side.DELIVERY, "cpor.notify.mail"): Delivery(NOTHING, NOTHING, NOTHING)._read,
    (Side.DELIVERY, "cpor.notify.resend"): Delivery(NOTHING, NOTHING, NOTHING)._read,
    (Side.DELIVERY, "cpor.notify.deliveries"): known_by_its_envelope,
    (Side.BOUNCES, "cpor.notify.deliveries"): looked_up,
    **{(Side.CUSTOMERS, topic.value): known_to_the_page for topic in knowledge.TAKES if topic != Topic.CONSENT_STATE},
    (Side.OPERATORS, "cpor.claims.events"): a_claim_event,
    (Side.OPERATORS, "cpor.claims.state"): lambda record: Claim(wire.decode_state(record.value or b""), None),
    **{
        (Side.OPERATORS, topic): seen_by_operators
        for topic in (
            "cpor.consent.responses",
            "cpor.consent.events",
            "cpor.deadlines.events",
            "cpor.notify.deliveries",
            "cpor.dead-letters",
        )
    },
}
SERVICES: tuple[tuple[Side, Processor], ...] = (
    (Side.INTAKE, Intake(NOTHING, NOTHING, NOTHING, N, 4)),
    (Side.REVIEW, Review(N)),
    (Side.DEADLINES, Deadlines(N, 0)),
    (Side.NOTIFY, Notify(Settings(N))),
)


def by_table(decode: Callable[[bytes], object]) -> Reader:
    def known(record: Record) -> None:
        assert decode(record.value or b"") is not None, "it would count as absent"

    return known


READERS |= {
    (side, table.topic): by_table(table.decode) for side, service in SERVICES for table in service.reference_tables
}


def cases() -> Iterator[Any]:
    for channel in CHANNELS:
        for side in channel.readers:
            for spec in channel.messages if (side, channel.topic) in READERS else ():
                yield pytest.param(side, channel, spec, id=f"{side}-{channel.name}-{spec.name}")


@pytest.mark.parametrize(("side", "channel", "spec"), [*cases()])
def test_a_reader_of_a_topic_reads_every_message_on_it(side: Side, channel: Channel, spec: MessageSpec) -> None:
    READERS[side, channel.topic](record_of(channel, spec))


def test_every_service_is_tried_with_every_topic_that_it_reads() -> None:
    wanted = {(side, topic) for side in GROUPS for topic in read_by(side)}
    assert wanted - READERS.keys() == set()
    assert {(side, topic) for side, topic in READERS if topic not in read_by(side)} == set()


REFERENCE = [each for each in CHANNELS if each.topic.startswith("cpor.reference.")]


@pytest.mark.parametrize("channel", REFERENCE, ids=[each.name for each in REFERENCE])
def test_the_command_line_reads_reference_records_as_their_models_do(channel: Channel) -> None:
    for spec in channel.messages:
        read(spec.model, record_of(channel, spec).value or b"")


def test_the_checker_finds_no_fault_with_any_example() -> None:
    """It looks with the eyes of a writer: nothing unknown is in them."""
    told: dict[str, list[str]] = {}
    for place in CHANNELS:
        for spec in place.messages if place not in REFERENCE else ():
            shown = record_of(place, spec)._replace(value=example(spec.name).bytes)
            log = PipelineLog(N, events=(shown,)) if place.name == "claims.events" else PipelineLog(N, inbox=(shown,))
            told[spec.name] = [f"{each.code}: {each.sentence}" for each in Reading(log).findings]
    assert told.pop(DEAD_LETTER), "a letter has the type of what it was, and is read by its own headers"
    assert {name: found for name, found in told.items() if found} == {}
    assert "cpor.claim.unpark.v1" in told


def test_all_messages_of_the_registry_are_on_a_channel_somebody_reads() -> None:
    assert {spec.name for channel in CHANNELS if channel.readers for spec in channel.messages} == MESSAGES.keys()
