"""What a partner's message must pass before review sees it: tables of checks, in order.

The first refusal is the answer; checks of fields tell all their errors at once. Whatever needs the claim itself (its
status, its location, its form) is judged by review.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cpor.domain.directory import check_partner
from cpor.domain.permissions import covers, may_ever
from cpor.domain.refusal import FieldError, shown
from cpor.domain.result import Refused, refused, refused_for
from cpor.domain.vocabulary import Code
from schemas.partner_commands import Create, Edit, File, WrongShape
from services.intake.case import Case
from services.intake.fields import errors_of_rest, field_errors
from services.intake.message import LARGEST_MESSAGE, Message

# --- Before a message has an identity: who is refused here owns no message id -------------------------------------


@dataclass(frozen=True, slots=True)
class EntranceCheck:
    """A row; `named_by_place`: the receipt's `message_id` is topic-partition-offset, whatever the record's `ce_id`."""

    judge: Callable[[Message], Refused | None]
    code: Code
    named_by_place: bool
    source: str


def check_size(message: Message) -> Refused | None:
    if not message.is_too_large:
        return None
    detail = f"The value has {len(message.value)} bytes; at most {LARGEST_MESSAGE} are allowed."
    return Refused(Code.MESSAGE_TOO_LARGE, detail)


def check_key(message: Message) -> Refused | None:
    if message.claim_ref is not None:
        return None
    return Refused(Code.WRONG_KEY, "The record's key must be the claim reference: 1 to 64 of A-Z a-z 0-9 . _ : -.")


def check_message_id(message: Message) -> Refused | None:
    if message.message_id is not None:
        return None
    return Refused(Code.MISSING_MESSAGE_ID, "The header ce_id must be 1 to 64 of A-Z a-z 0-9 . _ : -.")


def check_json(message: Message) -> Refused | None:
    body = message.body
    if isinstance(body, WrongShape) and body.code is Code.MALFORMED_JSON:
        return Refused(body.code, body.detail)
    return None


ENTRANCE: tuple[EntranceCheck, ...] = (
    EntranceCheck(check_size, Code.MESSAGE_TOO_LARGE, True, "contract §3: over 256 KiB, never parsed"),
    EntranceCheck(check_key, Code.WRONG_KEY, False, "contract §3: record key = claim reference"),
    EntranceCheck(check_message_id, Code.MISSING_MESSAGE_ID, True, "contract §2: ce_id"),
    EntranceCheck(check_json, Code.MALFORMED_JSON, True, "contract §2: values are JSON"),
)

# --- Behind the entrance: whoever is refused here owns its message id ----------------------------------------------


@dataclass(frozen=True, slots=True)
class GateCheck:
    """A row: the check, the codes it may answer with (fields have codes of their own), who says so."""

    judge: Callable[[Case], Refused | None]
    codes: tuple[Code, ...]
    source: str


def check_named_reference(case: Case) -> Refused | None:
    named = case.body.claim_ref
    if named is None or named == case.message.claim_ref:
        return None
    return Refused(Code.WRONG_KEY, f"The message names the claim {shown(named)}, its key another one.")


def check_named_partner(case: Case) -> Refused | None:
    named = case.body.partner_id
    if named is None or named == case.message.partner:
        return None
    return Refused(Code.PARTNER_MISMATCH, f"The message names the partner {shown(named)}, its topic another one.")


def check_known_partner(case: Case) -> Refused | None:
    refusal = check_partner(None if case.entry is None else case.entry.partner)
    return None if refusal is None else refused(refusal)


def check_known_user(case: Case) -> Refused | None:
    if case.user is not None:
        return None
    return Refused(Code.USER_UNKNOWN, f"{shown(case.body.user)} is no user of this partner.")


def check_permission(case: Case) -> Refused | None:
    """As far as can be told without the claim; review judges the rest."""
    user = case.user
    if user is None or may_ever(user, case.command):
        return None
    return Refused(Code.NOT_PERMITTED, f"The role {user.role.value} does not permit this.")


def check_own_location(case: Case) -> Refused | None:
    """A location that does not exist is answered as such, among the fields."""
    body, user = case.body, case.user
    if user is None or user.locations is None or not isinstance(body, Create | File | Edit):
        return None
    place = case.known_entry.partner.location(body.location_id)
    if place is None or covers(user, place.location_id):
        return None
    return Refused(Code.NOT_PERMITTED, "This user acts only on claims of the user's own locations.")


def check_reference_is_known(case: Case) -> Refused | None:
    if case.row.tenant_id is not None or isinstance(case.body, Create | File):
        return None
    return Refused(Code.CLAIM_UNKNOWN, "No claim was ever made under this reference.")


def check_bound_tenant(case: Case) -> Refused | None:
    body, bound = case.body, case.row.tenant_id
    if bound is None or not isinstance(body, Create | File) or body.tenant_id == bound:
        return None
    detail = "This reference belongs to another customer for ever; use a new reference."
    return Refused(Code.REFERENCE_BOUND, detail, (FieldError("tenant_id", Code.REFERENCE_BOUND, detail),))


def check_fields(case: Case) -> Refused | None:
    errors = field_errors(case)
    return refused_for(errors) if errors else None


GATE: tuple[GateCheck, ...] = (
    GateCheck(check_named_reference, (Code.WRONG_KEY,), "contract §3: record key = claim reference"),
    GateCheck(check_named_partner, (Code.PARTNER_MISMATCH,), "contract §1: the partner id comes from the topic's name"),
    GateCheck(check_known_partner, (Code.PARTNER_UNKNOWN, Code.PARTNER_SUSPENDED), "D22"),
    GateCheck(check_known_user, (Code.USER_UNKNOWN,), "D14"),
    GateCheck(check_permission, (Code.NOT_PERMITTED,), "R5, D14"),
    GateCheck(check_own_location, (Code.NOT_PERMITTED,), "D14: a user with locations"),
    GateCheck(check_reference_is_known, (Code.CLAIM_UNKNOWN,), "contract §3"),
    GateCheck(check_bound_tenant, (Code.REFERENCE_BOUND,), "contract §3"),
    GateCheck(check_fields, (), "services.intake.fields"),
)

_JUDGES = tuple(row.judge for row in GATE)


def turned_away(message: Message) -> tuple[EntranceCheck, Refused] | None:
    """The row that refuses the message at the entrance, and its answer; None lets it in."""
    for row in ENTRANCE:
        refusal = row.judge(message)
        if refusal is not None:
            return row, refusal
    return None


def misshapen(shape: WrongShape, rest: Case | None) -> Refused:
    """JSON of no known type, or with fields that are missing or wrong; `rest`: what is right of a form."""
    errors = tuple(FieldError(each.field, each.code, each.detail) for each in shape.errors.errors)
    others = () if rest is None else errors_of_rest(rest, shape.errors.fields)
    if others:
        return refused_for((*errors, *others))
    if len({each.code for each in errors}) == 1:
        return Refused(errors[0].code, shape.detail, errors)
    return Refused(shape.code, shape.detail, errors)


def judge(case: Case) -> Refused | None:
    """The first refusal of the gate; None admits the message to review's inbox."""
    for judge_case in _JUDGES:
        refusal = judge_case(case)
        if refusal is not None:
            return refusal
    return None
