"""The demo's last page: claims by outcome, receipts by code, and whether it balances."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from cpor.domain.vocabulary import Status
from cpor.ops import screen
from cpor.ops.demo.cast import Cast
from cpor.ops.demo.reconcile import Balance, Books
from cpor.ops.demo.stage import Surprise, Tally

#: More than these of a kind are counted only.
MOST_SHOWN = 20


@dataclass(frozen=True)
class Report:
    """What became of a run."""

    books: Books
    cast: Cast
    surprises: Sequence[Surprise]
    tally: Tally
    seconds: float

    @property
    def wrong_ends(self) -> dict[str, tuple[str, str | None]]:
        return self.books.wrong_ends(self.cast.ends)

    @property
    def balances(self) -> bool:
        """Whether everything is as it must be."""
        clean = not (self.surprises or self.books.findings or self.wrong_ends)
        return clean and all(each.holds for each in self.books.balances)

    def as_json(self) -> dict[str, Any]:
        return self.books.as_json() | {
            "claims": len(self.books.claims),
            "balanced": self.balances,
            "surprises": [str(each) for each in self.surprises],
            "wrong_outcomes": {self.cast.refs[claim]: both for claim, both in self.wrong_ends.items()},
            "days_on_the_clock": self.tally.days,
            "uploads": self.tally.uploads,
            "seconds": round(self.seconds, 1),
        }


def page(report: Report) -> RenderableType:
    return Group(
        outcome_table(report.books),
        receipt_table(report.books),
        balance_table(report.books.balances),
        *_verdict(report),
    )


def outcome_table(books: Books) -> RenderableType:
    """A row for each status, a column for each partner."""
    partners = sorted({partner for partner, _ in books.claims.values()})
    counts = Counter(books.claims.values())
    totals = books.by_status()
    rows: list[Sequence[Any]] = [
        [status.value, *(counts[partner, status.value] or None for partner in partners), totals[status.value]]
        for status in Status
        if totals[status.value]
    ]
    ends = Counter(partner for partner, _ in books.claims.values())
    rows.append([_strong("all"), *(_strong(ends[each]) for each in partners), _strong(len(books.claims))])
    return screen.table("Claims by outcome", ["status", *(f"#{each}" for each in partners), "#all"], rows)


def _strong(value: object) -> Text:
    return Text(str(value), style="bold")


def receipt_table(books: Books) -> RenderableType:
    """Codes beside each other, so that the page stays one page."""
    rows = [(outcome, code, number) for (outcome, code), number in sorted(books.receipts.items())]
    half = (len(rows) + 1) // 2
    cells: list[Sequence[Any]] = []
    for n in range(half):
        right: Sequence[Any] = rows[n + half] if n + half < len(rows) else (Text(""), Text(""), Text(""))
        cells.append((*rows[n], *right))
    return screen.table("Receipts by code", ["outcome", "code", "#receipts"] * 2, cells)


def balance_table(balances: Sequence[Balance]) -> RenderableType:
    rows = [[_sign(each.holds), each.left, each.left_count, each.right_count, each.right] for each in balances]
    return screen.table("Does it balance? (counted from the topics)", ["", "", "#", "#", ""], rows, show_header=False)


def _sign(holds: bool) -> Text:
    return Text("✓", style="green") if holds else Text("✗", style="bright_red")


def _verdict(report: Report) -> list[Text]:
    faults = [
        *_some("not as the story expects", [str(each) for each in report.surprises]),
        *_some("ended otherwise", [f"{report.cast.refs[c]}: {b[1]}, not {b[0]}" for c, b in report.wrong_ends.items()]),
        *_some("found by the checker", [str(each) for each in report.books.findings]),
    ]
    days, uploads = report.tally.days, report.tally.uploads
    told = f"{len(report.books.claims)} claims, {uploads} uploads, {days} days on the clock, {report.seconds:.0f} s"
    if report.balances:
        return [Text.assemble(("It balances. ", "bold green"), f"Every check holds: {told}.")]
    return [*faults, Text.assemble(("It does not balance. ", "bold red"), f"{told}.")]


def _some(what: str, lines: Sequence[str]) -> list[Text]:
    shown = [Text(f"  {what}: {line}", style="red") for line in lines[:MOST_SHOWN]]
    more = len(lines) - len(shown)
    return [*shown, Text(f"  {what}: {more} more", style="red")] if more > 0 else shown
