"""`schemas/asyncapi.yaml` is AsyncAPI 3.0 and says what the code does."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator

from cpor.runtime.processor import Processor
from cpor.runtime.topics import FIXED_TOPICS, Topic, commands_topic, receipts_topic, updates_topic
from schemas.asyncapi import VERSION, component, document
from schemas.channels import CHANNELS, GROUPS, PARTNER, SIDES, Side, read_by
from schemas.files import HERE
from schemas.registry import MESSAGES
from schemas.release import releases
from schemas.yaml_text import yaml_text
from services.consent.page.knowledge import SHAPE as PAGE_SHAPE
from services.consent.worker import Consent
from services.deadlines.worker import Deadlines
from services.intake.worker import Intake
from services.notify import delivery
from services.notify.drafts import Settings
from services.notify.sent import SHAPE
from services.notify.worker import Notify
from services.review.worker import Review
from tests.contract.schemas.examples import NAMES, example

OFFICIAL = json.loads((Path(__file__).parent / "asyncapi-3.0.0.json").read_text("utf-8"))
DOCUMENT: dict[str, Any] = yaml.safe_load((HERE / "asyncapi.yaml").read_text("utf-8"))
JUDGE = Draft7Validator(OFFICIAL)

#: What a service needs to work; what it reads is known without.
NOTHING: Any = None
PROCESSORS: dict[Side, Processor] = {
    Side.INTAKE: Intake(NOTHING, NOTHING, NOTHING, 8, 4),
    Side.REVIEW: Review(8),
    Side.CONSENT: Consent(8, 0, NOTHING),
    Side.DEADLINES: Deadlines(8, 0),
    Side.NOTIFY: Notify(Settings(8)),
}
ALL_TOPICS = [commands_topic("P-1"), receipts_topic("P-1"), updates_topic("P-1"), *(each.name for each in FIXED_TOPICS)]


def test_the_document_is_what_the_official_schema_of_asyncapi_3_0_asks_for() -> None:
    assert [f"{each.json_path}: {each.message[:200]}" for each in JUDGE.iter_errors(DOCUMENT)] == []


@pytest.mark.parametrize(
    ("where", "what"),
    [
        (("asyncapi",), "2.6.0"),
        (("info",), {"title": "No version"}),
        (("channels", "claims.events", "adress"), "cpor.claims.events"),
        (("channels", "claims.events", "bindings", "kafka", "partitions"), 0),
        (("operations", "review.send.claims.events", "action"), "publish"),
        (("operations", "review.send.claims.events", "channel"), "claims.events"),
        (("components", "messages", "cpor.update.v1", "examples"), {}),
    ],
)
def test_the_official_schema_finds_a_fault(where: tuple[str, ...], what: object) -> None:
    broken = deepcopy(DOCUMENT)
    part = broken
    for step in where[:-1]:
        part = part[step]
    part[where[-1]] = what
    assert not JUDGE.is_valid(broken)


def test_the_yaml_reads_back_as_the_document() -> None:
    assert json.loads(json.dumps(document())) == DOCUMENT


def _refs(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from [each] if key == "$ref" else _refs(each)
    elif isinstance(value, list):
        for each in value:
            yield from _refs(each)


def _stands(ref: str) -> bool:
    if not ref.startswith("#/"):
        return (HERE / ref).is_file()
    part: Any = DOCUMENT
    for step in ref.removeprefix("#/").split("/"):
        part = part.get(step, {})
        if set(part) == {"$ref"}:
            return _stands(part["$ref"])
    return bool(part)


def test_whatever_is_referred_to_stands_there() -> None:
    assert {ref for ref in _refs(DOCUMENT) if not _stands(ref)} == set()


@pytest.mark.parametrize("name", NAMES)
def test_the_example_of_a_message_is_as_its_headers_and_payload_say(name: str) -> None:
    message = DOCUMENT["components"]["messages"][component(MESSAGES[name])]
    (shown,) = message["examples"]
    payload = json.loads((HERE / message["payload"]["$ref"]).read_text("utf-8"))
    Draft202012Validator(payload).validate(shown["payload"])
    Draft7Validator({**message["headers"], "components": DOCUMENT["components"]}).validate(shown["headers"])
    assert shown["payload"] == example(name).value


def test_every_message_lies_in_every_channel_of_its_topics_and_in_no_other() -> None:
    told = {
        (channel["address"].replace("{partner}", PARTNER), name)
        for channel in DOCUMENT["channels"].values()
        for name in channel["messages"]
    }
    assert told == {(topic, component(spec)) for spec in MESSAGES.values() for topic in spec.topics}


def test_every_message_is_sent_by_somebody_but_for_versions_that_are_only_read() -> None:
    sent = {spec.name for channel in CHANNELS for side in channel.senders for spec in channel.sent_by(side)}
    assert MESSAGES.keys() - sent == {"cpor.claim.unpark.v1"}


def test_nobody_sends_nothing() -> None:
    assert [each for each, told in DOCUMENT["operations"].items() if not told["messages"]] == []


@pytest.mark.parametrize("side", PROCESSORS)
def test_a_service_receives_from_the_topics_that_it_reads(side: Side) -> None:
    service = PROCESSORS[side]
    reads = {*service.sources(ALL_TOPICS), *(each.topic for each in service.reference_tables)}
    assert {topic.replace(PARTNER, "P-1") for topic in read_by(side)} == reads
    assert GROUPS[side] == f"cpor.{service.service}"


def test_delivery_receives_from_the_topics_that_it_reads() -> None:
    assert {*read_by(Side.DELIVERY)} == {*delivery.TOPICS, Topic.DELIVERIES}
    assert GROUPS[Side.DELIVERY] == f"cpor.{delivery.SERVICE}"


def test_who_reads_the_mailbox_of_bounces_receives_from_the_topic_that_it_looks_mails_up_in() -> None:
    assert {*read_by(Side.BOUNCES)} == {*SHAPE.topics}


def test_the_page_receives_from_the_topics_of_its_view_beside_its_own_service_s() -> None:
    assert {*read_by(Side.CUSTOMERS)} == {*PAGE_SHAPE.topics} - {Topic.CONSENT_STATE}


def test_every_topic_that_is_not_a_service_s_own_has_a_channel() -> None:
    own = ("slots", "state", "timers", "parked", "outbox")
    public = {each.name for each in FIXED_TOPICS if not each.name.endswith(own)} | {Topic.CLAIM_STATE.value}
    assert {each.topic for each in CHANNELS if PARTNER not in each.topic} == public


def test_who_sends_or_reads_is_explained() -> None:
    assert {side for each in CHANNELS for side in (*each.senders, *each.readers)} == {*SIDES}


def test_its_version_is_the_newest_that_was_released() -> None:
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text("utf-8"))["project"]
    assert releases()[-1].version == VERSION == project["version"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
TRICKY = st.sampled_from(
    ["yes", "No", "null", "1e3", "2024-03-01", "a: b", "a #b", "- a", "", " ", "~", "0x1f", "12:30"]
)


@given(st.dictionaries(st.text(max_size=8) | TRICKY, JSON | TRICKY, min_size=1, max_size=4))
def test_any_json_value_reads_back_from_its_yaml(value: dict[str, Any]) -> None:
    assert yaml.safe_load(yaml_text(value)) == value
