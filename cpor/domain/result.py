"""What a decision is: events, or a value that says no and why (contract §3, §4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cpor.domain.events import Event
from cpor.domain.model import ClaimState
from cpor.domain.refusal import FieldError, Refusal
from cpor.domain.vocabulary import ClaimId, Code


@dataclass(frozen=True, slots=True)
class Accepted:
    """Granted. `events` may be none (a reservation, an edit that changes nothing) and may belong to other claims too,
    each with the next sequence of its own claim; `states` are those of all claims named, after them.
    """

    events: tuple[Event, ...]
    states: Mapping[ClaimId, ClaimState]
    warnings: tuple[FieldError, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """Not granted; nothing happened. `errors` are all that was wrong, where fields were."""

    code: Code
    detail: str
    errors: tuple[FieldError, ...] = ()


@dataclass(frozen=True, slots=True)
class Ignored:
    """A service's message that time has overtaken: an older approval, a clock that no longer runs."""

    reason: str


@dataclass(frozen=True, slots=True)
class Held:
    """A time-out of a parked claim: it must be parked behind the claim's letter, not dropped (architecture §3)."""

    reason: str


Decision = Accepted | Refused | Ignored | Held


def refused(refusal: Refusal) -> Refused:
    return Refused(refusal.code, refusal.detail)


def refused_for(errors: Sequence[FieldError]) -> Refused:
    """All errors at once: under the first's code where they are of one code or one field, else `invalid_fields`.

    Needs at least one.
    """
    if len({each.code for each in errors}) > 1 and len({each.field for each in errors}) > 1:
        return Refused(Code.INVALID_FIELDS, f"{len(errors)} fields need correction.", tuple(errors))
    return Refused(errors[0].code, _sentence(errors[0]), tuple(errors))


def _sentence(error: FieldError) -> str:
    """An error's detail where its field does not stand beside it: one that begins small goes on from the name."""
    return f"{error.field} {error.detail}" if error.detail[:1].islower() else error.detail
