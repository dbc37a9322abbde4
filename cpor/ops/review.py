"""`cpor review`: a reviewer's desk on the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from cpor.domain.model import ClaimState
from cpor.domain.vocabulary import ActorKind, CommandName
from cpor.ops import labels, screen
from cpor.ops.book import pick, read_claims
from cpor.ops.claims import ClaimName
from cpor.ops.errors import WrongUse
from cpor.ops.inbox import Outcome, command
from cpor.ops.instance import DEFAULT_DATA, AsJson, DataDir, find_instance
from cpor.ops.queue import Waiting, queue_of, waiting_json
from cpor.words.codes import REASONS

review = typer.Typer(name="review", no_args_is_help=True, help="A reviewer's desk: the queue, and decisions on claims.")

Reviewer = Annotated[str, typer.Option("--as", metavar="ID", help="The reviewer who acts.")]
Reasons = Annotated[
    list[str] | None,
    typer.Option("--reason", metavar="CODE[:WORKLOAD,…]", help="A reason; can be given several times."),
]
Comment = Annotated[str | None, typer.Option("--comment", help="What the partner reads.")]
Expected = Annotated[
    int | None, typer.Option("--expected-sequence", help="Refuse when the claim has moved on since this event.")
]


@review.command("queue")
def queue(data: DataDir = DEFAULT_DATA, as_json: AsJson = False) -> None:
    """List the claims that wait for a reviewer, the most urgent first, with what to look at."""
    instance = find_instance(data)
    waiting = queue_of(read_claims(instance), instance.clock.now())
    if as_json:
        screen.print_json([waiting_json(each) for each in waiting])
        return
    columns = ["!claim", "!status", "!partner", "customer", "!role", "!due (UTC)", "look at"]
    if waiting:
        screen.out().print(screen.table(None, columns, [queue_row(each) for each in waiting]))
    hint = "; `cpor poe get CLAIM` saves the documents of one" if waiting else ""
    screen.note(f"{screen.counted(len(waiting), 'claim')} waiting{hint}")


def queue_row(waiting: Waiting) -> list[Any]:
    state = waiting.claim.state
    due = Text(screen.moment(waiting.due) or "–", style="bright_red" if waiting.late else "")
    flags = Text("\n").join([Text(flag, style="yellow") for flag in waiting.flags])
    name = waiting.claim.customer_name
    return [state.claim_ref, labels.status(state), state.partner_id, name, labels.role(state), due, flags]


@review.command("start")
def start(
    claim: ClaimName,
    reviewer: Reviewer,
    expected: Expected = None,
    data: DataDir = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """Begin the review of a submitted claim (T5)."""
    _send(data, claim, CommandName.REVIEW_START, reviewer, as_json, expected_sequence=expected)


@review.command("ask")
def ask(
    claim: ClaimName,
    reviewer: Reviewer,
    reason: Reasons = None,
    comment: Comment = None,
    remove: Annotated[
        list[str] | None,
        typer.Option("--remove", metavar="WORKLOAD", help="A workload that the proof does not support."),
    ] = None,
    expected: Expected = None,
    data: DataDir = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """Ask the partner for more information (T6)."""
    told = {"reasons": reasons(reason), "comment": needed(comment), "remove_workloads": remove}
    _send(data, claim, CommandName.REVIEW_REQUEST_INFORMATION, reviewer, as_json, expected_sequence=expected, **told)


@review.command("approve")
def approve(
    claim: ClaimName,
    reviewer: Reviewer,
    comment: Comment = None,
    displaces: Annotated[
        list[str] | None, typer.Option("--displaces", metavar="CLAIM", help="An incumbent claim that loses.")
    ] = None,
    expected: Expected = None,
    data: DataDir = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """Approve a claim, naming the incumbents that it displaces (T7, T16a, D17)."""
    told = {"comment": comment, "displaces": displaces, "expected_sequence": expected}
    _send(data, claim, CommandName.REVIEW_APPROVE, reviewer, as_json, **told)


@review.command("reject")
def reject(
    claim: ClaimName,
    reviewer: Reviewer,
    reason: Reasons = None,
    comment: Comment = None,
    expected: Expected = None,
    data: DataDir = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """Reject a claim, or its dispute (T8, T16b)."""
    told = {"reasons": reasons(reason), "comment": needed(comment), "expected_sequence": expected}
    _send(data, claim, CommandName.REVIEW_REJECT, reviewer, as_json, **told)


@review.command("comment")
def add_comment(
    claim: ClaimName,
    reviewer: Reviewer,
    comment: Comment = None,
    data: DataDir = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """Write to the partner (R31, D26)."""
    _send(data, claim, CommandName.REVIEW_COMMENT, reviewer, as_json, text=needed(comment))


def reasons(given: Sequence[str] | None) -> list[dict[str, Any]]:
    """`CODE` or `CODE:WORKLOAD,WORKLOAD` as reasons of the contract. Raises WrongUse where none is given."""
    if not given:
        raise WrongUse("give at least one --reason CODE[:WORKLOAD,…]")
    return [_reason(text) for text in given]


def _reason(text: str) -> dict[str, Any]:
    code, _, workloads = text.partition(":")
    named = [each.strip() for each in workloads.split(",") if each.strip()]
    return {"code": code.strip(), "workloads": named} if named else {"code": code.strip()}


def needed(comment: str | None) -> str:
    if not comment or not comment.strip():
        raise WrongUse("give a --comment TEXT: the partner reads it")
    return comment


def _send(data: Path, wanted: str, name: CommandName, reviewer: str, as_json: bool, **told: Any) -> None:
    instance = find_instance(data)
    claims = read_claims(instance)
    state = pick(claims, wanted).state
    if told.get("displaces"):
        told["displaces"] = [pick(claims, each).claim_id for each in told["displaces"]]
    tell(state, command(instance, name, state, reviewer, **told), as_json)


def tell(before: ClaimState, outcome: Outcome, as_json: bool) -> None:
    """What became of a command: the events, the status, why where the system ended it, the clocks that now run."""
    events = (*outcome.after, outcome.event)
    if as_json:
        told = {"event": outcome.event, "events": events, "sequence": outcome.sequence}
        screen.print_json({**told, **outcome.value})
        return
    screen.done(f"{before.claim_ref} is {outcome.status}  (event {outcome.sequence}: {', then '.join(events)})")
    _tell_why(outcome.value)
    tell_clocks(outcome.value)


def _tell_why(event: Mapping[str, Any]) -> None:
    """The reviewer gave no reason where the system did: an early no that ends the approval (D9)."""
    if event["actor"]["kind"] == ActorKind.SYSTEM:
        for reason in event.get("reasons", ()):
            screen.note(f"  {reason['code']}, by the system: {REASONS.english[reason['code']]}")


def tell_clocks(event: Mapping[str, Any]) -> None:
    """The clocks that an event started."""
    for clock in event.get("clocks_started", ()):
        due = screen.moment_text(clock["due"])
        screen.note(f"  {clock['clock']} runs until {due} UTC ({clock['budget']}, {clock['calendar']})")
