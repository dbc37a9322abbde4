"""How the Kafka client is set up, as far as no broker is needed to see it (docs/kafka.md)."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from kafka import errors as client_errors
from kafka.record import util as record_util

from cpor.runtime.clock import SystemClock
from cpor.runtime.errors import Fenced, GenerationLost, Misconfigured, ProducerFenced, Retry, TransactionFailed
from cpor.runtime.topics import DAY_MS, FIXED_TOPICS, MIB, Topic, commands_topic, largest_record, partner_topics
from cpor.runtime.transport.kafka import (
    SESSION_TIMEOUT_MS,
    TRANSACTION_TIMEOUT_MS,
    KafkaAdmin,
    KafkaTransport,
    assert_native_crc,
)
from cpor.runtime.transport.kafka_common import translate
from cpor.runtime.transport.kafka_read import assert_read_committed

RUNTIME = Path(__file__).parents[3] / "cpor" / "runtime"
RIGHT = {"isolation_level": "read_committed", "enable_auto_commit": False, "auto_offset_reset": "none"}


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (client_errors.ProducerFencedError(), ProducerFenced),
        (client_errors.InvalidProducerEpochError(), ProducerFenced),
        (client_errors.FencedInstanceIdError(), Fenced),
        (client_errors.CommitFailedError("stale"), GenerationLost),
        (client_errors.UnknownMemberIdError(), GenerationLost),
        (client_errors.KafkaError(client_errors.ProducerFencedError()), ProducerFenced),
        (client_errors.KafkaError("Unexpected error"), TransactionFailed),
        (ValueError("a fault of the client"), TransactionFailed),
    ],
    ids=lambda value: repr(value) if isinstance(value, Exception) else "",
)
def test_p3_every_error_inside_a_transaction_ends_it(fault: Exception, kind: type[Exception]) -> None:
    assert type(translate(fault, "cpor.review.0")) is kind


@pytest.mark.parametrize(
    "wrong", [{"isolation_level": "read_uncommitted"}, {"enable_auto_commit": True}, {"auto_offset_reset": "latest"}]
)
def test_p5_each_of_the_clients_defaults_is_refused(wrong: dict[str, object]) -> None:
    assert_read_committed(RIGHT)
    with pytest.raises(Misconfigured):
        assert_read_committed(RIGHT | wrong)


def test_p7_a_client_without_native_checksums_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert_native_crc()
    monkeypatch.setattr(record_util, "crc32c_c", None)
    with pytest.raises(Misconfigured, match="crc32c"):
        KafkaTransport("localhost:1", SystemClock())


def test_p12_the_kernel_has_no_event_loop() -> None:
    kernel = [path for path in RUNTIME.rglob("*.py") if not path.name.startswith("faust")]
    assert len(kernel) > 20
    for path in kernel:
        nodes = list(ast.walk(ast.parse(path.read_text())))
        imported = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
        imported += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
        assert "asyncio" not in imported, path


def test_p11_nothing_subscribes_by_pattern() -> None:
    for path in RUNTIME.rglob("*.py"):
        calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        named = [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "subscribe"]
        assert all([keyword.arg for keyword in call.keywords] == ["topics"] and not call.args for call in named)


def test_a_transaction_may_not_outlive_the_session() -> None:
    with pytest.raises(Misconfigured, match="shorter"):
        KafkaTransport("localhost:1", SystemClock(), session_ms=10_000, transaction_ms=10_000)


def test_a_dead_transaction_is_over_before_another_takes_the_slots() -> None:
    """The broker looks for timed-out transactions every 10 s unless told otherwise."""
    assert TRANSACTION_TIMEOUT_MS + 10_000 < SESSION_TIMEOUT_MS


def test_a_dead_letter_has_room_for_the_largest_command() -> None:
    assert largest_record(commands_topic("p")) > 7 * MIB
    assert largest_record(Topic.DEAD_LETTERS) > largest_record(commands_topic("p")) + MIB
    assert largest_record(Topic.CLAIM_COMMANDS) < MIB


def test_every_topic_is_stamped_by_the_broker_and_compacted_ones_keep_tombstones_for_a_week() -> None:
    for spec in (*FIXED_TOPICS, *partner_topics("p")):
        settings = spec.settings()
        assert settings["message.timestamp.type"] == "LogAppendTime"
        if spec.compact:
            assert settings["delete.retention.ms"] == str(7 * DAY_MS)


WRITTEN_BY_OTHERS = (
    Topic.CLAIM_COMMANDS,
    Topic.CONSENT_RESPONSES,
    Topic.INCENTIVE_RESULTS,
    Topic.PARTNERS,
    Topic.CUSTOMERS,
    Topic.SUBSCRIPTIONS,
)


@pytest.mark.parametrize("topic", WRITTEN_BY_OTHERS)
def test_what_feeds_and_other_systems_write_is_unpacked_by_the_broker(topic: Topic) -> None:
    """A worker without the codec of a feed would stop at its first batch, each time it is started."""
    (spec,) = (each for each in FIXED_TOPICS if each.name == topic)
    assert spec.settings()["compression.type"] == "uncompressed"


def test_commands_of_partners_are_unpacked_by_the_broker() -> None:
    commands = partner_topics("p")[0].settings()
    assert (commands["compression.type"], commands["max.message.bytes"]) == ("uncompressed", str(8 * MIB))


class Describing:
    """A client whose broker answers with these error codes, one for each topic."""

    def __init__(self, **codes: int) -> None:
        self._codes = codes

    def describe_topics(self, names: list[str]) -> list[dict[str, Any]]:
        return [{"name": each, "topic_id": UUID(int=7), "error_code": self._codes[each]} for each in names]


def admin_on(client: Describing) -> KafkaAdmin:
    admin = KafkaAdmin.__new__(KafkaAdmin)
    admin._client = client
    return admin


@pytest.mark.rule("D19")
@pytest.mark.parametrize(
    "fault",
    [client_errors.TopicAuthorizationFailedError, client_errors.LeaderNotAvailableError],
    ids=["denied", "early"],
)
def test_a_topic_that_the_broker_cannot_tell_of_is_not_taken_for_one_that_is_gone(fault: type[Any]) -> None:
    """A partner's answer may lie there, and the time-out that asks would go before it."""
    gone = client_errors.UnknownTopicOrPartitionError.errno
    assert admin_on(Describing(there=0, gone=gone)).topic_ids(["there", "gone"]) == {"there": str(UUID(int=7))}
    with pytest.raises(Retry, match="doubtful"):
        admin_on(Describing(there=0, doubtful=fault.errno)).topic_ids(["there", "doubtful"])
