"""Proofs of execution: reserving, attaching, amending and removing them (R23 to R26, D12, D16, D21).

Intake has checked and copied the bytes before an attach comes here; the claim's own limits are judged here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from cpor.domain.commands import AmendDocument, AttachDocument, RemoveDocument, ReserveDocument
from cpor.domain.deciding.desk import Desk
from cpor.domain.deciding.document_checks import DocumentRules
from cpor.domain.deciding.windows import dispute_refusal
from cpor.domain.events import DocumentAmended, DocumentAttached, DocumentRemoved, FieldChange, FieldValue
from cpor.domain.model import ClaimState, Document
from cpor.domain.refusal import shown
from cpor.domain.result import Refused, refused_for
from cpor.domain.texts import FARTHEST_ON
from cpor.domain.vocabulary import Code, DocumentId, Status


def reserve(desk: Desk, data: ReserveDocument) -> Refused | None:
    """Whether a document like this may come; changes nothing (contract §3)."""
    if refusal := _closed(desk):
        return refusal
    rules = _rules(desk)
    errors = [*rules.room_errors(len(desk.claim.documents) + 1), *rules.file_errors(data)]
    return refused_for(errors) if errors else None


def attach(desk: Desk, data: AttachDocument) -> Refused | None:
    if refusal := _closed(desk):
        return refusal
    claim = desk.claim
    if errors := _rules(desk).attach_errors(claim.documents, (data,)):
        return refused_for(errors)
    desk.record(DocumentAttached, document=document_of(data, claim.sequence + 1))
    return None


def amend(desk: Desk, data: AmendDocument) -> Refused | None:
    old = desk.claim.document(data.document_id)
    if old is None:
        return _unknown(data.document_id)
    new = replace(old, **{name: getattr(data, name) for name in data.given})
    if errors := tuple(_rules(desk).detail_errors(new)):
        return refused_for(errors)
    if changes := _changes(old, new, data.given):
        desk.record(DocumentAmended, document=new, changes=changes)
    return None


def remove(desk: Desk, data: RemoveDocument) -> Refused | None:
    """It stays in History and no longer counts (D21)."""
    if desk.claim.document(data.document_id) is None:
        return _unknown(data.document_id)
    desk.record(DocumentRemoved, document_id=data.document_id)
    return None


def document_of(data: AttachDocument, sequence: int) -> Document:
    """The document as the claim keeps it; `sequence` is that of the attaching event."""
    return Document(
        document_id=data.document_id,
        object_key=data.object_key,
        filename=data.filename,
        content_type=data.content_type,
        size=data.size,
        sha256=data.sha256,
        description=data.description,
        customer_signed_on=data.customer_signed_on,
        covers=data.covers,
        version=data.version,
        attached_by=sequence,
    )


def uncovered(claim: ClaimState) -> tuple[str, ...]:
    """Workloads that no document names (R26); approval refuses them (D21)."""
    covered = {code for document in claim.documents for code in document.covers}
    return tuple(each for each in claim.form.workloads if each not in covered)


def signing_zones(desk: Desk, zone: str) -> tuple[str, ...]:
    """A signature may be of today where the claim is, or where the customer is, if only anybody knew where."""
    customer = desk.facts.customer
    return zone, (customer.timezone if customer else None) or FARTHEST_ON


def _rules(desk: Desk) -> DocumentRules:
    claim = desk.claim
    zones = signing_zones(desk, claim.origin.zone)
    return DocumentRules(desk.policy, claim.form.solution_area, desk.context.received_at, zones)


def _closed(desk: Desk) -> Refused | None:
    """D12: in rejected, documents are for a dispute and end with its window."""
    return dispute_refusal(desk) if desk.claim.status == Status.REJECTED else None


def _changes(old: Document, new: Document, given: Sequence[str]) -> tuple[FieldChange, ...]:
    pairs = ((name, _value(getattr(old, name)), _value(getattr(new, name))) for name in given)
    return tuple(FieldChange(name, before, after) for name, before, after in pairs if before != after)


def _value(value: str | date | tuple[str, ...] | None) -> FieldValue:
    return value.isoformat() if isinstance(value, date) else value


def _unknown(document: DocumentId) -> Refused:
    return Refused(Code.DOCUMENT_UNKNOWN, f"The claim has no document {shown(document)}.")
