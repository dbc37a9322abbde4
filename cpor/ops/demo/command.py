"""`cpor demo`: 200 claims through their whole life, on an instance of its own or on one that runs; the books at the
end.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from cpor.domain.policy import edition_on
from cpor.domain.vocabulary import Edition, Instant, instant_text
from cpor.ops import screen
from cpor.ops.book import read_claims
from cpor.ops.clock import test_clock
from cpor.ops.demo.act import OPERATOR
from cpor.ops.demo.cast import Cast, cast
from cpor.ops.demo.life import life
from cpor.ops.demo.reconcile import count, read_pipeline
from cpor.ops.demo.report import Report, page
from cpor.ops.demo.stage import Stage, Tally
from cpor.ops.demo.world import ENDS_ON, HOMES
from cpor.ops.directory import add_partners, load_reference
from cpor.ops.errors import Exit, Refused
from cpor.ops.instance import DEFAULT_DATA, AsJson, Instance, find_instance
from cpor.ops.reading import partition_counts
from cpor.ops.running import Plan, run_instance, stoppable
from cpor.ops.up import starting
from cpor.runtime.topics import Topic

#: A Monday in edition P2023.
BEGINS = "2026-03-02T08:00:00Z"
#: How many days the longest story takes.
LAST_DAY = 36
#: Later, its subscriptions would be about to end.
LATEST = ENDS_ON - timedelta(days=LAST_DAY + 60)


def demo(
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Keep the instance's data here (must be new); with --running: its DIR."),
    ] = None,
    running: Annotated[
        bool, typer.Option("--running", help="Play on the instance that runs; it needs a test clock and no claims yet.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Play 200 sample claims of six partners through their whole life, and show that the books balance."""
    began = time.monotonic()
    with stoppable():
        report = on_running(data, began) if running else on_its_own(data, began)
    if as_json:
        screen.print_json(report.as_json())
    else:
        screen.out().print(page(report))
        screen.note(what_next(report, data, running=running))
    if not report.balances:
        raise typer.Exit(Exit.REFUSED)


def what_next(report: Report, data: Path | None, *, running: bool) -> str:
    look = "cpor claims history CLAIM, cpor mail list --claim CLAIM"
    if running:
        return f"to look around: {look}"
    if data is not None:
        return f"to look around: cpor up --data {data}; then, with the same --data: {look}"
    if report.balances:
        return "to look around afterwards: cpor demo --data DIR, then cpor up --data DIR"
    return f"to find out why: cpor demo --data DIR keeps everything; then cpor up --data DIR, and there {look}"


# -- where ------------------------------------------------------------------------------------------------------------


def on_its_own(data: Path | None, began: float) -> Report:
    with home(data) as folder, starting() as progress:
        plan = Plan(folder, test_clock=BEGINS, keep=data is not None)
        with run_instance(plan, progress) as running:
            progress.ended()
            return run(running.instance, began)


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


def on_running(data: Path | None, began: float) -> Report:
    instance = find_instance(data or Path(os.environ.get("CPOR_DATA") or DEFAULT_DATA))
    check_running(instance)
    return run(instance, began)


def check_running(instance: Instance) -> None:
    """Raises Refused where the demo would not be alone, or time could not pass, or other rules would hold."""
    now = Instant(test_clock(instance).now())
    here = all(edition_on(now, home.timezone) == Edition.P2023 for home in HOMES)
    if not here or today(instance) > LATEST:
        raise Refused(f"the demo plays in edition P2023, up to {LATEST}; the clock says {instant_text(now)}")
    if read_claims(instance):
        raise Refused("this instance has claims already: the books are counted from the topics, and would not be ours")


# -- what -------------------------------------------------------------------------------------------------------------


def run(instance: Instance, began: float) -> Report:
    """Set the world up, play the cast, count the books."""
    screen.note("six partners, their customers and subscriptions")
    set_up(instance)
    played = cast(lambda: today(instance))
    with showing(len(played.plays)) as changed:
        stage = perform(instance, played, changed)
    screen.note("reading every topic and mailbox")
    log = read_pipeline(instance)
    told = life(log, played.told)
    return Report(count(log, stage.tally), played, stage.surprises, stage.tally, time.monotonic() - began, told)


def today(instance: Instance) -> date:
    return datetime.fromtimestamp(instance.clock.now() / 1000, UTC).date()


def set_up(instance: Instance) -> None:
    add_partners(instance, [home.partner for home in HOMES], OPERATOR)
    buyers = [row for home in HOMES for row in home.buyers]
    load_reference(instance, [*buyers, *(row for home in HOMES for row in home.subscriptions)], by=OPERATOR)


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
    """Bars that follow the tally: stories told, messages of partners, decisions, mails, days."""
    with screen.progress(transient=True) as bars:
        told = bars.add_task("stories told", total=stories)
        said = bars.add_task("partners' messages answered", total=None)
        decided = bars.add_task("decisions, answers of customers", total=None)
        mails = bars.add_task("mails delivered", total=None)
        days = bars.add_task("days on the test clock", total=LAST_DAY)

        def changed(tally: Tally) -> None:
            bars.update(told, completed=tally.finished)
            bars.update(said, completed=tally.receipts, total=sum(tally.sent.values()))
            bars.update(decided, completed=tally.outcomes + tally.heard, total=tally.decisions + tally.told)
            bars.update(mails, completed=tally.mails, total=tally.mails_written)
            bars.update(days, completed=tally.days, total=LAST_DAY)

        yield changed
