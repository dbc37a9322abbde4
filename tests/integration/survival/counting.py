"""A worker process that counts records: `python -m tests.integration.survival.counting --slot 0 --data DIR`.

Record `n` of a key is told on `out` as `n origin`. `COUNT_ROW_BYTES` makes its rows that large.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from cpor.runtime.errors import Reject
from cpor.runtime.main import start
from cpor.runtime.processor import Context, Processor, StateTable
from cpor.runtime.record import Record
from cpor.runtime.settings import Settings

ROW_BYTES = int(os.environ.get("COUNT_ROW_BYTES", "8"))


class Counting(Processor):
    """`poison` is rejected, everything else counts."""

    service = "count"
    slots_topic = "count.slots"
    state_tables = (StateTable("counts", "count.state"),)

    def sources(self, all_topics: Iterable[str]) -> list[str]:
        return ["in", *sorted(topic for topic in all_topics if topic.startswith("cpor.partners."))]

    def appears_later(self, topic: str) -> bool:
        return topic != "in"

    def process(self, context: Context, record: Record) -> None:
        assert record.key is not None
        n = int((context.get("counts", record.key) or b"0").rstrip(b".")) + 1
        context.put("counts", record.key, b"%d" % n + b"." * ROW_BYTES)
        context.emit("out", context.partition, record.key, f"{n} {record.origin}".encode(), [])
        if (record.value or b"").startswith(b"poison"):
            raise Reject("bad_value", origin=record.origin)


def build(settings: Settings) -> Counting:
    """The processor of this process."""
    return Counting()


if __name__ == "__main__":
    start("count", build)
