"""`cpor consent decline|agree|show`: a customer's answer taken by phone or mail, and where the consent stands."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from cpor.domain.model import ClaimState
from cpor.domain.vocabulary import instant_text, parse_instant
from cpor.ops import screen
from cpor.ops.answers import Became, Taken, check_operator, put_on_record
from cpor.ops.book import pick, read_claims
from cpor.ops.claims import ClaimName
from cpor.ops.directory import operator
from cpor.ops.errors import WrongUse
from cpor.ops.instance import DEFAULT_DATA, AsJson, DataDir, find_instance
from cpor.ops.operations import Operator
from cpor.ops.review import tell_clocks
from cpor.ops.standing import Answered, Notice, Standing, read_standing, summary
from schemas.consent import Answer, AnswerChannel

consent = typer.Typer(name="consent", no_args_is_help=True, help="What customers say to a claim.")


class Way(StrEnum):
    """How an operator hears of an answer."""

    PHONE = AnswerChannel.PHONE.value
    MAIL = AnswerChannel.MAIL.value


Note = Annotated[str | None, typer.Option("--note", metavar="TEXT", help="Who said it, and how that was checked.")]
AnsweredAt = Annotated[
    str | None, typer.Option("--answered-at", metavar="INSTANT", help="When it came; else it counts from now.")
]
By = Annotated[Way, typer.Option("--by", help="How it came.")]


@consent.command("decline")
def decline(
    claim: ClaimName,
    note: Note = None,
    answered_at: AnsweredAt = None,
    by: By = Way.PHONE,
    who: Operator = None,
    data: DataDir = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """Record that the customer said no, and wait for what follows from it (T11, D9, D19)."""
    record(data, claim, taken(Answer.DECLINE, note, answered_at, by, who), as_json)


@consent.command("agree")
def agree(
    claim: ClaimName,
    note: Note = None,
    answered_at: AnsweredAt = None,
    by: By = Way.PHONE,
    who: Operator = None,
    data: DataDir = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """Record that the customer agreed: it ends a suspension, and neither shortens the wait nor bars a later no."""
    record(data, claim, taken(Answer.AGREE, note, answered_at, by, who), as_json)


def taken(answer: Answer, note: str | None, answered_at: str | None, by: Way, who: str | None) -> Taken:
    """What was typed. Raises WrongUse."""
    return Taken(answer, AnswerChannel(by), check_operator(who or operator()), instant_of(answered_at), note)


def instant_of(text: str | None) -> int | None:
    """A whole instant: of a day alone nobody could say whether it was in time. Raises WrongUse."""
    try:
        return None if text is None else parse_instant(text)
    except ValueError:
        raise WrongUse(
            f"--answered-at takes an instant with its zone such as 2026-03-10T09:00:00+01:00, not {text}"
        ) from None


def record(data: Path, wanted: str, said: Taken, as_json: bool) -> None:
    instance = find_instance(data)
    state = pick(read_claims(instance), wanted).state
    became = put_on_record(instance, state, said)
    if as_json:
        screen.print_json(became_json(became))
        return
    screen.done(sentence(state, said, became))
    tell_clocks(became.value or {})


def became_json(became: Became) -> dict[str, Any]:
    return {
        "outcome": became.verdict,
        "counts_from": became.counts_from,
        "event": became.event,
        "sequence": became.sequence or None,
        "status": became.status,
    }


def sentence(state: ClaimState, said: Taken, became: Became) -> str:
    """What became of the answer, for the operator to read out."""
    if became.verdict == "held":
        return f"{state.claim_ref}: the answer waits for a check; the wait stands still meanwhile"
    answer = "no" if said.answer is Answer.DECLINE else "yes"
    since = screen.moment_text(became.counts_from)
    claim = f"the claim is {'still' if became.status == state.status else 'now'} {became.status}"
    later = ": the no takes effect with its approval" if (answer, became.status) == ("no", state.status) else ""
    return (
        f"{state.claim_ref}: the customer's {answer} counts from {since} UTC; {claim}{later} (event {became.sequence})"
    )


@consent.command("show")
def show(claim: ClaimName, data: DataDir = DEFAULT_DATA, as_json: AsJson = False) -> None:
    """Show where the consent stands: notices and whether they arrived, the wait, answers."""
    instance = find_instance(data)
    state = pick(read_claims(instance), claim).state
    standing = read_standing(instance, state)
    if as_json:
        screen.print_json(standing_json(state, standing))
    else:
        show_standing(state, standing)


def standing_json(state: ClaimState, standing: Standing) -> dict[str, Any]:
    told = state.consent
    return {
        "claim_id": state.claim_id,
        "claim_ref": state.claim_ref,
        "status": state.status,
        "summary": summary(state),
        "stage": told.stage,
        "due": _text(told.due),
        "suspended": told.suspended,
        "agreed_at": _text(told.agreed_at),
        "official_from": _text(state.approval.completed_at if state.approval else None),
        "notices": [asdict(each) for each in standing.notices],
        "answers": [asdict(each) for each in standing.answers],
    }


def _text(instant: int | None) -> str | None:
    return None if instant is None else instant_text(instant)


def show_standing(state: ClaimState, standing: Standing) -> None:
    out = screen.out()
    out.print(Text.assemble((f"{state.claim_ref}  {state.claim_id}", "bold")))
    out.print(Text(summary(state)))
    contact = state.personal.customer_contact
    if contact is not None:
        out.print(Text(f"Customer contact: {contact.name} <{contact.email}>"))
    if standing.notices:
        heads = ["!asked (UTC)", "!notice", "#approval", "!delivery", "what is known"]
        out.print("", screen.table("Notices", heads, map(_notice, standing.notices)), sep="\n")
    if standing.answers:
        heads = ["!received (UTC)", "!answer", "!by", "!taken by", "!outcome", "what is known"]
        out.print(screen.table("Answers", heads, map(_answer, standing.answers)))


_STYLES = {
    "delivered": "green",
    "deferred": "yellow",
    "bounced": "red",
    "superseded": "dim",
    "on_its_way": "yellow",
    "declined": "red",
    "agreed": "green",
    "held": "yellow",
    "ignored": "dim",
}


def _notice(notice: Notice) -> list[Any]:
    known = {
        "delivered": f"at {_moment(notice.delivered_at)}",
        "deferred": f"again at {_moment(notice.next_at)}: {notice.reply}",
        "bounced": notice.reply,
        "superseded": "the contact was replaced before it went out",
    }.get(notice.delivery)
    style = _STYLES[notice.delivery]
    return [_moment(notice.at), notice.notice, notice.approval, Text(notice.delivery, style=style), known]


def _answer(answer: Answered) -> list[Any]:
    since = None if answer.verdict == "dismissed" else answer.counts_from
    doubts = f"doubts: {', '.join(answer.doubts)}" if answer.doubts else None
    known = [f"counts from {_moment(since)}" if since else None, doubts, answer.reason, answer.note]
    verdict = Text(answer.verdict, style=_STYLES.get(answer.verdict, "yellow"))
    told = Text("\n".join(each for each in known if each))
    return [_moment(answer.received_at), answer.answer, answer.channel, answer.operator, verdict, told]


def _moment(text: str | None) -> str | None:
    return None if text is None else screen.moment_text(text)
