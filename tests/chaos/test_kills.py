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

from cpor.ops.checker import summary
from cpor.ops.running import Running, is_ready
from cpor.runtime.topics import Count
from tests.chaos.freezing import Transactions, await_everybody, await_take_over, frozen_in_mid_transaction
from tests.chaos.instance import FRONT, Rest, await_true, counts_of, introduce, own_instance, whole_log
from tests.chaos.material import customers, put_document
from tests.chaos.outcome import assert_sound
from tests.chaos.story import Word
from tests.chaos.traffic import PARTNERS, Crowd, Desk, Mouth, crowd

pytestmark = pytest.mark.chaos

#: Another one by CPOR_CHAOS_SEED.
SEED = 20231010
CLAIMS, PAIRS = 2_000, 40
SESSION_MS = 8_000
#: Words in one go, and seconds between two goes: as many as the storms and the two freezes need.
SLICE, PAUSE = 25, 0.25
STORM_SECONDS = 20.0
#: Of a hundred blows at a worker that is still starting so many are dealt; else it would never do anything.
AT_STARTING = 25


@dataclass
class Storm:
    """Kills one worker about once a second, drawn by the seed; those that are `spared` for now are left alone."""

    running: Running
    dice: random.Random
    killed: Counter[str] = field(default_factory=Counter)
    spared: frozenset[str] = frozenset()

    def blow(self) -> None:
        service, slot = self.dice.choice([each for each in self.running.workers if each[0] not in self.spared])
        ready = is_ready(self.running, service, slot)
        pid = self.running.supervisor.state(f"{service}-{slot}").pid
        if pid is not None and (ready or self.dice.randrange(100) < AT_STARTING):
            os.kill(pid, signal.SIGKILL)
            self.killed[service] += 1

    def rage(self, over: threading.Event) -> None:
        while not over.wait(self.dice.uniform(0.5, 1.5)):
            self.blow()


@pytest.mark.timeout(420)
def test_two_thousand_claims_survive_kills_and_freezes_in_mid_transaction(tmp_path: Path) -> None:
    seed = int(os.environ.get("CPOR_CHAOS_SEED", SEED))
    print(f"CPOR_CHAOS_SEED={seed}")
    people = crowd(seed, CLAIMS, PAIRS)
    with own_instance(tmp_path, workers=2, session_ms=SESSION_MS) as running:
        counts = counts_of(running)
        introduce(running, PARTNERS, customers(people.tenants, counts[Count.CLAIMS]))
        for partner in PARTNERS:
            put_document(running.instance.endpoints, partner)
        storm, mouth = Storm(running, random.Random(seed)), Mouth(running.instance.transport, *_sizes(counts))
        with closing(mouth), closing(Desk(running.instance.transport, mouth, people, counts[Count.CLAIMS])) as desk:
            with beside(_answering(desk)), beside(_speaking(mouth, people.words)):
                _strike(running, storm, counts)
            _settle(running, desk, people)
        log = whole_log(running, PARTNERS)
    print(f"killed: {dict(storm.killed)}; {summary(log)}")
    assert_sound(log, mouth.receipts)
    _assert_much_happened(people, storm, desk, summary(log).claims)
    _await_nothing_left_behind(tmp_path)


def _sizes(counts: dict[str, int]) -> tuple[int, int]:
    return counts[Count.CLAIMS], counts[Count.PARTNERS]


def _strike(running: Running, storm: Storm, counts: dict[str, int]) -> None:
    """Kills everywhere; then a freeze in each service, with kills in the others; then kills again."""
    with beside(storm.rage):
        time.sleep(STORM_SECONDS)
    for service in FRONT:
        slots = counts[Count.PARTNERS if service == "intake" else Count.CLAIMS]
        storm.spared = frozenset({service})
        with beside(storm.rage):
            _freeze_and_wake(running, service, slots)
    storm.spared = frozenset()
    with beside(storm.rage):
        time.sleep(STORM_SECONDS / 2)


def _freeze_and_wake(running: Running, service: str, slots: int) -> None:
    await_everybody(running, service, slots)
    with (
        closing(Transactions(running.instance.endpoints.kafka_bootstrap)) as transactions,
        frozen_in_mid_transaction(running, transactions, service) as frozen,
    ):
        await_take_over(running, frozen, slots)
        assert frozen.stands()
        assert time.monotonic() - frozen.stopped_at > SESSION_MS / 1000
        given_up = transactions.describe(frozen.transactional_id)
        assert given_up.state == "CompleteAbort", "the broker must have ended it, for nobody else has"
    await_everybody(running, service, slots)


def _settle(running: Running, desk: Desk, people: Crowd) -> None:
    """Until nobody has anything left to say."""
    with closing(Rest(running, PARTNERS)) as rest:
        while True:
            rest.wait(120)
            if not any([desk.work(), desk.work()]):
                return


def _assert_much_happened(people: Crowd, storm: Storm, desk: Desk, claims: int) -> None:
    assert claims == len(people.claims) == CLAIMS + 2 * PAIRS
    assert all(storm.killed[service] >= 5 for service in FRONT), storm.killed
    assert desk.answered > 500


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
