"""What notify remembers of a claim: enough to write its updates and mails, folded from its events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, cast

from cpor.domain import events as ev
from cpor.domain.evolve import PERSONAL_FIELDS
from cpor.domain.model import ClaimForm, CustomerContact, Due, PartnerContact, Personal, Reason, RunningClock
from cpor.domain.vocabulary import (
    ClaimId,
    Clock,
    Edition,
    EventName,
    InstantField,
    PartnerId,
    Status,
    UnitId,
    UserId,
)

Changes = dict[str, Any]


class SequenceGap(ValueError):
    """An event does not follow on what is remembered of its claim."""


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """A row of `cpor.notify.state`. Contact data is that of the newest event that brought any."""

    claim_id: ClaimId
    claim_ref: str
    partner_id: PartnerId
    policy: Edition
    status: Status
    sequence: int
    form: ClaimForm
    #: Zone of the claim's clocks (D1, D28).
    zone: str
    customer: CustomerContact | None = None
    partner: PartnerContact | None = None
    clocks: tuple[RunningClock, ...] = ()
    units: tuple[UnitId, ...] = ()
    #: Sequence of the newest approval.
    approval: int | None = None
    #: Of the newest rejection (D7).
    disputable: bool = False
    #: Those that stand: of the newest request or rejection, until it is answered or overcome.
    reasons: tuple[Reason, ...] = ()
    #: D11: shown as its last four characters until approval.
    subscription_filled_in: bool = False
    legacy: bool = False
    #: Legacy only: the last day (D23).
    ends_on: date | None = None
    #: The end that the partner was told of already (D23).
    told_end: date | None = None
    #: The partner's user who submitted (D28).
    submitted_by: UserId | None = None
    #: The newest request for information, while the partner's answer to it is awaited.
    asked: ev.InformationRequested | None = None
    #: Mails that are not sent any more as their contact was replaced: id, and how often they had been tried.
    superseded: tuple[tuple[str, int], ...] = ()
    #: Of each approval the newest notice to the customer, by the id of consent's request, and the sequence of the event
    #: by which its wait passed; and the notices that came back.
    notices: tuple[tuple[int, str], ...] = ()
    passed: tuple[tuple[int, int], ...] = ()
    bounced: tuple[str, ...] = ()

    def clock(self, clock: Clock) -> RunningClock | None:
        """The clock if it runs; a paused one does not."""
        return next((each for each in self.clocks if each.clock == clock and each.remaining is None), None)

    def due(self) -> tuple[Due, ...]:
        """The clocks that run, soonest first."""
        running = (each for each in self.clocks if each.remaining is None)
        return tuple(Due(each.clock, each.due) for each in sorted(running, key=lambda c: (c.due, c.clock)))

    def dispute_until(self, at: int) -> InstantField | None:
        """The end of the dispute window that is open at `at` (ms), None where none is."""
        window = self.clock(Clock.DISPUTE_WINDOW)
        is_open = self.status == Status.REJECTED and self.disputable and window is not None and window.due > at
        return window.due if is_open and window is not None else None

    @property
    def shown_subscription(self) -> str | None:
        """The subscription as the partner may see it (D11)."""
        found = self.form.subscription_id
        if found is None or not self.subscription_filled_in or self.approval is not None:
            return found
        return f"…{found[-4:]}"


def after(row: ClaimRow | None, event: ev.Event) -> ClaimRow:
    """The row after one more event. Raises SequenceGap."""
    if event.sequence != (row.sequence if row else 0) + 1:
        raise SequenceGap(f"{event.claim_id}/{event.sequence} after {row.sequence if row else 0}")
    if row is None:
        return _begin(event)
    change = _CHANGES.get(event.NAME)
    changes = change(row, event) if change else {}
    if event.clocks_started or event.clocks_stopped or isinstance(event, ev.InformationRequested):
        changes["clocks"] = _clocks(row.clocks, event)
    if row.asked is not None and event.status != Status.PARTNER_ACTION_REQUIRED:
        changes["asked"] = None
    return replace(row, sequence=event.sequence, status=event.status, **changes)


def _begin(event: ev.Event) -> ClaimRow:
    if not isinstance(event, ev.Drafted | ev.LegacyImported):
        raise SequenceGap(f"{event.claim_id} begins with {event.NAME}")
    row = ClaimRow(
        claim_id=event.claim_id,
        claim_ref=event.claim_ref,
        partner_id=event.partner_id,
        policy=event.policy,
        status=event.status,
        sequence=event.sequence,
        form=event.form,
        zone=event.zone,
        clocks=_clocks((), event),
    )
    if isinstance(event, ev.LegacyImported):
        return replace(row, legacy=True, ends_on=event.ends_on, units=event.units, approval=event.sequence)
    submitted = _submitted(row, event) if isinstance(event, ev.Filed) else {}
    return replace(row, **(_people(event.personal) | submitted))


def _people(personal: Personal) -> Changes:
    found = {"customer": personal.customer_contact, "partner": personal.partner_contact}
    return {name: value for name, value in found.items() if value is not None}


def _clocks(clocks: tuple[RunningClock, ...], event: ev.Event) -> tuple[RunningClock, ...]:
    started = {each.clock for each in event.clocks_started}
    paused = (
        {each.clock: each.remaining for each in event.clocks_paused}
        if isinstance(event, ev.InformationRequested)
        else {}
    )
    kept = (each for each in clocks if each.clock not in started and each.clock not in event.clocks_stopped)
    return (
        *(replace(each, remaining=paused.get(each.clock, each.remaining)) for each in kept),
        *(
            RunningClock(each.clock, event.sequence, each.starts_at, each.budget, each.calendar, each.due)
            for each in event.clocks_started
        ),
    )


def _filled_in(row: ClaimRow, event: ev.Filed | ev.Submitted | ev.Resubmitted) -> Changes:
    """D11."""
    if event.subscription_id is None:
        return {}
    return {"form": replace(row.form, subscription_id=event.subscription_id), "subscription_filled_in": True}


def _asked(row: ClaimRow, event: ev.InformationRequested) -> Changes:
    return {"asked": event, "reasons": event.reasons}


def _resubmitted(row: ClaimRow, event: ev.Resubmitted) -> Changes:
    return {"reasons": ()} | _filled_in(row, event)


def _submitted(row: ClaimRow, event: ev.Filed | ev.Submitted) -> Changes:
    return {"submitted_by": UserId(event.actor.id)} | _filled_in(row, event)


def _edited(row: ClaimRow, event: ev.Edited) -> Changes:
    form = {each.field: each.after for each in event.changes if each.field not in PERSONAL_FIELDS}
    changes: Changes = {"form": replace(row.form, **cast(Any, form))} if form else {}
    return changes | (_people(event.personal) if event.personal else {})


def _approved(row: ClaimRow, event: ev.Approved) -> Changes:
    return {"units": event.units, "approval": event.sequence, "disputable": False, "reasons": ()}


def _passed(row: ClaimRow, event: ev.ConsentCompleted) -> Changes:
    return {"passed": (*row.passed, (event.approval, event.sequence))}


def _ended(row: ClaimRow, event: ev.AssociationEnded) -> Changes:
    return {"units": tuple(each for each in row.units if each not in event.units)}


def _rejected(row: ClaimRow, event: ev.Rejected) -> Changes:
    return {"units": (), "disputable": event.disputable, "reasons": event.reasons}


def _over(row: ClaimRow, event: ev.RejectedFinal) -> Changes:
    return {"units": (), "disputable": False, "reasons": event.reasons}


def _disputed(row: ClaimRow, event: ev.Disputed) -> Changes:
    return {"disputable": False}


_CHANGES: Mapping[EventName, Callable[[ClaimRow, Any], Changes]] = {
    EventName.EDITED: _edited,
    EventName.INFORMATION_REQUESTED: _asked,
    EventName.SUBMITTED: _submitted,
    EventName.RESUBMITTED: _resubmitted,
    EventName.APPROVED: _approved,
    EventName.CONSENT_COMPLETED: _passed,
    EventName.ASSOCIATION_ENDED: _ended,
    EventName.REJECTED: _rejected,
    EventName.REJECTED_FINAL: _over,
    EventName.DISPUTED: _disputed,
}
