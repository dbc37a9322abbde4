"""One claim on one page, for people and as JSON; what a partner's user may not see is left out (D30)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from cpor.domain.model import ClaimState, Comment, Document, RunningClock
from cpor.domain.vocabulary import ActorKind
from cpor.domain.wire import adapter
from cpor.ops import labels, screen
from cpor.ops.book import Claim

#: What a state has for our own use, and what tells of other partners.
INSIDE_ONLY = ("last_blocking_sequence", "entered_by", "parked", "letters", "results", "competes_with")


def claim_json(claim: Claim) -> dict[str, Any]:
    """The state as it lies in `cpor.claims.state`; for a partner's user without what is not theirs to see."""
    state: dict[str, Any] = adapter(ClaimState).dump_python(claim.state, mode="json")
    state["customer_name"] = claim.customer_name
    if claim.inside:
        return state
    for name in INSIDE_ONLY:
        del state[name]
    state["competes"] = bool(claim.state.competes_with)
    state["form"]["subscription_id"] = claim.subscription
    state["comments"] = [{**each, "actor": actor_json(each["actor"])} for each in state["comments"]]
    return state


def actor_json(actor: dict[str, str]) -> dict[str, str]:
    """Only the partner's own people are named to it."""
    return actor if actor["kind"] == ActorKind.PARTNER else {"kind": actor["kind"], "id": actor["kind"]}


def claim_sheet(claim: Claim) -> RenderableType:
    """Everything about a claim, in parts."""
    parts = [part for part in (_head(claim), _form(claim), _clocks(claim), _documents(claim), _comments(claim)) if part]
    return Group(*parts)


def _head(claim: Claim) -> RenderableType:
    state = claim.state
    label = labels.status_label(state)
    status = Text.assemble((label, screen.STATUS_STYLES[state.status]), f"  ({state.status}, {state.policy})")
    rows = [("status", status), *_decision(claim)]
    return _pairs(f"{state.form.claim_name}", [("claim", f"{state.claim_ref}   {state.claim_id}"), *rows])


def _decision(claim: Claim) -> Iterator[tuple[str, Any]]:
    state = claim.state
    yield "created", f"{screen.moment(state.origin.created_at)} by {state.origin.created_by or 'an operator'}"
    if state.submitted_at:
        yield "submitted", f"{screen.moment(state.submitted_at)} by {state.submitted_by}"
    if state.decided_at:
        yield "decided", screen.moment(state.decided_at)
    if state.reasons:
        yield "reasons", ", ".join(_reason(each.code, each.workloads) for each in state.reasons)
    if state.units:
        yield "units held", Text("\n").join(map(Text, state.units))
    if state.approval:
        yield "consent", state.consent.stage.value
    if state.competes_with:
        yield "competes", "\n".join(state.competes_with) if claim.inside else "yes"
    if state.parked and claim.inside:
        yield "parked", f"messages of this claim lie in cpor.dead-letters: {', '.join(state.letters)}"


def _reason(code: str, workloads: tuple[str, ...]) -> str:
    return f"{code} ({', '.join(workloads)})" if workloads else code


def _form(claim: Claim) -> RenderableType:
    form, people = claim.state.form, claim.state.personal
    rows: list[tuple[str, Any]] = [
        ("partner", f"{claim.state.partner_id}, location {form.location_id}"),
        ("customer", f"{claim.customer_name or '?'}   {form.tenant_id}"),
        ("area, role", f"{labels.area(claim.state)}, {labels.role(claim.state)}"),
        ("engagement", labels.engagement(claim.state) + (", payments opted out" if form.incentive_opt_out else "")),
        ("workloads", labels.workloads(claim.state)),
        ("subscription", claim.subscription),
        ("customer contact", people.customer_contact and _contact(people.customer_contact)),
        ("partner contact", people.partner_contact and _contact(people.partner_contact)),
    ]
    return _pairs("Form", [(name, value) for name, value in rows if value])


def _contact(contact: Any) -> str:
    return f"{contact.name} <{contact.email}>"


def _pairs(title: str, rows: list[tuple[str, Any]]) -> RenderableType:
    made = screen.table(title, ["", ""], [(Text(name, style="dim"), value) for name, value in rows], show_header=False)
    made.columns[0].no_wrap = True
    return made


def _clocks(claim: Claim) -> RenderableType | None:
    running = claim.state.clocks
    if not running:
        return None
    rows = [
        (each.clock.value, screen.moment(each.starts_at), _due(each), each.budget, each.calendar) for each in running
    ]
    return screen.table("Clocks", ["clock", "since", "until", "budget", "calendar"], rows)


def _due(clock: RunningClock) -> str:
    return f"paused, {clock.remaining} left" if clock.remaining else screen.moment(clock.due) or ""


def _documents(claim: Claim) -> RenderableType | None:
    rows = [_document(each) for each in claim.state.documents]
    return screen.table("Documents", ["file", "#bytes", "signed on", "covers", "description"], rows) if rows else None


def _document(document: Document) -> tuple[Any, ...]:
    return (document.filename, document.size, document.customer_signed_on, document.covers, document.description)


def _comments(claim: Claim) -> RenderableType | None:
    if not claim.state.comments:
        return None
    tree = Tree(Text(f"Comments ({claim.state.comment_count})", style="bold"), guide_style="dim")
    for comment in claim.state.comments:
        tree.add(_comment(comment, inside=claim.inside))
    return tree


def _comment(comment: Comment, *, inside: bool) -> Text:
    named = inside or comment.actor.kind is ActorKind.PARTNER
    who = f"{comment.actor.kind} {comment.actor.id}" if named else comment.actor.kind.value
    return Text.assemble((f"{screen.moment(comment.at)} {who}: ", "dim"), comment.text)
