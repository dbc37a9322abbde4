"""What becomes of workers on a real broker that goes away, of slots that move, of records that are large."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cpor.devstack.supervisor import Supervisor, WorkerSpec
from cpor.runtime.errors import ExitCode
from cpor.runtime.topics import MIB, Count, Topic, TopicSpec, commands_topic
from tests.integration.survival.bed import AT_ONCE, TIMES, Bed, command, counting_bed, eventually

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(300)]


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
    with counting_bed(tmp_path, ("a", "b")) as bed:
        bed.await_slots(a=2, b=2)
        bed.send(4_000)
        bed.stack.stop()
        time.sleep(30)
        bed.stack.start()
        bed.send(1_000)
        bed.settle(150)


def test_workers_that_start_before_their_broker_wait_for_it(tmp_path: Path) -> None:
    with counting_bed(tmp_path, ("a",)) as bed:
        bed.send(100)
        bed.settle()
        bed.supervisor.stop_worker("a")
        bed.stack.stop()
        bed.supervisor.start_worker("a")
        time.sleep(8)
        bed.stack.start()
        bed.send(100)
        bed.settle()


def test_slots_that_move_between_workers_under_load_lose_and_double_nothing(tmp_path: Path) -> None:
    with counting_bed(tmp_path, ("a", "b")) as bed:
        bed.await_slots(a=2, b=2)
        with load(bed):
            time.sleep(2)
            bed.supervisor.stop_worker("b")
            bed.await_slots(a=4)
            time.sleep(1)
            bed.supervisor.start_worker("b")
            bed.await_slots(a=2, b=2)
            time.sleep(1)
            bed.supervisor.stop_worker("a")
            bed.await_slots(b=4)
            bed.supervisor.start_worker("a")
            bed.await_slots(a=2, b=2)
        bed.settle()


def test_a_worker_frozen_past_its_transactions_time_out_goes_on_without_a_restart(tmp_path: Path) -> None:
    with counting_bed(tmp_path, ("a",)) as bed:
        bed.await_slots(a=4)
        with load(bed, number=1000, pause=0.0):
            for _ in range(4):
                time.sleep(0.7)
                bed.freeze("a", 5)
        bed.settle()
        assert bed.supervisor.state("a").restarts == 0, bed.log("a")


def test_a_worker_frozen_past_its_session_loses_its_slots_and_gets_some_back(tmp_path: Path) -> None:
    with counting_bed(tmp_path, ("a", "b")) as bed:
        bed.await_slots(a=2, b=2)
        with load(bed, number=1000, pause=0.0):
            for _ in range(2):
                time.sleep(0.7)
                bed.freeze("a", 14)
                bed.await_slots(a=2, b=2)
        bed.settle()
        assert bed.supervisor.state("a").last_exit != ExitCode.FENCED, bed.log("a")


def test_a_second_process_of_a_slot_ends_the_first_as_fenced(tmp_path: Path) -> None:
    with counting_bed(tmp_path / "one", ("a",)) as bed:
        bed.await_slots(a=4)
        bed.send(100)
        with second(bed, tmp_path / "two") as other:
            eventually(lambda: bed.supervisor.state("a").last_exit == ExitCode.FENCED, "the first gives way")
            bed.send(1000)
            bed.settle()
            assert other.state("a").restarts == 0
        assert "another process holds this slot" in bed.log("a")[-1]["event"]


@contextmanager
def second(bed: Bed, folder: Path) -> Iterator[Supervisor]:
    """A worker of the same name with another directory, as on another machine."""
    env = {"CPOR_KAFKA_BOOTSTRAP": bed.stack.endpoints.kafka_bootstrap, **TIMES}
    with Supervisor(folder, [WorkerSpec("a", command("a", folder), env)], policy=AT_ONCE) as supervisor:
        yield supervisor


def test_records_of_eight_mib_pass_and_may_be_dead_lettered(tmp_path: Path) -> None:
    with counting_bed(tmp_path, ("a",)) as bed:
        topic = commands_topic("P-1")
        bed.create(TopicSpec(topic, Count.CLAIMS, max_message_bytes=8 * MIB, uncompressed=True))
        bed.send(20, topic=topic)
        bed.send(4, keys=4, value=b"x" * (8 * MIB - 100_000), topic=topic)
        bed.settle()
        good = bed.expected()
        bed.send(1, keys=1, value=b"poison" + b"x" * (8 * MIB - 100_000), topic=topic)
        eventually(lambda: bed.lag() == 0, "the poison is passed")
        assert bed.told() == good
        letters = bed.records(Topic.DEAD_LETTERS)
        assert [len(letter.value or b"") for letter in letters] == [8 * MIB - 100_000 + 6]
        assert bed.supervisor.state("a").restarts == 0


def test_three_thousand_rows_of_forty_kilobytes_fit_a_round(tmp_path: Path) -> None:
    with counting_bed(tmp_path, ("a",), {"COUNT_ROW_BYTES": "40000"}) as bed:
        bed.await_slots(a=4)
        bed.send(3_000, keys=3_000)
        bed.settle()
        assert bed.supervisor.state("a").restarts == 0
        bed.supervisor.stop_worker("a")
        bed.send(3_000, keys=3_000)
        bed.supervisor.start_worker("a")
        bed.settle()
        assert bed.health("a")["dropped"] == 0


def test_a_topic_deleted_and_made_again_is_read_from_its_beginning(tmp_path: Path) -> None:
    with counting_bed(tmp_path, ("a",)) as bed:
        bed.await_slots(a=4)
        topic = commands_topic("P-1")
        bed.create(TopicSpec(topic, Count.CLAIMS))
        bed.send(400, topic=topic)
        bed.settle()
        bed.delete(topic)
        bed.create(TopicSpec(topic, Count.CLAIMS))
        bed.send(800, topic=topic)
        bed.settle()


def test_a_worker_asked_to_stop_ends_after_its_round(tmp_path: Path) -> None:
    with counting_bed(tmp_path, ("a",)) as bed:
        bed.await_slots(a=4)
        with load(bed):
            time.sleep(1)
            began = time.monotonic()
            bed.supervisor.stop_worker("a")
            assert time.monotonic() - began < 8
            assert bed.supervisor.state("a").last_exit == ExitCode.DONE
            assert bed.health("a")["state"] == "ended"
            bed.supervisor.start_worker("a")
        bed.settle()


def test_a_process_that_is_killed_comes_back_to_its_slots_without_a_rebalance(tmp_path: Path) -> None:
    with counting_bed(tmp_path, ("a", "b")) as bed:
        bed.await_slots(a=2, b=2)
        with load(bed):
            for _ in range(3):
                time.sleep(0.5)
                bed.signal("a", signal.SIGKILL)
        bed.settle()
        generations = {line["generation"] for line in bed.log("b") if line["event"] == "assigned"}
        assert len(generations) <= 2, "b was not moved by what became of a"
