"""What a person sees: tables, notes, progress; and JSON for machines. Results go to stdout, the rest to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from rich import box
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from cpor.domain.vocabulary import instant_text

#: Status → how it is shown; a status is always spelled out, colour only helps.
STATUS_STYLES = {
    "draft": "dim",
    "submitted": "cyan",
    "under_review": "blue",
    "partner_action_required": "yellow",
    "approved": "green",
    "rejected": "red",
    "disputed": "magenta",
    "rejected_final": "bright_red",
    "cancelled": "dim",
    "accepted": "green",
    "duplicate": "cyan",
    "running": "green",
    "idle": "green",
    "starting": "yellow",
    "stopped": "bright_red",
    "silent": "bright_red",
}


#: Columns of a table that goes into a pipe or file: wide enough that nothing is folded for want of a terminal.
PIPE_WIDTH = 200


def out() -> Console:
    """Results. Made anew each time: a test, or a pipe, may have put another stream in place."""
    return _console(sys.stdout)


def err() -> Console:
    """Progress, notes and errors."""
    return _console(sys.stderr)


def _console(stream: TextIO) -> Console:
    return Console(file=stream, highlight=False, width=None if stream.isatty() else PIPE_WIDTH)


def print_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")


def note(text: str) -> None:
    err().print(text, style="dim", markup=False)


def done(text: str) -> None:
    out().print(Text.assemble(("✓ ", "green"), text))


def table(title: str | None, columns: Sequence[str], rows: Iterable[Sequence[Any]], **settings: Any) -> Table:
    """A plain table. A column named `#…` is a number and stands to the right, one named `!…` is never folded."""
    made = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold", pad_edge=False, **settings)
    for name in columns:
        right, whole = name.startswith("#"), name.startswith(("#", "!"))
        title, justify = name.lstrip("#!"), "right" if right else "left"
        made.add_column(title, justify=justify, overflow="fold", no_wrap=whole, min_width=min(len(title), 12))  # type: ignore[arg-type]
    for row in rows:
        made.add_row(*map(cell, row))
    return made


def cell(value: Any) -> Text:
    """Text of a value; statuses and other known words in their colour."""
    if value is None or value == "":
        return Text("–", style="dim")
    if isinstance(value, Text):
        return value
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    if isinstance(value, list | tuple):
        return Text(", ".join(map(str, value)) or "–")
    if isinstance(value, int):
        return Text(f"{value:,}")
    return Text(str(value), style=STATUS_STYLES.get(str(value), ""))


def moment(instant: int | None) -> str | None:
    """`2026-03-02 09:30` (UTC), for people."""
    return None if instant is None else moment_text(instant_text(instant))


def moment_text(text: str, *, seconds: bool = False) -> str:
    """As `moment`, of an instant in RFC 3339 (UTC); with seconds where they tell more."""
    return text[: 19 if seconds else 16].replace("T", " ")


def age(ms: int | None) -> str | None:
    """`4 s`, `12 min`, `3 h`, `5 d`."""
    if ms is None:
        return None
    seconds = max(0, ms) / 1000
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 1 else f"{seconds:.1f} s"


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 claim`, `2 claims`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def progress(*, counted: bool = True, **settings: Any) -> Progress:
    """Bars on stderr, so that results can be piped; `counted` ones say how many of how many."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn() if counted else TaskProgressColumn(),
        TimeElapsedColumn(),
        console=err(),
        **settings,
    )
