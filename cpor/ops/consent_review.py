"""`cpor consent review`: answers that wait for a check, and what an operator found about one (D20)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

import typer
from rich.text import Text

from cpor.domain.model import ConsentStage
from cpor.domain.vocabulary import Status
from cpor.ops import screen
from cpor.ops.answers import Became, check_operator
from cpor.ops.book import pick, read_claims
from cpor.ops.consent import Note, became_json
from cpor.ops.directory import operator
from cpor.ops.errors import WrongUse
from cpor.ops.held import HeldAnswer, held_answers, pick_held, put_finding
from cpor.ops.instance import DEFAULT_DATA, AsJson, DataDir, Instance, find_instance
from cpor.ops.operations import Operator
from cpor.ops.screen import moment_text
from schemas.consent import Doubt, Finding

HEADS = ("!received (UTC)", "!answer", "!by", "!claim", "!partner", "customer", "id", "why it waits")
WHY: Mapping[str, str] = {
    Doubt.NO_VISIT: "the page was not opened before, or too long before",
    Doubt.TOO_SOON: "within 3 s of the notice's delivery",
}
NOBODY = "nobody has put a name to it"


def review_answers(
    claim: Annotated[str | None, typer.Argument(metavar="CLAIM", help="Id, reference, or the id's beginning.")] = None,
    release: Annotated[bool, typer.Option("--release", help="The customer gave it: it counts.")] = False,
    dismiss: Annotated[bool, typer.Option("--dismiss", help="The customer did not: nothing of it counts.")] = False,
    answer: Annotated[str | None, typer.Option(metavar="ID", help="Which, where several wait; as listed.")] = None,
    note: Note = None,
    who: Operator = None,
    data: DataDir = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """List the answers that wait for a check, with their evidence; release or dismiss one (D20)."""
    finding = asked_for(release=release, dismiss=dismiss)
    if finding is not None and claim is None:
        raise WrongUse("name the claim whose answer you have checked")
    instance = find_instance(data)
    waiting = waiting_of(instance, claim)
    if finding is None:
        show(waiting, as_json, in_full=claim is not None)
        return
    settle(instance, pick_held(waiting, answer), finding, who, note, as_json, others=len(waiting) - 1)


def asked_for(*, release: bool, dismiss: bool) -> Finding | None:
    """Raises WrongUse for both."""
    if release and dismiss:
        raise WrongUse("an answer is either released or dismissed")
    if release:
        return Finding.RELEASED
    return Finding.DISMISSED if dismiss else None


def waiting_of(instance: Instance, wanted: str | None) -> list[HeldAnswer]:
    """Of all claims, or of one."""
    claims = read_claims(instance)
    return held_answers(instance.transport, claims if wanted is None else [pick(claims, wanted)])


def settle(
    instance: Instance,
    held: HeldAnswer,
    finding: Finding,
    who: str | None,
    note: str | None,
    as_json: bool,
    others: int,
) -> None:
    """Put the finding on record and say what is to be done next."""
    became = put_finding(instance, held, finding, check_operator(who or operator()), note)
    next_step = next_of(held, finding, others)
    if as_json:
        screen.print_json(became_json(became) | {"answer": held.id, "next": next_step})
        return
    screen.done(sentence(held, finding, became))
    if next_step is not None:
        screen.note(f"next: {next_step}")


def sentence(held: HeldAnswer, finding: Finding, became: Became) -> str:
    ref = held.claim.state.claim_ref
    said = "no" if held.answer == "decline" else "yes"
    if finding == Finding.DISMISSED:
        return f"{ref}: the {said} that came at {moment_text(held.received_at)} UTC is dismissed; nothing of it counts"
    since = moment_text(became.counts_from)
    return (
        f"{ref}: the customer's {said} counts from {since} UTC; the claim is {became.status} (event {became.sequence})"
    )


def next_of(held: HeldAnswer, finding: Finding, others: int) -> str | None:
    """D20: a wait that an answer suspended goes on by an answer that counts, or begins anew with a new notice."""
    ref = held.claim.state.claim_ref
    if others:
        return f"cpor consent review {ref}: {others} more of this claim"
    state = held.claim.state
    suspended = state.status == Status.APPROVED and state.consent.stage == ConsentStage.SUSPENDED
    if finding == Finding.DISMISSED and suspended:
        return f"cpor ops resend-notice {ref}: the wait stands still until the customer gets a new notice (D20)"
    return None


# -- showing ----------------------------------------------------------------------------------------------------------


def show(waiting: Iterable[HeldAnswer], as_json: bool, *, in_full: bool) -> None:
    listed = list(waiting)
    if as_json:
        screen.print_json([held_json(each) for each in listed])
        return
    if listed:
        screen.out().print(screen.table(None, HEADS, map(_row, listed)))
    for each in listed if in_full else ():
        screen.out().print(Text(f"\n{each.id}", style="bold"), *evidence_lines(each), sep="\n")
    screen.note(f"{screen.counted(len(listed), 'answer')} to check")
    if listed:
        screen.note("  find out whether the customer gave it, then: cpor consent review CLAIM --release|--dismiss")


def held_json(held: HeldAnswer) -> dict[str, Any]:
    return {
        "id": held.id,
        **held.claim.names,
        "answer": held.answer,
        "channel": held.channel,
        "received_at": held.received_at,
        "doubts": list(held.doubts),
        "evidence": dict(held.evidence),
    }


def _row(held: HeldAnswer) -> list[Any]:
    state = held.claim.state
    why = "; ".join(WHY.get(each, each) for each in held.doubts) or NOBODY
    about = [held.answer, held.channel, state.claim_ref, state.partner_id, held.claim.customer_name]
    return [moment_text(held.received_at), *about, held.id[:8], why]


def evidence_lines(held: HeldAnswer) -> Iterator[Text]:
    for name, value in held.evidence.items():
        told = ", ".join(f"{key} {each}" for key, each in value.items()) if isinstance(value, dict) else value
        yield Text(f"  {name}: {'–' if told is None else told}")
