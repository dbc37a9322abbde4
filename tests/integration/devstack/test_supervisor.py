"""Workers are kept running, with pauses that spare the machine and other holders of a slot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cpor.devstack.backoff import BackOff
from cpor.devstack.errors import DataDirInUse
from cpor.devstack.supervisor import Supervisor, WorkerSpec, WorkerState, WorkerStatus
from tests.integration.devstack.world import (
    SLEEPER,
    STUBBORN,
    await_gone,
    await_true,
    exits_with,
    kill,
    line_of,
    parent_running,
    runs,
)

QUICK = BackOff(pauses=(0.05,), fenced=30.0, quick=10.0, patience=3, slow=30.0, settle=0.1)
PARENT = f"""
import sys, time
from pathlib import Path
from cpor.devstack.supervisor import Supervisor, WorkerSpec
supervisor = Supervisor(Path(sys.argv[1]), [WorkerSpec(name, {SLEEPER!r}) for name in ("intake-0", "review-0")])
supervisor.start()
print(*(worker.pid for worker in supervisor.states()), flush=True)
time.sleep(600)
"""


def one(tmp_path: Path, argv: tuple[str, ...], policy: BackOff = QUICK) -> Supervisor:
    return Supervisor(tmp_path, [WorkerSpec("intake-0", argv)], policy=policy)


def await_state(
    supervisor: Supervisor, state: WorkerState, also: Callable[[WorkerStatus], bool] = lambda _: True
) -> WorkerStatus:
    await_true(
        lambda: supervisor.state("intake-0").state is state and also(supervisor.state("intake-0")),
        f"{state}, is {supervisor.state('intake-0')}",
    )
    return supervisor.state("intake-0")


def test_a_killed_worker_is_started_again(tmp_path: Path) -> None:
    with one(tmp_path, SLEEPER) as supervisor:
        first = await_state(supervisor, WorkerState.RUNNING)
        assert first.pid is not None
        kill(first.pid)
        second = await_state(supervisor, WorkerState.RUNNING, lambda now: now.restarts == 1)
        assert second.pid != first.pid
        assert second.last_exit == -9


def test_a_worker_fenced_by_another_holder_of_its_slot_is_not_started_again_for_long(tmp_path: Path) -> None:
    with one(tmp_path, exits_with(72)) as supervisor:
        status = await_state(supervisor, WorkerState.BACKING_OFF)
        assert (status.last_exit, status.restarts) == (72, 0)
        assert status.next_start_in > 25


@pytest.mark.parametrize("code", [0, 1, 70, 71])
def test_a_worker_that_always_ends_becomes_failing_and_is_still_tried(tmp_path: Path, code: int) -> None:
    with one(tmp_path, exits_with(code), replace(QUICK, slow=0.3)) as supervisor:
        failing = await_state(supervisor, WorkerState.FAILING)
        assert failing.last_exit == code
        assert failing.restarts >= QUICK.patience
        await_true(lambda: supervisor.state("intake-0").restarts > failing.restarts, "another try")


def test_one_failing_worker_does_not_trouble_the_others(tmp_path: Path) -> None:
    workers = [WorkerSpec("intake-0", exits_with(70)), WorkerSpec("review-0", SLEEPER)]
    with Supervisor(tmp_path, workers, policy=QUICK) as supervisor:
        await_state(supervisor, WorkerState.FAILING)
        assert supervisor.state("review-0").restarts == 0
        assert supervisor.state("review-0").state is WorkerState.RUNNING


def test_a_stopped_worker_stays_so_until_it_is_started(tmp_path: Path) -> None:
    with one(tmp_path, SLEEPER) as supervisor:
        before = await_state(supervisor, WorkerState.RUNNING)
        supervisor.stop_worker("intake-0")
        assert before.pid is not None
        assert not runs(before.pid)
        assert supervisor.state("intake-0").state is WorkerState.STOPPED
        supervisor.start_worker("intake-0")
        assert await_state(supervisor, WorkerState.RUNNING).pid != before.pid


def test_a_worker_that_backs_off_can_be_started_at_once(tmp_path: Path) -> None:
    with one(tmp_path, exits_with(72)) as supervisor:
        await_state(supervisor, WorkerState.BACKING_OFF)
        supervisor.start_worker("intake-0")
        await_state(supervisor, WorkerState.BACKING_OFF, lambda now: now.restarts == 1)


def test_a_log_holds_what_the_worker_said_and_when_it_ended(tmp_path: Path) -> None:
    spec = WorkerSpec("intake-0", ("/bin/sh", "-c", 'echo "$GREETING"; exit 71'), {"GREETING": "hello"})
    with Supervisor(tmp_path, [spec], policy=QUICK) as supervisor:
        log = await_state(supervisor, WorkerState.FAILING).log
    text = log.read_text()
    assert log == tmp_path / "logs" / "intake-0.log"
    assert "hello" in text.splitlines()
    assert "intake-0 ended with 71" in text


def test_stopping_ends_all_workers_even_deaf_ones(tmp_path: Path) -> None:
    workers = [WorkerSpec("a", SLEEPER), WorkerSpec("b", STUBBORN)]
    supervisor = Supervisor(tmp_path, workers, policy=QUICK)
    supervisor.start()
    pids = [status.pid for status in supervisor.states() if status.pid]
    await_true(lambda: "deaf" in supervisor.state("b").log.read_text(), "the deaf worker")
    supervisor.stop(grace=0.3)
    assert len(pids) == 2
    assert not any(map(runs, pids))


def test_workers_die_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    with parent_running(PARENT, str(tmp_path)) as parent:
        pids = [int(pid) for pid in line_of(parent).split()]
        parent.kill()
        await_gone(pids)


def test_two_supervisors_never_run_the_same_workers(tmp_path: Path) -> None:
    with one(tmp_path, SLEEPER), pytest.raises(DataDirInUse):
        one(tmp_path, SLEEPER).start()
