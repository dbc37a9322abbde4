"""What the checker looks at: all committed records of the pipeline's topics."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cpor.runtime.record import Record
from cpor.runtime.topics import Topic, commands_topic, receipts_topic, updates_topic

if TYPE_CHECKING:
    from cpor.devstack.mail import Received

#: All records of a topic, read_committed, from its first offset to its end.
ReadTopic = Callable[[str], Iterable[Record]]
Records = tuple[Record, ...]

INTAKE, REVIEW, CONSENT, DEADLINES = "intake", "review", "consent", "deadlines"
NOTIFY, DELIVERY = "notify", "notify-delivery"
#: Everybody whose work is looked at; of those who did not run nothing is expected.
SERVICES = frozenset((INTAKE, REVIEW, CONSENT, DEADLINES, NOTIFY, DELIVERY))


@dataclass(frozen=True, slots=True)
class Arrival:
    """A mail that a recipient's server got: the local part of its Message-ID, and its address."""

    mail_id: str
    to: str


@dataclass(frozen=True, slots=True)
class PipelineLog:
    """The records of each family of topics, by partition and offset. `partitions` is N of contract §1.

    The checks hold for a pipeline at rest: what was sent is answered, no due timer is held back by a gate, and no topic
    has lost records to retention. `sink` is None where nobody looked into the mailboxes; `operations` is the address
    that hears of missed deadlines, "" for nobody, None where it is not known.
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
    dead_letters: Records = ()
    updates: Records = ()
    responses: Records = ()
    consent: Records = ()
    deadlines: Records = ()
    mails: Records = ()
    deliveries: Records = ()
    directory: Records = ()
    subscriptions: Records = ()
    sink: tuple[Arrival, ...] | None = None
    operations: str | None = None
    services: frozenset[str] = SERVICES

    def __post_init__(self) -> None:
        for name in FAMILIES:
            object.__setattr__(self, name, in_order(getattr(self, name)))

    def with_sink(self, mails: Iterable[Received]) -> PipelineLog:
        """The same log with what the mail sink received."""
        return replace(self, sink=tuple(Arrival(_mail_id(each.message_id), _address(each)) for each in mails))


FAMILIES = (
    "commands", "receipts", "inbox", "events", "states", "associations", "approved", "eligible", "dead_letters",
    "updates", "responses", "consent", "deadlines", "mails", "deliveries", "directory", "subscriptions",
)  # fmt: skip


def in_order(records: Iterable[Record]) -> Records:
    return tuple(sorted(records, key=lambda each: (each.topic, each.partition, each.offset)))


def _mail_id(message_id: str) -> str:
    return message_id.strip("<> \r\n").partition("@")[0]


def _address(mail: Received) -> str:
    """Without the name before it."""
    return mail.to.rpartition("<")[2].rstrip("> ")


#: The fixed topics by family, in the order in which they are read: what follows before what it follows from, so that
#: a log read while the pipeline works lacks answers, never questions.
FIXED = {
    "deliveries": Topic.DELIVERIES,
    "mails": Topic.MAIL,
    "deadlines": Topic.DEADLINE_EVENTS,
    "consent": Topic.CONSENT_EVENTS,
    "states": Topic.CLAIM_STATE,
    "associations": Topic.ASSOCIATIONS,
    "eligible": Topic.ELIGIBLE,
    "approved": Topic.APPROVED,
    "events": Topic.CLAIM_EVENTS,
    "inbox": Topic.CLAIM_COMMANDS,
    "responses": Topic.CONSENT_RESPONSES,
    "directory": Topic.PARTNERS,
    "subscriptions": Topic.SUBSCRIPTIONS,
}


def log_topics(partners: Iterable[str]) -> tuple[str, ...]:
    """Every topic that `read_log` asks for."""
    own = (each(name) for name in sorted(partners) for each in (updates_topic, receipts_topic, commands_topic))
    return (*FIXED.values(), *own, Topic.DEAD_LETTERS)


def read_log(
    read_topic: ReadTopic,
    partners: Iterable[str],
    partitions: int,
    *,
    services: Iterable[str] = SERVICES,
    operations: str | None = None,
) -> PipelineLog:
    """Reads every topic the checks need; `partners` are the ids of those whose topics are looked at.

    `services` are those that ran (the names of their groups without `cpor.`): of others nothing is expected.
    """
    names = sorted(partners)
    updates, receipts = (_all(read_topic, map(each, names)) for each in (updates_topic, receipts_topic))
    fixed: dict[str, Any] = {family: _all(read_topic, [topic]) for family, topic in FIXED.items()}
    return PipelineLog(
        partitions=partitions,
        updates=updates,
        receipts=receipts,
        **fixed,
        commands=_all(read_topic, map(commands_topic, names)),
        dead_letters=_all(read_topic, [Topic.DEAD_LETTERS]),
        services=frozenset(services),
        operations=operations,
    )


def _all(read_topic: ReadTopic, topics: Iterable[str]) -> Records:
    return tuple(record for topic in topics for record in read_topic(topic))
