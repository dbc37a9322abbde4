"""`cpor status`: progress, ages and lags of each worker and topic; once, or live."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from cpor.ops import screen
from cpor.ops.errors import Exit, WrongUse
from cpor.ops.figures import Backlog, Mails, Worker, as_json, read_backlogs, read_mails, read_workers
from cpor.ops.instance import DEFAULT_DATA, AsJson, DataDir, Instance, find_instance
from cpor.ops.running import clock_text, stoppable
from cpor.runtime.topics import partner_of

WORKER_COLUMNS = (
    "worker",
    "state",
    "#pid",
    "#slots",
    "#records",
    "#timers",
    "#held",
    "#next timer",
    "#dead",
    "#late",
)
INPUT_COLUMNS = ("reader", "topic", "#partitions", "#waiting", "#oldest")
READER_COLUMNS = ("reader", "#topics", "#waiting", "#oldest")
PANEL_SECONDS = 1.0
#: Asking Kafka costs more than reading files.
BACKLOG_SECONDS = 5.0


def status(
    data: DataDir = DEFAULT_DATA,
    as_machine: AsJson = False,
    watch: Annotated[bool, typer.Option("--watch", help="Keep showing it until Ctrl-C.")] = False,
) -> None:
    """Show how the workers do and what waits for them; exit 1 when a worker is not well."""
    instance = find_instance(data)
    if watch:
        if as_machine:
            raise WrongUse("--watch is for people: ask for --json as often as you like")
        with suppress(KeyboardInterrupt), stoppable():
            show_live(instance)
        return
    workers, backlogs = read_workers(instance), read_backlogs(instance)
    mails = read_mails(instance, workers)
    if as_machine:
        screen.print_json({"clock": clock_text(instance), **as_json(workers, backlogs, mails)})
    else:
        screen.out().print(Group(clock_line(instance), worker_table(workers), input_table(backlogs), mail_line(mails)))
    if any(each.unwell for each in workers) or not workers:
        raise typer.Exit(Exit.REFUSED)


# -- live -------------------------------------------------------------------------------------------------------------


def show_live(instance: Instance, more: Callable[[], Iterable[RenderableType]] = lambda: ()) -> None:
    """The instance as it is, again and again, with what `more` has to say; for ever. A terminal is needed for it to
    stay in its place.
    """
    backlogs, looked = backlogs_or_none(instance), time.monotonic()
    with Live(console=screen.out(), auto_refresh=False, transient=True) as live:
        while True:
            if time.monotonic() - looked > BACKLOG_SECONDS:
                backlogs, looked = backlogs_or_none(instance), time.monotonic()
            live.update(Group(panel(instance, backlogs), *more()), refresh=True)
            time.sleep(PANEL_SECONDS)


def backlogs_or_none(instance: Instance) -> list[Backlog] | None:
    """None while Kafka does not answer: the panel must outlive what it shows."""
    try:
        return read_backlogs(instance)
    except Exception:  # the client's errors have no common base that may be named here
        return None


def panel(instance: Instance, backlogs: list[Backlog] | None) -> RenderableType:
    workers = read_workers(instance)
    waits = Text("Kafka does not answer", style="bright_red") if backlogs is None else reader_table(backlogs)
    return Group(clock_line(instance), worker_table(workers), waits, mail_line(read_mails(instance, workers)))


# -- parts ------------------------------------------------------------------------------------------------------------


def clock_line(instance: Instance) -> Text:
    return Text.assemble(("clock ", "dim"), clock_text(instance))


def worker_table(workers: Sequence[Worker]) -> RenderableType:
    return screen.table(None, WORKER_COLUMNS, [_worker(each) for each in workers])


def _worker(worker: Worker) -> list[Any]:
    return [
        f"{worker.service}-{worker.slot}",
        _state(worker),
        Text(str(worker.pid)),
        worker.partitions,
        worker.records,
        worker.timers,
        Text(str(worker.timers_held), style="yellow" if worker.timers_held else ""),
        _until(worker),
        Text(str(worker.dead_letters), style="bright_red" if worker.dead_letters else ""),
        screen.age(worker.lateness_ms),
    ]


def _state(worker: Worker) -> Text | str:
    if not worker.unwell:
        return worker.state
    return Text(
        f"{worker.state}: {worker.why or f'not heard of for {screen.age(worker.silent_ms)}'}", style="bright_red"
    )


def _until(worker: Worker) -> str | None:
    """How far off the next timer is, by the worker's own clock."""
    if worker.next_timer is None or worker.clock is None:
        return None
    left = worker.next_timer - worker.clock
    return f"in {screen.age(left)}" if left > 0 else "due"


def input_table(backlogs: Sequence[Backlog]) -> RenderableType:
    """A row for each input; all partners' commands are one."""
    rows: dict[tuple[str, str], list[Backlog]] = {}
    for each in backlogs:
        topic = "cpor.partners.*.commands" if partner_of(each.topic) else each.topic
        rows.setdefault((each.service, topic), []).append(each)
    return screen.table(
        None,
        INPUT_COLUMNS,
        [[*place, sum(each.partitions for each in some), *_waiting(some)] for place, some in rows.items()],
    )


def reader_table(backlogs: Sequence[Backlog]) -> RenderableType:
    """A row for each reader."""
    readers = dict.fromkeys(each.service for each in backlogs)
    of = {reader: [each for each in backlogs if each.service == reader] for reader in readers}
    return screen.table(None, READER_COLUMNS, [[reader, len(some), *_waiting(some)] for reader, some in of.items()])


def _waiting(some: Sequence[Backlog]) -> tuple[int, str | None]:
    oldest = max((each.oldest_ms for each in some if each.oldest_ms is not None), default=None)
    return sum(each.lag for each in some), screen.age(oldest)


def mail_line(mails: Mails) -> Text:
    """`mail 127.0.0.1:2525: 12 delivered, 1 deferred, 0 bounced since delivery began; 12 in the sink`."""
    silent = f"{mails.smtp or 'no server'} does not answer"
    kinds = {"delivered": mails.delivered, "deferred": mails.deferred, "bounced": mails.bounced}
    counts = ", ".join(f"{number:,} {kind}" for kind, number in kinds.items())
    sink = "" if mails.in_sink is None else f"; {mails.in_sink:,} in the sink"
    server = mails.smtp if mails.answers else (silent, "bright_red")
    line = Text.assemble(("mail ", "dim"), server, f": {counts} since delivery began{sink}")
    if mails.came_back is not None:
        unknown = f", {mails.unknown:,} that nobody understands" if mails.unknown else ""
        line.append(f"; {mails.came_back:,} came back later").append(unknown, style="yellow")
    return line
