"""`cpor partners add`, `cpor reference load`: who partners and customers are."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from cpor.ops import screen
from cpor.ops.answers import check_operator
from cpor.ops.directory import add_partners, load_reference, operator
from cpor.ops.instance import DEFAULT_DATA, AsJson, DataDir, find_instance
from cpor.ops.operations import Note, Operator
from cpor.ops.records import read_partners, read_reference, read_text
from cpor.ops.writing import file_name

partners = typer.Typer(name="partners", no_args_is_help=True, help="Partners: directory entry and topics.")
reference = typer.Typer(name="reference", no_args_is_help=True, help="Customers and subscriptions.")


@partners.command("add")
def add(
    file: Annotated[Path, typer.Argument(help="JSON file with a partner's entry, or a list of them.")],
    who: Operator = None,
    note: Note = None,
    data: DataDir = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """Add partners, or update those that are there, and create their topics."""
    acting, wanted = check_operator(who or operator()), read_partners(file)
    added = add_partners(find_instance(data), wanted, acting, {"file": file_name(file), "note": note})
    if as_json:
        screen.print_json([asdict(each) for each in added])
        return
    for each in added:
        topics = screen.counted(len(each.topics_created), "topic")
        screen.done(f"{each.partner_id} {each.change}" + (f", {topics} created" if each.topics_created else ""))


@reference.command("load")
def load(
    file: Annotated[Path, typer.Argument(help="NDJSON file: one customer or subscription a line.")],
    who: Operator = None,
    note: Note = None,
    data: DataDir = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """Load customers and subscriptions: all lines of the file, or none of them."""
    acting = check_operator(who or operator())
    with screen.progress(transient=True) as bars:
        reading = bars.add_task("checking", total=len(read_text(file).splitlines()))
        rows = read_reference(file, lambda n: bars.advance(reading, n))
        instance = find_instance(data)
        writing = bars.add_task("writing", total=len(rows))
        why = {"file": file_name(file), "note": note}
        load_reference(instance, rows, lambda n: bars.advance(writing, n), acting, why)
    kinds = {kind: sum(row.kind == kind for row in rows) for kind in ("customer", "subscription")}
    if as_json:
        screen.print_json(kinds)
        return
    customers = screen.counted(kinds["customer"], "customer")
    screen.done(f"{customers} and {screen.counted(kinds['subscription'], 'subscription')} loaded")
