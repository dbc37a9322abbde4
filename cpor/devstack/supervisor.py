"""Keeps worker processes running: starts them again after every exit, and says how they are."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from cpor.devstack.backoff import BackOff, Restart, after_exit
from cpor.devstack.entered import Entered
from cpor.devstack.process import Child, ProcessTable

TICK_SECONDS = 0.05
#: A worker commits or drops its round and leaves its group; more than a round's time says that it hangs.
STOP_GRACE_SECONDS = 10.0


class WorkerState(StrEnum):
    STARTING = "starting"
    RUNNING = "running"
    BACKING_OFF = "backing off"
    #: backing off after many quick failures in a row
    FAILING = "failing"
    #: by `stop_worker`, until `start_worker`
    STOPPED = "stopped"


@dataclass(frozen=True)
class WorkerSpec:
    """One worker process; `env` adds to this process's own environment."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class WorkerStatus:
    """A worker as it is now, for a live view."""

    name: str
    state: WorkerState
    #: None while it does not run
    pid: int | None
    #: starts after the first one
    restarts: int
    #: exit code of the last run, negative for a signal; None before the first exit
    last_exit: int | None
    #: seconds until the next start; 0 unless it backs off
    next_start_in: float
    log: Path


class Supervisor(Entered):
    """Runs workers until it is stopped; they die with this process, however that ends.

    A context manager. It holds `<data>/workers` (`DataDirInUse` when another supervisor does), ends left-overs
    of an earlier one there, and appends each worker's output to `<data>/logs/<name>.log`. All methods may be
    called from any thread; none waits longer than it says.
    """

    def __init__(self, data_dir: Path, workers: Iterable[WorkerSpec], *, policy: BackOff | None = None) -> None:
        data = data_dir.resolve()
        self._processes = ProcessTable(data / "workers")
        self._policy = policy or BackOff()
        self._guard = threading.RLock()
        self._workers = {spec.name: _Worker(spec, data / "logs" / f"{spec.name}.log") for spec in workers}
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def start(self) -> None:
        """Start all workers and return at once; `states` tells how they do."""
        self._processes.open()
        self._tick()
        self._thread.start()

    def stop(self, grace: float = STOP_GRACE_SECONDS) -> None:
        """End all workers: asked at once, killed after `grace` seconds. Harmless when done twice."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()
        with self._guard:
            self._processes.stop([worker.child for worker in self._workers.values() if worker.child], grace)
        self._processes.close()

    def states(self) -> list[WorkerStatus]:
        """All workers, in the order in which they were given."""
        with self._guard:
            return [worker.status(self._policy) for worker in self._workers.values()]

    def state(self, name: str) -> WorkerStatus:
        with self._guard:
            return self._workers[name].status(self._policy)

    def stop_worker(self, name: str, grace: float = STOP_GRACE_SECONDS) -> None:
        """End one worker and leave it so until `start_worker`."""
        with self._guard:
            worker = self._workers[name]
            worker.wanted = False
            if worker.child:
                self._processes.stop([worker.child], grace)
                worker.ended(self._policy)

    def start_worker(self, name: str) -> None:
        """Start one worker now, also when it was stopped or backs off."""
        with self._guard:
            worker = self._workers[name]
            worker.wanted = True
            worker.start_at = 0.0
            self._attend(worker)

    def _watch(self) -> None:
        while not self._ending.wait(TICK_SECONDS):
            self._tick()

    def _tick(self) -> None:
        with self._guard:
            for worker in self._workers.values():
                self._attend(worker)

    def _attend(self, worker: _Worker) -> None:
        if worker.child and worker.child.poll() is not None:
            self._processes.forget(worker.child)
            worker.ended(self._policy)
        if not worker.due():
            return
        try:
            self._launch(worker)
        except OSError as error:  # no processes or files left on this machine: that may pass
            note(worker.log, f"could not start {worker.spec.name}: {error}")
            worker.start_at = time.monotonic() + self._policy.slow

    def _launch(self, worker: _Worker) -> None:
        spec = worker.spec
        note(worker.log, f"starting {spec.name}")
        env = {**os.environ, **spec.env}
        child = self._processes.spawn(spec.name, spec.argv, env=env, log=worker.log, cwd=Path.cwd())
        worker.started(child)


class _Worker:
    """One worker's run and its history; guarded by the supervisor's lock."""

    def __init__(self, spec: WorkerSpec, log: Path) -> None:
        self.spec = spec
        self.log = log
        self.child: Child | None = None
        self.wanted = True
        self.start_at = 0.0
        self._began = 0.0
        self._starts = 0
        self._last_exit: int | None = None
        self._restart = Restart(0.0, 0, failing=False)

    def due(self) -> bool:
        return self.wanted and self.child is None and time.monotonic() >= self.start_at

    def started(self, child: Child) -> None:
        self.child = child
        self._began = time.monotonic()
        self._starts += 1

    def ended(self, policy: BackOff) -> None:
        code = self.child.poll() if self.child else None
        self.child = None
        if code is None:
            return
        now = time.monotonic()
        self._last_exit = code
        self._restart = after_exit(policy, code, now - self._began, self._restart.quick_failures)
        self.start_at = now + self._restart.pause
        wait = f"next start in {self._restart.pause:g} s" if self.wanted else "stopped"
        note(self.log, f"{self.spec.name} ended with {code} after {now - self._began:.1f} s; {wait}")

    def status(self, policy: BackOff) -> WorkerStatus:
        pause = max(0.0, self.start_at - time.monotonic()) if self.wanted and not self.child else 0.0
        return WorkerStatus(
            name=self.spec.name,
            state=self._state(policy),
            pid=self.child.pid if self.child else None,
            restarts=max(0, self._starts - 1),
            last_exit=self._last_exit,
            next_start_in=pause,
            log=self.log,
        )

    def _state(self, policy: BackOff) -> WorkerState:
        if not self.wanted:
            return WorkerState.STOPPED
        if self.child:
            settled = time.monotonic() - self._began >= policy.settle
            return WorkerState.RUNNING if settled else WorkerState.STARTING
        if self._starts == 0:
            return WorkerState.STARTING
        return WorkerState.FAILING if self._restart.failing else WorkerState.BACKING_OFF


def note(log: Path, text: str) -> None:
    """A line of the supervisor's own between those of the worker, so that a log tells of its restarts."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as file:
        file.write(f"--- {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {text}\n")
