"""Child processes of one instance: locked, recorded, and never left behind.

Three nets, one below the other: `stop` ends children in the usual way; the kernel ends them when this process
dies, however it dies (`guard`); and the next start on the same directory ends what the record names, by pid
*and* start time, never by name.
"""

from __future__ import annotations

import fcntl
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import psutil

from cpor.devstack import guard
from cpor.devstack.errors import DataDirInUse
from cpor.devstack.files import tail, write_atomic

#: psutil derives start times from the boot time, which moves a little when the wall clock is corrected.
START_TOLERANCE_S = 2.0
LEFT_OVER_GRACE_S = 10.0

Popen = subprocess.Popen[bytes]


@dataclass(frozen=True)
class Recorded:
    """One line of `run.json`; `started` is the process's start in seconds since the epoch."""

    name: str
    pid: int
    started: float
    command: list[str]

    def process(self) -> psutil.Process | None:
        """The process that was recorded, if it still runs: the same pid with another start time is a
        stranger.
        """
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < START_TOLERANCE_S
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None


class Child:
    """A running child, the leader of a process group of its own (Ctrl-C at the terminal reaches only us)."""

    def __init__(self, name: str, popen: Popen, command: Sequence[str], log: Path) -> None:
        self.name = name
        self.log = log
        self._popen = popen
        self.record = Recorded(name, popen.pid, start_time(popen.pid), list(command))

    @property
    def pid(self) -> int:
        return self.record.pid

    def poll(self) -> int | None:
        """Exit code (negative: the signal that ended it), or None while it runs."""
        return self._popen.poll()

    def wait(self, seconds: float) -> int | None:
        """Exit code, or None when it still runs after `seconds`."""
        with suppress(subprocess.TimeoutExpired):
            return self._popen.wait(seconds)
        return None

    def ask_to_stop(self) -> None:
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def last_lines(self, lines: int = 20) -> str:
        return tail(self.log, lines)

    def _signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, number)


class ProcessTable:
    """The children of one instance, and the lock that makes it the only one on `home`.

    Entering takes the lock (`DataDirInUse` names the holder) and ends left-overs of an earlier run; leaving
    ends all children. Methods may be called from any thread.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self._guard = threading.Lock()
        self._children: dict[int, Child] = {}
        self._lock: IO[str] | None = None

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def open(self) -> None:
        """As entering, for those who hold it in an attribute."""
        self._lock = take_lock(self.home / "lock")
        end_left_overs(self._record_file)

    def close(self) -> None:
        """End all children and let go of the directory; harmless when done twice."""
        self.stop(list(self._children.values()))
        if self._lock is not None:
            self._record_file.unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    def spawn(self, name: str, command: Sequence[str], *, env: Mapping[str, str], log: Path, cwd: Path) -> Child:
        """Start `command` with its output appended to `log`. It dies with this process."""
        log.parent.mkdir(parents=True, exist_ok=True)
        child = Child(name, spawn(command, env=env, log=log, cwd=cwd), command, log)
        with self._guard:
            self._children[child.pid] = child
            self._write_record()
        return child

    def stop(self, children: Sequence[Child], grace: float = 10.0) -> None:
        """SIGTERM to all of them at once, SIGKILL to those that still run after `grace` seconds."""
        for child in children:
            child.ask_to_stop()
        deadline = time.monotonic() + grace
        for child in children:
            if child.wait(max(0.0, deadline - time.monotonic())) is None:
                child.kill()
                child.wait(10)
            self.forget(child)

    def forget(self, child: Child) -> None:
        """Take a child that has ended from the record."""
        with self._guard:
            if self._children.pop(child.pid, None) is not None:
                self._write_record()

    @property
    def _record_file(self) -> Path:
        return self.home / "run.json"

    def _write_record(self) -> None:
        owner = Recorded("owner", os.getpid(), start_time(os.getpid()), sys.argv)
        records = [owner, *(child.record for child in self._children.values())]
        write_atomic(self._record_file, json.dumps([asdict(record) for record in records], indent=1))


def take_lock(path: Path) -> IO[str]:
    """The open lock file; the kernel lets go of it when this process ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        raise DataDirInUse(
            f"{path.parent} is in use by process {holder}: stop it, or name another --data DIR"
        ) from None
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file


def end_left_overs(record_file: Path) -> list[Recorded]:
    """End the children of an owner that is gone; answers with those that were still running."""
    with suppress(FileNotFoundError, ValueError):
        records = [Recorded(**plain) for plain in json.loads(record_file.read_text())]
        running = [record for record in records if record.name != "owner" and record.process()]
        for record in running:
            end_recorded(record)
        record_file.unlink(missing_ok=True)
        return running
    return []


def end_recorded(record: Recorded) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        if record.process() is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(record.pid, number)
        await_end(record)


def await_end(record: Recorded) -> None:
    """Bounded by LEFT_OVER_GRACE_S. A zombie counts as ended: in a container nobody may come to reap it."""
    deadline = time.monotonic() + LEFT_OVER_GRACE_S
    while record.process() is not None and time.monotonic() < deadline:
        time.sleep(0.02)


def start_time(pid: int) -> float:
    """Seconds since the epoch; 0 for a process that has already been reaped."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return 0.0


def spawn(command: Sequence[str], *, env: Mapping[str, str], log: Path, cwd: Path) -> Popen:
    """Start `command` under the guard, its output appended to `log`.

    Linux sends the death signal when the *thread* that forked ends, not the process. So one thread that never
    ends does all forking.
    """
    guarded = [sys.executable, "-E", "-S", guard.__file__, str(os.getpid()), *command]

    def start() -> Popen:
        with log.open("ab") as output:
            return subprocess.Popen(
                guarded,
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    return _forker.run(start)


class _Forker:
    """The thread that lives as long as the process; made anew in a forked copy of the process, which has
    none.
    """

    def __init__(self) -> None:
        self._start = threading.Lock()
        self._owner = 0
        self._jobs: queue.SimpleQueue[tuple[Callable[[], Popen], Future[Popen]]] = queue.SimpleQueue()

    def run(self, job: Callable[[], Popen]) -> Popen:
        with self._start:
            if self._owner != os.getpid():
                self._owner = os.getpid()
                self._jobs = queue.SimpleQueue()
                threading.Thread(target=self._work, args=(self._jobs,), name="forker", daemon=True).start()
        answer: Future[Popen] = Future()
        self._jobs.put((job, answer))
        return answer.result()

    @staticmethod
    def _work(jobs: queue.SimpleQueue[tuple[Callable[[], Popen], Future[Popen]]]) -> None:
        while True:
            job, answer = jobs.get()
            try:
                answer.set_result(job())
            except BaseException as error:
                answer.set_exception(error)


_forker = _Forker()
