"""`cpor deadline list|explain`: the clocks that run, and how a due instant came about, day by day (D5, D18)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from cpor.domain.calendar import local_date
from cpor.domain.calendar_explain import Day
from cpor.domain.vocabulary import Clock, Instant, instant_text
from cpor.ops import filters, screen
from cpor.ops.book import Claim, pick, read_claims
from cpor.ops.claims import ClaimName
from cpor.ops.deadline_picture import explanation_sheet, last_day, moved_text
from cpor.ops.deadline_rows import Row, Wanted, due_words, left_words, row_json, rows_of, told_of, told_words
from cpor.ops.deadline_runs import Explanation, Run, chosen, clock_events, explained, runs_of
from cpor.ops.deadline_svg import picture
from cpor.ops.deadline_words import local_moment
from cpor.ops.errors import Refused, WrongUse
from cpor.ops.history import claim_events
from cpor.ops.instance import DEFAULT_DATA, AsJson, DataDir, find_instance
from cpor.ops.reading import read_whole
from cpor.runtime.topics import Topic

deadline = typer.Typer(name="deadline", no_args_is_help=True, help="Clocks of claims: what is due when, and why.")

ClockName = Annotated[str | None, typer.Option("--clock", metavar="CLOCK", help=f"One of: {', '.join(Clock)}.")]


@deadline.command("list")
def list_deadlines(
    claim: Annotated[str | None, typer.Option(help="Claim id (or its beginning), or claim reference.")] = None,
    clock: ClockName = None,
    due_before: Annotated[str | None, typer.Option(help="Date or instant; the clock ends before.")] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only clocks that have run out.")] = False,
    partner: Annotated[str | None, typer.Option(metavar="P", help="Claims of this partner.")] = None,
    data: DataDir = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """List the clocks that run, the soonest due first, with the reminders that were sent."""
    clocks, before = filters.one_of(Clock, clock, "--clock"), filters.instant(due_before, "--due-before")
    wanted = Wanted(clocks, before, overdue, partner)
    instance = find_instance(data)
    claims = read_claims(instance)
    named = claims if claim is None else [pick(claims, claim)]
    told = told_of(read_whole(instance.transport, [Topic.DEADLINE_EVENTS]))
    now = instance.clock.now()
    rows = rows_of(named, told, wanted, now)
    if as_json:
        screen.print_json([row_json(row, now) for row in rows])
        return
    if rows:
        heads = ["claim", "!clock", "!started", "!due", "!left", "!told"]
        screen.out().print(screen.table(None, heads, [_cells(row, now) for row in rows]))
    screen.note(screen.counted(len(rows), "clock"))


def _cells(row: Row, now: int) -> list[Any]:
    late = "bright_red" if row.is_overdue(now) else ""
    started = local_date(row.clock.starts_at, row.zone).isoformat()
    left, due = Text(left_words(row, now), style=late), due_words(row)
    both = due and Text.assemble(due[0], "\n", (due[1], "dim"))
    return [row.claim.state.claim_ref, row.clock.clock, started, both, left, told_words(row)]


@deadline.command("explain")
def explain(
    claim: ClaimName,
    clock: ClockName = None,
    svg: Annotated[
        Path | None, typer.Option("--svg", metavar="FILE", help="Draw the calendars into this file.")
    ] = None,
    data: DataDir = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """Show how the due instants of a claim's clocks came about, day by day; --clock also names one that is over."""
    if clock is not None and clock not in list(Clock):
        raise WrongUse(f"--clock can be {', '.join(Clock)}, not {clock}")
    instance = find_instance(data)
    found = pick(read_claims(instance), claim)
    runs = runs_of(clock_events(claim_events(instance, found.state)))
    explanations = explain_runs(found, runs, clock, instance.clock.now())
    if svg is not None:
        write_picture(svg, picture([(found.state.claim_ref, each) for each in explanations]))
    show(found, explanations, as_json=as_json)


def explain_runs(claim: Claim, runs: Sequence[Run], clock: str | None, now: int) -> list[Explanation]:
    """Raises Refused where there is nothing to explain, naming what there is."""
    wanted = chosen(runs, clock)
    if wanted:
        return [explained(run, claim.state.origin.zone, Instant(now)) for run in wanted]
    known = ", ".join(dict.fromkeys(str(run.clock) for run in runs)) or "none"
    what = f"{clock} never ran for" if clock else "no clock runs for"
    raise Refused(f"{what} {claim.state.claim_ref} ({claim.state.status}); --clock can name: {known}")


def show(claim: Claim, explanations: Sequence[Explanation], *, as_json: bool) -> None:
    if as_json:
        screen.print_json([explanation_json(claim, each) for each in explanations])
        return
    console = screen.out()
    for each in explanations:
        console.print(explanation_sheet(each, claim.state.claim_ref, console.width))


def write_picture(path: Path, content: str) -> None:
    """Raises WrongUse where the file cannot be written."""
    try:
        path.write_text(content, encoding="utf-8")
    except OSError as fault:
        raise WrongUse(f"{path} cannot be written: {fault.strerror}") from None
    screen.note(f"drawn: {path}")


def explanation_json(claim: Claim, told: Explanation) -> dict[str, Any]:
    run, last = told.run, last_day(told)
    return {
        "claim_id": claim.claim_id,
        "claim_ref": claim.state.claim_ref,
        "clock": run.clock,
        "source": told.source,
        "started_by": run.started_by,
        "stopped_by": run.stopped_by,
        "paused": run.paused,
        "zone": told.zone,
        "calendar": run.calendar,
        "unit": run.unit,
        "legs": [_leg_json(told, number) for number in range(len(run.legs))],
        "due": None if run.due is None else instant_text(run.due),
        "due_local": None if run.due is None else local_moment(run.due, told.zone).isoformat(),
        "last_day": None if last is None else last.isoformat(),
        "calendar_today": told.calendar_today,
        "due_by_today": None if run.due is None else instant_text(told.due_today),
        "moved": moved_text(told) if told.moved else None,
        "days": [_day_json(day) for day in told.days],
    }


def _leg_json(told: Explanation, number: int) -> dict[str, Any]:
    leg = told.run.legs[number]
    return {
        "starts_at": instant_text(leg.starts_at),
        "starts_local": local_moment(leg.starts_at, told.zone).isoformat(),
        "days": leg.days,
        "paused_at": None if leg.paused_at is None else instant_text(leg.paused_at),
    }


def _day_json(day: Day) -> dict[str, Any]:
    return {
        "date": day.day.isoformat(),
        "weekday": f"{day.day:%A}",
        "kind": day.kind,
        "number": day.number,
        "holiday": day.holiday,
        "hours": day.minutes / 60,
    }
