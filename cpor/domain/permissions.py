"""Who may do what for a partner: role x command, by whether the claim is still a draft (D14, R5, A21).

The role is that of the partner's directory entry, never one a message names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cpor.domain.directory import check_partner
from cpor.domain.reference import Partner, User
from cpor.domain.refusal import Refusal, shown
from cpor.domain.vocabulary import Code, CommandName, LocationId, Status, UserRole

Roles = tuple[UserRole, ...]

#: 003 names this role alone for creating claims; D14 follows it for everything on a draft.
CREATORS: Roles = (UserRole.INCENTIVES_ADMIN,)
#: R5: 000 001 002 004 name these three for managing claims.
MANAGERS: Roles = (UserRole.INCENTIVES_ADMIN, UserRole.BILLING_ADMIN, UserRole.GLOBAL_ADMIN)
#: D14: an Incentives user reads only.
READERS: Roles = tuple(UserRole)


@dataclass(frozen=True, slots=True)
class Permission:
    """The roles that may give a command on a draft (or before there is a claim), and later; and who says so."""

    on_draft: Roles
    later: Roles
    source: str


PERMISSIONS: Mapping[CommandName, Permission] = {
    CommandName.CREATE: Permission(CREATORS, CREATORS, "003, D14"),
    CommandName.FILE: Permission(CREATORS, CREATORS, "003, D14"),
    CommandName.SUBMIT: Permission(CREATORS, CREATORS, "003, D14"),
    CommandName.CANCEL: Permission(CREATORS, CREATORS, "D8, D14"),
    CommandName.EDIT: Permission(CREATORS, MANAGERS, "R5, R35, D14"),
    CommandName.POE_RESERVE: Permission(CREATORS, MANAGERS, "R5, R23, D14"),
    CommandName.POE_ATTACH: Permission(CREATORS, MANAGERS, "R5, R23, D14"),
    CommandName.POE_AMEND: Permission(CREATORS, MANAGERS, "R5, D14, D21"),
    CommandName.POE_REMOVE: Permission(CREATORS, MANAGERS, "R5, D14, D21"),
    CommandName.COMMENT: Permission(CREATORS, MANAGERS, "R5, R31, D14"),
    CommandName.RESUBMIT: Permission(CREATORS, MANAGERS, "R5, R33, D14"),
    CommandName.WITHDRAW: Permission(CREATORS, MANAGERS, "R5, D8, D14"),
    CommandName.DISPUTE: Permission(CREATORS, MANAGERS, "R5, R40, D14"),
    CommandName.DISASSOCIATE: Permission(CREATORS, MANAGERS, "R5, R51, D14"),
}


def may_act(
    partner: Partner | None,
    user_id: str | None,
    command: CommandName,
    status: Status | None,
    locations: Iterable[LocationId] = (),
) -> Refusal | None:
    """Whether a partner's user may give `command`; None is yes.

    `status` is the claim's before the command, None where there is no claim yet; `locations` are the claim's
    and, in an edit, the one it would move to. Codes: partner_unknown, partner_suspended, user_unknown,
    not_permitted.
    """
    refused = check_partner(partner)
    if refused or partner is None:
        return refused
    user = partner.user(user_id)
    if user is None:
        return Refusal(Code.USER_UNKNOWN, f"{shown(user_id or '')} is no user of this partner.")
    return may(user, command, status, locations)


def may(
    user: User, command: CommandName, status: Status | None, locations: Iterable[LocationId] = ()
) -> Refusal | None:
    """D14 for a user who is known: by role, then by location; None is yes, else not_permitted."""
    if user.role not in _allowed(command, status):
        return Refusal(Code.NOT_PERMITTED, _role_detail(user.role, status))
    if user.locations is not None and not all(covers(user, location) for location in locations):
        return Refusal(Code.NOT_PERMITTED, "This user acts only on claims of the user's own locations.")
    return None


def may_ever(user: User, command: CommandName) -> bool:
    """D14: whether the user's role may give `command` on some claim: what can be told without the claim."""
    row = PERMISSIONS.get(command)
    return row is not None and user.role in (*row.on_draft, *row.later)


def may_see(user: User, location: LocationId) -> bool:
    """D14: every role reads, a user with locations only the claims of those."""
    return user.role in READERS and covers(user, location)


def covers(user: User, location: LocationId) -> bool:
    """D14: whether a location is among the user's; a user without a list has them all."""
    return user.locations is None or location in user.locations


def _allowed(command: CommandName, status: Status | None) -> Roles:
    row = PERMISSIONS.get(command)
    if row is None:
        return ()
    return row.on_draft if _is_draft(status) else row.later


def _is_draft(status: Status | None) -> bool:
    return status is None or status is Status.DRAFT


def _role_detail(role: UserRole, status: Status | None) -> str:
    when = "before submission" if _is_draft(status) else "after submission"
    return f"The role {role.value} does not permit this {when}."
