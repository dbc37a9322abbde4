"""What a person sees, and what is kept: tables on stdout, progress on stderr, JSON where it was asked for."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from bench.conditions import Conditions

RESULTS = Path(__file__).with_name("results")
_WIDTH = 160

Rows = Sequence[Mapping[str, Any]]


def console() -> Console:
    return Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH)


def say(text: str) -> None:
    """A line for the person who waits."""
    Console(stderr=True, highlight=False).print(f"[dim]{text}[/dim]")


def show(title: str, rows: Rows) -> None:
    """A table whose columns are the keys of the first row."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for name, value in rows[0].items():
        table.add_column(name.replace("_", " "), justify="left" if isinstance(value, str) else "right")
    for row in rows:
        table.add_row(*(_cell(value) for value in row.values()))
    console().print(table)


def show_conditions(found: Conditions) -> None:
    table = Table(title="conditions", title_justify="left", box=box.SIMPLE, show_header=False)
    for name, value in found.rows():
        table.add_row(name, value)
    console().print(table)


def save(path: Path, found: Conditions, tables: Mapping[str, Rows]) -> Path:
    """Conditions and tables as JSON; a bare file name goes to `bench/results/`. Returns where it went."""
    place = RESULTS / path if path.name == str(path) else path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps({"conditions": found.as_json(), "tables": tables}, indent=2) + "\n")
    return place


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.2f}" if value < 10 else f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
