"""The same again: a second world that hears the same words, one service that reads its topics anew, and stores made
from topics. Each must say what the first said, byte by byte.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

from cpor.runtime.processor import StateTable
from cpor.runtime.record import Record
from cpor.runtime.store.engine import Engine, MemoryEngines
from cpor.runtime.topics import FIXED_TOPICS, Topic, commands_topic, partner_topics, updates_topic
from schemas.envelope import read_envelope
from schemas.mail import MailKind
from services.notify import posted
from tests.unit.machine.world import Action, Member, Sent, World
from tests.unit.ops.checker.whole import PARTNERS

Told = dict[str, list[Any]]

_SPECS = [*FIXED_TOPICS, *(spec for partner in PARTNERS for spec in partner_topics(partner))]
#: What is appended for ever, and what is a row that newer ones replace.
SPOKEN = [spec.name for spec in _SPECS if not spec.compact and not spec.name.endswith(".slots")]
ROWS = [spec.name for spec in _SPECS if spec.compact]
MAILS = (Topic.MAIL, Topic.NOTIFY_RESEND, Topic.DELIVERIES)
REFERENCES = (Topic.PARTNERS, Topic.CUSTOMERS, Topic.SUBSCRIPTIONS)
#: What a service reads, and what of its words depends on nothing but that.
READ = {
    "intake": (*map(commands_topic, PARTNERS), Topic.INCENTIVE_RESULTS),
    "review": (Topic.CLAIM_COMMANDS,),
    "notify": (Topic.CLAIM_EVENTS,),
}
SAID = {
    "intake": (Topic.CLAIM_COMMANDS,),
    "review": (Topic.CLAIM_EVENTS, Topic.CLAIM_STATE, Topic.ASSOCIATIONS, Topic.APPROVED, Topic.ELIGIBLE),
    "notify": tuple(map(updates_topic, PARTNERS)),
}
#: An upload is signed by the store's clock, which no test moves.
_SIGNED = re.compile(rb'"expires_at":"[^"]*"')
#: An import names its place in the inbox, where the services' own messages stand between those from outside.
_PLACED = re.compile(rb'"source":"cpor\.claims\.commands-(\d+)-\d+"')
#: They say what a claim is like when they are written, which may be after the event that they speak of.
_OF_THE_MOMENT = (
    MailKind.CUSTOMER_REQUESTED,
    MailKind.CUSTOMER_APPROVED,
    MailKind.DEADLINE_NEAR,
    MailKind.WINDOW_CLOSED,
    MailKind.DEADLINE_MISSED,
    MailKind.OPERATOR_TASK,
)


# -- the same world again --------------------------------------------------------------------------------------------


def twin(world: World) -> World:
    """It hears the same at the same times; nobody in it dies, and everything is read in another order."""
    return played(world.start, world.script)


def played(start: int, script: list[Action]) -> World:
    made = World(start, seed=1, records=3_000)
    for action in script:
        made.do(action)
    return made


def differences(one: World, other: World) -> list[str]:
    """The topics and claims of which the two worlds do not say the same."""
    mine, theirs = _said(one), _said(other)
    return [
        f"{key}: {_first(mine.get(key, []), theirs.get(key, []))}"
        for key in sorted({*mine, *theirs})
        if mine.get(key) != theirs.get(key)
    ]


def _said(world: World) -> Told:
    """By topic and claim, without the offsets."""
    found: Told = defaultdict(list)
    for topic in SPOKEN:
        for each in world.broker.records(topic):
            found[f"{topic} {_subject(each)}"].append((each.appended_at, each.key, _told(each), each.headers))
    for topic in ROWS:
        found |= _newest(world, topic)
    return found


def _told(record: Record) -> bytes | None:
    """The value without what may differ."""
    if record.value is None:
        return None
    if record.topic in (Topic.MAIL, Topic.NOTIFY_RESEND, Topic.NOTIFY_OUTBOX):
        row = posted.decode(record.value)
        mail = row.mail
        words = ("subject", "text", "html", "calendar") if mail.kind in _OF_THE_MOMENT else ()
        return b"%d %d %b" % (row.attempts, row.first_at or 0, mail.model_dump_json(exclude=set(words)).encode())
    return _PLACED.sub(rb"\1", _SIGNED.sub(b"", record.value))


def _subject(record: Record) -> str:
    """The claim; of mails each for itself: the topics that notify reads have no order among them."""
    told = read_envelope(record.headers)
    if record.topic in MAILS:
        return str(told.causation if record.topic == Topic.DELIVERIES else told.id)
    return told.subject or repr(record.key)


def _first(mine: list[Any], theirs: list[Any]) -> str:
    pairs = zip([*mine, *[None] * len(theirs)], [*theirs, *[None] * len(mine)], strict=False)
    found = next(((a, b) for a, b in pairs if a != b), None)
    return f"{len(mine)} and {len(theirs)}, first {found!r:.1500}"


# -- one service again -----------------------------------------------------------------------------------------------


def replayed(world: World, service: str) -> list[str]:
    """Differences of what a fresh process with an empty store says of the same topics, three records at a time.

    Only where no reference record was changed: what a row was at the time no topic tells.
    """
    again = World(world.start, seed=2, records=3)
    again.members = again.of(service)
    for topic in (*READ[service], *REFERENCES):
        for tp in [each for each in again.broker.logs if each.topic == topic]:
            again.broker.logs[tp] = world.broker.logs[tp]
    again.clock.tick(world.clock.now() - again.clock.now())
    again.settle()
    return [
        f"{service} {key}: {_first(mine, theirs)}"
        for topic in SAID[service]
        for key, mine, theirs in _by_claim(topic, service, world, again)
        if mine != theirs
    ]


def _by_claim(topic: str, service: str, world: World, again: World) -> list[tuple[str, Any, Any]]:
    mine, theirs = (_of(each, topic, service) for each in (world, again))
    return [(f"{topic} {key}", mine.get(key, []), theirs.get(key, [])) for key in sorted({*mine, *theirs})]


def _of(world: World, topic: str, service: str) -> Told:
    """What the service wrote, by row or by claim; topics that it reads have no order among them."""
    if topic in ROWS:
        return _newest(world, topic)
    found: Told = defaultdict(list)
    for each in world.broker.records(topic):
        told = read_envelope(each.headers)
        if told.source == f"/services/{service}":
            cause = (told.origin or "").rpartition("-")[0] if service == "intake" else ""
            found[f"{_subject(each)} {cause}"].append((each.key, _told(each), each.headers))
    return found


def _newest(world: World, topic: str) -> Told:
    """Rows that were taken away are left out."""
    newest = {(each.partition, each.key): each for each in world.broker.records(topic)}
    return {f"{topic} {key!r}": [(_told(each), each.headers)] for (_, key), each in newest.items() if each.value}


# -- the same rows again ---------------------------------------------------------------------------------------------


def unlike_their_topics(world: World) -> list[str]:
    """Slots whose store holds other rows or timers than a store that is made anew from its topics."""
    found: list[str] = []
    for member in list(world.members):
        before = {slot: _rows(member, slot) for slot in member.worker.assignment.tasks}
        member.engines = MemoryEngines()
        world.begin(member)
        world.settle()
        found += [f"{member.service} {slot}" for slot, rows in before.items() if rows != _rows(member, slot)]
    return found


def _rows(member: Member, slot: int) -> dict[bytes, bytes]:
    """Of the tables that are the service's own, and its timers."""
    engine: Engine = member.engines.held[str(slot)]
    tables = [each for each in member.worker.processor.state_tables if isinstance(each, StateTable)]
    own = (b"t\0", b"u\0", *(b"r\0%b\0" % each.name.encode() for each in tables))
    return {key: value for prefix in own for key, value in engine.scan(prefix)}


def words(world: World) -> int:
    """Records that came from outside."""
    return sum(len(action.outputs) for action in world.script if isinstance(action, Sent))
