"""A running pipeline of real parts, partners who send it anything, and reviewers: what goes in, what is answered."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from cpor.devstack.samples import BadFile
from cpor.domain.ids import claim_id, murmur2, name_id
from cpor.domain.vocabulary import ClaimId, CommandName, PartnerId, TenantId
from cpor.ops.clock import await_idle
from cpor.ops.inbox import outcome_of
from cpor.ops.partner_client import Dropbox, PartnerClient, Receipt, Sent
from cpor.ops.reading import Follower
from cpor.ops.running import Running
from cpor.runtime.clock import TestClock
from cpor.runtime.record import Output, TopicPartition
from cpor.runtime.topics import Count, Topic, commands_topic, partner_topics
from cpor.runtime.transport.port import Publisher
from schemas import envelope
from tests.chaos.instance import FRONT, counts_of, introduce, own_instance, send, whole_log
from tests.chaos.material import (
    ACKNOWLEDGED,
    ADMIN,
    REVIEWER,
    as_json,
    customers,
    filing,
    form,
    object_key,
    partner_entry,
    put_document,
    tenant,
)
from tests.chaos.outcome import assert_sound
from tests.chaos.story import Ordered

ONE, TWO, SUSPENDED, UNKNOWN = "A-1", "A-2", "A-3", "A-4"
PARTNERS = (ONE, TWO, SUSPENDED, UNKNOWN)
#: A Monday of the older edition, and one of the newer.
OLD_DAYS, NEW_DAYS = "2023-10-02T08:00:00Z", "2023-10-16T08:00:00Z"
SIGNED = "2023-09-15"
TENANTS = 200
PATIENCE = 60.0
T = TypeVar("T")
Headers = list[tuple[str, bytes]]


def headers(ce_type: str | bytes | None, message_id: str | bytes | None, *more: tuple[str, bytes]) -> Headers:
    told = ((envelope.TYPE, ce_type), (envelope.ID, message_id))
    named = [(name, each.encode() if isinstance(each, str) else each) for name, each in told if each is not None]
    return [(envelope.SPECVERSION, b"1.0"), *named, *more]


#: A claim, and what was said about it: a partner's record, or the id of a message in the inbox.
Said: TypeAlias = "tuple[Claim, Sent | str]"


@dataclass
class Claim:
    """One claim of a partner."""

    world: World
    ref: str
    tenant: TenantId
    partner: str = ONE

    @property
    def id(self) -> ClaimId:
        return claim_id(PartnerId(self.partner), self.ref)

    def say(self, name: CommandName, **data: Any) -> Receipt:
        """A partner's command and its receipt."""
        return self.world.answer(self.post(name, **data))

    def post(self, name: CommandName, **data: Any) -> Sent:
        """The same without waiting."""
        value = as_json({"user": ADMIN, **data})
        return self.world.post(value, headers(name, self.world.fresh_id()), key=self.ref.encode(), partner=self.partner)

    def begin(self, name: CommandName, data: dict[str, Any]) -> Said:
        """Anybody's command, without waiting; a create or a file has its form by itself. See `World.told`."""
        if name.value.startswith("cpor.review."):
            return self, self.put(name, actor=REVIEWER, **data)
        whole = {CommandName.CREATE: self.form, CommandName.FILE: self.filing}.get(name, dict)
        return self, self.post(name, **{**whole(), **data})

    def form(self) -> dict[str, Any]:
        return form(self.tenant, domain="contoso.example")

    def create(self, **changes: Any) -> Receipt:
        return self.say(CommandName.CREATE, **{**self.form(), **changes})

    def file(self, **changes: Any) -> Receipt:
        return self.say(CommandName.FILE, **self.filing(**changes))

    def filing(self, **changes: Any) -> dict[str, Any]:
        """The data of a whole claim with the partner's document."""
        whole = filing(self.tenant, object_key(self.partner), domain="contoso.example")
        whole["documents"][0]["customer_signed_on"] = self.world.signed
        return {**whole, "acknowledgements": self.world.acknowledged, **changes}

    def desk(self, name: CommandName, **data: Any) -> dict[str, Any]:
        """A reviewer's command; the first event that it brings about on the claim."""
        return self.order(name, actor=REVIEWER, **data)

    def order(self, name: CommandName, **data: Any) -> dict[str, Any]:
        """Anybody's command in the inbox, and the first event that it brings about."""
        return self.world.told({name: (self, self.put(name, **data))})[name]

    def put(self, name: CommandName, **data: Any) -> str:
        """The same without waiting; the message's id."""
        number = next(self.world.numbers)
        self.world.put(Ordered(self.id, self.tenant, name, data, number).output(*self.world.sizes))
        return name_id(f"story/{number}")


@dataclass
class World:
    """The instance; `sent` is everything that partners sent, so that in the end all of it can be looked for."""

    running: Running
    sizes: tuple[int, int]
    follower: Follower
    publisher: Publisher
    sent: list[Sent] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=count)
    customers: Iterator[int] = field(default_factory=lambda: count(10))
    #: What the edition in force asks for: the older one nothing (D31).
    acknowledged: list[str] = field(default_factory=list)
    signed: str = SIGNED
    _clients: dict[str, PartnerClient] = field(default_factory=dict)

    def claim(self, partner: str = ONE) -> Claim:
        """A claim that is yet to be made, of a customer of its own."""
        number = next(self.customers)
        assert number < TENANTS, "more customers are needed"
        return Claim(self, f"ref-{number}", tenant(number), partner)

    def drafted(self) -> Claim:
        claim = self.claim()
        assert claim.create().outcome == "accepted"
        return claim

    def fresh_id(self) -> str:
        return str(uuid.uuid4())

    def post(self, value: bytes | None, told: Headers, *, key: bytes | None, partner: str = ONE) -> Sent:
        """A record as it is, whatever it is."""
        partition = self.place(key)
        offset = self.put(Output(commands_topic(partner), partition, key, value, told))
        return self.know(Sent(None, commands_topic(partner), partition, offset))

    def put(self, output: Output) -> int:
        """A record on its topic; its offset."""
        self.publisher.send(output)
        (offset,) = self.publisher.flush()
        return offset

    def place(self, key: bytes | None) -> int:
        """The partition of a partner's topic where records of this key go."""
        return (murmur2(key or b"") & 0x7FFFFFFF) % self.sizes[1]

    def told(self, said: dict[T, Said]) -> dict[T, dict[str, Any]]:
        """What became of each: the value of its receipt, or of the first event it brought about, with its name."""
        sent = {key: each for key, (_, each) in said.items() if isinstance(each, Sent)}
        receipts = dict(zip(sent, self.answers(sent.values()), strict=True)) if sent else {}
        found = {key: each.value for key, each in receipts.items()}
        waiting = {each: (key, claim.id) for key, (claim, each) in said.items() if isinstance(each, str)}
        deadline = time.monotonic() + PATIENCE
        while waiting:
            assert time.monotonic() < deadline, f"nothing came of {waiting}"
            for record in self.follower.poll():
                message = envelope.read_envelope(record.headers).causation or ""
                key, claim = waiting.get(message, (None, ""))
                outcome = outcome_of(record, message, claim)
                if key is not None and outcome is not None:
                    found[key] = {**outcome.value, "event": outcome.event.value}
                    del waiting[message]
        return found

    def know(self, sent: Sent) -> Sent:
        self.sent.append(sent)
        return sent

    def answer(self, sent: Sent) -> Receipt:
        return self.answers([sent])[0]

    def answers(self, sent: Iterable[Sent]) -> list[Receipt]:
        """The receipts of records of one partner, in their order."""
        wanted = list(sent)
        found = self._client(wanted[0].topic).collect(wanted, PATIENCE)
        return [found[each.receipt_id] for each in wanted]

    def _client(self, topic: str) -> PartnerClient:
        partner = next(each for each in PARTNERS if commands_topic(each) == topic)
        if partner not in self._clients:
            self._clients[partner] = PartnerClient(self.running.instance.transport, partner, self.sizes[1])
        return self._clients[partner]

    def upload(self, file: BadFile) -> dict[str, Any]:
        """Put a file into the partner's dropbox, if it is to be there, and declare it."""
        box, content = Dropbox(self.running.instance.endpoints, ONE), file.content()
        key = box.put(content, file.content_type, file.kind) if file.uploaded else box.key(content, file.kind)
        size, sha256 = file.declaration()
        return {
            "object_key": key,
            "filename": file.filename,
            "content_type": file.content_type,
            "size": size,
            "sha256": sha256,
            "description": "Statement of work",
            "covers": ["teams"],
        }

    def set_clock(self, instant: int) -> None:
        """Move on to an instant, ms since the epoch, of the newer edition."""
        self.acknowledged = ACKNOWLEDGED
        clock = self.running.instance.clock
        assert isinstance(clock, TestClock)
        clock.set(instant)

    def assert_sound(self) -> None:
        """As `assert_accounted`, and no worker was ever started again."""
        self.assert_accounted()
        states = {each.name: (each.state, each.restarts) for each in self.running.supervisor.states()}
        assert states == {"intake-0": ("running", 0), "review-0": ("running", 0)}, states

    def assert_accounted(self) -> None:
        """Nothing lies among the dead letters, each record has its one receipt, and the checker finds nothing."""
        self.rests()
        log = whole_log(self.running, PARTNERS)
        assert not log.dead_letters, f"dead letters: {log.dead_letters}"
        assert_sound(log, [each.receipt_id for each in self.sent])

    def rests(self) -> None:
        """Until nobody has anything left to do."""
        await_idle(self.running.instance)

    def close(self) -> None:
        for client in self._clients.values():
            client.close()
        self.follower.close()
        self.publisher.close()


@contextmanager
def open_world(folder: Path, begins: str = OLD_DAYS, services: tuple[str, ...] = FRONT) -> Iterator[World]:
    """One worker of each service, partners, customers, one document in each partner's dropbox."""
    with own_instance(folder, workers=1, test_clock=begins, services=services) as running:
        counts = counts_of(running)
        sizes = counts[Count.CLAIMS], counts[Count.PARTNERS]
        introduce(running, (ONE, TWO), customers(map(tenant, range(TENANTS)), sizes[0]))
        introduce_strangers(running, counts)
        for partner in (ONE, TWO):
            put_document(running.instance.endpoints, partner)
        places = [TopicPartition(Topic.CLAIM_EVENTS, n) for n in range(sizes[0])]
        transport = running.instance.transport
        with closing(World(running, sizes, Follower(transport, places), transport.publisher())) as world:
            yield world


def introduce_strangers(running: Running, counts: dict[str, int]) -> None:
    """Two more with topics: a suspended partner, and one that the directory does not have."""
    entry = partner_entry(SUSPENDED, status="suspended")
    send(running, [Output(Topic.PARTNERS, 0, SUSPENDED.encode(), as_json(entry), [])])
    admin = running.instance.transport.admin()
    try:
        admin.create([spec for each in (SUSPENDED, UNKNOWN) for spec in partner_topics(each)], counts)
    finally:
        admin.close()


def codes(receipt: Receipt) -> list[str]:
    """The receipt's code, and behind it those of its fields."""
    return [receipt.code, *(str(each["code"]) for each in receipt.value["errors"])]
