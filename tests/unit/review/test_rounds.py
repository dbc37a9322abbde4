"""The same inbox gives the same history, however it is cut into rounds."""

from __future__ import annotations

import pytest

from cpor.domain.vocabulary import CommandName
from cpor.runtime.record import Output, Record
from cpor.runtime.topics import Topic
from cpor.runtime.transport.memory import MemoryTransport
from cpor.runtime.worker import Limits, Worker
from services.review.worker import Review
from tests.unit.review.pipeline import N, Pipeline, of, sales_form, usage_form

C = CommandName


@pytest.fixture(scope="module")
def lived() -> Pipeline:
    """Claims that compete, are displaced, disputed, declined and dead-lettered, one command a round."""
    made = Pipeline()
    made.official("c", "P-1", usage_form("teams", "intune"))
    made.approved("d", "P-2", usage_form("teams"), number=2, displaces=[of("c")])
    made.approved("e", "P-2", usage_form("intune"), number=3, displaces=[of("c")])
    made.partner("c", C.DISPUTE, {"justification": "We have served them for years."})
    made.review("c", C.REVIEW_APPROVE, displaces=[of("d", "P-2"), of("e", "P-2")])
    made.inside("c", C.CONSENT_OUTCOME, outcome="declined", approval=made.claim().sequence)
    made.approved("s", "P-1", sales_form())
    made.review("nothing", C.REVIEW_START)
    made.partner("s", C.DISASSOCIATE, {"reason": "Over."})
    made.audit()
    return made


def replayed(inbox: list[Record], records: int) -> Pipeline:
    """A fresh worker over the same inbox, all of it there from the start."""
    made = Pipeline()
    for record in inbox:
        made.clock.tick(record.appended_at - made.clock.now())
        output = Output(record.topic, record.partition, record.key, record.value, list(record.headers))
        made.broker.append(output)
    limits = Limits(records=records)
    made.worker = Worker(Review(N), MemoryTransport(made.broker), made.engines, made.clock, "0", limits)
    made.run()
    return made


def contents(pipeline: Pipeline, topic: Topic) -> list[tuple[bytes | None, bytes | None, object]]:
    return [(each.key, each.value, each.headers) for each in pipeline.broker.records(topic)]


@pytest.mark.parametrize("records", [1, 2, 7, 3_000])
def test_events_and_hand_offs_do_not_depend_on_how_many_commands_a_round_takes(lived: Pipeline, records: int) -> None:
    again = replayed(lived.broker.records(Topic.CLAIM_COMMANDS), records)
    for topic in (Topic.CLAIM_EVENTS, Topic.APPROVED, Topic.ELIGIBLE):
        assert contents(again, topic) == contents(lived, topic)
    assert again.associations() == lived.associations()


def test_a_round_sends_the_newest_row_of_a_claim_only(lived: Pipeline) -> None:
    inbox = lived.broker.records(Topic.CLAIM_COMMANDS)
    rows = replayed(inbox, 3_000).broker.records(Topic.CLAIM_STATE)
    assert len(rows) == len({each.key for each in rows}) == 4
