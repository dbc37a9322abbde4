"""`cpor ops tasks|resend-notice`: what operators have to see to, and what they do about it (D20)."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cpor.domain.model import ClaimState
from cpor.domain.vocabulary import ActorKind, CommandName
from cpor.ops import screen
from cpor.ops.answers import check_operator
from cpor.ops.book import pick, read_claims
from cpor.ops.claims import ClaimName
from cpor.ops.directory import operator
from cpor.ops.ends import ends, read_subscriptions
from cpor.ops.errors import WrongUse
from cpor.ops.filters import one_of
from cpor.ops.inbox import command
from cpor.ops.instance import DEFAULT_DATA, AsJson, DataDir, find_instance
from cpor.ops.reading import read_whole
from cpor.ops.review import tell
from cpor.ops.tasks import TOPICS, Task, TaskKind, task_json, tasks_of

ops = typer.Typer(name="ops", no_args_is_help=True, help="What operators have to see to, and what they do about it.")

Operator = Annotated[
    str | None, typer.Option("--as", metavar="OPERATOR", help="Who acts; else the user of this terminal.")
]
Note = Annotated[str | None, typer.Option("--note", metavar="TEXT", help="Why, for the audit.")]
HEADS = ("!since (UTC)", "!task", "!claim", "!partner", "customer", "why")


@ops.command("tasks")
def tasks(
    kind: Annotated[str | None, typer.Option(metavar="KIND", help=f"Some of: {', '.join(TaskKind)}.")] = None,
    data: DataDir = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """List what waits for an operator, the oldest first: notices, waits, answers, missed deadlines, what is over."""
    kinds = one_of(TaskKind, kind, "--kind")
    instance = find_instance(data)
    claims = read_claims(instance)
    over = ends(claims, read_subscriptions(instance), instance.clock.now())
    found = tasks_of(claims, read_whole(instance.transport, TOPICS), over)
    shown = [each for each in found if kinds is None or each.kind in kinds]
    if as_json:
        screen.print_json([task_json(each) for each in shown])
        return
    if shown:
        screen.out().print(screen.table(None, HEADS, map(_row, shown)))
    screen.note(f"{screen.counted(len(shown), 'task')} open")
    for kind_of_task, what in sorted({(each.kind, each.what) for each in shown}):
        screen.note(f"  {kind_of_task}: {what.format(claim='CLAIM')}")


def _row(task: Task) -> list[Any]:
    state = task.claim.state
    since = screen.moment_text(task.since)
    return [since, task.kind, state.claim_ref, state.partner_id, task.claim.customer_name, task.why]


@ops.command("resend-notice")
def resend_notice(
    claim: ClaimName,
    who: Operator = None,
    email: Annotated[str | None, typer.Option(help="The customer contact's right address.")] = None,
    name: Annotated[str | None, typer.Option(help="Its name.")] = None,
    title: Annotated[str | None, typer.Option(help="Its job title.")] = None,
    language: Annotated[str | None, typer.Option(metavar="TAG", help="The language it reads.")] = None,
    note: Note = None,
    data: DataDir = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """Send the approval's notice to the customer again; the wait begins anew. What is not given stays as it is."""
    acting = check_operator(who or operator())
    given = {"name": name, "title": title, "email": email, "language": language}
    instance = find_instance(data)
    state = pick(read_claims(instance), claim).state
    contact = corrected(state, {field: text for field, text in given.items() if text is not None})
    name_of, why = CommandName.OPS_RESEND_NOTICE, {"note": note}
    sent = command(instance, name_of, state, acting, by=ActorKind.OPERATOR, why=why, customer_contact=contact)
    tell(state, sent, as_json)


def corrected(state: ClaimState, given: dict[str, str]) -> dict[str, str] | None:
    """The contact with what was given; None where nothing was. Raises WrongUse where a part would be missing."""
    if not given:
        return None
    now = state.personal.customer_contact
    known = {} if now is None else {"name": now.name, "title": now.title, "email": now.email}
    if now is not None and now.language is not None:
        known["language"] = now.language
    contact = known | given
    missing = [f"--{each}" for each in ("name", "title", "email") if each not in contact]
    if missing:
        raise WrongUse(f"the claim has no customer contact yet: give {', '.join(missing)} too")
    return contact
