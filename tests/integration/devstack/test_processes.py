"""Children are never left behind, and nobody else's process is ever ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from cpor.devstack.errors import DataDirInUse
from cpor.devstack.process import Child, ProcessTable
from tests.integration.devstack.world import (
    SLEEPER,
    STUBBORN,
    await_gone,
    await_true,
    kill,
    line_of,
    parent_running,
    runs,
)

#: Opens a table on argv[1], starts two children, prints their pids, and waits to be killed.
PARENT = f"""
import os, sys, time
from pathlib import Path
from cpor.devstack.process import ProcessTable
home = Path(sys.argv[1])
table = ProcessTable(home)
table.open()
pids = [table.spawn(name, {SLEEPER!r}, env=os.environ, log=home / "log", cwd=home).pid for name in "ab"]
print(*pids, flush=True)
time.sleep(600)
"""
#: As on a system without a death signal: the guard stays and watches.
WATCHING_PARENT = f"""
import os, subprocess, sys, time
watcher = '''
import os, sys
from cpor.devstack.guard import watch
os.setsid()
child = os.spawnv(os.P_NOWAIT, {SLEEPER[0]!r}, {SLEEPER!r})
print(os.getpid(), child, flush=True)
watch(int(sys.argv[1]), child)
'''
subprocess.Popen([sys.executable, "-c", watcher, str(os.getpid())])
time.sleep(600)
"""
#: Ends as its argument says, through the watching guard.
WATCHED_END = """
import os, sys
from cpor.devstack.guard import watch
watch(os.getppid(), os.spawnv(os.P_NOWAIT, sys.executable, [sys.executable, "-S", "-c", sys.argv[1]]))
"""


@pytest.fixture
def table(tmp_path: Path) -> Iterator[ProcessTable]:
    with ProcessTable(tmp_path) as table:
        yield table


def spawn(table: ProcessTable, command: tuple[str, ...], name: str = "child") -> Child:
    return table.spawn(name, command, env=os.environ, log=table.home / "log", cwd=table.home)


def write_record(home: Path, *lines: dict[str, object]) -> None:
    (home / "run.json").write_text(json.dumps(list(lines)))


def recorded(pid: int, started: float) -> dict[str, object]:
    return {"name": "kafka", "pid": pid, "started": started, "command": ["java"]}


def test_children_die_when_their_parent_is_killed(tmp_path: Path) -> None:
    with parent_running(PARENT, str(tmp_path)) as parent:
        pids = [int(pid) for pid in line_of(parent).split()]
        assert all(map(runs, pids))
        parent.kill()
        await_gone(pids)


def test_where_there_is_no_death_signal_a_watching_guard_ends_the_child() -> None:
    with parent_running(WATCHING_PARENT) as parent:
        pids = [int(pid) for pid in line_of(parent).split()]
        parent.kill()
        await_gone(pids)


@pytest.mark.parametrize(
    ("program", "code"), [("raise SystemExit(72)", 72), ("import os; os.kill(os.getpid(), 9)", -9)]
)
def test_a_watching_guard_ends_as_its_command_did(program: str, code: int) -> None:
    ended = subprocess.run([sys.executable, "-c", WATCHED_END, program], check=False, timeout=30)
    assert ended.returncode == code


def test_children_outlive_the_thread_that_asked_for_them(table: ProcessTable) -> None:
    children: list[Child] = []
    thread = threading.Thread(target=lambda: children.append(spawn(table, SLEEPER)))
    thread.start()
    thread.join()
    assert children[0].wait(0.3) is None


def test_closing_ends_all_children_and_forgets_them(tmp_path: Path) -> None:
    with ProcessTable(tmp_path) as table:
        pids = [spawn(table, SLEEPER).pid for _ in range(3)]
    assert not any(map(runs, pids))
    assert not (tmp_path / "run.json").exists()


def test_a_child_deaf_to_polite_requests_is_killed(table: ProcessTable) -> None:
    child = spawn(table, STUBBORN)
    await_true(lambda: "deaf" in child.last_lines(), "the child's first line")
    table.stop([child], grace=0.2)
    assert child.poll() == -9


def test_a_second_start_ends_what_the_first_left_behind(tmp_path: Path) -> None:
    with subprocess.Popen(SLEEPER, start_new_session=True) as left_over:
        write_record(tmp_path, recorded(left_over.pid, psutil.Process(left_over.pid).create_time()))
        with ProcessTable(tmp_path):
            assert not runs(left_over.pid)


def test_a_stranger_who_got_the_pid_of_a_left_over_is_spared(tmp_path: Path) -> None:
    with subprocess.Popen(SLEEPER, start_new_session=True) as stranger:
        write_record(tmp_path, recorded(stranger.pid, psutil.Process(stranger.pid).create_time() - 3_600))
        with ProcessTable(tmp_path):
            assert stranger.poll() is None
        kill(stranger.pid)


def test_half_a_record_is_no_obstacle_to_a_start(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('[{"name": "kaf')
    with ProcessTable(tmp_path) as table:
        assert spawn(table, SLEEPER).poll() is None


def test_a_directory_in_use_is_refused_and_the_holder_named(tmp_path: Path) -> None:
    with parent_running(PARENT, str(tmp_path)) as parent:
        pids = [int(pid) for pid in line_of(parent).split()]
        with pytest.raises(DataDirInUse, match=f"in use by process {parent.pid}: stop it, or name another"):
            ProcessTable(tmp_path).open()
        assert all(map(runs, pids)), "the holder's children are not ours to end"


def test_a_directory_is_free_again_as_soon_as_its_holder_was_killed(tmp_path: Path) -> None:
    with parent_running(PARENT, str(tmp_path)) as parent:
        line_of(parent)
        parent.kill()
        parent.wait()
        with ProcessTable(tmp_path) as table:
            assert spawn(table, SLEEPER).poll() is None


def test_a_command_that_does_not_exist_ends_at_once_and_says_so_in_its_log(table: ProcessTable) -> None:
    child = spawn(table, ("/no/such/program",))
    assert child.wait(10) == 1
    assert "FileNotFoundError" in child.last_lines()
