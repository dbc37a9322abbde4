"""The transition table (domain §2.2): what may be asked in which status, and where it leads.

Legality is decided here and nowhere else; the guards of a transition stand in `deciding/`. What differs
by edition is read from the policy's data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from cpor.domain.policy import DocumentAction, Policy, policy
from cpor.domain.vocabulary import CommandName as C
from cpor.domain.vocabulary import Edition
from cpor.domain.vocabulary import Status as S

Where = Callable[[Policy], tuple[S, ...]]


@dataclass(frozen=True, slots=True)
class Transition:
    """A row: its number and rules, what is asked, from where, and where it leads (None: the status stays)."""

    source: str
    command: C
    where: Where
    to: Callable[[Policy], S] | S | None


def _in(*statuses: S) -> Where:
    return lambda _: statuses


def _documents(action: DocumentAction) -> Where:
    return lambda p: tuple(s for s in S if action in p.document_actions(s))


def _editable(p: Policy) -> tuple[S, ...]:
    """D6; approved only while the consent is suspended, which is a guard (D20)."""
    fields = tuple(s for s in S if p.editable(s))
    return (*fields, S.APPROVED) if p.editing.while_consent_suspended else fields


def _disassociable(p: Policy) -> tuple[S, ...]:
    return p.endings.disassociate_from


def _lost(p: Policy) -> S:
    return p.dispute.lost_status


OPEN = (S.SUBMITTED, S.UNDER_REVIEW, S.PARTNER_ACTION_REQUIRED, S.DISPUTED)
AFTER_SUBMISSION = (*OPEN, S.APPROVED, S.REJECTED, S.REJECTED_FINAL)
PARTNER = S.PARTNER_ACTION_REQUIRED

ADD = _documents(DocumentAction.ADD)
STAYS = None

# fmt: off
TRANSITIONS: tuple[Transition, ...] = (
    #          source             what is asked                 from                             to
    Transition("T2 T4 D6",        C.EDIT,                       _editable,                       STAYS),
    Transition("D8",              C.CANCEL,                     _in(S.DRAFT),                    S.CANCELLED),
    Transition("R25 D12 D16 D21", C.POE_RESERVE,                ADD,                             STAYS),
    Transition("R25 D12 D16 D21", C.POE_ATTACH,                 ADD,                             STAYS),
    Transition("D21",             C.POE_AMEND,                  _documents(DocumentAction.AMEND), STAYS),
    Transition("D21",             C.POE_REMOVE,                 _documents(DocumentAction.REMOVE), STAYS),
    Transition("R31 D26",         C.COMMENT,                    lambda p: p.comments.statuses,   STAYS),
    Transition("T3",              C.SUBMIT,                     _in(S.DRAFT),                    S.SUBMITTED),
    Transition("T10 D15",         C.RESUBMIT,                   _in(S.PARTNER_ACTION_REQUIRED),  S.SUBMITTED),
    Transition("T14 D8",          C.WITHDRAW,                   lambda p: p.endings.withdraw_from, S.REJECTED),
    Transition("T15 D7 D12 D25",  C.DISPUTE,                    _in(S.REJECTED),                 S.DISPUTED),
    Transition("T13 D8 R51",      C.DISASSOCIATE,               _disassociable,                  S.REJECTED_FINAL),
    Transition("T5",              C.REVIEW_START,               _in(S.SUBMITTED),                S.UNDER_REVIEW),
    Transition("T6 D24",          C.REVIEW_REQUEST_INFORMATION, _in(S.UNDER_REVIEW),             PARTNER),
    Transition("T7 T16a D17",     C.REVIEW_APPROVE,             _in(S.UNDER_REVIEW, S.DISPUTED), S.APPROVED),
    Transition("T8 D24",          C.REVIEW_REJECT,              _in(S.UNDER_REVIEW),             S.REJECTED),
    Transition("T16b D24 D25",    C.REVIEW_REJECT,              _in(S.DISPUTED),                 _lost),
    Transition("R31 D26",         C.REVIEW_COMMENT,             _in(*OPEN, S.REJECTED, S.APPROVED), STAYS),
    Transition("D20",             C.OPS_RESEND_NOTICE,          _in(S.APPROVED),                 STAYS),
    Transition("T19 D16 D23",     C.OPS_END_SUBSCRIPTION,       _in(S.APPROVED),                 STAYS),
    Transition("T9",              C.DEADLINE_EXPIRED,           _in(S.PARTNER_ACTION_REQUIRED),  S.REJECTED),
    Transition("T11 T11b T12 D9", C.CONSENT_OUTCOME,            _in(*AFTER_SUBMISSION),          STAYS),
    Transition("architecture 3",  C.PARK,                       _in(*S),                         STAYS),
    Transition("architecture 3",  C.UNPARK,                     _in(*S),                         STAYS),
    Transition("D29",             C.ELIGIBILITY_RESULT,         _in(*AFTER_SUBMISSION),          STAYS),
    Transition("D29",             C.EARNING,                    _in(*AFTER_SUBMISSION),          STAYS),
)
# fmt: on

#: How a command is spoken of: "It is not possible to ...".
PHRASES: dict[C, str] = {
    C.EDIT: "edit",
    C.CANCEL: "cancel",
    C.POE_RESERVE: "add documents",
    C.POE_ATTACH: "add documents",
    C.POE_AMEND: "amend documents",
    C.POE_REMOVE: "remove documents",
    C.COMMENT: "comment",
    C.SUBMIT: "submit",
    C.RESUBMIT: "resubmit",
    C.WITHDRAW: "withdraw",
    C.DISPUTE: "dispute",
    C.DISASSOCIATE: "disassociate the customer",
    C.REVIEW_START: "start the review",
    C.REVIEW_REQUEST_INFORMATION: "request information",
    C.REVIEW_APPROVE: "approve",
    C.REVIEW_REJECT: "reject",
    C.REVIEW_COMMENT: "comment",
    C.OPS_RESEND_NOTICE: "send the notice again",
    C.OPS_END_SUBSCRIPTION: "end the association",
}

#: T1 and the bulk path, D23: these begin a claim and are legal only where there is none.
BEGINNINGS: tuple[C, ...] = (C.CREATE, C.FILE, C.OPS_IMPORT_LEGACY)

#: Who reads a refusal is told what is possible for one of its own kind.
REVIEWER_COMMANDS: tuple[C, ...] = (
    C.REVIEW_START,
    C.REVIEW_REQUEST_INFORMATION,
    C.REVIEW_APPROVE,
    C.REVIEW_REJECT,
    C.REVIEW_COMMENT,
)
PARTNER_COMMANDS: tuple[C, ...] = (
    C.EDIT,
    C.CANCEL,
    C.POE_ATTACH,
    C.POE_AMEND,
    C.POE_REMOVE,
    C.COMMENT,
    C.SUBMIT,
    C.RESUBMIT,
    C.WITHDRAW,
    C.DISPUTE,
    C.DISASSOCIATE,
)


@cache
def legal(edition: Edition, status: S, command: C) -> bool:
    """Whether the table has a row for this; guards may still refuse it."""
    return _row(edition, status, command) is not None


@cache
def illegal_detail(edition: Edition, status: S, command: C) -> str:
    """One sentence: what is not possible in this status, and what would be."""
    asked = PHRASES.get(command, command.value)
    possible = _possible(edition, status, command)
    label = policy(edition).labels.statuses[status]
    first = f"It is not possible to {asked} while the claim is {label} ({status.value})"
    return f"{first}; possible now: {', '.join(possible)}." if possible else f"{first}; nothing more is."


def _possible(edition: Edition, status: S, command: C) -> tuple[str, ...]:
    kind = REVIEWER_COMMANDS if command in REVIEWER_COMMANDS else PARTNER_COMMANDS
    return tuple(dict.fromkeys(PHRASES[each] for each in kind if legal(edition, status, each)))


def _row(edition: Edition, status: S, command: C) -> Transition | None:
    rules = policy(edition)
    return next((row for row in TRANSITIONS if row.command == command and status in row.where(rules)), None)
