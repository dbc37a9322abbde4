"""`evolve` and `fold`: a claim's state is what its events add up to, and nothing else.

Nothing is looked up here and nothing is judged: an event says all that it changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from operator import attrgetter
from typing import Any, cast

from cpor.domain import events as ev
from cpor.domain.model import (
    Approval,
    ClaimState,
    ClockPause,
    Comment,
    Consent,
    ConsentStage,
    Document,
    Origin,
    Personal,
    Provided,
    RunningClock,
)
from cpor.domain.vocabulary import (
    ActorKind,
    Clock,
    ConsentOutcome,
    Incentive,
    IncentiveReason,
    Status,
    UserId,
)

#: Comments a snapshot keeps; all of them stand in the events (contract §5).
NEWEST_COMMENTS = 20
#: Incentive results whose messages are known again: as many as of a claim reference (contract §2).
NEWEST_RESULTS = 100

PERSONAL_FIELDS: tuple[str, ...] = ("customer_contact", "partner_contact", "technical_contact", "revenue")

Changes = dict[str, Any]

#: Straight into the slots: a quarter of the time of `dataclasses.replace`, which is most of what one event costs.
_SLOTS: dict[str, Callable[[ClaimState, Any], None]] = {
    each.name: getattr(ClaimState, each.name).__set__ for each in fields(ClaimState)
}
_values_of = attrgetter(*_SLOTS)


class BrokenSequence(ValueError):
    """An event does not follow on the state it is to change: a gap, a double, or another claim's."""


def fold(events: Iterable[ev.Event]) -> ClaimState | None:
    """The state after these events of one claim, in order; None for no events. Raises BrokenSequence."""
    state: ClaimState | None = None
    for event in events:
        state = evolve(state, event)
    return state


def evolve(state: ClaimState | None, event: ev.Event) -> ClaimState:
    """The state after one more event. Raises BrokenSequence."""
    if state is None:
        return _begin(event)
    if event.sequence != state.sequence + 1 or event.claim_id != state.claim_id:
        raise BrokenSequence(f"{event.claim_id}/{event.sequence} after {state.claim_id}/{state.sequence}")
    changes = _CHANGES[event.NAME](state, event)
    changes["sequence"] = event.sequence
    if event.NAME not in ev.NON_BLOCKING:
        changes["last_blocking_sequence"] = event.sequence
    if event.status != state.status:
        changes["status"] = event.status
        changes["entered_by"] = event.sequence
    if event.clocks_started or event.clocks_stopped:
        changes["clocks"] = _clocks(state, event)
    return _changed(state, changes)


def _changed(state: ClaimState, changes: Changes) -> ClaimState:
    """A new state; the one given stays as it is."""
    fresh: ClaimState = object.__new__(ClaimState)
    for put, value in zip(_SLOTS.values(), _values_of(state), strict=True):
        put(fresh, value)
    for name, value in changes.items():
        _SLOTS[name](fresh, value)
    return fresh


def _begin(event: ev.Event) -> ClaimState:
    if event.sequence != 1 or not isinstance(event, ev.Drafted | ev.LegacyImported):
        raise BrokenSequence(f"{event.claim_id}/{event.sequence} begins no claim")
    if isinstance(event, ev.LegacyImported):
        return _legacy(event)
    drafted = _drafted(event)
    return _filed(drafted, event) if isinstance(event, ev.Filed) else drafted


def _drafted(event: ev.Drafted) -> ClaimState:
    return ClaimState(
        claim_id=event.claim_id,
        claim_ref=event.claim_ref,
        partner_id=event.partner_id,
        policy=event.policy,
        status=event.status,
        sequence=1,
        last_blocking_sequence=1,
        entered_by=1,
        form=event.form,
        personal=event.personal,
        origin=Origin(event.at, UserId(event.actor.id), event.zone, event.calendar, event.source),
    )


def _filed(state: ClaimState, event: ev.Filed) -> ClaimState:
    first = (Comment(1, event.at, event.actor, event.comment),) if event.comment else ()
    return replace(
        state,
        documents=event.documents,
        comments=first,
        comment_count=len(first),
        clocks=_clocks(state, event),
        acknowledgements=event.acknowledgements,
        submitted_at=event.at,
        submitted_by=event.actor.id,
        **_filled_in(state, event),
    )


def _legacy(event: ev.LegacyImported) -> ClaimState:
    """D23: official from the start, and nothing downstream ever hears of it."""
    return ClaimState(
        claim_id=event.claim_id,
        claim_ref=event.claim_ref,
        partner_id=event.partner_id,
        policy=event.policy,
        status=event.status,
        sequence=1,
        last_blocking_sequence=1,
        entered_by=1,
        form=event.form,
        personal=Personal(),
        origin=Origin(event.at, None, event.zone, event.calendar, event.source, True, event.ends_on),
        units=event.units,
        approval=Approval(1, event.at, Incentive.NONE, IncentiveReason.LEGACY, completed_at=event.at),
        consent=Consent(ConsentStage.COMPLETED),
        decided_at=event.at,
    )


def _clocks(state: ClaimState, event: ev.Event) -> tuple[RunningClock, ...]:
    paused = event.clocks_paused if isinstance(event, ev.InformationRequested) else ()
    begun = [each.clock for each in event.clocks_started]
    standing = [_paused(each, paused) for each in state.clocks if each.clock not in event.clocks_stopped]
    kept = [each for each in standing if each.clock not in begun]
    started = [
        RunningClock(each.clock, event.sequence, each.starts_at, each.budget, each.calendar, each.due)
        for each in event.clocks_started
    ]
    return (*kept, *started)


def _paused(clock: RunningClock, paused: tuple[ClockPause, ...]) -> RunningClock:
    remaining = next((each.remaining for each in paused if each.clock == clock.clock), clock.remaining)
    return replace(clock, remaining=remaining)


def _nothing(state: ClaimState, event: ev.Event) -> Changes:
    return {}


def _edited(state: ClaimState, event: ev.Edited) -> Changes:
    names = tuple(each.field for each in event.changes)
    form = {each.field: each.after for each in event.changes if each.field not in PERSONAL_FIELDS}
    people = {name: getattr(event.personal, name) for name in names if name in PERSONAL_FIELDS}
    changes = _provided(state, fields=names)
    if form:
        changes["form"] = replace(state.form, **cast(Any, form))
    if people:
        changes["personal"] = replace(state.personal, **people)
    return changes | _waiting_again(state, event)


def _waiting_again(state: ClaimState, event: ev.Event) -> Changes:
    """A restarted wait ends a suspension (D20)."""
    due = next((each.due for each in event.clocks_started if each.clock == Clock.CONSENT_WAIT), None)
    if due is None:
        return {}
    return {"consent": replace(state.consent, stage=ConsentStage.WAITING, due=due, suspended=None)}


def _provided(state: ClaimState, fields: tuple[str, ...] = (), documents: int = 0, comments: int = 0) -> Changes:
    """What counts against `nothing_provided` (D15); only an open request asks for anything."""
    if state.status != Status.PARTNER_ACTION_REQUIRED:
        return {}
    old = state.provided
    named = (*old.fields, *(each for each in fields if each not in old.fields))
    return {"provided": Provided(named, old.documents + documents, old.comments + comments)}


def _attached(state: ClaimState, event: ev.DocumentAttached) -> Changes:
    return {"documents": (*state.documents, event.document), **_provided(state, documents=1)}


def _amended(state: ClaimState, event: ev.DocumentAmended) -> Changes:
    return {
        "documents": tuple(_either(each, event.document) for each in state.documents),
        **_provided(state, documents=1),
    }


def _either(old: Document, new: Document) -> Document:
    return new if old.document_id == new.document_id else old


def _removed(state: ClaimState, event: ev.DocumentRemoved) -> Changes:
    return {
        "documents": tuple(each for each in state.documents if each.document_id != event.document_id),
        **_provided(state, documents=1),
    }


def _commented(state: ClaimState, event: ev.Commented) -> Changes:
    changes = _comment(state, event, event.text)
    if event.actor.kind == ActorKind.PARTNER:
        changes |= _provided(state, comments=1)
    return changes


def _comment(state: ClaimState, event: ev.Event, text: str | None) -> Changes:
    if not text:
        return {}
    newest = (*state.comments, Comment(event.sequence, event.at, event.actor, text))[-NEWEST_COMMENTS:]
    return {"comments": newest, "comment_count": state.comment_count + 1}


def _submitted(state: ClaimState, event: ev.Submitted) -> Changes:
    return {
        "acknowledgements": event.acknowledgements,
        "submitted_at": event.at,
        "submitted_by": event.actor.id,
        **_filled_in(state, event),
    }


def _filled_in(state: ClaimState, event: ev.Filed | ev.Submitted | ev.Resubmitted) -> Changes:
    """D11: the one subscription of a P2020 claim that named none."""
    if event.subscription_id is None:
        return {}
    form = replace(state.form, subscription_id=event.subscription_id)
    return {"form": form, "subscription_filled_in": True}


def _resubmitted(state: ClaimState, event: ev.Resubmitted) -> Changes:
    return {
        **_comment(state, event, event.comment),
        "provided": Provided(),
        "reasons": (),
        "remove_workloads": (),
        **_filled_in(state, event),
    }


def _flagged(state: ClaimState, event: ev.CompetitionFlagged) -> Changes:
    new = tuple(each for each in event.competes_with if each not in state.competes_with)
    return {"competes_with": (*state.competes_with, *new), **_comment(state, event, event.comment)}


def _requested(state: ClaimState, event: ev.InformationRequested) -> Changes:
    return {
        **_comment(state, event, event.comment),
        "reasons": event.reasons,
        "remove_workloads": event.remove_workloads,
        "provided": Provided(),
    }


def _approved(state: ClaimState, event: ev.Approved) -> Changes:
    waiting = _waiting_again(state, event)
    return {
        **_comment(state, event, event.comment),
        **waiting,
        "units": event.units,
        "reasons": (),
        "approval": Approval(event.sequence, event.at, event.incentive, event.incentive_reason),
        "decided_at": event.at,
    }


def _completed(state: ClaimState, event: ev.ConsentCompleted) -> Changes:
    approval = state.approval and replace(state.approval, completed_at=event.at)
    return {"approval": approval, "consent": replace(state.consent, stage=ConsentStage.COMPLETED)}


def _ended(state: ClaimState, event: ev.AssociationEnded) -> Changes:
    left = tuple(each for each in state.units if each not in event.units)
    changes: Changes = {"units": left}
    if not left and state.consent.stage != ConsentStage.COMPLETED:
        changes["consent"] = _no_wait(state.consent)
    return changes


def _no_wait(consent: Consent) -> Consent:
    return replace(consent, stage=ConsentStage.NONE, due=None, suspended=None)


def _rejected(state: ClaimState, event: ev.Rejected | ev.RejectedFinal) -> Changes:
    return {
        **_comment(state, event, event.comment),
        "reasons": event.reasons,
        "units": (),
        "consent": _no_wait(state.consent),
        "decided_at": event.at,
    }


def _disputed(state: ClaimState, event: ev.Disputed) -> Changes:
    return {
        **_comment(state, event, event.justification),
        "disputes": state.disputes + 1,
        "dispute_spent": event.spends_dispute,
    }


def _parked(state: ClaimState, event: ev.Parked) -> Changes:
    return {"parked": True, "letters": (*state.letters, event.letter_id)}


def _unparked(state: ClaimState, event: ev.Unparked) -> Changes:
    left = tuple(each for each in state.letters if each != event.letter_id)
    return {"parked": bool(left), "letters": left}


def _answered(state: ClaimState, event: ev.ConsentAnswered) -> Changes:
    if event.answer == ConsentOutcome.DECLINED:
        return {"consent": replace(state.consent, declined_early=True)}
    consent = _waiting_again(state, event).get("consent", state.consent)
    return {"consent": replace(consent, agreed_at=event.at)}


def _suspended(state: ClaimState, event: ev.ConsentSuspended) -> Changes:
    return {"consent": replace(state.consent, stage=ConsentStage.SUSPENDED, suspended=event.reason)}


def _resulted(state: ClaimState, event: ev.IncentiveResult) -> Changes:
    told = () if event.message_id is None else (event.message_id,)
    return {"results": (*state.results, *told)[-NEWEST_RESULTS:]}


#: One row an event; what begins a claim is in `_begin`.
_CHANGES: dict[str, Callable[[ClaimState, Any], Changes]] = {
    ev.Edited.NAME: _edited,
    ev.DocumentAttached.NAME: _attached,
    ev.DocumentAmended.NAME: _amended,
    ev.DocumentRemoved.NAME: _removed,
    ev.Commented.NAME: _commented,
    ev.Submitted.NAME: _submitted,
    ev.CompetitionFlagged.NAME: _flagged,
    ev.ReviewStarted.NAME: _nothing,
    ev.InformationRequested.NAME: _requested,
    ev.Resubmitted.NAME: _resubmitted,
    ev.Approved.NAME: _approved,
    ev.ConsentCompleted.NAME: _completed,
    ev.AssociationEnded.NAME: _ended,
    ev.Rejected.NAME: _rejected,
    ev.RejectedFinal.NAME: _rejected,
    ev.Disputed.NAME: _disputed,
    ev.Cancelled.NAME: _nothing,
    ev.Parked.NAME: _parked,
    ev.Unparked.NAME: _unparked,
    ev.CommandRefused.NAME: _nothing,
    ev.ConsentAnswered.NAME: _answered,
    ev.ConsentSuspended.NAME: _suspended,
    ev.IncentiveResult.NAME: _resulted,
}
