"""Claims as a file (R53): CSV that is safe to open in a spreadsheet, or NDJSON for machines; the values of the list."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import Any, TextIO

from cpor.ops.book import Claim
from cpor.ops.columns import COLUMNS
from cpor.ops.errors import Refused, WrongUse

#: By this Excel knows that a CSV file is UTF-8.
BYTE_ORDER_MARK = "\ufeff"
#: What makes a spreadsheet take a cell for a formula; the wide forms are taken so in East Asian locales.
FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
CONTROLS = ("\t", "\r", "\n")
#: Where a semicolon stands between cells, as in German Excel, one cell of ours may be several, or rows.
_LATER_CELL = re.compile(rf'(?<=[;\t\r\n])([\s"]*)(?=[{"".join(map(re.escape, FORMULA))}])')
STDOUT = Path("-")


class Format(StrEnum):
    CSV = "csv"
    NDJSON = "ndjson"


_ENDINGS = {".csv": Format.CSV, ".ndjson": Format.NDJSON, ".jsonl": Format.NDJSON}


def format_of(given: Format | None, output: Path | None, *, excel: bool) -> Format:
    """What was asked for, else what the file's ending says, else CSV. Raises WrongUse where they do not agree."""
    found = given or _ENDINGS.get(output.suffix.lower() if output else "", Format.CSV)
    if excel and found is not Format.CSV:
        raise WrongUse("--excel is for CSV: leave it out, or use --format csv")
    return found


def lines_of(claims: Iterable[Claim], names: Sequence[str], how: Format, *, excel: bool = False) -> Iterator[str]:
    """The lines of the file with their ends; with CSV the first one names the columns."""
    rows = ({name: COLUMNS[name].json(claim) for name in names} for claim in claims)
    if how is Format.NDJSON:
        return (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return _csv(rows, names, BYTE_ORDER_MARK if excel else "")


def _csv(rows: Iterable[dict[str, Any]], names: Sequence[str], mark: str) -> Iterator[str]:
    """RFC 4180."""
    yield mark + _csv_line(names)
    for row in rows:
        yield _csv_line([cell(row[name]) for name in names])


def _csv_line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def cell(value: Any) -> str:
    """A value as the list shows it, with a quote in front of what a spreadsheet would take for a formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = ", ".join(value) if isinstance(value, list) else str(value)
    risky = text.lstrip().startswith(FORMULA) or text.startswith(CONTROLS)
    safe = _LATER_CELL.sub(r"\1'", text)
    return f"'{safe}" if risky else safe


def write_lines(lines: Iterable[str], output: Path | None = None, told: Callable[[], None] = lambda: None) -> None:
    """To a file, which appears when it is whole, or to stdout. Raises WrongUse, Refused; `told` hears of each line."""
    with _opened(output) as file:
        for line in lines:
            file.write(line)
            told()


@contextmanager
def _opened(output: Path | None) -> Iterator[TextIO]:
    if output is None or output == STDOUT:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8", newline="")
        yield sys.stdout
        return
    fresh = None
    try:
        path = output.resolve()
        if path.is_dir() or not path.parent.is_dir():
            raise WrongUse(f"-o takes a file in a directory that exists, not {output}")
        fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
        with fresh.open("x", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as fault:
        raise Refused(f"{output} cannot be written: {fault.strerror}") from None
    finally:
        if fresh is not None:
            with suppress(OSError):  # gone already, or never made
                fresh.unlink()
