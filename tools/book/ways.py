"""The ways of a claim from status to status, by edition: from the table of transitions, and what its guards choose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cpor.domain.clocks import UNDECIDED
from cpor.domain.policy import EarlyDecline, Policy, policy
from cpor.domain.transitions import PHRASES, TRANSITIONS, Transition
from cpor.domain.vocabulary import PARTNER_COMMANDS, ActorKind, Edition
from cpor.domain.vocabulary import CommandName as C
from cpor.domain.vocabulary import Status as S

#: How a claim begins: where, and who says so.
BEGUN: Mapping[C, tuple[S, str]] = {
    C.CREATE: (S.DRAFT, "T1"),
    C.FILE: (S.SUBMITTED, "T1 T3"),
    C.OPS_IMPORT_LEGACY: (S.APPROVED, "D23"),
}
#: A word or two for an arrow.
SAID: Mapping[C, str] = PHRASES | {
    C.CREATE: "create",
    C.FILE: "file",
    C.OPS_IMPORT_LEGACY: "import",
    C.REVIEW_START: "start",
    C.DISASSOCIATE: "disassociate",
    C.DEADLINE_EXPIRED: "no answer in time",
}


@dataclass(frozen=True, slots=True)
class Way:
    """`begin` None: there was no claim. A way that ends where it begins changes something else. `lapse`: by time."""

    begin: S | None
    end: S
    who: ActorKind
    what: str
    number: str
    lapse: bool = False


@dataclass(frozen=True, slots=True)
class Guarded:
    """What a row of the table leaves to its guards; `to` None: the status stays."""

    number: str
    where: Callable[[Policy], tuple[S, ...]]
    who: ActorKind
    what: str
    to: S | None
    lapse: bool = False


def _always(*statuses: S) -> Callable[[Policy], tuple[S, ...]]:
    return lambda _: statuses


def _early(*statuses: S) -> Callable[[Policy], tuple[S, ...]]:
    """D9."""
    return lambda p: statuses if p.consent.early_decline is EarlyDecline.APPLIED else ()


GUARDED: tuple[Guarded, ...] = (
    Guarded("T11", _always(S.APPROVED), ActorKind.CUSTOMER, "declines", S.REJECTED),
    Guarded("T11b", _early(*UNDECIDED), ActorKind.CUSTOMER, "declines", S.REJECTED),
    Guarded("T11b", _early(S.DISPUTED), ActorKind.CUSTOMER, "declines", S.REJECTED_FINAL),
    Guarded("T20", _always(S.APPROVED), ActorKind.SYSTEM, "displaced", S.REJECTED),
    Guarded("T12", _always(S.APPROVED), ActorKind.SYSTEM, "wait is over: official", None, lapse=True),
    Guarded("T17", _always(S.REJECTED), ActorKind.SYSTEM, "window closes", None, lapse=True),
)


def ways(edition: Edition) -> list[Way]:
    """All of an edition: beginnings, rows of the table that change the status, what guards choose."""
    rules = policy(edition)
    begun = [Way(None, to, who(first), SAID[first], source) for first, (to, source) in BEGUN.items()]
    rows = [way for row in TRANSITIONS if row.to is not None for way in _of_row(row, rules)]
    return [*begun, *rows, *(way for each in GUARDED for way in _of_guarded(each, rules))]


def who(command: C) -> ActorKind:
    if command in PARTNER_COMMANDS:
        return ActorKind.PARTNER
    kinds = {"review": ActorKind.REVIEWER, "ops": ActorKind.OPERATOR}
    return kinds.get(command.split(".")[1], ActorKind.SYSTEM)


def target(row: Transition, rules: Policy) -> S | None:
    return row.to if isinstance(row.to, S) or row.to is None else row.to(rules)


def _of_row(row: Transition, rules: Policy) -> list[Way]:
    where, to = row.where(rules), target(row, rules)
    lapse = row.command is C.DEADLINE_EXPIRED
    numbers = _numbers(row, len(where))
    assert to is not None
    return [
        Way(status, to, who(row.command), SAID[row.command], number, lapse)
        for status, number in zip(where, numbers, strict=True)
    ]


def _numbers(row: Transition, count: int) -> list[str]:
    """A row for several statuses may name a transition for each, in their order."""
    steps = [each for each in row.source.split() if each.startswith("T")] or row.source.split()
    return steps if len(steps) == count else [steps[0]] * count


def _of_guarded(row: Guarded, rules: Policy) -> list[Way]:
    return [Way(each, row.to or each, row.who, row.what, row.number, row.lapse) for each in row.where(rules)]
