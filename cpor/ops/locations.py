"""`cpor locations list`: the Partner IDs that a partner's claims can name (R12)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.text import Text

from cpor.domain.permissions import covers
from cpor.ops import screen
from cpor.ops.book import find_partner, user_of
from cpor.ops.instance import DEFAULT_DATA, AsJson, DataDir, find_instance

locations = typer.Typer(name="locations", no_args_is_help=True, help="A partner's locations.")


@locations.command("list")
def list_locations(
    partner: Annotated[str, typer.Option("--partner", metavar="P", help="Partner id.")],
    user: Annotated[str | None, typer.Option("--user", metavar="U", help="Only those that this user acts for.")] = None,
    data: DataDir = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """List a partner's locations, and whether they are enrolled in the incentive programme."""
    found = find_partner(find_instance(data), partner)
    viewer = None if user is None else user_of(found, user)
    shown = [each for each in found.locations if viewer is None or covers(viewer, each.location_id)]
    if as_json:
        screen.print_json([asdict(each) for each in shown])
        return
    rows = [
        (each.location_id, each.name, each.country, each.region, each.timezone, _enrolled(each.enrolled))
        for each in shown
    ]
    if rows:
        columns = ["!location", "name", "!country", "!region", "!time zone", "!enrolled"]
        screen.out().print(screen.table(f"{found.name}  ({found.partner_id})", columns, rows))
    screen.note(screen.counted(len(rows), "location"))


def _enrolled(yes: bool) -> Text:
    """A claim for one that is not is refused at submission (D22)."""
    return Text("yes", style="green") if yes else Text("no: claims are refused", style="yellow")
