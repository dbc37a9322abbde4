"""A worker process that counts records per key: `python -m tests.integration.runtime.stalling --slot 0 --data DIR`.

`COUNTING_STALL=process|commit` and a file: while the file exists the process stands still at that point of its
transaction, and says so by a file `<file>.<slot>`. Topics and group carry `COUNTING_NAME`, so that runs do not meet.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from cpor.runtime import main
from cpor.runtime.processor import Context, Processor, StateTable, Timer
from cpor.runtime.record import Record
from cpor.runtime.settings import Settings
from cpor.runtime.topics import Count, TopicSpec
from cpor.runtime.transport import kafka
from cpor.runtime.transport.kafka_write import KafkaTransactions

SLOTS = 2
KINDS = {"in": False, "out": False, "fired": False, "slots": False, "state": True, "timers": True}


class Counting(Processor):
    """Tells `<number of this key's records so far> <origin>`; `alarm <ms>` also sets a timer that tells once."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.service = f"count-{name}"
        self.slots_topic = f"slots-{name}"
        self.state_tables = (StateTable("counts", f"state-{name}"),)
        self.timers_topic = f"timers-{name}"

    def sources(self, all_topics: Iterable[str]) -> list[str]:
        return [f"in-{self.name}", *sorted(topic for topic in all_topics if topic.startswith(f"later-{self.name}"))]

    def appears_later(self, topic: str) -> bool:
        return topic.startswith("later-")

    def process(self, context: Context, record: Record) -> None:
        assert record.key is not None
        stall("process")
        n = int(context.get("counts", record.key) or b"0") + 1
        context.put("counts", record.key, b"%d" % n)
        context.emit(f"out-{self.name}", context.partition, record.key, f"{n} {record.origin}".encode(), [])
        verb, _, ms = (record.value or b"").partition(b" ")
        if verb == b"alarm":
            context.set_timer(Timer(record.appended_at + int(ms), record.key.decode(), "alarm", n))

    def fire(self, context: Context, timer: Timer) -> None:
        context.emit(f"fired-{self.name}", context.partition, timer.claim.encode(), b"%d" % timer.started_by, [])


def specs(name: str) -> list[TopicSpec]:
    return [TopicSpec(f"{kind}-{name}", Count.CLAIMS, compact=compact) for kind, compact in KINDS.items()]


def stall(point: str) -> None:
    """Stand still here while the file exists, when this is the point where to."""
    if os.environ.get("COUNTING_STALL") != point:
        return
    file = Path(os.environ["COUNTING_FILE"])
    if file.exists():
        Path(f"{file}.{sys.argv[2]}").touch()
    while file.exists():
        time.sleep(0.01)


class Stalling(KafkaTransactions):
    """Stands still with outputs and positions sent, the commit not."""

    def commit(self) -> None:
        stall("commit")
        super().commit()


def build(settings: Settings) -> Processor:
    return Counting(os.environ["COUNTING_NAME"])


if __name__ == "__main__":
    setattr(kafka, "KafkaTransactions", Stalling)  # noqa: B010 - there is no other way into a process of its own
    main.start(f"count-{os.environ['COUNTING_NAME']}", build)
