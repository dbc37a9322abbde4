"""`cpor claims list|export|show|history`: claims as everyone inside, or as one partner's user, may see them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from cpor.ops import filters, screen
from cpor.ops.book import Claim, check_viewer, find_viewer, pick, read_claims
from cpor.ops.columns import COLUMNS, USUAL, chosen, ordered
from cpor.ops.export import STDOUT, Format, format_of, lines_of, write_lines
from cpor.ops.history import Entry, read_history
from cpor.ops.instance import DEFAULT_DATA, AsJson, DataDir, Instance, find_instance
from cpor.ops.sheet import claim_json, claim_sheet

claims = typer.Typer(name="claims", no_args_is_help=True, help="What claims there are, and what became of them.")

Partner = Annotated[str | None, typer.Option("--as-partner", metavar="P", help="See what this partner's --user may.")]
User = Annotated[str | None, typer.Option("--user", metavar="U", help="A user of --as-partner.")]
ClaimName = Annotated[str, typer.Argument(metavar="CLAIM", help="Claim id (or its beginning), or claim reference.")]
Search = Annotated[str | None, typer.Option(help="Text in ids, names, tenant or subscription.")]
StatusIs = Annotated[str | None, typer.Option(help="One status, or several with commas.")]
Area = Annotated[str | None, typer.Option(help="Solution area, or both with a comma.")]
EngagementIs = Annotated[str | None, typer.Option(help="Engagement id, or several with commas.")]
Location = Annotated[str | None, typer.Option(help="Partner location.")]
Tenant = Annotated[str | None, typer.Option(help="Customer's tenant id.")]
Workload = Annotated[str | None, typer.Option(help="Workload or product code.")]
SubscriptionIs = Annotated[str | None, typer.Option(help="Subscription id.")]
DueBefore = Annotated[str | None, typer.Option(help="Date or instant; the claim's next clock ends before.")]
Sort = Annotated[str | None, typer.Option(metavar="COL[:desc]", help="Any column.")]
Columns = Annotated[str | None, typer.Option(help="Names with commas between, or all.")]


@claims.command("list")
def list_claims(
    as_partner: Partner = None,
    user: User = None,
    search: Search = None,
    status: StatusIs = None,
    area: Area = None,
    engagement: EngagementIs = None,
    location: Location = None,
    tenant: Tenant = None,
    workload: Workload = None,
    subscription: SubscriptionIs = None,
    due_before: DueBefore = None,
    sort: Sort = None,
    columns: Columns = None,
    data: DataDir = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """List claims; filters narrow, --sort orders, --columns chooses."""
    wanted = filters.read(
        search=search,
        status=status,
        area=area,
        engagement=engagement,
        location=location,
        tenant=tenant,
        workload=workload,
        subscription=subscription,
        due_before=due_before,
    )
    names = chosen(columns, tuple(COLUMNS) if as_json else USUAL)
    ordered([], sort)  # what is wrong with the words is told before anything is read
    check_viewer(as_partner, user)
    instance = find_instance(data)
    seen = read_claims(instance, find_viewer(instance, as_partner, user))
    show_list(ordered(wanted.select(seen), sort), names, of=len(seen), as_json=as_json)


def show_list(rows: Sequence[Claim], names: Sequence[str], *, of: int, as_json: bool) -> None:
    if as_json:
        screen.print_json([{name: COLUMNS[name].json(claim) for name in names} for claim in rows])
        return
    cells = [[COLUMNS[name].shown(claim) for name in names] for claim in rows]
    if cells:
        heads = [name if COLUMNS[name].folds else f"!{name}" for name in names]
        screen.out().print(screen.table(None, heads, cells))
    screen.note(how_many(len(rows), of))


def how_many(shown: int, of: int, what: str = "claim") -> str:
    """`12 claims`, or `3 of 12 claims` where filters left some out."""
    told = screen.counted(of, what)
    return told if shown == of else f"{shown:,} of {told}"


@claims.command("export")
def export_claims(
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="A file, whole or not at all; else stdout.")
    ] = None,
    kind: Annotated[
        Format | None, typer.Option("--format", help="Else by the ending of --output, else csv.", show_default=False)
    ] = None,
    excel: Annotated[bool, typer.Option("--excel", help="CSV with the mark by which Excel knows UTF-8.")] = False,
    as_partner: Partner = None,
    user: User = None,
    search: Search = None,
    status: StatusIs = None,
    area: Area = None,
    engagement: EngagementIs = None,
    location: Location = None,
    tenant: Tenant = None,
    workload: Workload = None,
    subscription: SubscriptionIs = None,
    due_before: DueBefore = None,
    sort: Sort = None,
    columns: Columns = None,
    data: DataDir = DEFAULT_DATA,
) -> None:
    """Export what `list` shows, all columns unless --columns chooses: CSV that spreadsheets may open, or NDJSON."""
    wanted = filters.read(
        search=search,
        status=status,
        area=area,
        engagement=engagement,
        location=location,
        tenant=tenant,
        workload=workload,
        subscription=subscription,
        due_before=due_before,
    )
    names = chosen(columns, tuple(COLUMNS))
    ordered([], sort)
    check_viewer(as_partner, user)
    how = format_of(kind, output, excel=excel)
    instance = find_instance(data)
    viewer = find_viewer(instance, as_partner, user)
    with screen.progress(transient=True) as bars:
        reading = bars.add_task("reading", total=None)
        seen = read_claims(instance, viewer, lambda done, of: bars.update(reading, completed=done, total=of))
    rows = ordered(wanted.select(seen), sort)
    save(lines_of(rows, names, how, excel=excel), output)
    screen.note(how_many(len(rows), len(seen)))


def save(lines: Iterable[str], output: Path | None) -> None:
    """With progress where it goes into a file: what is printed while bars are shown goes where they go."""
    if output in (None, STDOUT):
        write_lines(lines)
        return
    with screen.progress(transient=True) as bars:
        writing = bars.add_task("writing", total=None)
        write_lines(lines, output, lambda: bars.advance(writing))


@claims.command("show")
def show(
    claim: ClaimName,
    as_partner: Partner = None,
    user: User = None,
    data: DataDir = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """Show everything about a claim, or what a partner's user may see of it."""
    found = _find(data, claim, as_partner, user)[1]
    if as_json:
        screen.print_json(claim_json(found))
    else:
        screen.out().print(claim_sheet(found))


@claims.command("history")
def history(
    claim: ClaimName,
    as_partner: Partner = None,
    user: User = None,
    data: DataDir = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """Show all changes, comments and actions on a claim, from both sides."""
    instance, found = _find(data, claim, as_partner, user)
    entries = read_history(instance, found.state, inside=found.inside)
    if as_json:
        screen.print_json([asdict(each) for each in entries])
        return
    rows = [_history_row(each) for each in entries]
    title = f"{found.state.claim_ref}  {found.claim_id}"
    screen.out().print(screen.table(title, ["!time (UTC)", "!side", "!actor", "!action", "what changed"], rows))


def _history_row(entry: Entry) -> list[Any]:
    changes = [Text(text) for text in entry.changes]
    said = [Text(f"“{entry.comment}”", style="italic")] if entry.comment else []
    time = screen.moment_text(entry.time, seconds=True)
    return [time, entry.side, entry.actor, _action(entry), Text("\n").join([*changes, *said])]


def _action(entry: Entry) -> Text:
    """The action in the colour of the status it led to."""
    return Text(entry.action, style=screen.STATUS_STYLES.get(str(entry.status), ""))


def _find(data: Path, wanted: str, partner: str | None, user: str | None) -> tuple[Instance, Claim]:
    check_viewer(partner, user)
    instance = find_instance(data)
    return instance, pick(read_claims(instance, find_viewer(instance, partner, user)), wanted)
