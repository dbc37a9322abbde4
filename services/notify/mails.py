"""Which mails an event brings about: one table for claim events, one for consent's, one for deadlines' (domain §3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from cpor.domain import events as ev
from cpor.domain import ids
from cpor.domain.policy import policy
from cpor.domain.vocabulary import (
    AssociationEndReason,
    Clock,
    EventName,
    Incentive,
    RejectionReason,
    Status,
    SuspensionReason,
)
from schemas import consent, deadlines
from schemas.consent import Notice
from schemas.mail import Bounced, MailKind
from services.notify.drafts import Address, Draft, Told, said_by_others
from services.notify.returned import passed_unheard

Drafts = Iterator[Draft]
Write = Callable[[Address], Mapping[str, Any]]


def mails_of_event(told: Told, event: ev.Event) -> Drafts:
    """The mails of a claim event; an event that is not in the table brings none."""
    rule = _OF_EVENTS.get(event.NAME)
    if rule is not None:
        yield from rule(told, event)


def _to_partner(told: Told, event: ev.Event, kind: MailKind, write: Write) -> Drafts:
    yield from _drafts(told.to_partner(), kind, ids.event_id(event.claim_id, event.sequence), event.at, write)


def _drafts(addresses: Iterable[Address], kind: MailKind, cause: str, at: Any, write: Write, **notice: Any) -> Drafts:
    for to in addresses:
        if to.wants(kind):
            yield Draft(kind, to, cause, at, write(to), **notice)


def _information_requested(told: Told, event: ev.InformationRequested) -> Drafts:
    """T6, R32 to R34."""

    def write(to: Address) -> Mapping[str, Any]:
        until = told.running(Clock.PARTNER_ANSWER, to)
        return {
            "reasons": event.reasons,
            "comment": event.comment,
            "remove_workloads": event.remove_workloads,
            "deadline": until,
        }

    yield from _to_partner(told, event, MailKind.INFORMATION_REQUESTED, write)


def _commented(told: Told, event: ev.Commented) -> Drafts:
    """D26: in any status."""
    if not said_by_others(event):
        return

    def write(to: Address) -> Mapping[str, Any]:
        asked = told.running(Clock.PARTNER_ANSWER, to)
        return {"comment": event.text, "author": event.actor.kind.value, "deadline": asked}

    yield from _to_partner(told, event, MailKind.COMMENTED, write)


def _competing(told: Told, event: ev.CompetitionFlagged) -> Drafts:
    """D17, R21: the others are never named."""
    yield from _to_partner(told, event, MailKind.COMPETING, lambda to: {"comment": event.comment})


def _approved(told: Told, event: ev.Approved) -> Drafts:
    """R44: an approval of the association, not of a payout."""

    def write(to: Address) -> Mapping[str, Any]:
        return {
            "comment": event.comment,
            "after_dispute": _disputed(told),
            "assessed": event.incentive == Incentive.ASSESS,
            "wait": told.running(Clock.CONSENT_WAIT, to),
        }

    yield from _to_partner(told, event, MailKind.APPROVED, write)


def _disputed(told: Told) -> bool:
    return told.before is not None and told.before.status == Status.DISPUTED


def _official(told: Told, event: ev.ConsentCompleted) -> Drafts:
    """T12, R48."""
    yield from _to_partner(told, event, MailKind.OFFICIAL, lambda to: {})
    yield from _late(told, event.approval, event.at)


def _rejected(told: Told, event: ev.Rejected) -> Drafts:
    """R37: where the reason stands, how to dispute and until when; else that a new claim is the way (D7)."""
    codes = {each.code for each in event.reasons}
    if event.withdraw_reason is not None:
        yield from _to_partner(told, event, MailKind.WITHDRAWN, lambda to: {"comment": event.comment})
        return

    def write(to: Address) -> Mapping[str, Any]:
        return {
            "reasons": event.reasons,
            "comment": event.comment,
            "after_dispute": _disputed(told),
            "was_approved": bool(event.units_released),
            "declined": RejectionReason.CUSTOMER_DECLINED in codes,
            "deadline": told.running(Clock.DISPUTE_WINDOW, to) if event.disputable else None,
        }

    yield from _to_partner(told, event, MailKind.REJECTED, write)


def _rejected_final(told: Told, event: ev.RejectedFinal) -> Drafts:
    """T16b, T11b; T13 has a mail of its own, for it has nothing to do with proof (A13, D8)."""
    codes = {each.code for each in event.reasons}
    if RejectionReason.DISASSOCIATED in codes:
        yield from _to_partner(told, event, MailKind.DISASSOCIATED, lambda to: {"comment": event.comment})
        return

    def write(to: Address) -> Mapping[str, Any]:
        return {
            "reasons": event.reasons,
            "comment": event.comment,
            "declined": RejectionReason.CUSTOMER_DECLINED in codes,
        }

    yield from _to_partner(told, event, MailKind.REJECTED_FINAL, write)


class Task(StrEnum):
    """What an operator has to see to (D20); the words stand with the templates."""

    FIRST_NOTICE_BOUNCED = "first_notice_bounced"
    NOTICE_BOUNCED = "notice_bounced"
    LATE_BOUNCE = "late_bounce"
    NOT_DELIVERED = "not_delivered"
    ANSWER_HELD = "answer_held"


def _to_operator(told: Told, task: Task, cause: str, at: Any) -> Drafts:
    yield from _drafts(told.to_operations(), MailKind.OPERATOR_TASK, cause, at, lambda to: {"task": task.value})


#: An answer that is held was told of when it came, whether or not a wait ran then.
_OF_SUSPENSIONS: Mapping[SuspensionReason, Task] = {
    SuspensionReason.NOTICE_BOUNCED: Task.NOTICE_BOUNCED,
    SuspensionReason.NOT_DELIVERED: Task.NOT_DELIVERED,
}


def _suspended(told: Told, event: ev.ConsentSuspended) -> Drafts:
    """D20: what the partner can mend is the address; an answer that is held for a check is no business of its."""
    task = _OF_SUSPENSIONS.get(event.reason)
    if task is None:
        return
    bounced = event.reason == SuspensionReason.NOTICE_BOUNCED
    yield from _to_partner(told, event, MailKind.NOTICE_UNDELIVERED, lambda to: {"bounced": bounced})
    yield from _to_operator(told, task, ids.event_id(event.claim_id, event.sequence), event.at)


def _ended(told: Told, event: ev.AssociationEnded) -> Drafts:
    """D16, D17; a record replaced by the partner's own claim (D23) is no news."""
    if event.reason == AssociationEndReason.REASSOCIATED:
        return
    displaced = event.reason == AssociationEndReason.DISPLACED
    left = bool(told.row.units)
    facts: Mapping[str, Any] = {"units": event.units, "displaced": displaced, "ends_on": event.ends_on, "left": left}
    yield from _to_partner(told, event, MailKind.ASSOCIATION_ENDED, lambda to: facts)


_OF_EVENTS: Mapping[EventName, Callable[[Told, Any], Drafts]] = {
    EventName.INFORMATION_REQUESTED: _information_requested,
    EventName.COMMENTED: _commented,
    EventName.COMPETITION_FLAGGED: _competing,
    EventName.APPROVED: _approved,
    EventName.CONSENT_COMPLETED: _official,
    EventName.REJECTED: _rejected,
    EventName.REJECTED_FINAL: _rejected_final,
    EventName.CONSENT_SUSPENDED: _suspended,
    EventName.ASSOCIATION_ENDED: _ended,
}

_NOTICES: Mapping[Notice, MailKind] = {
    Notice.SUBMITTED: MailKind.CUSTOMER_REQUESTED,
    Notice.APPROVED: MailKind.CUSTOMER_APPROVED,
}


def mails_of_consent(told: Told, asked: consent.Requested, cause: str) -> Drafts:
    """The customer's notice (D3, D20); `cause` is the id of consent's event."""
    days = policy(told.row.policy).consent.decline_days

    def write(to: Address) -> Mapping[str, Any]:
        return {
            "link": _link(told.settings.consent_url, asked.token),
            "reference": asked.token,
            "decline_days": days or 0,
            "wait": told.running(Clock.CONSENT_WAIT, to),
        }

    about = {"notice": asked.notice, "approval": asked.approval}
    yield from _drafts(told.to_customer(), _NOTICES[asked.notice], cause, asked.at, write, **about)


def mails_of_held(told: Told, held: consent.Held, cause: str) -> Drafts:
    """D20: an answer waits for a check."""
    yield from _to_operator(told, Task.ANSWER_HELD, cause, held.at)


def mails_of_bounce(told: Told, bounced: Bounced, cause: str) -> Drafts:
    """D20: the notice at submission; that of the approval suspends the wait, which has a mail of its own, unless the
    wait has passed.
    """
    if bounced.notice == Notice.SUBMITTED:
        yield from _to_operator(told, Task.FIRST_NOTICE_BOUNCED, cause, bounced.at)
    else:
        yield from _late(told, bounced.approval, bounced.at)


def _late(told: Told, approval: int | None, at: Any) -> Drafts:
    """D20: silence was taken for consent, and the notice has come back."""
    passed = passed_unheard(told.row, approval)
    if passed is not None:
        yield from _to_operator(told, Task.LATE_BOUNCE, ids.event_id(told.row.claim_id, passed), at)


def _link(page: str, token: str) -> str | None:
    return f"{page}{'&' if '?' in page else '?'}token={quote(token, safe='')}" if page else None


def mails_of_reminder(told: Told, event: deadlines.Reminder, cause: str) -> Drafts:
    """Half time and one business day before the end, of the partner's own two clocks."""
    if event.clock not in (Clock.PARTNER_ANSWER, Clock.DISPUTE_WINDOW):
        return

    def write(to: Address) -> Mapping[str, Any]:
        return {"clock": event.clock.value, "deadline": told.ends(event.clock, event.due, to)}

    yield from _drafts(told.to_partner(), MailKind.DEADLINE_NEAR, cause, event.fired_at, write)


#: Clocks of the reviewers: what they miss is told to operations (domain §2.3).
_REVIEWERS = (Clock.REVIEW_START, Clock.REVIEW_DECISION, Clock.OVERALL_DECISION, Clock.DISPUTE_ANSWER)


def mails_of_miss(told: Told, event: deadlines.Missed, cause: str) -> Drafts:
    """A closed window to the partner (T17), a reviewers' deadline to operations; what else runs out has a mail of its
    own.
    """

    def write(to: Address) -> Mapping[str, Any]:
        return {"clock": event.clock.value, "deadline": told.ends(event.clock, event.due, to)}

    if event.clock == Clock.DISPUTE_WINDOW:
        yield from _drafts(told.to_partner(), MailKind.WINDOW_CLOSED, cause, event.fired_at, write)
    elif event.clock in _REVIEWERS:
        yield from _drafts(told.to_operations(), MailKind.DEADLINE_MISSED, cause, event.fired_at, write)


def mails_of_ending(told: Told, end: Any, at: Any) -> Drafts:
    """D23: a known end is near. `end` is the association's last day."""
    started = ids.event_id(told.row.claim_id, told.row.approval or told.row.sequence)
    cause = ids.derived_id(started, MailKind.REASSOCIATE, end.toordinal())
    yield from _drafts(told.to_partner(), MailKind.REASSOCIATE, cause, at, lambda to: {"ends_on": end})
