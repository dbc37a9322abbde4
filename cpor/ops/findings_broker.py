"""Whether the broker and the topics are as the pipeline relies on them to be (architecture §3, contract §1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cpor.ops.findings import Finding, bad, good
from cpor.ops.instance import Instance
from cpor.ops.reading import partition_counts
from cpor.runtime.topics import FIXED_TOPICS, Count, Topic, TopicSpec, command_topics, partner_of, partner_topics
from cpor.runtime.transport.kafka_inspect import KafkaInspector

OFFSETS_RETENTION = "offsets.retention.minutes"
FOR_EVER = 2_147_483_647
#: Dead letters take 10 MiB, whole (architecture §3).
LARGEST_MESSAGE = 10 * 1024 * 1024
#: A topic's setting → why it matters.
REASONS: Mapping[str, str] = {
    "message.timestamp.type": "time-outs are judged by the broker's clock",
    "cleanup.policy": "what must be kept would be lost, or grow without end",
    "retention.ms": "messages would be kept too long, or lost too soon",
    "delete.retention.ms": "a view that was away would miss deletions",
    "max.message.bytes": "large messages would be refused by the broker",
    "compression.type": "a batch in a codec that the readers lack would stop them",
}


def broker_findings(instance: Instance) -> Iterator[Finding]:
    counts = partition_counts(instance.transport)
    specs = [*FIXED_TOPICS, *(spec for topic in command_topics(counts) for spec in _specs_of(topic))]
    there = [spec for spec in specs if spec.name in counts]
    with KafkaInspector(instance.endpoints.kafka_bootstrap) as inspector:
        yield from broker_settings(inspector.broker_settings())
        yield from missing_topics(specs, counts)
        yield from partition_findings(counts)
        yield from topic_settings(there, inspector.topic_settings(spec.name for spec in there))


def _specs_of(command_topic: str) -> tuple[TopicSpec, ...]:
    return partner_topics(partner_of(command_topic) or "")


def broker_settings(settings: Mapping[str, str]) -> Iterator[Finding]:
    """Offsets that expire make a worker stop beside a state that is not empty."""
    minutes = int(settings.get(OFFSETS_RETENTION, 0))
    if minutes == FOR_EVER:
        yield good("broker", f"{OFFSETS_RETENTION} keeps offsets for ever")
    else:
        todo = f"set {OFFSETS_RETENTION}={FOR_EVER}: workers that rest longer would lose their place"
        yield bad("broker", f"{OFFSETS_RETENTION} is {minutes:,}", todo)
    largest = int(settings.get("message.max.bytes", 0))
    if largest < LARGEST_MESSAGE:
        yield bad("broker", f"message.max.bytes is {largest:,}", f"set it to {LARGEST_MESSAGE} or more")


def missing_topics(specs: list[TopicSpec], counts: Mapping[str, int]) -> Iterator[Finding]:
    missing = [spec.name for spec in specs if spec.name not in counts]
    if not missing:
        yield good("topics", f"all {len(specs)} are there")
        return
    todo = "`cpor up` creates the fixed ones, `cpor partners add` those of a partner"
    yield bad("topics", f"missing: {', '.join(missing)}", todo)


def partition_findings(counts: Mapping[str, int]) -> Iterator[Finding]:
    """A key's partition follows from the number: topics of one kind must all have the same."""
    kinds: dict[str, dict[str, int]] = {Count.CLAIMS: {}, Count.PARTNERS: {}}
    for spec in FIXED_TOPICS:
        if spec.name in counts and spec.count in kinds:
            kinds[spec.count][spec.name] = counts[spec.name]
    kinds[Count.PARTNERS] |= {topic: counts[topic] for topic in command_topics(counts)}
    for kind, topic in ((Count.CLAIMS, Topic.CLAIM_EVENTS), (Count.PARTNERS, Topic.INTAKE_SLOTS)):
        right = counts.get(topic)
        wrong = [f"{name} {n}" for name, n in kinds[kind].items() if n != right]
        if wrong:
            todo = "create these anew with the right number: it never changes after the first start"
            yield bad(f"partitions ({kind})", f"{right}, but {', '.join(wrong)}", todo)
        elif right is not None:
            yield good(f"partitions ({kind})", f"{right} in all {len(kinds[kind])} topics")


def topic_settings(specs: list[TopicSpec], found: Mapping[str, Mapping[str, str]]) -> Iterator[Finding]:
    wrong = [finding for spec in specs for finding in _wrong_settings(spec, found.get(spec.name, {}))]
    yield from wrong
    if not wrong:
        yield good("topic settings", f"LogAppendTime, retention and sizes right on all {len(specs)}")


def _wrong_settings(spec: TopicSpec, found: Mapping[str, str]) -> Iterator[Finding]:
    for name, wanted in spec.settings().items():
        if name in REASONS and found.get(name) != wanted:
            yield bad(spec.name, f"{name} is {found.get(name)}", f"set it to {wanted}: {REASONS[name]}")
