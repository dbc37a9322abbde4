"""`cpor up`: an instance in the foreground, with progress, then a panel that shows how it goes."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.text import Text

from cpor.devstack.supervisor import WorkerState, WorkerStatus
from cpor.ops import screen
from cpor.ops.instance import DEFAULT_DATA, DataDir
from cpor.ops.running import Plan, Progress, Running, clock_text, run_instance, stoppable
from cpor.ops.status import PANEL_SECONDS, show_live

#: How often a log, instead of a terminal, hears that all is well.
LINE_SECONDS = 60.0


def up(
    data: DataDir = DEFAULT_DATA,
    test_clock: Annotated[
        str | None, typer.Option(metavar="INSTANT", help="Run on a test clock that begins here (see `cpor clock`).")
    ] = None,
    workers: Annotated[int, typer.Option(metavar="N", help="Processes of each service.")] = 1,
    session_ms: Annotated[int | None, typer.Option(help="Group session time-out; short ones are for tests.")] = None,
) -> None:
    """Run Kafka, S3, mail and all workers on this machine until Ctrl-C; a second `up` on the same DIR goes on."""
    plan = Plan(data, test_clock, workers, session_ms)
    with stoppable():
        try:
            with starting() as progress, run_instance(plan, progress) as running:
                progress.ended()
                watch(running)
        except KeyboardInterrupt:
            screen.note("stopped; `cpor up` on the same directory goes on from here")


class Starting:
    """Tells of each step of a start: a spinner on a terminal, a line each elsewhere."""

    def __init__(self) -> None:
        self._console = screen.err()
        self._began = time.monotonic()
        self._status = self._console.status("starting") if self._console.is_terminal else None
        if self._status:
            self._status.start()

    def __call__(self, text: str) -> None:
        self._console.print(f"{time.monotonic() - self._began:5.1f} s  {text}", style="dim", markup=False)
        if self._status:
            self._status.update(text)

    def ended(self) -> None:
        if self._status:
            self._status.stop()
            self._status = None


@contextmanager
def starting() -> Iterator[Starting]:
    progress = Starting()
    try:
        yield progress
    finally:
        progress.ended()


def watch(running: Running) -> None:
    """Show the instance until somebody stops it."""
    note_start(running, screen.note)
    if sys.stdout.isatty():
        show_live(running.instance, lambda: map(trouble, failing(running)))
    else:
        watch_as_lines(running)


def note_start(running: Running, tell: Progress) -> None:
    endpoints = running.instance.endpoints
    mails = endpoints.mail_dir or endpoints.mail_url
    tell(f"Kafka {endpoints.kafka_bootstrap}   S3 {endpoints.s3_endpoint}   mail {endpoints.smtp}")
    tell(f"logs {endpoints.data_dir / 'logs'}" + (f"   mails {mails}" if mails else ""))
    tell(f"customers answer at {endpoints.consent_url} (with the link in their mail)")
    tell(f"in another terminal: cpor status --data {endpoints.data_dir}   (here: Ctrl-C stops)")


def failing(running: Running) -> list[WorkerStatus]:
    bad = (WorkerState.BACKING_OFF, WorkerState.FAILING)
    return [each for each in running.supervisor.states() if each.state in bad]


def trouble(worker: WorkerStatus) -> Text:
    return Text(
        f"{worker.name} ended with {worker.last_exit}, is {worker.state}; next start in {worker.next_start_in:.0f} s;"
        f" see {worker.log}",
        style="bright_red",
    )


def watch_as_lines(running: Running) -> None:
    """For a log: a line when something changes, and one a minute."""
    told: tuple[tuple[str, WorkerState, int], ...] = ()
    spoke = time.monotonic()
    while True:
        now = tuple((each.name, each.state, each.restarts) for each in running.supervisor.states())
        if now != told or time.monotonic() - spoke > LINE_SECONDS:
            workers = ", ".join(f"{name} {state}" + (f" ({n} restarts)" if n else "") for name, state, n in now)
            print(f"{clock_text(running.instance)}: {workers}", flush=True)
            told, spoke = now, time.monotonic()
        time.sleep(PANEL_SECONDS)
