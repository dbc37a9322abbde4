"""The audit behind the other tests finds each fault that is planted: a check that cannot fail is a defect."""

from __future__ import annotations

import pytest

from cpor.domain.vocabulary import CommandName
from cpor.runtime.record import Output
from cpor.runtime.topics import Topic, receipts_topic
from tests.unit.review.pipeline import Pipeline

RECEIPTS = receipts_topic("P-1")


@pytest.fixture
def sound() -> Pipeline:
    made = Pipeline()
    made.official()
    made.partner("c", CommandName.COMMENT, {"text": "Thank you."})
    made.audit()
    return made


def repeat_last(pipeline: Pipeline, topic: str) -> None:
    last = pipeline.broker.records(topic)[-1]
    pipeline.broker.append(Output(topic, last.partition, last.key, last.value, list(last.headers)))


def drop_last(pipeline: Pipeline, topic: str) -> None:
    last = pipeline.broker.records(topic)[-1]
    pipeline.broker.log(last.tp).entries[last.offset].record = None


@pytest.mark.parametrize(
    "topic", [RECEIPTS, Topic.CLAIM_EVENTS, Topic.CLAIM_STATE, Topic.ASSOCIATIONS, Topic.APPROVED, Topic.ELIGIBLE]
)
def test_a_record_that_is_missing_is_found(sound: Pipeline, topic: str) -> None:
    drop_last(sound, topic)
    with pytest.raises(AssertionError):
        sound.audit()


@pytest.mark.parametrize("topic", [RECEIPTS, Topic.CLAIM_EVENTS, Topic.APPROVED, Topic.ELIGIBLE])
def test_a_record_that_came_twice_is_found(sound: Pipeline, topic: str) -> None:
    repeat_last(sound, topic)
    with pytest.raises(AssertionError):
        sound.audit()


def test_a_state_that_is_not_the_fold_is_found(sound: Pipeline) -> None:
    last = sound.broker.records(Topic.CLAIM_STATE)[-1]
    value = (last.value or b"").replace(b'"approved"', b'"rejected"', 1)
    sound.broker.append(Output(last.topic, last.partition, last.key, value, list(last.headers)))
    with pytest.raises(AssertionError):
        sound.audit()


def test_an_unknown_field_in_something_written_is_found(sound: Pipeline) -> None:
    last = sound.broker.records(RECEIPTS)[-1]
    value = b'{"extra":1,' + (last.value or b"")[1:]
    sound.broker.log(last.tp).entries[last.offset].record = last._replace(value=value)
    with pytest.raises(ValueError, match="extra"):
        sound.audit()
