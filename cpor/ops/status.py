"""`cpor status`: progress, ages and lags of each worker and topic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from cpor.ops import screen
from cpor.ops.errors import Exit
from cpor.ops.figures import Backlog, Worker, as_json, read_backlogs, read_workers
from cpor.ops.instance import DEFAULT_DATA, AsJson, DataDir, find_instance
from cpor.ops.running import clock_text

WORKER_COLUMNS = ("worker", "state", "#pid", "#slots", "#records", "#rounds", "#dead letters", "#lateness", "#heard of")
INPUT_COLUMNS = ("reader", "topic", "#partitions", "#waiting", "#oldest")


def status(data: DataDir = DEFAULT_DATA, as_machine: AsJson = False) -> None:
    """Show how the workers do and what waits for them; exit 1 when a worker is not well."""
    instance = find_instance(data)
    workers, backlogs = read_workers(instance), read_backlogs(instance)
    if as_machine:
        screen.print_json({"clock": clock_text(instance), **as_json(workers, backlogs)})
    else:
        screen.out().print(Text.assemble(("clock ", "dim"), clock_text(instance)))
        screen.out().print(Group(worker_table(workers), input_table(backlogs)))
    if any(is_unwell(each) for each in workers) or not workers:
        raise typer.Exit(Exit.REFUSED)


def is_unwell(worker: Worker) -> bool:
    return worker.state in ("silent", "stopped")


def worker_table(workers: Sequence[Worker]) -> RenderableType:
    return screen.table(None, WORKER_COLUMNS, [_worker(each) for each in workers])


def _worker(worker: Worker) -> list[Any]:
    return [
        f"{worker.service}-{worker.slot}",
        Text(f"{worker.state}: {worker.why}", style="bright_red") if is_unwell(worker) and worker.why else worker.state,
        Text(str(worker.pid)),
        worker.partitions,
        worker.records,
        worker.rounds,
        Text(str(worker.dead_letters), style="bright_red" if worker.dead_letters else ""),
        screen.age(worker.lateness_ms),
        screen.age(worker.silent_ms),
    ]


def input_table(backlogs: Sequence[Backlog]) -> RenderableType:
    rows = [[each.service, each.topic, each.partitions, each.lag, screen.age(each.oldest_ms)] for each in backlogs]
    return screen.table(None, INPUT_COLUMNS, rows)
