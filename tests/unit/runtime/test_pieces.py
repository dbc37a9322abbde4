"""The small parts of the kernel: holds, settings, health, the watchdog, exit codes, slot locks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from cpor.runtime import main
from cpor.runtime.clock import ManualClock, SystemClock, TestClock, wall_ms
from cpor.runtime.errors import ExitCode, Fenced, Misconfigured, Stop
from cpor.runtime.health import STALE_MS, Health, is_fresh, read_health
from cpor.runtime.holds import LONGEST_PAUSE_SECONDS, PAUSE_SECONDS, Holds
from cpor.runtime.processor import Nothing
from cpor.runtime.record import Output, Record, TopicPartition
from cpor.runtime.settings import Settings
from cpor.runtime.topics import FIXED_TOPICS, Topic
from cpor.runtime.transport.memory import MemoryBroker, MemoryReader
from cpor.runtime.watchdog import Watchdog

# -- holds --------------------------------------------------------------------------------------------------------


class Until:
    """Ready up to an offset in partition 0, always elsewhere."""

    def __init__(self, offset: int) -> None:
        self.offset = offset
        self.waited: list[float] = []

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)

    def ready(self, record: Record) -> bool:
        return record.partition != 0 or record.offset < self.offset

    def facts(self, record: Record) -> None:
        return None


def filled_reader() -> MemoryReader:
    broker = MemoryBroker(ManualClock())
    broker.create("in", 2)
    for n in range(10):
        broker.append(Output("in", n % 2, b"k", b"%d" % n, []))
    reader = MemoryReader(broker)
    reader.assign({TopicPartition("in", p): 0 for p in range(2)})
    return reader


def offsets(records: Sequence[Record], partition: int) -> list[int]:
    return [record.offset for record in records if record.partition == partition]


def test_a_partition_is_held_at_its_first_record_that_is_not_ready_and_read_again_from_there() -> None:
    reader = filled_reader()
    holds = Holds(reader)
    until = Until(2)
    ready = holds.cut(reader.poll(0, 100), until)
    assert (offsets(ready, 0), offsets(ready, 1)) == ([0, 1], [0, 1, 2, 3, 4])
    assert reader.position(TopicPartition("in", 0)) == 2
    assert list(holds.waiting()) == [TopicPartition("in", 0)]
    assert reader.poll(0, 100) == []
    assert until.waited
    time.sleep(0.06)
    holds.release_due()
    assert offsets(reader.poll(0, 100), 0) == [2, 3, 4]
    assert list(holds.waiting()) == []


def test_a_partition_waits_longer_each_time_for_the_same_record_and_anew_for_another() -> None:
    """A store may be away for hours."""
    holds, tp = Holds(filled_reader()), TopicPartition("in", 0)
    pauses = [holds.pause_for(tp, 2) for _ in range(40)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
    assert all(after <= 1.25 * before for before, after in pairwise(pauses))
    assert holds.pause_for(tp, 3) == PAUSE_SECONDS


def test_a_reload_forgets_what_was_held() -> None:
    reader = filled_reader()
    holds = Holds(reader)
    holds.hold(TopicPartition("in", 0), 0, seconds=60)
    holds.forget()
    assert list(holds.waiting()) == []
    assert len(reader.poll(0, 100)) == 10


def test_the_wait_for_what_is_not_ready_is_bounded() -> None:
    until = Until(0)
    Holds(filled_reader()).cut([], until)
    assert all(seconds <= 0.2 for seconds in until.waited)
    assert Nothing().ready(Record("in", 0, 0, 0, None, None, ()))


# -- settings -----------------------------------------------------------------------------------------------------

ENOUGH = {"CPOR_KAFKA_BOOTSTRAP": "localhost:9092"}


def test_settings_come_from_the_command_line_and_the_environment(tmp_path: Path) -> None:
    env = ENOUGH | {"CPOR_CLAIMS_PARTITIONS": "48", "CPOR_SESSION_MS": "6000", "CPOR_TEST_CLOCK": str(tmp_path / "c")}
    told = Settings.read("review", ["--slot", "b", "--data", str(tmp_path)], env)
    assert (told.claims_partitions, told.session_ms, told.slot) == (48, 6000, "b")
    assert told.home == tmp_path / "review" / "b"
    assert told.counts() == {"claims": 48, "partners": 4, "one": 1}
    assert isinstance(told.clock(), TestClock)
    assert isinstance(Settings.read("review", [], ENOUGH).clock(), SystemClock)


def test_a_missing_bootstrap_is_named() -> None:
    with pytest.raises(Misconfigured, match="CPOR_KAFKA_BOOTSTRAP"):
        Settings.read("review", [], {})


@pytest.mark.parametrize("value", ["many", "-1", "0", "4.5", "²"])
def test_a_setting_that_is_no_number_is_named(value: str) -> None:
    with pytest.raises(Misconfigured, match="CPOR_CLAIMS_PARTITIONS"):
        Settings.read("review", [], ENOUGH | {"CPOR_CLAIMS_PARTITIONS": value})


@pytest.mark.parametrize(
    ("slots", "wrong", "named"),
    [
        (Topic.REVIEW_SLOTS, {Topic.CLAIM_EVENTS: 48}, "CPOR_CLAIMS_PARTITIONS.*cpor.claims.events"),
        (Topic.INTAKE_SLOTS, {Topic.CLAIM_COMMANDS: 9}, "CPOR_CLAIMS_PARTITIONS.*cpor.claims.commands"),
        (Topic.INTAKE_SLOTS, {Topic.INTAKE_SLOTS: 24}, "CPOR_PARTNERS_PARTITIONS.*cpor.intake.slots"),
    ],
)
def test_a_worker_that_reckons_with_another_number_of_partitions_than_there_are_is_refused(
    slots: Topic, wrong: dict[str, int], named: str
) -> None:
    """Its records of a tenant would lie beside those of the others, in a partition that knows nothing of them."""
    settings = Settings.read("review", [], ENOUGH)
    there = {spec.name: settings.counts()[spec.count] for spec in FIXED_TOPICS}
    settings.check_partitions(there, slots)
    with pytest.raises(Misconfigured, match=named):
        settings.check_partitions(there | wrong, slots)


def test_a_process_without_settings_ends_with_a_message() -> None:
    code = "import sys; from cpor.runtime import main; sys.exit(main.run('review', None, []))"
    env = {name: value for name, value in os.environ.items() if not name.startswith("CPOR_")}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == ExitCode.STOPPED
    assert "CPOR_KAFKA_BOOTSTRAP" in done.stderr


# -- the slot's directory -----------------------------------------------------------------------------------------


def test_a_second_process_on_a_slots_directory_gives_way_and_names_the_first(tmp_path: Path) -> None:
    with main.locked(tmp_path):
        code = (
            "import sys; from pathlib import Path; from cpor.runtime import main\n"
            "try:\n with main.locked(Path(sys.argv[1])): pass\n"
            "except main.Fenced as fault: print(fault); sys.exit(fault.exit_code)"
        )
        done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert done.returncode == ExitCode.FENCED
    assert "pid=" in done.stdout
    with main.locked(tmp_path):
        pass


def test_exit_codes_tell_the_supervisor_what_happened() -> None:
    assert (Stop().exit_code, Fenced().exit_code, ExitCode.STALLED, ExitCode.DONE) == (70, 72, 71, 0)


# -- health -------------------------------------------------------------------------------------------------------


def test_health_tells_progress_and_its_last_word(tmp_path: Path) -> None:
    health = Health("review", "0", tmp_path / "health.json")
    health.committed([Record("in", 0, 0, 1_000, None, None, ())], 2, now=1_250)
    told = read_health(tmp_path / "health.json")
    assert told is not None
    assert (told["records"], told["timers"], told["rounds"], told["lateness_ms"]) == (1, 2, 1, 250)
    assert is_fresh(told)
    health.ended("stopped", "because")
    told = json.loads((tmp_path / "health.json").read_text())
    assert (told["state"], told["why"]) == ("stopped", "because")
    assert not is_fresh(told)


def test_a_worker_that_has_not_told_anything_lately_is_not_healthy(tmp_path: Path) -> None:
    health = Health("review", "0", tmp_path / "health.json")
    health.idle()
    told = json.loads((tmp_path / "health.json").read_text())
    assert is_fresh(told)
    assert not is_fresh(told | {"at": wall_ms() - STALE_MS - 1})


def test_health_that_was_never_told_or_is_half_written_is_none(tmp_path: Path) -> None:
    assert read_health(tmp_path / "none.json") is None
    (tmp_path / "half.json").write_text('{"at": 1')
    assert read_health(tmp_path / "half.json") is None


# -- the watchdog -------------------------------------------------------------------------------------------------


def test_the_watchdog_bites_a_loop_that_stands_still() -> None:
    bitten = threading.Event()
    watchdog = Watchdog(0.1, bitten.set)
    watchdog.start()
    assert bitten.wait(10)


def test_the_watchdog_leaves_a_loop_alone_that_makes_progress() -> None:
    bitten = threading.Event()
    watchdog = Watchdog(1.0, bitten.set)
    watchdog.start()
    until = time.monotonic() + 1.4
    while time.monotonic() < until:
        watchdog.alive()
        time.sleep(0.02)
    watchdog.stop()
    assert not bitten.is_set()


def test_a_commit_that_never_returns_ends_the_process_with_its_own_exit_code() -> None:
    """P2: the client waits without limit; only another thread can end it."""
    code = (
        "import threading; from cpor.runtime.watchdog import Watchdog\nWatchdog(0.3).start(); threading.Event().wait()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == ExitCode.STALLED
    assert "most recent call first" in done.stderr
