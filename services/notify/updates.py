"""What a partner is told of an event of its own claim (contract §3 "Update", D30).

A list of what is shown, never of what is hidden: a field that an event gets later is not told until it stands here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cpor.domain import events as ev
from cpor.domain import ids
from cpor.domain.model import Document
from cpor.domain.vocabulary import EventName
from cpor.runtime.processor import Context
from cpor.runtime.topics import updates_topic
from schemas.base import write
from schemas.claim_events import FieldChange
from schemas.envelope import headers
from schemas.parts import Reason
from schemas.receipts import Due
from schemas.updates import UPDATE, Update
from services.notify.claim import ClaimRow
from services.notify.tables import SOURCE

PARTITION = 0


def send_update(context: Context, row: ClaimRow, event: ev.Event) -> None:
    """One update for the event; `row` is the claim after it."""
    cause = ids.event_id(event.claim_id, event.sequence)
    told = headers(UPDATE, ids.derived_id(cause, UPDATE), SOURCE, event.at, event.claim_id, cause)
    value = write(update_of(row, event))
    context.emit(updates_topic(row.partner_id), PARTITION, row.claim_ref.encode(), value, told)


def update_of(row: ClaimRow, event: ev.Event) -> Update:
    """The update for `event`; `row` is the claim after it."""
    changes = _CHANGES.get(event.NAME)
    until = row.dispute_until(event.at)
    return Update(
        claim_id=event.claim_id,
        claim_ref=row.claim_ref,
        sequence=event.sequence,
        at=event.at,
        event=event.NAME,
        actor_kind=event.actor.kind,
        status=event.status,
        reasons=tuple(Reason(code=each.code, workloads=each.workloads) for each in row.reasons),
        comment=_comment(event),
        changes=tuple(changes(row, event)) if changes else (),
        due=tuple(Due(clock=each.clock, due=each.due) for each in row.due() if each.due > event.at),
        disputable=until is not None,
        dispute_until=until,
    )


#: Events whose text the partner reads: the dialogue (R31), and what others say to it.
_SPOKEN: Mapping[EventName, str] = {
    EventName.FILED: "comment",
    EventName.COMMENTED: "text",
    EventName.COMPETITION_FLAGGED: "comment",
    EventName.INFORMATION_REQUESTED: "comment",
    EventName.RESUBMITTED: "comment",
    EventName.APPROVED: "comment",
    EventName.REJECTED: "comment",
    EventName.REJECTED_FINAL: "comment",
    EventName.DISPUTED: "justification",
}


def _comment(event: ev.Event) -> str | None:
    field = _SPOKEN.get(event.NAME)
    return getattr(event, field) if field else None


def _now(field: str, value: Any) -> FieldChange:
    return FieldChange(field=field, before=None, after=value)


def _drafted(row: ClaimRow, event: ev.Drafted) -> Iterator[FieldChange]:
    yield from _filled_in(row, event)


def _filed(row: ClaimRow, event: ev.Filed) -> Iterator[FieldChange]:
    yield from _filled_in(row, event)
    yield from (_attached(each) for each in event.documents)


def _filled_in(row: ClaimRow, event: Any) -> Iterator[FieldChange]:
    """D11: as its last four characters."""
    if getattr(event, "subscription_id", None) is not None:
        yield _now("subscription_id", row.shown_subscription)


def _edited(row: ClaimRow, event: ev.Edited) -> Iterator[FieldChange]:
    """Fields of contacts by their names alone."""
    for each in event.changes:
        yield FieldChange(field=each.field, before=each.before, after=each.after)


def _attached(document: Document) -> FieldChange:
    return _now("documents", (document.document_id, document.filename))


def _document(row: ClaimRow, event: ev.DocumentAttached) -> Iterator[FieldChange]:
    yield _attached(event.document)


def _amended(row: ClaimRow, event: ev.DocumentAmended) -> Iterator[FieldChange]:
    yield _attached(event.document)
    for each in event.changes:
        yield FieldChange(field=each.field, before=each.before, after=each.after)


def _removed(row: ClaimRow, event: ev.DocumentRemoved) -> Iterator[FieldChange]:
    yield FieldChange(field="documents", before=(event.document_id,), after=None)


def _requested(row: ClaimRow, event: ev.InformationRequested) -> Iterator[FieldChange]:
    if event.remove_workloads:
        yield _now("remove_workloads", event.remove_workloads)


def _approved(row: ClaimRow, event: ev.Approved) -> Iterator[FieldChange]:
    yield _now("units", tuple(map(_own, event.units)))
    yield _now("incentive", event.incentive.value)
    if event.incentive_reason is not None:
        yield _now("incentive_reason", event.incentive_reason.value)


def _ended(row: ClaimRow, event: ev.AssociationEnded) -> Iterator[FieldChange]:
    yield FieldChange(field="units", before=tuple(map(_own, event.units)), after=None)
    yield _now("association_ended", event.reason.value)
    if event.ends_on is not None:
        yield _now("ends_on", event.ends_on.isoformat())


def _rejected(row: ClaimRow, event: ev.Rejected | ev.RejectedFinal) -> Iterator[FieldChange]:
    if event.units_released:
        yield FieldChange(field="units", before=tuple(map(_own, event.units_released)), after=None)
    if isinstance(event, ev.Rejected) and event.withdraw_reason is not None:
        yield _now("withdraw_reason", event.withdraw_reason.value)


def _disputed(row: ClaimRow, event: ev.Disputed) -> Iterator[FieldChange]:
    if event.document_ids:
        yield _now("documents", event.document_ids)


def _answered(row: ClaimRow, event: ev.ConsentAnswered) -> Iterator[FieldChange]:
    yield _now("consent", event.answer.value)


def _completed(row: ClaimRow, event: ev.ConsentCompleted) -> Iterator[FieldChange]:
    yield _now("consent", "completed")


def _suspended(row: ClaimRow, event: ev.ConsentSuspended) -> Iterator[FieldChange]:
    yield _now("consent", "suspended")
    yield _now("suspended", event.reason.value)


_RESULT_FIELDS = ("kind", "outcome", "reason", "engagement", "partner_role", "subscription_id", "amount", "currency")


def _result(row: ClaimRow, event: ev.IncentiveResult) -> Iterator[FieldChange]:
    """D29."""
    for field in (*_RESULT_FIELDS, "period"):
        value = getattr(event, field)
        if value is not None:
            yield _now(field, str(value))


def _legacy(row: ClaimRow, event: ev.LegacyImported) -> Iterator[FieldChange]:
    yield _now("units", tuple(map(_own, event.units)))
    if event.ends_on is not None:
        yield _now("ends_on", event.ends_on.isoformat())


def _own(unit: str) -> str:
    """A unit without its tenant, which is the claim's own: `workload/teams`."""
    return unit.partition("/")[2]


#: What else than status, reasons and comment is told; an event that is not here tells no more than these.
_CHANGES: Mapping[EventName, Callable[[ClaimRow, Any], Iterator[FieldChange]]] = {
    EventName.DRAFTED: _drafted,
    EventName.FILED: _filed,
    EventName.EDITED: _edited,
    EventName.DOCUMENT_ATTACHED: _document,
    EventName.DOCUMENT_AMENDED: _amended,
    EventName.DOCUMENT_REMOVED: _removed,
    EventName.SUBMITTED: _filled_in,
    EventName.INFORMATION_REQUESTED: _requested,
    EventName.RESUBMITTED: _filled_in,
    EventName.APPROVED: _approved,
    EventName.CONSENT_COMPLETED: _completed,
    EventName.ASSOCIATION_ENDED: _ended,
    EventName.REJECTED: _rejected,
    EventName.REJECTED_FINAL: _rejected,
    EventName.DISPUTED: _disputed,
    EventName.CONSENT_ANSWERED: _answered,
    EventName.CONSENT_SUSPENDED: _suspended,
    EventName.INCENTIVE_RESULT: _result,
    EventName.LEGACY_IMPORTED: _legacy,
}
