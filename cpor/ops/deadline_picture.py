"""A deadline's explanation as a terminal shows it: the days in words beside small calendars, colour only helping."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cpor.domain.calendar_explain import Day, DayKind
from cpor.domain.vocabulary import instant_text
from cpor.ops.deadline_runs import Explanation, Run
from cpor.ops.deadline_words import (
    COUNTING,
    LOOKS,
    day_text,
    day_words,
    days_text,
    due_text,
    local_moment,
    mark_of,
    moment_text,
)

#: From here on the calendars stand beside the days.
WIDE = 96
_CELL = 6
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def explanation_sheet(told: Explanation, ref: str, width: int) -> RenderableType:
    """One clock on one page."""
    heading = Text.assemble((f"{ref}  {told.run.clock}", "bold"), ("  " + state_text(told), "dim"))
    return Group(heading, _facts(told), Text(), _body(told, width), Text(legend(told), style="dim"), Text())


def state_text(told: Explanation) -> str:
    run = told.run
    if run.stopped_at is not None:
        return f"stopped {local_moment(run.stopped_at, told.zone):%Y-%m-%d %H:%M} by event {run.stopped_by}"
    return "paused" if run.paused else "running"


def _facts(told: Explanation) -> RenderableType:
    made = Table.grid(padding=(0, 2))
    made.add_column(style="dim")
    made.add_column(overflow="fold")
    for name, value in facts(told):
        made.add_row(name, Text(value, style="bold" if name == "due" else "yellow" if name == "but" else ""))
    return made


def facts(told: Explanation) -> Iterator[tuple[str, str]]:
    """The lines above the days: name and text."""
    run, zone = told.run, told.zone
    for number, leg in enumerate(run.legs):
        begun = f"{moment_text(leg.starts_at, zone)} {zone}, with {days_text(leg.days, run.unit)}"
        yield ("resumed" if number else "started"), begun
        if leg.paused_at is not None:
            yield "paused", f"{moment_text(leg.paused_at, zone)}, with {days_text(leg.left or 0, run.unit)} left"
    yield "due", _due(run, zone)
    if told.moved:
        yield "but", moved_text(told)
    yield "counted", COUNTING[run.unit]
    yield "calendar", run.calendar
    yield "rules", told.source


def _due(run: Run, zone: str) -> str:
    if run.due is None:
        return "none while it is paused (D5): what is left begins when it goes on"
    return f"{due_text(run.due, zone)} {zone} = {instant_text(run.due)}, as stored in event {run.started_by}"


def moved_text(told: Explanation) -> str:
    """What today's data would say, and that it does not matter."""
    today = due_text(told.due_today, told.zone)
    return (
        f"{told.calendar_today} of today would give {today} = {instant_text(told.due_today)}. "
        "The stored instant holds: a library update never moves a stored due date (D18)."
    )


def _body(told: Explanation, width: int) -> RenderableType:
    last = last_day(told)
    calendars = Group(*(part for month in months(told.days) for part in (_month(month, told.days, last), Text())))
    if width < WIDE:
        return Group(_list(told.days, last), Text(), calendars)
    both = Table.grid(padding=(0, 3))
    both.add_column(overflow="fold", ratio=1)
    both.add_column(width=7 * _CELL)
    both.add_row(_list(told.days, last), calendars)
    return both


def last_day(told: Explanation) -> date | None:
    """The day at whose end the clock is due; None while it is paused."""
    return None if told.run.due is None else told.days[-1].day


def _list(days: Sequence[Day], last: date | None) -> RenderableType:
    made = Table.grid(padding=(0, 2))
    made.add_column(no_wrap=True)
    made.add_column(overflow="fold")
    for day in days:
        look = LOOKS[day.kind]
        bold = " bold" if day.day == last else ""
        ending = ", the last" if day.day == last else ""
        made.add_row(Text(day_text(day.day), style=look.style + bold), Text(day_words(day) + ending, look.style + bold))
    return made


def months(days: Sequence[Day]) -> list[date]:
    """The first of each month that the days touch."""
    return [first for first, _ in groupby(days, lambda each: each.day.replace(day=1))]


def weeks(month: date) -> list[list[date | None]]:
    """The dates of a month by weeks from Monday; None where a week belongs to another month."""
    following = (month + timedelta(days=31)).replace(day=1)
    dates: list[date | None] = [month + timedelta(days=n) for n in range((following - month).days)]
    padded = [None] * month.weekday() + dates
    padded += [None] * (-len(padded) % 7)
    return [padded[n : n + 7] for n in range(0, len(padded), 7)]


def _month(month: date, days: Sequence[Day], last: date | None) -> RenderableType:
    known = {each.day: each for each in days}
    made = Table.grid(padding=0)
    for _ in WEEKDAYS:
        made.add_column(width=_CELL, justify="center")
    made.add_row(*(Text(name, style="dim") for name in WEEKDAYS))
    for week in weeks(month):
        if not any(day in known for day in week):
            continue
        made.add_row(*(_date(day, known, last) for day in week))
        made.add_row(*(_mark(day, known, last) for day in week))
    return Group(Text(f"{month:%B %Y}".center(7 * _CELL), style="bold"), made)


def _date(day: date | None, known: Mapping[date, Day], last: date | None) -> Text:
    if day is None:
        return Text()
    return Text(f"{day.day:>2}", style=_style(known[day], last) if day in known else "bright_black")


def _mark(day: date | None, known: Mapping[date, Day], last: date | None) -> Text:
    if day is None or day not in known:
        return Text()
    mark = mark_of(known[day], day == last).rjust(4 if day == last else 2)
    return Text(mark, style=_style(known[day], last))


def _style(day: Day, last: date | None) -> str:
    style = LOOKS[day.kind].style
    return f"{style} bold reverse" if day.day == last else style


def legend(told: Explanation) -> str:
    """What the marks of a picture mean, as far as they occur in it."""
    kinds = dict.fromkeys(day.kind for day in told.days)
    marks = dict.fromkeys(f"{LOOKS[kind].mark} = {_MEANINGS[kind]}" for kind in kinds if kind in _MEANINGS)
    counted = ["1, 2 … = days that count"] if any(day.number for day in told.days) else []
    return "   ".join([*marks, *counted, *(["[ ] = last day"] if last_day(told) else [])])


_MEANINGS: Mapping[DayKind, str] = {
    DayKind.TRIGGER: "day 0",
    DayKind.SATURDAY: "weekend",
    DayKind.SUNDAY: "weekend",
    DayKind.PUBLIC_HOLIDAY: "public holiday",
    DayKind.PAUSED: "stood still",
    DayKind.RESUMED: "day 0 again",
    DayKind.RUN_OUT: "after its end",
}
