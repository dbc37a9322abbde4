"""Which mails the events call for (domain §3, D3, D7, D8, D15 to D17, D20, D23, D26, D28), written down a second time.

Notify writes mails by tables of its own; a checker that used the same ones would agree with every mistake in them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from cpor.domain import ids
from cpor.domain.events import ConsentCompleted
from cpor.domain.model import ClaimState
from cpor.domain.vocabulary import (
    ActorKind,
    AssociationEndReason,
    Clock,
    EventName,
    RejectionReason,
    SuspensionReason,
)
from cpor.ops.checker.reading import History, Read, Reading, Step
from schemas import consent, deadlines
from schemas.mail import BOUNCED, SUPERSEDED, MailKind, Recipient

K, E = MailKind, EventName


class OfEvent(NamedTuple):
    """A claim event of which the partner gets a mail."""

    event: EventName
    kind: MailKind
    source: str
    when: Callable[[Any], bool] = lambda event: True


def _is_withdrawal(event: Any) -> bool:
    return event.withdraw_reason is not None


def _is_disassociation(event: Any) -> bool:
    return any(each.code == RejectionReason.DISASSOCIATED for each in event.reasons)


# fmt: off
OF_EVENTS: tuple[OfEvent, ...] = (
    OfEvent(E.INFORMATION_REQUESTED, K.INFORMATION_REQUESTED, "T6 R32"),
    OfEvent(E.COMMENTED,             K.COMMENTED,             "D26", lambda e: e.actor.kind != ActorKind.PARTNER),
    OfEvent(E.COMPETITION_FLAGGED,   K.COMPETING,             "D17"),
    OfEvent(E.APPROVED,              K.APPROVED,              "R44"),
    OfEvent(E.CONSENT_COMPLETED,     K.OFFICIAL,              "T12"),
    OfEvent(E.REJECTED,              K.WITHDRAWN,             "D8", _is_withdrawal),
    OfEvent(E.REJECTED,              K.REJECTED,              "R37", lambda e: not _is_withdrawal(e)),
    OfEvent(E.REJECTED_FINAL,        K.DISASSOCIATED,         "D8 T13", _is_disassociation),
    OfEvent(E.REJECTED_FINAL,        K.REJECTED_FINAL,        "T16b", lambda e: not _is_disassociation(e)),
    OfEvent(E.CONSENT_SUSPENDED,     K.NOTICE_UNDELIVERED,    "D20",
            lambda e: e.reason != SuspensionReason.ANSWER_HELD),
    OfEvent(E.ASSOCIATION_ENDED,     K.ASSOCIATION_ENDED,     "D16 D17",
            lambda e: e.reason != AssociationEndReason.REASSOCIATED),
)
# fmt: on

#: Claim events by which operators are set a task.
TASKS: tuple[OfEvent, ...] = (
    OfEvent(E.CONSENT_SUSPENDED, K.OPERATOR_TASK, "D20", lambda event: event.reason != SuspensionReason.ANSWER_HELD),
)

#: The customer's two notices (D3).
OF_NOTICES: Mapping[str, MailKind] = {
    consent.Notice.SUBMITTED.value: K.CUSTOMER_REQUESTED,
    consent.Notice.APPROVED.value: K.CUSTOMER_APPROVED,
}


class OfClock(NamedTuple):
    """What deadlines tells of a clock, and who hears of it."""

    told: str
    clocks: tuple[Clock, ...]
    kind: MailKind
    to: Recipient
    source: str


_REVIEWERS = (Clock.REVIEW_START, Clock.REVIEW_DECISION, Clock.OVERALL_DECISION, Clock.DISPUTE_ANSWER)

# fmt: off
OF_CLOCKS: tuple[OfClock, ...] = (
    OfClock(deadlines.REMINDER, (Clock.PARTNER_ANSWER, Clock.DISPUTE_WINDOW),
            K.DEADLINE_NEAR, Recipient.PARTNER, "D15 R39"),
    OfClock(deadlines.MISSED, (Clock.DISPUTE_WINDOW,), K.WINDOW_CLOSED, Recipient.PARTNER, "T17"),
    OfClock(deadlines.MISSED, _REVIEWERS, K.DEADLINE_MISSED, Recipient.OPERATIONS, "domain §2.3"),
)
# fmt: on


#: What there is one mail of: cause, kind and recipient.
Identity = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Expected:
    """A mail that is called for. `at_least` is the sequence up to which its writer knew the claim's events, and
    `at_most` that beyond which it could not.
    """

    kind: MailKind
    to: Recipient
    cause: str
    history: History
    at_least: int
    at_most: int
    notice: str | None = None
    approval: int | None = None

    @property
    def identity(self) -> Identity:
        return self.cause, self.kind.value, self.to.value

    def addresses(self) -> set[str]:
        """Of the contacts that the claim had meanwhile; empty where it has none (D23)."""
        states = (step.after for step in self.history.steps[self.at_least - 1 : self.at_most])
        return {each for each in (_contact(state, self.to) for state in states) if each is not None}


def _contact(state: ClaimState, to: Recipient) -> str | None:
    contact = state.personal.partner_contact if to == Recipient.PARTNER else state.personal.customer_contact
    return None if contact is None else contact.email


def expected(reading: Reading) -> Iterator[Expected]:
    """Every mail that the events of whole histories call for, but `reassociate`: that one only time calls for."""
    for want in _without_copies(reading):
        yield want
        if want.to == Recipient.PARTNER:
            yield replace(want, to=Recipient.PARTNER_USER)


def _without_copies(reading: Reading) -> Iterator[Expected]:
    for history in reading.whole:
        yield from _of_events(history)
    for read in reading.consent:
        if read.type == consent.REQUESTED:
            yield from _of_notice(reading, read)
        elif read.type == consent.HELD:
            yield from _of_task(reading, read)
    for read in reading.deadlines:
        yield from _of_clock(reading, read)
    for read in _first_notices_that_bounced(reading):
        yield from _of_task(reading, read)
    yield from _of_late_bounces(reading)


def _of_events(history: History) -> Iterator[Expected]:
    for step in history.steps:
        for rows, to in ((OF_EVENTS, Recipient.PARTNER), (TASKS, Recipient.OPERATIONS)):
            for row in rows:
                if row.event == step.event.NAME and row.when(step.event):
                    yield _of_event(history, step, row, to)


def _of_event(history: History, step: Step, row: OfEvent, to: Recipient) -> Expected:
    number = step.event.sequence
    return Expected(row.kind, to, ids.event_id(step.event.claim_id, number), history, number, number)


def _of_task(reading: Reading, read: Read) -> Iterator[Expected]:
    """D20: an operator has to see to it."""
    history = reading.history(str(read.value["claim_id"]))
    if history is not None:
        newest = len(history.steps)
        yield Expected(K.OPERATOR_TASK, Recipient.OPERATIONS, read.told.id or "", history, newest, newest)


def _first_notices_that_bounced(reading: Reading) -> Iterator[Read]:
    """The notice at submission starts no wait that could be suspended."""
    return (read for read in _bounces(reading) if read.value.get("notice") == consent.Notice.SUBMITTED)


def _bounces(reading: Reading) -> Iterator[Read]:
    """The first word of each mail that came back, at once or after a server had taken it; of one whose contact was
    replaced meanwhile nobody has to hear.
    """
    over = {str(read.value["mail_id"]) for read in reading.deliveries if read.type == SUPERSEDED}
    for read in reading.deliveries:
        if read.type == BOUNCED and read.value["mail_id"] not in over:
            over.add(read.value["mail_id"])
            yield read


def _of_late_bounces(reading: Reading) -> Iterator[Expected]:
    """D20: silence was taken for consent, and the approval's newest notice came back."""
    back = {str(read.value["cause"]) for read in _bounces(reading)}
    asked = [read for read in reading.consent if read.type == consent.REQUESTED]
    newest = {(read.value["claim_id"], read.value.get("approval")): read.told.id for read in asked}
    for history in reading.whole:
        for step in history.steps:
            event = step.event
            if isinstance(event, ConsentCompleted) and newest.get((history.claim_id, event.approval)) in back:
                yield _of_event(history, step, OfEvent(event.NAME, K.OPERATOR_TASK, "D20"), Recipient.OPERATIONS)


def _of_notice(reading: Reading, read: Read) -> Iterator[Expected]:
    history = reading.history(str(read.value["claim_id"]))
    if history is None:
        return
    notice, approval = read.value["notice"], read.value.get("approval")
    behind = (
        s.event.sequence for s in history.steps if ids.event_id(s.event.claim_id, s.event.sequence) == _cause(read)
    )
    since, newest = next(behind, 1), len(history.steps)
    yield Expected(OF_NOTICES[notice], Recipient.CUSTOMER, read.told.id or "", history, since, newest, notice, approval)


def _cause(read: Read) -> str:
    return read.told.causation or ""


def _of_clock(reading: Reading, read: Read) -> Iterator[Expected]:
    history = reading.history(str(read.value["claim_id"]))
    for row in OF_CLOCKS:
        if history is not None and row.told == read.type and read.value["clock"] in row.clocks:
            since, newest = int(read.value["started_by"]), len(history.steps)
            yield Expected(row.kind, row.to, read.told.id or "", history, since, newest)
