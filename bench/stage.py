"""A platform for one measurement: fresh, so that no group, position or row of an earlier one is in the way."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cpor.devstack.endpoints import Endpoints
from cpor.devstack.errors import PlatformError
from cpor.devstack.platform import open_platform
from cpor.runtime.clock import SystemClock
from cpor.runtime.record import TopicPartition
from cpor.runtime.topics import Topic
from cpor.runtime.transport.kafka import KafkaTransport

Say = Callable[[str], None]


@contextmanager
def stage(say: Say) -> Iterator[Endpoints]:
    """A running Kafka and S3 that hold nothing; raises PlatformError where the user's own Kafka holds claims."""
    with (
        tempfile.TemporaryDirectory(prefix="cpor-bench-") as home,
        open_platform(Path(home), progress=say, keep=False) as endpoints,
    ):
        check_nothing_is_there(endpoints)
        yield endpoints


def check_nothing_is_there(endpoints: Endpoints) -> None:
    """The bench uses the project's own topics and groups, and deletes some of them between runs."""
    transport = KafkaTransport(endpoints.kafka_bootstrap, SystemClock())
    admin, reader = transport.admin(), transport.reader()
    try:
        count = admin.partition_counts().get(Topic.CLAIM_COMMANDS, 0)
        ends = reader.ends([TopicPartition(Topic.CLAIM_COMMANDS, n) for n in range(count)]) if count else {}
    finally:
        reader.close()
        admin.close()
    if any(ends.values()):
        raise PlatformError("this Kafka already holds claims: the bench deletes topics, so give it an empty one")
