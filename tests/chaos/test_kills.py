"""Workers are killed and frozen while claims flow: nothing is lost, nothing happens twice."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from cpor.domain.vocabulary import CommandName, EventName
from cpor.ops.checker import PipelineLog, summary
from cpor.ops.figures import DELIVERY
from cpor.ops.rest import resting
from cpor.ops.running import SERVICES, SINK, Running, await_ready, is_ready
from cpor.runtime.clock import TestClock
from cpor.runtime.topics import DAY_MS, Count
from schemas.envelope import read_envelope
from schemas.mail import BOUNCED, DEFERRED, DELIVERED
from tests.chaos.desk import Desk
from tests.chaos.freezing import Frozen, Transactions, await_everybody, await_take_over, frozen_in_mid_transaction
from tests.chaos.instance import await_true, counts_of, introduce, lose_store, own_instance, whole_log
from tests.chaos.material import customers, put_document, subscriptions
from tests.chaos.outcome import assert_sound
from tests.chaos.story import Word
from tests.chaos.traffic import PARTNERS, Crowd, Mouth, crowd

pytestmark = pytest.mark.chaos

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
SEED = int(os.environ.get("CPOR_CHAOS_SEED", "20231010"))
#: So many times as long, with so many times the claims.
LENGTH = int(os.environ.get("CPOR_CHAOS_LENGTH", "1"))
CLAIMS, PAIRS = 2_000, 40
BEGINS = "2026-03-02T09:00:00Z"
#: The last day of every subscription: the partners are told thirty days before.
SUBSCRIBED_UNTIL = "2026-04-20"
SESSION_MS = 8_000
#: Words in one go, and seconds between two goes: as many as the storms and the freezes need.
SLICE, PAUSE = 25, 0.25
STORM_SECONDS = 20.0
#: Of a hundred blows at a worker that is still starting so many are dealt; else it would never do anything. Delivery
#: takes its time to start, and is spared in the freezes: it gets them all.
AT_STARTING = 25
#: Of a hundred blows so many take the worker's store too.
AT_STORES = 15
#: Who is frozen together, those who read before those whom they read from: they are to have work till the last.
FROZEN = (("notify", "consent"), ("deadlines", "review", "intake"))
#: Longer than Faust's session.
AWAY_SECONDS = 48.0
#: How far the clock moves, and how often; what comes in a freeze comes by the hour, for notices must not be late.
TICK_SECONDS, TICK_HOURS, SLOW_HOURS = 0.5, 8, 1
#: After the storms the days go on by threes, for a month.
STEP_DAYS, LAST_DAYS = 3, 30
KINDS = (*SERVICES, DELIVERY, SINK)


@dataclass
class Storm:
    """Kills one worker about once a second, drawn by the seed; those that are `spared` for now are left alone."""

    running: Running
    dice: random.Random
    killed: Counter[str] = field(default_factory=Counter)
    emptied: Counter[str] = field(default_factory=Counter)
    frozen: Counter[str] = field(default_factory=Counter)
    spared: frozenset[str] = frozenset()
    _deck: list[str] = field(default_factory=list)

    def blow(self) -> None:
        service = self._next()
        slot = self.dice.choice([slot for each, slot in self.running.workers if each == service])
        ready = is_ready(self.running, service, slot)
        pid = self.running.supervisor.state(f"{service}-{slot}").pid
        if pid is None or not (ready or service == DELIVERY or self.dice.randrange(100) < AT_STARTING):
            return
        self.killed[service] += 1
        if service in SERVICES and self.dice.randrange(100) < AT_STORES:
            lose_store(self.running, service, slot)
            self.emptied[service] += 1
        else:
            os.kill(pid, signal.SIGKILL)

    def _next(self) -> str:
        """Every service comes before any comes again."""
        if all(each in self.spared for each in self._deck):
            self._deck = self.dice.sample(KINDS, len(KINDS))
        place = next(n for n, each in enumerate(self._deck) if each not in self.spared)
        return self._deck.pop(place)

    def rage(self, over: threading.Event) -> None:
        while not over.wait(self.dice.uniform(0.5, 1.5)):
            self.blow()


@dataclass
class Days:
    """Days pass in seconds."""

    clock: TestClock
    hours: int = TICK_HOURS

    def pass_by(self, over: threading.Event) -> None:
        while not over.wait(TICK_SECONDS):
            self.clock.set(self.clock.now() + self.hours * HOUR_MS)


@pytest.mark.timeout(900 * LENGTH)
def test_two_thousand_claims_survive_kills_freezes_and_lost_stores_while_days_pass(tmp_path: Path) -> None:
    print(f"CPOR_CHAOS_SEED={SEED} CPOR_CHAOS_LENGTH={LENGTH}")
    people = crowd(SEED, LENGTH * CLAIMS, LENGTH * PAIRS)
    with own_instance(tmp_path, workers=2, session_ms=SESSION_MS, test_clock=BEGINS, services=SERVICES) as running:
        counts = counts_of(running)
        _introduce(running, people, counts[Count.CLAIMS])
        days = Days(_clock(running))
        storm, mouth = Storm(running, random.Random(SEED)), Mouth(running.instance.transport, *_sizes(counts))
        with (
            closing(mouth),
            closing(Desk(running.instance.transport, mouth, people, counts[Count.CLAIMS], days.clock)) as desk,
        ):
            with beside(_answering(desk)), beside(_speaking(mouth, people.words)), beside(days.pass_by):
                for _ in range(LENGTH):
                    _strike(running, storm, counts, days)
                struck = time.monotonic()
            _settle(running, desk, days)
            print(f"{time.monotonic() - struck:.0f} s until nobody had anything left to say")
        log = whole_log(running, PARTNERS)
    told = summary(log)
    print(f"killed: {dict(storm.killed)}; stores lost: {dict(storm.emptied)}; frozen: {dict(storm.frozen)}; {told}")
    print(f"said: {dict(desk.said)}; mails twice in the sink: {_doubles(log)}")
    assert_sound(log, mouth.receipts)
    _assert_much_happened(people, storm, desk, log)
    _await_nothing_left_behind(tmp_path)


def _introduce(running: Running, people: Crowd, partitions: int) -> None:
    sold = subscriptions(people.tenants, partitions, SUBSCRIBED_UNTIL)
    introduce(running, PARTNERS, [*customers(people.tenants, partitions), *sold])
    for partner in PARTNERS:
        put_document(running.instance.endpoints, partner)


def _clock(running: Running) -> TestClock:
    clock = running.instance.clock
    assert isinstance(clock, TestClock)
    return clock


def _sizes(counts: dict[str, int]) -> tuple[int, int]:
    return counts[Count.CLAIMS], counts[Count.PARTNERS]


def _strike(running: Running, storm: Storm, counts: dict[str, int], days: Days) -> None:
    """Kills everywhere; then freezes, with kills among those who are not frozen; then kills again."""
    with beside(storm.rage):
        time.sleep(STORM_SECONDS)
    days.hours = SLOW_HOURS
    with _delivery_away(running, storm):
        for services in FROZEN:
            storm.spared = frozenset({*services, DELIVERY})
            with beside(storm.rage):
                _freeze_and_wake(running, storm, services, counts)
    storm.spared, days.hours = frozenset(), TICK_HOURS
    with beside(storm.rage):
        time.sleep(STORM_SECONDS / 2)


@contextmanager
def _delivery_away(running: Running, storm: Storm) -> Iterator[None]:
    """The one that delivers mails sleeps past its session."""
    pid = running.supervisor.state(f"{DELIVERY}-0").pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    until = time.monotonic() + AWAY_SECONDS
    try:
        yield
        time.sleep(max(0.0, until - time.monotonic()))
        storm.frozen[DELIVERY] += 1
    finally:
        os.kill(pid, signal.SIGCONT)


def _freeze_and_wake(running: Running, storm: Storm, services: tuple[str, ...], counts: dict[str, int]) -> None:
    """One worker of each of the services sleeps in the middle of a transaction until another has its slots."""
    for service in services:
        await_everybody(running, service, _slots(service, counts))
    with closing(Transactions(running.instance.endpoints.kafka_bootstrap)) as transactions, ExitStack() as sleeping:
        for service in services:
            frozen = sleeping.enter_context(frozen_in_mid_transaction(running, transactions, service))
            sleeping.callback(_assert_given_up, transactions, frozen)
            sleeping.callback(await_take_over, running, frozen, _slots(service, counts))
            storm.frozen[service] += 1
    for service in services:
        await_everybody(running, service, _slots(service, counts))


def _slots(service: str, counts: dict[str, int]) -> int:
    return counts[Count.PARTNERS if service == "intake" else Count.CLAIMS]


def _assert_given_up(transactions: Transactions, frozen: Frozen) -> None:
    assert frozen.stands()
    given_up = transactions.describe(frozen.transactional_id)
    assert given_up.state == "CompleteAbort", "the broker must have ended it, for nobody else has"


def _settle(running: Running, desk: Desk, days: Days) -> None:
    """Until nobody has anything left to say in a month, and no mail waits to be sent again."""
    end = days.clock.now() + LAST_DAYS * DAY_MS
    await_ready(running)
    with resting(running.instance) as rest:
        while True:
            next_timer = rest.wait(days.clock.now())
            if any([desk.work(), desk.work()]):
                continue
            dues = [each for each in (next_timer, desk.next_due()) if each is not None and each <= end]
            if not dues:
                return
            days.clock.set(max(days.clock.now(), min(dues)) + min(STEP_DAYS * DAY_MS, max(end - min(dues), MINUTE_MS)))


def _doubles(log: PipelineLog) -> int:
    got = Counter(each.mail_id for each in log.sink or ())
    return got.total() - len(got)


def _assert_much_happened(people: Crowd, storm: Storm, desk: Desk, log: PipelineLog) -> None:
    told = summary(log)
    assert told.claims == len(people.claims)
    assert all(storm.killed[service] >= 2 for service in KINDS), storm.killed
    assert all(storm.frozen[service] for service in (*SERVICES, DELIVERY)), storm.frozen
    assert storm.emptied.total() >= 3, storm.emptied
    assert desk.said["words"] > 1_000
    events = Counter(read_envelope(each.headers).type for each in log.events)
    inbox = Counter(read_envelope(each.headers).type for each in log.inbox)
    assert inbox[CommandName.DEADLINE_EXPIRED] >= 5
    assert events[EventName.CONSENT_COMPLETED.ce_type] >= 50
    assert events[EventName.CONSENT_SUSPENDED.ce_type] >= 5
    assert events[EventName.ASSOCIATION_ENDED.ce_type] >= 3
    deliveries = Counter(read_envelope(each.headers).type for each in log.deliveries)
    assert min(deliveries[each] for each in (DELIVERED, DEFERRED, BOUNCED)) >= 5, deliveries


def _answering(desk: Desk) -> Callable[[threading.Event], None]:
    def work(over: threading.Event) -> None:
        while not over.is_set():
            desk.work()

    return work


def _speaking(mouth: Mouth, words: list[Word]) -> Callable[[threading.Event], None]:
    """In a steady flow, and the rest at once when the blows are over."""

    def speak(over: threading.Event) -> None:
        for first in range(0, len(words), SLICE):
            mouth.speak(words[first : first + SLICE])
            over.wait(PAUSE)

    return speak


@contextmanager
def beside(work: Callable[[threading.Event], None]) -> Iterator[None]:
    """Work in a thread of its own, told that it is over when the block ends; its failure is the block's."""
    over, faults = threading.Event(), list[BaseException]()

    def attempt() -> None:
        try:
            work(over)
        except BaseException as fault:
            faults.append(fault)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    with ExitStack() as stack:
        stack.callback(thread.join, 120)
        stack.callback(over.set)
        yield
    if faults:
        raise faults[0]


def _await_nothing_left_behind(folder: Path) -> None:
    """No process works on this instance's directory any more, once a dying one has had its time."""

    def found() -> list[psutil.Process]:
        return [each for each in psutil.process_iter() if str(folder) in " ".join(_command(each))]

    await_true(lambda: not found(), 10, lambda: f"left behind: {found()}")


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
