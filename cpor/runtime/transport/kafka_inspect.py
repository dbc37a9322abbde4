"""Looks at a broker without being part of anything: for `cpor status`, `cpor doctor` and the clock's waiting."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Iterable, Mapping
from types import TracebackType
from typing import Any, Self

from kafka import KafkaAdminClient
from kafka import errors as client_errors
from kafka.admin import ConfigResource, ConfigResourceType

from cpor.runtime.record import TopicPartition
from cpor.runtime.transport.kafka_common import bounded

Settings = dict[str, str]
_TRIES = 20
_PAUSE_SECONDS = 0.25
_NOT_YET = (
    client_errors.CoordinatorNotAvailableError,
    client_errors.CoordinatorLoadInProgressError,
    client_errors.NotCoordinatorError,
)


class KafkaInspector:
    """Reads committed offsets and settings; a context manager. Client errors pass through."""

    def __init__(self, bootstrap: str, settings: Mapping[str, Any] | None = None) -> None:
        self._client = KafkaAdminClient(bootstrap_servers=bootstrap, **(settings or {}))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        bounded(self._client.close, seconds=5)

    def committed(self, group: str) -> dict[TopicPartition, int]:
        """What a consumer group has committed; empty for a group that does not exist."""
        return self.committed_of([group])[group]

    def committed_of(self, groups: Collection[str]) -> dict[str, dict[TopicPartition, int]]:
        """The same of several, by one question."""
        found = self._offsets(groups)
        return {
            group: {
                TopicPartition(*tp): int(told.offset) for tp, told in found.get(group, {}).items() if told.offset >= 0
            }
            for group in groups
        }

    def _offsets(self, groups: Collection[str]) -> dict[str, dict[Any, Any]]:
        """A broker that just started, or that no group has ever used, says so, and is asked again."""
        for _ in range(_TRIES if groups else 0):
            with contextlib.suppress(*_NOT_YET):
                found: dict[str, dict[Any, Any]] = self._client.list_group_offsets(list(groups))
                return found
            time.sleep(_PAUSE_SECONDS)
        return {}

    def broker_settings(self) -> Settings:
        """All settings of the first broker, defaults included."""
        broker = str(self._client.describe_cluster()["brokers"][0]["broker_id"])
        return self._settings(ConfigResourceType.BROKER, [broker])[broker]

    def topic_settings(self, topics: Iterable[str]) -> dict[str, Settings]:
        """All settings of each topic, defaults included."""
        return self._settings(ConfigResourceType.TOPIC, list(topics))

    def _settings(self, kind: ConfigResourceType, names: list[str]) -> dict[str, Settings]:
        wanted = [ConfigResource(kind, name) for name in names]
        found = self._client.describe_configs(wanted, config_filter="all") if wanted else {}
        return {
            name: {key: str(told["value"]) for key, told in values.items()}
            for by_name in found.values()
            for name, values in by_name.items()
        }
