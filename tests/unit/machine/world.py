"""All services in memory, each with as many processes as a test likes, in a world where they stand still, die, lose
their stores, lose their sessions and are usurped; everything that is said from outside is kept as a script.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from cpor.domain import ids
from cpor.domain.vocabulary import ClaimId, CommandName, Instant, PartnerId, TenantId, parse_instant
from cpor.ops.checker import Arrival
from cpor.runtime.errors import Fenced, TransactionFailed
from cpor.runtime.processor import Processor
from cpor.runtime.record import Output, TopicPartition
from cpor.runtime.store.engine import MemoryEngines
from cpor.runtime.topics import Topic, commands_topic
from cpor.runtime.transport.memory import MemoryReader, MemoryTransport
from cpor.runtime.worker import Limits, Worker
from schemas import consent
from schemas.base import read
from schemas.envelope import headers
from schemas.mail import ATTEMPT, Mail
from services.consent.tokens import Tokens
from services.consent.worker import Consent
from services.deadlines.worker import Deadlines
from services.intake.poe.limits import P2023
from services.intake.worker import Intake
from services.notify.delivery import told
from services.notify.drafts import Settings
from services.notify.smtp import Outcome, Result
from services.notify.worker import Notify
from services.review.worker import Review
from tests.unit.intake.harness import Shelf
from tests.unit.ops.checker.five import EAGER, GRACE, OPERATIONS, PUT_OFF, REFUSED, Five
from tests.unit.ops.checker.whole import OTHER_TENANT, PARTNERS, N
from tests.unit.review.pipeline import CUSTOMER, MONDAY, SALES, SUBSCRIPTION, TENANT

#: The first instant of a world: under P2020, under P2023, and four days before the one follows the other (D1).
STARTS = {
    "P2020": parse_instant("2021-06-07T08:00:00Z"),
    "P2023": MONDAY,
    "change": parse_instant("2023-10-06T08:00:00Z"),
}
OTHER_SUBSCRIPTION = "8d0f7780-8536-51ef-955c-f18ad2a01bf8"
SUBSCRIPTIONS = {TENANT: SUBSCRIPTION, OTHER_TENANT: OTHER_SUBSCRIPTION}
SOLD = {**SALES, "provisioned_at": "2020-01-01T00:00:00.000Z"}
SECOND = 1_000
#: Rounds of all workers after which a world that is not at rest never will be.
PATIENCE = 500

BUILDS: dict[str, Callable[[Shelf], Processor]] = {
    "intake": lambda shelf: Intake(shelf, shelf, P2023, N, 2),
    "review": lambda shelf: Review(N),
    "notify": lambda shelf: Notify(Settings(N, "https://consent.example/answer", OPERATIONS)),
    "consent": lambda shelf: Consent(N, GRACE, Tokens("a key that is long enough to be no guess")),
    "deadlines": lambda shelf: Deadlines(N, GRACE),
}
SERVICES = tuple(BUILDS)


class Crash(BaseException):
    """The process dies here: nothing of the worker may catch it."""


class Trouble(StrEnum):
    """What may befall a worker in the middle of a round."""

    DIES = "dies"
    DIES_WITH_ITS_STORE = "dies_with_its_store"
    #: The broker's answer is lost: the worker cannot know whether the step was done.
    NO_ANSWER = "no_answer"
    #: Another process takes its place, and works, while it still believes in its round.
    USURPED = "usurped"
    #: It took too long: the group goes on without it.
    EXPIRED = "expired"


class Post(StrEnum):
    """What the mail server does; a few addresses have a fate of their own while it is up."""

    UP = "up"
    AWAY = "away"
    PUTS_OFF = "puts_off"
    REFUSES = "refuses"


@dataclass(frozen=True)
class Sent:
    """Records from outside, all before anybody works."""

    outputs: tuple[Output, ...]


@dataclass(frozen=True)
class Passed:
    ms: int


@dataclass(frozen=True)
class Served:
    post: Post


Action = Sent | Passed | Served


@dataclass
class Strike:
    """Trouble to come: at the n-th passing of a point of the service's rounds."""

    service: str
    trouble: Trouble
    point: str
    passings: int


@dataclass
class Member:
    """One place in a group, and the process that has it now."""

    service: str
    name: str
    engines: MemoryEngines = field(default_factory=MemoryEngines)
    awake: bool = True
    worker: Worker = field(init=False)


class World(Five):
    """`settles`: after whatever is said everybody works until nothing is left; else who is awake does one round."""

    def __init__(self, start: int = MONDAY, seed: int = 0, records: int = 3_000, *, settles: bool = True) -> None:
        self.start = start
        self.settles = settles
        self.members: list[Member] = []
        self.script: list[Action] = []
        self.post = Post.UP
        self.strike: Strike | None = None
        self.struck = 0
        self._working: Member | None = None
        self._shelf = Shelf()
        self._limits: Limits = replace(EAGER, records=records)
        super().__init__(start)
        self.broker.random.seed(seed)
        self._letters = self.reader(Topic.MAIL, Topic.NOTIFY_RESEND)
        for tenant, subscription in SUBSCRIPTIONS.items():
            entry = {**SOLD, "subscription_id": subscription, "tenant_id": tenant}
            self.append(Topic.SUBSCRIPTIONS, ids.tenant_partition(tenant, N), subscription, entry)
        self.script.clear()

    def reader(self, *topics: str) -> MemoryReader:
        """From the first record of each of the topics."""
        made = MemoryReader(self.broker)
        made.assign({TopicPartition(topic, p): 0 for topic in topics for p in range(self.broker.counts[topic])})
        return made

    # -- who works -----------------------------------------------------------------------------------------------------

    def hire(self, processor: Processor, limits: Limits | None = None, store: MemoryEngines | None = None) -> Worker:
        return self.joins(processor.service, "0").worker

    def joins(self, service: str, name: str) -> Member:
        """One more process of a service."""
        member = Member(service, name)
        self.begin(member)
        self.members.append(member)
        return member

    def begin(self, member: Member) -> None:
        """A new process in the member's place; whatever had it before is fenced by this."""
        processor = BUILDS[member.service](self._shelf)
        transport = MemoryTransport(self.broker)
        member.worker = Worker(processor, transport, member.engines, self.clock, member.name, self._limits)

    def leaves(self, member: Member) -> None:
        """It is killed, and after its session the others of its group go on without it."""
        self.members.remove(member)
        self.broker.expire(f"cpor.{member.service}", member.name)

    def loses_its_store(self, member: Member) -> None:
        member.engines = MemoryEngines()
        self.begin(member)

    def of(self, service: str) -> list[Member]:
        return [each for each in self.members if each.service == service]

    # -- working -------------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """What falls due in the second after a word is told before the next word: no rule orders the two."""
        self._works()
        self.clock.tick(SECOND)
        if self.settles and any(due <= self.clock.now() for due in self._dues()):
            self.settle()

    def _works(self) -> None:
        if self.settles:
            self.settle()
        else:
            self.one_round()

    def settle(self) -> None:
        """Everybody works until two rounds in a row find nothing, and nothing waits to be read again."""
        quiet = 0
        for _ in range(PATIENCE):
            quiet = 0 if self.one_round() else quiet + 1
            if quiet >= 2 and not any(map(self._is_behind, self.members)):
                return
        raise AssertionError("the world never comes to rest")

    def _is_behind(self, member: Member) -> bool:
        """Whether it has records to read, be it one that it holds back."""
        committed = member.worker.assignment.committed
        left = (each for tp, at in committed.items() for each in self.broker.log(tp).entries[at:])
        return any(each.record and (each.transaction is None or each.transaction.outcome) for each in left)

    def one_round(self) -> int:
        """Each who is awake does one; how many records and timers went through."""
        return sum(self._rounds())

    def _rounds(self) -> list[int]:
        return [*(self._step(member) for member in list(self.members) if member.awake), self._deliver()]

    def _step(self, member: Member) -> int:
        """One round of a member; what strikes it in the round counts as work, for there is more to do after it."""
        worker, struck = member.worker, self.struck
        self.broker.faults, self._working = self._fault, member
        try:
            return worker.step() + self.struck - struck
        except Crash:
            self.begin(member)
            return 1
        except Fenced:
            assert worker is not member.worker, "only who has been replaced is fenced"
            return 1
        finally:
            self.broker.faults, self._working = (lambda point: None), None

    # -- trouble -------------------------------------------------------------------------------------------------------

    def _fault(self, point: str) -> None:
        strike, member = self.strike, self._working
        if strike is None or member is None or (strike.service, strike.point) != (member.service, point):
            return
        strike.passings -= 1
        if strike.passings > 0:
            return
        self.strike = None
        self.struck += 1
        _STRIKES[strike.trouble](self, member)

    def _dies(self, member: Member) -> None:
        raise Crash

    def _dies_with_its_store(self, member: Member) -> None:
        member.engines = MemoryEngines()
        raise Crash

    def _hears_nothing(self, member: Member) -> None:
        raise TransactionFailed("no answer from the broker")

    def _is_usurped(self, member: Member) -> None:
        """By a process on another machine, which has a store of its own."""
        member.engines = MemoryEngines()
        self.begin(member)
        member.worker.step()

    def _expires(self, member: Member) -> None:
        self.broker.expire(f"cpor.{member.service}", member.name)

    # -- what is said from outside -------------------------------------------------------------------------------------

    def append(self, topic: str, partition: int, key: str, value: Any, told: Iterable[tuple[str, bytes]] = ()) -> None:
        content = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.put(Output(topic, partition, key.encode(), content, list(told)))

    def put(self, *outputs: Output) -> None:
        self.script.append(Sent(outputs))
        for output in outputs:
            self.broker.append(output)

    def partner_outputs(self) -> list[Output]:
        """Everything partners have said."""
        said = [each for action in self.script if isinstance(action, Sent) for each in action.outputs]
        wanted = set(map(commands_topic, PARTNERS))
        return [each for each in said if each.topic in wanted]

    def passes(self, ms: int) -> None:
        self.script.append(Passed(ms))
        self.clock.tick(ms)
        self._works()

    def days(self, number: float) -> None:
        """From one due timer to the next; where words are compared to all: two told late are told at one instant."""
        end = self.clock.now() + int(number * 86_400_000)
        for _ in range(PATIENCE if self.settles else 6):
            due = self.next_due()
            if due is None or due + GRACE >= end:
                break
            self.passes(due + GRACE + SECOND - self.clock.now())
        if self.clock.now() < end:
            self.passes(end - self.clock.now())

    def next_due(self) -> int | None:
        """The first timer that is still to come, of those who work."""
        return min((due for due in self._dues() if due > self.clock.now()), default=None)

    def _dues(self) -> list[int]:
        """The first timer of each partition, of those who work."""
        tasks = [task for member in self.members for task in member.worker.assignment.tasks.values()]
        return [due for task in tasks if (due := task.rows.next_due()) is not None]

    def serves(self, post: Post) -> None:
        self.script.append(Served(post))
        self.post = post
        self._works()

    def rest(self) -> None:
        """All are awake and the server is up, until every grace is over and every mail has gone out again."""
        self.strike = None
        for member in self.members:
            member.awake = True
        self.settles = True
        self.serves(Post.UP)
        for _ in range(3):
            self.passes(61 * SECOND)

    def do(self, action: Action) -> None:
        """An action of another world's script."""
        match action:
            case Sent(outputs):
                self.put(*outputs)
                self.run()
            case Passed(ms):
                self.passes(ms)
            case Served(post):
                self.serves(post)

    # -- mails ---------------------------------------------------------------------------------------------------------

    def _deliver(self) -> int:
        """What delivery does, without a network; the number of mails it took."""
        if self.post == Post.AWAY:
            return 0
        fresh = sorted(self._letters.poll(0, 3_000), key=lambda each: each[:3])
        for record in fresh:
            mail, attempt = read(Mail, record.value or b""), int(record.header(ATTEMPT) or "1")
            self.broker.append(told(record, mail, attempt, self._fate(mail, attempt), Instant(self.clock.now())))
        return len(fresh)

    def _fate(self, mail: Mail, attempt: int) -> Outcome:
        if self.post == Post.REFUSES or mail.to == REFUSED:
            return Outcome(Result.BOUNCED, "550 no such user")
        if self.post == Post.PUTS_OFF or (mail.to == PUT_OFF and attempt == 1):
            return Outcome(Result.DEFERRED, "450 later")
        self.sink.append(Arrival(mail.mail_id, mail.to))
        return Outcome(Result.DELIVERED, "")

    # -- longer words --------------------------------------------------------------------------------------------------

    def order(
        self, claim: ClaimId, tenant: TenantId, name: CommandName, data: dict[str, Any], source: str = "/tools/t"
    ) -> Output:
        """A command of a reviewer, an operator or a service, not yet sent."""
        self.sent += 1
        about = headers(name, ids.name_id(f"tool/{self.sent}"), source, Instant(self.clock.now()), claim)
        value = json.dumps({"claim_id": claim, **data}).encode()
        return Output(Topic.CLAIM_COMMANDS, ids.tenant_partition(tenant, N), tenant.encode(), value, about)

    def hears(self, claim: ClaimId, tenant: TenantId, answer: str, **how: Any) -> None:
        """A customer's answer."""
        self.sent += 1
        name, now = ids.name_id(f"answer/{self.sent}"), Instant(self.clock.now())
        about = headers(consent.RESPONSE, name, "/customers/x", now, claim)
        there = ids.tenant_partition(tenant, N)
        self.append(Topic.CONSENT_RESPONSES, there, tenant, {"claim_id": claim, "answer": answer, **how}, about)
        self.run()

    def newest_link(self, claim: str) -> str | None:
        return self._newest_link(claim)


def customer_entry(tenant: TenantId, **changes: Any) -> dict[str, Any]:
    return {**CUSTOMER, "tenant_id": tenant, **changes}


def claim_of(partner: str, ref: str) -> ClaimId:
    return ids.claim_id(PartnerId(partner), ref)


_STRIKES: dict[Trouble, Callable[[World, Member], None]] = {
    Trouble.DIES: World._dies,
    Trouble.DIES_WITH_ITS_STORE: World._dies_with_its_store,
    Trouble.NO_ANSWER: World._hears_nothing,
    Trouble.USURPED: World._is_usurped,
    Trouble.EXPIRED: World._expires,
}
