"""How the work goes: workers' own figures, and what waits in front of them, from Kafka's offsets."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from cpor.devstack.probe import answers
from cpor.ops.instance import Instance
from cpor.ops.reading import open_reader
from cpor.runtime.clock import wall_ms
from cpor.runtime.health import LAST_WORDS, is_heard, read_health
from cpor.runtime.record import TopicPartition
from cpor.runtime.topics import Topic, command_topics
from cpor.runtime.transport.kafka_inspect import KafkaInspector
from cpor.runtime.transport.port import Admin, Reader

DELIVERY = "notify-delivery"
#: Reads the mailbox to which mails come back; no reader of topics that anything waits for.
BOUNCES = "notify-bounces"
#: Who reads what as a group `cpor.<service>`; intake reads every partner's commands too.
READERS: Mapping[str, tuple[Topic, ...]] = {
    "intake": (Topic.INCENTIVE_RESULTS,),
    "review": (Topic.CLAIM_COMMANDS,),
    "consent": (Topic.CLAIM_EVENTS, Topic.CONSENT_RESPONSES, Topic.DELIVERIES),
    "deadlines": (Topic.CLAIM_EVENTS, Topic.SUBSCRIPTIONS),
    "notify": (Topic.CLAIM_EVENTS, Topic.CONSENT_EVENTS, Topic.DEADLINE_EVENTS, Topic.DELIVERIES),
    DELIVERY: (Topic.MAIL, Topic.NOTIFY_RESEND),
}
#: How long the oldest waiting records are looked for.
LOOK_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker as its health file tells; `silent_ms`: since it last did. `state` is silent where that is too long."""

    service: str
    slot: str
    state: str
    pid: int
    partitions: int
    records: int
    rounds: int
    dead_letters: int
    lateness_ms: int
    silent_ms: int
    why: str | None
    #: When it last told of itself, ms of wall time.
    at: int = 0
    #: Timers fired, and due ones that the gate holds back.
    timers: int = 0
    timers_held: int = 0
    #: The pipeline's time of its last round, and when its earliest timer is due, ms.
    clock: int | None = None
    next_timer: int | None = None
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        """As it was asked to: nothing is expected of it any more."""
        return self.state == "ended"

    @property
    def unwell(self) -> bool:
        return self.state in ("silent", "stopped")


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits in a topic for a service: offsets after its committed ones, of partitions where a record is among
    them; the age of the oldest in ms.
    """

    service: str
    topic: str
    partitions: int
    lag: int
    oldest_ms: int | None


@dataclass(frozen=True, slots=True)
class Mails:
    """Who takes the mails, whether it answers, what delivery counted since it started, and how many our sink holds."""

    smtp: str
    answers: bool
    delivered: int
    deferred: int
    bounced: int
    #: None where another server than our sink takes them
    in_sink: int | None
    #: Mails that came back after they were delivered, since the mailbox is read, and how many in it wait for delivery's
    #: word, or for an operator as nobody understands them; None where no mailbox is read
    came_back: int | None = None
    waiting: int | None = None
    unknown: int | None = None


# -- workers ----------------------------------------------------------------------------------------------------------


def read_workers(instance: Instance, now: int | None = None) -> list[Worker]:
    """All workers that ran on this instance since its last start, in the order of a claim's way."""
    wall = wall_ms() if now is None else now
    found = ((path, read_health(path)) for path in instance.data.glob("*/*/health.json"))
    workers = [_worker(path.parent.name, told, wall) for path, told in found if told is not None]
    return sorted(workers, key=_place)


def _place(worker: Worker) -> tuple[int, str, int, str]:
    order = [*READERS]
    number = order.index(worker.service) if worker.service in order else len(order)
    return number, worker.service, int(worker.slot) if worker.slot.isdigit() else 0, worker.slot


def _worker(slot: str, told: Mapping[str, Any], wall: int) -> Worker:
    return Worker(
        service=told["service"],
        slot=slot,
        state=told["state"] if told["state"] in LAST_WORDS or is_heard(told) else "silent",
        pid=told["pid"],
        partitions=len(told["slots"]),
        records=told["records"],
        rounds=told["rounds"],
        dead_letters=told["dead_letters"],
        lateness_ms=told["lateness_ms"],
        silent_ms=max(0, wall - told["at"]),
        why=told.get("why"),
        at=told["at"],
        timers=told["timers"],
        timers_held=told.get("gate_held", 0),
        clock=told.get("clock"),
        next_timer=told.get("next_timer"),
        counts=told.get("counts", {}),
    )


# -- what waits -------------------------------------------------------------------------------------------------------


def inputs(topics: Iterable[str]) -> dict[str, list[str]]:
    """Service → the topics it reads as a group."""
    partners = command_topics(topics)
    return {service: [*(partners if service == "intake" else ()), *fixed] for service, fixed in READERS.items()}


class Look:
    """Asks Kafka what waits. Client errors pass through."""

    def __init__(self, instance: Instance, admin: Admin, reader: Reader, inspector: KafkaInspector) -> None:
        self._instance, self._admin, self._reader, self._inspector = instance, admin, reader, inspector
        self._ends: dict[TopicPartition, int] = {}

    def backlogs(self) -> list[Backlog]:
        """What waits, by service and topic."""
        counts = self._admin.partition_counts()
        asked = inputs(counts)
        tps = {tp for topics in asked.values() for tp in places(counts, topics)}
        self._ends, starts = self._reader.ends(list(tps)), self._reader.beginnings(list(tps))
        found = []
        for service, topics in asked.items():
            oldest = self._waiting(f"cpor.{service}", topics, counts, starts)
            found += [self._backlog(service, topic, counts, oldest) for topic in topics]
        return found

    def _waiting(
        self, group: str, topics: Iterable[str], counts: Mapping[str, int], starts: Mapping[TopicPartition, int]
    ) -> dict[TopicPartition, tuple[int, int | None]]:
        """Partition → offsets behind, and append time of the oldest waiting record; those where markers alone wait are
        left out.
        """
        tps = places(counts, topics)
        committed = self._inspector.committed(group)
        positions = {tp: max(committed.get(tp, 0), starts[tp]) for tp in tps}
        behind = {tp: position for tp, position in positions.items() if position < self._ends[tp]}
        first = first_records(self._reader, behind, self._ends)
        return {tp: (self._ends[tp] - behind[tp], at) for tp, at in first.items()}

    def _backlog(
        self,
        service: str,
        topic: str,
        counts: Mapping[str, int],
        waiting: Mapping[TopicPartition, tuple[int, int | None]],
    ) -> Backlog:
        here = [told for tp, told in waiting.items() if tp.topic == topic]
        oldest = min((at for _, at in here if at is not None), default=None)
        age = None if oldest is None else max(0, self._instance.clock.now() - oldest)
        return Backlog(service, topic, counts.get(topic, 0), sum(lag for lag, _ in here), age)


def places(counts: Mapping[str, int], topics: Iterable[str]) -> list[TopicPartition]:
    """The partitions of those topics that there are."""
    return [TopicPartition(topic, n) for topic in topics for n in range(counts.get(topic, 0))]


def first_records(
    reader: Reader, behind: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
) -> dict[TopicPartition, int | None]:
    """Append time of the first record behind each position, None where it was not found in time; partitions with
    transaction markers alone are left out: who rests need not have passed them.
    """
    if not behind:
        return {}
    reader.assign(behind)
    first: dict[TopicPartition, int | None] = {}
    open_ones = set(behind)
    deadline = time.monotonic() + LOOK_SECONDS
    while open_ones and time.monotonic() < deadline:
        for record in reader.poll(100, 1_000):
            first.setdefault(record.tp, record.appended_at)
        open_ones = {tp for tp in open_ones if tp not in first and reader.position(tp) < ends[tp]}
    return first | dict.fromkeys(open_ones)


@contextmanager
def looking(instance: Instance) -> Iterator[Look]:
    with (
        KafkaInspector(instance.endpoints.kafka_bootstrap) as inspector,
        open_reader(instance.transport) as reader,
        closing(instance.transport.admin()) as admin,
    ):
        yield Look(instance, admin, reader, inspector)


def read_backlogs(instance: Instance) -> list[Backlog]:
    """What waits now. Asks Kafka; client errors pass through."""
    with looking(instance) as look:
        return look.backlogs()


# -- mail -------------------------------------------------------------------------------------------------------------


def read_mails(instance: Instance, workers: Iterable[Worker]) -> Mails:
    here = instance.endpoints
    workers = list(workers)
    counts = sum((Counter(each.counts) for each in workers if each.service == DELIVERY), Counter[str]())
    back: Mapping[str, int] = next((each.counts for each in workers if each.service == BOUNCES), {})
    in_sink = len(list(Path(here.mail_dir).glob("*.eml"))) if here.mail_dir else None
    known = {name: counts[name] for name in ("delivered", "deferred", "bounced")}
    mails = Mails(here.smtp, bool(here.smtp) and answers(here.smtp), **known, in_sink=in_sink)
    return replace(mails, came_back=back.get("bounced"), waiting=back.get("waiting"), unknown=back.get("unknown"))


def as_json(workers: Iterable[Worker], backlogs: Iterable[Backlog], mails: Mails) -> dict[str, Any]:
    return {
        "workers": [asdict(each) for each in workers],
        "inputs": [asdict(each) for each in backlogs],
        "mail": asdict(mails),
    }
