"""`cpor demo`: an instance of its own, 200 claims, and the books at the end."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

from cpor.ops import screen
from cpor.ops.demo.cast import Cast, cast
from cpor.ops.demo.reconcile import read_books
from cpor.ops.demo.report import Report, page
from cpor.ops.demo.stage import Stage, Tally
from cpor.ops.demo.world import HOMES
from cpor.ops.directory import add_partners, load_reference
from cpor.ops.errors import Exit, Refused
from cpor.ops.instance import AsJson, Instance
from cpor.ops.reading import partition_counts
from cpor.ops.running import Plan, run_instance, stoppable
from cpor.ops.up import starting
from cpor.runtime.topics import Topic

#: A Monday in edition P2023.
BEGINS = "2026-03-02T08:00:00Z"
#: How many days the longest story takes.
LAST_DAY = 9


def demo(
    data: Annotated[Path | None, typer.Option("--data", help="Keep the instance's data here (must be new).")] = None,
    as_json: AsJson = False,
) -> None:
    """Play 200 sample claims of six partners through their whole life, and show that the books balance."""
    began = time.monotonic()
    with stoppable(), home(data) as folder, starting() as progress:
        plan = Plan(folder, test_clock=BEGINS, keep=data is not None)
        with run_instance(plan, progress) as running:
            progress.ended()
            report = run(running.instance, began)
            show(report, data, as_json=as_json)
    if not report.balances:
        raise typer.Exit(Exit.REFUSED)


def show(report: Report, data: Path | None, *, as_json: bool) -> None:
    if as_json:
        screen.print_json(report.as_json())
        return
    screen.out().print(page(report))
    if data is not None:
        screen.note(f"to look around: cpor up --data {data}")


@contextmanager
def home(data: Path | None) -> Iterator[Path]:
    """A temporary folder, or the one that was named. Raises Refused where that is used: the books would not be ours."""
    if data is None:
        with tempfile.TemporaryDirectory(prefix="cpor-demo-", ignore_cleanup_errors=True) as folder:
            yield Path(folder)
        return
    if data.exists() and any(data.iterdir()):
        raise Refused(f"{data} is not empty: the demo needs a directory of its own")
    data.mkdir(parents=True, exist_ok=True)
    yield data


def run(instance: Instance, began: float) -> Report:
    """Set the world up, play the cast, count the books."""
    screen.note("six partners, their customers and subscriptions")
    set_up(instance)
    played = cast(lambda: today(instance))
    with showing(len(played.plays)) as changed:
        stage = perform(instance, played, changed)
    screen.note("reading every topic")
    books = read_books(instance, stage.tally)
    return Report(books, played, stage.surprises, stage.tally, time.monotonic() - began)


def today(instance: Instance) -> date:
    return datetime.fromtimestamp(instance.clock.now() / 1000, UTC).date()


def set_up(instance: Instance) -> None:
    add_partners(instance, [home.partner for home in HOMES])
    buyers = [row for home in HOMES for row in home.buyers]
    load_reference(instance, [*buyers, *(row for home in HOMES for row in home.subscriptions)])


def perform(instance: Instance, played: Cast, changed: Callable[[Tally], None]) -> Stage:
    counts = partition_counts(instance.transport)
    assert Topic.CLAIM_EVENTS in counts, "the workers run"
    stage = Stage(instance, [home.partner_id for home in HOMES], counts, changed)
    try:
        stage.play(played.plays)
    finally:
        stage.close()
    return stage


@contextmanager
def showing(stories: int) -> Iterator[Callable[[Tally], None]]:
    """Bars that follow the tally: stories told, messages of partners, decisions of reviewers, files."""
    with screen.progress(transient=True) as bars:
        told = bars.add_task("stories told", total=stories)
        said = bars.add_task("partners' messages answered", total=None)
        decided = bars.add_task("reviewers' decisions", total=None)
        days = bars.add_task("days on the test clock", total=LAST_DAY)

        def changed(tally: Tally) -> None:
            bars.update(told, completed=tally.finished)
            bars.update(said, completed=tally.receipts, total=sum(tally.sent.values()))
            bars.update(decided, completed=tally.outcomes, total=tally.decisions)
            bars.update(days, completed=tally.days, total=LAST_DAY)

        yield changed
