"""The demo's last page: one claim's life, claims by outcome, approvals, mails, and whether it balances."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from cpor.domain.vocabulary import Status
from cpor.ops import screen
from cpor.ops.checker import MailCount, Row
from cpor.ops.demo.approvals import Became
from cpor.ops.demo.cast import Cast
from cpor.ops.demo.life import Line
from cpor.ops.demo.reconcile import Books
from cpor.ops.demo.stage import Surprise, Tally

#: More than these of a kind are counted only.
MOST_SHOWN = 20


@dataclass(frozen=True)
class Report:
    """What became of a run. `life` is that of the cast's claim to tell of."""

    books: Books
    cast: Cast
    surprises: Sequence[Surprise]
    tally: Tally
    seconds: float
    life: Sequence[Line] = ()

    @property
    def wrong_ends(self) -> dict[str, tuple[str, str]]:
        return self.books.wrong_ends(self.cast.ends)

    @property
    def balances(self) -> bool:
        """Whether everything is as it must be."""
        clean = not (self.surprises or self.books.findings or self.wrong_ends)
        return clean and all(each.holds for each in self.books.rows)

    def as_json(self) -> dict[str, Any]:
        return self.books.as_json() | {
            "claims": len(self.books.claims),
            "balanced": self.balances,
            "surprises": [str(each) for each in self.surprises],
            "wrong_outcomes": {self.cast.refs[claim]: both for claim, both in self.wrong_ends.items()},
            "one_claims_life": [asdict(each) for each in self.life],
            "days_on_the_clock": self.tally.days,
            "uploads": self.tally.uploads,
            "seconds": round(self.seconds, 1),
        }


def page(report: Report) -> RenderableType:
    books = report.books
    return Group(
        life_table(report),
        outcome_table(books),
        approval_table(books),
        mail_table(books),
        balance_table(books.rows),
        *_verdict(report),
    )


def life_table(report: Report) -> RenderableType:
    """The mails stand under the events that brought them about."""
    rows = [
        (
            Text(screen.moment_text(each.at)[5:], style="dim"),
            Text(f"{'  ✉ to ' if each.mail else ''}{each.who}"),
            each.what,
        )
        for each in report.life
    ]
    title = f"One claim's life: {report.cast.refs.get(report.cast.told, '')}"
    return screen.table(title, ["!time (UTC)", "!who", "what"], rows)


def outcome_table(books: Books) -> RenderableType:
    statuses = {claim: status for claim, (_, status) in books.claims.items()}
    return _by_partner("Claims by outcome", "status", statuses, [each.value for each in Status], books)


def approval_table(books: Books) -> RenderableType:
    approved = {claim: end.value for claim, end in books.became.items() if end != Became.NOTHING}
    return _by_partner("Approved claims, and what became of them", "", approved, [each.value for each in Became], books)


def _by_partner(title: str, name: str, ends: Mapping[str, str], order: Iterable[str], books: Books) -> RenderableType:
    """A row for each end that occurs, a column for each partner. `ends`: by claim id."""
    partners = sorted({partner for partner, _ in books.claims.values()})
    counts = Counter((books.claims[claim][0], end) for claim, end in ends.items())
    totals, sums = Counter(ends.values()), Counter(books.claims[claim][0] for claim in ends)
    rows: list[Sequence[Any]] = [
        [end, *(counts[partner, end] or None for partner in partners), totals[end]] for end in order if totals[end]
    ]
    rows.append([_strong("all"), *(_strong(sums[each]) for each in partners), _strong(len(ends))])
    return screen.table(title, [name, *(f"#{each}" for each in partners), "#all"], rows)


def _strong(value: object) -> Text:
    return Text(str(value), style="bold")


def mail_table(books: Books) -> RenderableType:
    """Kinds beside each other, so that the page stays one page."""
    told = books.balances
    title = f"Mails by kind: {told.mails_written} written, {told.delivered} delivered, {told.bounced} bounced"
    kinds = sorted(told.mails, key=lambda each: -each.written)
    height = (len(kinds) + 2) // 3
    empty = (Text(""), Text(""))
    columns = [[_mail(each) for each in kinds[n * height : (n + 1) * height]] for n in range(3)]
    rows = [[cell for column in columns for cell in (column[n] if n < len(column) else empty)] for n in range(height)]
    return screen.table(title, ["kind", "#mails"] * 3, rows)


def _mail(count: MailCount) -> tuple[Any, Any]:
    right = count.written == count.called_for
    return count.kind.value, count.written if right else Text(f"{count.written} of {count.called_for}", "bright_red")


def balance_table(balances: Sequence[Row]) -> RenderableType:
    rows = [[_sign(each.holds), each.left, each.left_count, each.right_count, each.right] for each in balances]
    return screen.table("Does it balance? (counted from the topics)", ["", "", "#", "#", ""], rows, show_header=False)


def _sign(holds: bool) -> Text:
    return Text("✓", style="green") if holds else Text("✗", style="bright_red")


def _verdict(report: Report) -> list[Text]:
    faults = [
        *_some("not as the story expects", [str(each) for each in report.surprises]),
        *_some("ended otherwise", [f"{report.cast.refs[c]}: {b[1]}; not {b[0]}" for c, b in report.wrong_ends.items()]),
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
