"""The steps a claim may take, written down a second time and from the events' side (domain §2.2, D6 to D9, D25).

Review decides by its own table of commands; a checker that used the same one would agree with every mistake in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from cpor.domain.vocabulary import Edition
from cpor.domain.vocabulary import EventName as E
from cpor.domain.vocabulary import Status as S

ENDS: frozenset[S] = frozenset((S.CANCELLED, S.REJECTED_FINAL))
#: Information that changes nothing.
AFTER_THE_END: frozenset[E] = frozenset((E.COMMAND_REFUSED, E.PARKED, E.UNPARKED, E.INCENTIVE_RESULT))

_OPEN = (S.SUBMITTED, S.UNDER_REVIEW, S.PARTNER_ACTION_REQUIRED, S.DISPUTED)
_SUBMITTED = (*_OPEN, S.APPROVED, S.REJECTED, S.REJECTED_FINAL)
_UNDECIDED = (S.SUBMITTED, S.UNDER_REVIEW, S.PARTNER_ACTION_REQUIRED)
_EDITED = (S.DRAFT, S.PARTNER_ACTION_REQUIRED, S.APPROVED)
_DOCUMENTED = (*_EDITED, S.REJECTED)
_COMMENTED = (S.DRAFT, *_OPEN, S.APPROVED, S.REJECTED)
_ANSWERED = (*_OPEN, S.APPROVED, S.REJECTED)
_ALL = tuple(S)
BOTH = (Edition.P2020, Edition.P2023)
P2020 = (Edition.P2020,)
P2023 = (Edition.P2023,)


class Step(NamedTuple):
    """`to` None: the status stays."""

    event: E
    origins: tuple[S | None, ...]
    to: S | None
    source: str
    editions: tuple[Edition, ...] = BOTH


# fmt: off
STEPS: tuple[Step, ...] = (
    Step(E.DRAFTED,               (None,),                      S.DRAFT,                   "T1"),
    Step(E.FILED,                 (None,),                      S.SUBMITTED,               "T1 T3"),
    Step(E.LEGACY_IMPORTED,       (None,),                      S.APPROVED,                "D23"),
    Step(E.EDITED,                _EDITED,                      None,                      "T2 D6 D20"),
    Step(E.EDITED,                (S.SUBMITTED,),               None,                      "T4 D6", P2020),
    Step(E.DOCUMENT_ATTACHED,     _DOCUMENTED,                  None,                      "R25 D12 D16"),
    Step(E.DOCUMENT_ATTACHED,     (S.SUBMITTED,),               None,                      "D6", P2020),
    Step(E.DOCUMENT_AMENDED,      (S.DRAFT,),                   None,                      "D21"),
    Step(E.DOCUMENT_AMENDED,      (S.PARTNER_ACTION_REQUIRED,), None,                      "D21", P2023),
    Step(E.DOCUMENT_REMOVED,      (S.DRAFT,),                   None,                      "D21"),
    Step(E.DOCUMENT_REMOVED,      (S.PARTNER_ACTION_REQUIRED,), None,                      "D21", P2023),
    Step(E.COMMENTED,             _COMMENTED,                   None,                      "R31 D26"),
    Step(E.SUBMITTED,             (S.DRAFT,),                   S.SUBMITTED,               "T3"),
    Step(E.COMPETITION_FLAGGED,   (*_OPEN, S.APPROVED),         None,                      "D17"),
    Step(E.REVIEW_STARTED,        (S.SUBMITTED,),               S.UNDER_REVIEW,            "T5"),
    Step(E.INFORMATION_REQUESTED, (S.UNDER_REVIEW,),            S.PARTNER_ACTION_REQUIRED, "T6"),
    Step(E.RESUBMITTED,           (S.PARTNER_ACTION_REQUIRED,), S.SUBMITTED,               "T10"),
    Step(E.APPROVED,              (S.UNDER_REVIEW, S.DISPUTED), S.APPROVED,                "T7 T16a"),
    Step(E.CONSENT_COMPLETED,     (S.APPROVED,),                None,                      "T12"),
    Step(E.CONSENT_SUSPENDED,     (S.APPROVED,),                None,                      "D20"),
    Step(E.CONSENT_ANSWERED,      _ANSWERED,                    None,                      "D9"),
    Step(E.ASSOCIATION_ENDED,     (S.APPROVED,),                None,                      "D16 D17 D23"),
    Step(E.REJECTED,              _UNDECIDED,                   S.REJECTED,                "T8 T9 T11b T14"),
    Step(E.REJECTED,              (S.APPROVED,),                S.REJECTED,                "T11 T20"),
    Step(E.REJECTED,              (S.REJECTED,),                S.REJECTED,                "D9", P2023),
    Step(E.REJECTED,              (S.DISPUTED,),                S.REJECTED,                "T16b D25", P2020),
    Step(E.REJECTED_FINAL,        (S.DISPUTED,),                S.REJECTED_FINAL,          "T16b T11b", P2023),
    Step(E.REJECTED_FINAL,        (S.APPROVED,),                S.REJECTED_FINAL,          "T13", P2023),
    Step(E.DISPUTED,              (S.REJECTED,),                S.DISPUTED,                "T15"),
    Step(E.CANCELLED,             (S.DRAFT,),                   S.CANCELLED,               "D8"),
    Step(E.PARKED,                _ALL,                         None,                      "architecture 3"),
    Step(E.UNPARKED,              _ALL,                         None,                      "architecture 3"),
    Step(E.COMMAND_REFUSED,       _ALL,                         None,                      "contract §4"),
    Step(E.INCENTIVE_RESULT,      _SUBMITTED,                   None,                      "D29"),
)
# fmt: on

_Key = tuple[E, Edition, S | None]
_TARGETS: Mapping[_Key, S | None] = {
    (step.event, edition, origin): step.to or origin
    for step in STEPS
    for edition in step.editions
    for origin in step.origins
}


def allowed(event: E, edition: Edition, before: S | None, after: S) -> bool:
    """Whether a claim may go from `before` (None: there was none) to `after` by this event."""
    return _TARGETS.get((event, edition, before)) == after
