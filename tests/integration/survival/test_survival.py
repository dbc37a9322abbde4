"""What becomes of workers on a real broker that goes away, of slots that move, of records that are large."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cpor.runtime.errors import ExitCode
from cpor.runtime.topics import MIB, Count, Topic, TopicSpec, commands_topic
from tests.integration.survival.bed import Bed, counting_bed, eventually

pytestmark = [pytest.mark.integration, pytest.mark.chaos, pytest.mark.slow, pytest.mark.timeout(300)]
LARGEST = 8 * MIB - 100_000
#: Rounds of hundreds of megabytes may take long on a busy machine.
PATIENT = {"CPOR_WATCHDOG_SECONDS": "60", "CPOR_SESSION_MS": "20000", "CPOR_TRANSACTION_MS": "15000"}


@contextmanager
def load(bed: Bed, number: int = 250, pause: float = 0.1) -> Iterator[None]:
    """Records keep coming while the block runs."""
    over = threading.Event()

    def feed() -> None:
        while not over.is_set():
            bed.send(number)
            time.sleep(pause)

    feeder = threading.Thread(target=feed)
    feeder.start()
    try:
        yield
    finally:
        over.set()
        feeder.join()


def test_a_broker_that_goes_away_under_load_and_comes_back_costs_nothing(tmp_path: Path) -> None:
    """Once with its workers running, longer than they wait; once with one that starts before it."""
    with counting_bed(tmp_path, ("a", "b")) as bed:
        bed.await_slots(a=2, b=2)
        bed.send(4_000)
        bed.stack.stop()
        time.sleep(30)
        bed.stack.start()
        bed.send(1_000)
        bed.settle(150)
        bed.supervisor.stop_worker("a")
        bed.stack.stop()
        bed.supervisor.start_worker("a")
        time.sleep(4)
        bed.stack.start()
        bed.send(1_000)
        bed.settle(150)


def test_slots_that_move_between_workers_under_load_lose_and_double_nothing(tmp_path: Path) -> None:
    with counting_bed(tmp_path, ("a", "b")) as bed:
        bed.await_slots(a=2, b=2)
        with load(bed):
            time.sleep(1)
            bed.supervisor.stop_worker("b")
            assert bed.supervisor.state("b").last_exit == ExitCode.DONE
            bed.await_slots(a=4)
            bed.supervisor.start_worker("b")
            bed.await_slots(a=2, b=2)
            bed.supervisor.stop_worker("a")
            bed.await_slots(b=4)
            bed.supervisor.start_worker("a")
            bed.await_slots(a=2, b=2)
        bed.settle()


def test_a_worker_frozen_past_its_transactions_time_out_goes_on_without_a_restart(tmp_path: Path) -> None:
    """Its slots are still its own: nothing is lost, and no minute goes by as after a fencing."""
    with counting_bed(tmp_path, ("a",), {"CPOR_SESSION_MS": "20000"}) as bed:
        bed.await_slots(a=4)
        with load(bed, number=1000, pause=0.0):
            for _ in range(3):
                time.sleep(0.7)
                bed.freeze("a", 14)  # the broker looks for timed-out transactions every 10 s
        bed.settle()
        assert bed.supervisor.state("a").restarts == 0, bed.log("a")


@pytest.fixture(scope="module")
def one_worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    """A worker with rows of 40 KB, never restarted by its supervisor."""
    with counting_bed(tmp_path_factory.mktemp("survival"), ("a",), {"COUNT_ROW_BYTES": "40000", **PATIENT}) as bed:
        bed.await_slots(a=4)
        yield bed
        errors = [line for line in bed.log("a") if line["level"] == "error"]
        assert bed.supervisor.state("a").last_exit in (None, ExitCode.DONE), errors


def test_records_of_eight_mib_pass_and_may_be_dead_lettered(one_worker: Bed) -> None:
    bed, topic = one_worker, commands_topic("P-1")
    bed.create(TopicSpec(topic, Count.CLAIMS, max_message_bytes=8 * MIB, uncompressed=True))
    bed.send(20, topic=topic)
    bed.send(4, keys=4, value=b"x" * LARGEST, topic=topic)
    bed.settle()
    good = bed.expected()
    sent = bed.sent["k0"].copy()
    bed.send(1, keys=1, value=b"poison" + b"x" * LARGEST, topic=topic)
    eventually(lambda: bed.lag() == 0, "the poison is passed")
    assert bed.told() == good
    bed.sent["k0"] = sent
    assert [len(letter.value or b"") for letter in bed.records(Topic.DEAD_LETTERS)] == [LARGEST + 6]


def test_three_thousand_rows_of_forty_kilobytes_fit_a_round(one_worker: Bed) -> None:
    bed = one_worker
    bed.supervisor.stop_worker("a")
    bed.send(3_000, keys=3_000)
    bed.supervisor.start_worker("a")
    bed.settle()
    assert bed.health("a")["dropped"] == 0


def test_a_topic_deleted_and_made_again_is_read_from_its_beginning(one_worker: Bed) -> None:
    bed, topic = one_worker, commands_topic("P-2")
    bed.create(TopicSpec(topic, Count.CLAIMS))
    bed.send(400, topic=topic)
    bed.settle()
    bed.delete(topic)
    bed.create(TopicSpec(topic, Count.CLAIMS))
    bed.send(800, topic=topic)
    bed.settle()
