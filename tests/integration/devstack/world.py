"""What the tests of the platform share: programs to run as children, and waiting for what must come true."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[3]
SLEEPER = (sys.executable, "-S", "-c", "import time; time.sleep(600)")
STUBBORN = (
    sys.executable,
    "-S",
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)",
)


def exits_with(code: int) -> tuple[str, ...]:
    return (sys.executable, "-S", "-c", f"raise SystemExit({code})")


def await_true(condition: Callable[[], object], what: str, seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.02)


def await_gone(pids: list[int]) -> None:
    await_true(lambda: not any(map(runs, pids)), f"the end of {pids}")


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@contextmanager
def parent_running(program: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Another Python of ours running `program`, ended with SIGKILL at the latest when the block ends."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", program, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as parent:
        try:
            yield parent
        finally:
            parent.kill()


def line_of(parent: subprocess.Popen[str]) -> str:
    assert parent.stdout is not None
    line = parent.stdout.readline().strip()
    assert line, "the parent ended without a word"
    return line


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
