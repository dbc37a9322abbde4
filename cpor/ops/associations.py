"""`cpor ops import-legacy|end-associations`: associations from before, and whose subscription is over (D23, T19)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from cpor.domain import ids
from cpor.domain.vocabulary import ActorKind, Code, CommandName, PartnerId, SubscriptionId, TenantId
from cpor.ops import screen
from cpor.ops.answers import check_operator
from cpor.ops.book import read_claims
from cpor.ops.directory import operator
from cpor.ops.ends import ends, read_subscriptions
from cpor.ops.errors import Refused
from cpor.ops.inbox import Exchange, by_actor, exchange, send
from cpor.ops.instance import DEFAULT_DATA, DataDir, find_instance
from cpor.ops.operations import Note, Operator
from cpor.ops.records import Problem, parse, read_text, refuse
from cpor.ops.writing import Why, file_name
from schemas.inside import ImportLegacy

#: Stands for the claim's id until the line is known to name what the id is made of.
_ANY = ids.name_id("a line")
_FOREIGN = "claim_ref: leave it out; under a reference of your own the partner could not act on the association."


# -- associations from before (D23) -----------------------------------------------------------------------------------


def import_legacy(
    file: Annotated[Path, typer.Argument(help="NDJSON: partner, location, tenant, subscription, role, last day.")],
    who: Operator = None,
    note: Note = None,
    data: DataDir = DEFAULT_DATA,
) -> None:
    """Import associations from before the scheme: all lines are checked first; one that is there already is left."""
    acting = check_operator(who or operator())
    lines = read_legacy(file, acting)
    instance = find_instance(data)
    imported, there, problems = 0, 0, []
    why = {"file": file_name(file), "note": note}
    with exchange(instance) as talk, screen.progress(transient=True) as bars:
        for number, line in bars.track(lines, description="importing"):
            no = _import(talk, line, acting, why)
            imported, there = imported + (no is None), there + (no is not None and no.code == Code.CLAIM_EXISTS)
            problems += [f"line {number}: {no}"] if no is not None and no.code != Code.CLAIM_EXISTS else []
    screen.done(f"{screen.counted(imported, 'association')} imported, {there} there already")
    if problems:
        raise Refused("\n".join([f"{screen.counted(len(problems), 'line')} refused:", *problems]))


def read_legacy(path: Path, acting: str) -> list[tuple[int, ImportLegacy]]:
    """The lines with their numbers. Raises Refused with all that is wrong with any of them."""
    found: list[tuple[int, ImportLegacy]] = []
    problems: list[Problem] = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if line.strip():
            record, wrong = _parsed(line, acting, f"line {number}")
            found += [(number, record)] if record else []
            problems += wrong
    refuse(problems, "the file has faults")
    return found


def _parsed(line: str, acting: str, where: str) -> tuple[ImportLegacy | None, list[Problem]]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as fault:
        return None, [Problem(where, Code.MALFORMED_JSON, f"The line is not JSON: {fault}.")]
    if not isinstance(value, dict):
        return None, [Problem(where, Code.INVALID_FIELDS, "The line is no JSON object.")]
    whole = {**value, "claim_id": _ANY, "actor": {"kind": ActorKind.OPERATOR, "id": acting}}
    record, wrong = parse(ImportLegacy, json.dumps(whole), where)
    if record is not None and _is_foreign(record):
        return None, [Problem(where, Code.INVALID_FIELDS, _FOREIGN)]
    return record, wrong


def _is_foreign(line: ImportLegacy) -> bool:
    """Of a reference that names no tenant intake does not know whose claim it is: its partner could do nothing."""
    return line.claim_ref is not None and ids.legacy_tenant(line.claim_ref) != line.tenant_id


def _import(talk: Exchange, line: ImportLegacy, acting: str, why: Why) -> Refused | None:
    """What review refused it for."""
    name, claim_id, told = importing(line, acting)
    try:
        send(talk, name, claim_id, TenantId(line.tenant_id), told, why=why)
    except Refused as no:
        return no
    return None


def importing(line: ImportLegacy, acting: str) -> tuple[CommandName, str, dict[str, Any]]:
    """The command: its name, the claim's id and the data. The id follows from what is imported, so that it is once."""
    tenant, subscription = TenantId(line.tenant_id), SubscriptionId(line.subscription_id)
    reference = line.claim_ref or ids.legacy_reference(tenant, subscription, line.partner_role)
    claim_id = ids.claim_id(PartnerId(line.partner_id), reference)
    given = json.loads(line.model_dump_json(exclude_none=True, exclude={"claim_id", "actor"}))
    return CommandName.OPS_IMPORT_LEGACY, claim_id, by_actor(ActorKind.OPERATOR, acting, **given)


# -- subscriptions that are over (T19) --------------------------------------------------------------------------------


def end_associations(
    who: Operator = None,
    dry: Annotated[bool, typer.Option("--dry-run", help="Only list them.")] = False,
    note: Note = None,
    data: DataDir = DEFAULT_DATA,
) -> None:
    """End by hand the associations whose subscription, or imported last day, is over; most end by themselves."""
    acting = check_operator(who or operator())
    instance = find_instance(data)
    over = list(ends(read_claims(instance), read_subscriptions(instance), instance.clock.now()))
    with exchange(instance) as talk:
        for each in over:
            state, told = each.claim.state, by_actor(ActorKind.OPERATOR, acting, ends_on=each.on.isoformat())
            if not dry:
                name, tenant = CommandName.OPS_END_SUBSCRIPTION, state.form.tenant_id
                send(talk, name, state.claim_id, tenant, told, why={"note": note})
            screen.done(f"{state.partner_id} {state.claim_ref}: the subscription ended on {each.on}")
    screen.note(f"{screen.counted(len(over), 'association')} {'over' if dry else 'ended'}")
