"""`cpor catalogue list`: what a claim of an edition can be about, and as what one can claim it (R8, R10, R11)."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.text import Text

from cpor.domain.policy import Policy, RoleRow, policy
from cpor.domain.vocabulary import Edition, SolutionArea
from cpor.ops import screen
from cpor.ops.filters import one_of
from cpor.ops.instance import AsJson

catalogue = typer.Typer(name="catalogue", no_args_is_help=True, help="What can be claimed, and in which role.")

#: R11.
WARNING = (
    "Role and location decide what a claim can earn. The role of a claim never changes: one that was filed with the "
    "wrong role, or for the wrong location, may earn nothing, and has to be given up for a new claim."
)


@catalogue.command("list")
def list_catalogue(
    edition: Annotated[str, typer.Option("--edition", metavar="E", help="P2020 or P2023.")],
    area: Annotated[str | None, typer.Option(help="Solution area, or both with a comma.")] = None,
    as_json: AsJson = False,
) -> None:
    """List an edition's roles with their meaning, and the workloads and products of each solution area."""
    (wanted,) = one_of(Edition, edition.upper(), "--edition") or ()
    rules = policy(Edition(wanted))
    areas = [SolutionArea(each) for each in one_of(SolutionArea, area, "--area") or rules.catalogue]
    if as_json:
        screen.print_json({"edition": wanted, "warning": WARNING, "areas": [area_json(rules, each) for each in areas]})
        return
    for each in areas:
        show_area(rules, each)
    screen.out().print(Text(f"Mind: {WARNING}", style="yellow"))


def area_json(rules: Policy, area: SolutionArea) -> dict[str, Any]:
    items = [{"code": code, "name": name} for code, name in rules.catalogue[area].items()]
    roles = [role_json(rules, row) for row in rules.roles if row.area is area]
    return {"area": area, "name": rules.labels.areas[area], "roles": roles, "workloads": items}


def role_json(rules: Policy, row: RoleRow) -> dict[str, Any]:
    """`unit`: what one partner holds alone (R20); `channels`: how the customer must have bought, empty for any (R9)."""
    return {
        "role": row.role,
        "name": row.label,
        "engagement": row.engagement,
        "engagement_name": row.engagement_label,
        "payable": rules.is_payable(row.role),
        "meaning": row.meaning,
        "unit": row.unit,
        "channels": list(row.channels),
        "revenue_names": row.revenue,
    }


def show_area(rules: Policy, area: SolutionArea) -> None:
    roles = [_role(rules, row) for row in rules.roles if row.area is area]
    title = f"{rules.labels.areas[area]}  ({area}, {rules.edition})"
    screen.out().print(screen.table(title, ["!role", "!paid", "!held per", "meaning"], roles))
    items = rules.catalogue[area].items()
    screen.out().print(screen.table(None, ["!workload or product", "name"], items))


def _role(rules: Policy, row: RoleRow) -> tuple[Any, ...]:
    meaning = Text.assemble((f"{row.label}\n", "bold"), row.meaning, (f"\n{row.engagement_label}", "dim"))
    return row.role, rules.is_payable(row.role), row.unit, meaning
