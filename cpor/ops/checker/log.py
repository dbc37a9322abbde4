"""What the checker looks at: all committed records of the pipeline's topics."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields

from cpor.runtime.record import Record
from cpor.runtime.topics import Topic, commands_topic, receipts_topic

#: All records of a topic, read_committed, from its first offset to its end.
ReadTopic = Callable[[str], Iterable[Record]]
Records = tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class PipelineLog:
    """The records of each family of topics, by partition and offset. `partitions` is N of contract §1.

    The checks hold for a pipeline at rest: what was sent is answered, and no topic has lost records to retention.
    """

    partitions: int
    commands: Records = ()
    receipts: Records = ()
    inbox: Records = ()
    events: Records = ()
    states: Records = ()
    associations: Records = ()
    approved: Records = ()
    eligible: Records = ()
    dead_letters: Records = field(default=())

    def __post_init__(self) -> None:
        for each in fields(self):
            if each.name != "partitions":
                object.__setattr__(self, each.name, in_order(getattr(self, each.name)))


def in_order(records: Iterable[Record]) -> Records:
    return tuple(sorted(records, key=lambda each: (each.topic, each.partition, each.offset)))


def read_log(read_topic: ReadTopic, partners: Iterable[str], partitions: int) -> PipelineLog:
    """Reads every topic the checks need; `partners` are the ids of those whose commands and receipts are looked at."""
    names = sorted(partners)
    return PipelineLog(
        partitions=partitions,
        commands=_all(read_topic, map(commands_topic, names)),
        receipts=_all(read_topic, map(receipts_topic, names)),
        inbox=_all(read_topic, [Topic.CLAIM_COMMANDS]),
        events=_all(read_topic, [Topic.CLAIM_EVENTS]),
        states=_all(read_topic, [Topic.CLAIM_STATE]),
        associations=_all(read_topic, [Topic.ASSOCIATIONS]),
        approved=_all(read_topic, [Topic.APPROVED]),
        eligible=_all(read_topic, [Topic.ELIGIBLE]),
        dead_letters=_all(read_topic, [Topic.DEAD_LETTERS]),
    )


def _all(read_topic: ReadTopic, topics: Iterable[str]) -> Records:
    return tuple(record for topic in topics for record in read_topic(topic))
