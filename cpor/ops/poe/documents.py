"""A claim's documents, those that were removed too, and which of them are meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from cpor.domain.events import DocumentAmended, DocumentAttached, DocumentRemoved, Event, Filed
from cpor.domain.model import ClaimState, Document
from cpor.domain.vocabulary import Code
from cpor.domain.wire import decode_event
from cpor.ops.book import SHORTEST_PREFIX
from cpor.ops.errors import Refused
from cpor.ops.history import claim_events
from cpor.ops.instance import Instance
from schemas import envelope

#: The events that say something of documents, by their type.
TELLING = {kind.NAME.ce_type: kind.NAME for kind in (Filed, DocumentAttached, DocumentAmended, DocumentRemoved)}


@dataclass(frozen=True, slots=True)
class ListedDocument:
    """A document as it is now, or was when it was removed. Times in ms since the epoch, by the instance's clock."""

    document: Document
    attached_at: int
    amended_at: int | None = None
    removed_at: int | None = None

    @property
    def counts(self) -> bool:
        return self.removed_at is None


def read_documents(instance: Instance, state: ClaimState) -> list[ListedDocument]:
    """In the order in which they were attached."""
    records = ((each.header(envelope.TYPE), each.value or b"") for each in claim_events(instance, state))
    return listed(decode_event(TELLING[told], value) for told, value in records if told in TELLING)


def listed(events: Iterable[Event]) -> list[ListedDocument]:
    """What the events of one claim, in their order, made of its documents."""
    found: dict[str, ListedDocument] = {}
    for event in events:
        for document in _attached(event):
            found[document.document_id] = ListedDocument(document, event.at)
        if isinstance(event, DocumentAmended):
            key = event.document.document_id
            found[key] = replace(found[key], document=event.document, amended_at=event.at)
        if isinstance(event, DocumentRemoved):
            found[event.document_id] = replace(found[event.document_id], removed_at=event.at)
    return list(found.values())


def _attached(event: Event) -> Iterator[Document]:
    if isinstance(event, Filed):
        yield from event.documents
    if isinstance(event, DocumentAttached):
        yield event.document


def choose(state: ClaimState, wanted: Sequence[str]) -> list[Document]:
    """Of the documents that count those with these ids, or unmistakable beginnings of ids; all where none is named.

    Raises Refused `document_unknown`.
    """
    named = {_pick(state, each).document_id for each in wanted}
    return [each for each in state.documents if not wanted or each.document_id in named]


def _pick(state: ClaimState, wanted: str) -> Document:
    name = wanted.lower()
    beginning = name if len(name) >= SHORTEST_PREFIX else None
    whole = [each for each in state.documents if each.document_id == name]
    found = whole or [each for each in state.documents if beginning and each.document_id.startswith(beginning)]
    if len(found) != 1:
        told = f"{wanted} is {'more than one' if found else 'no'} document of {state.claim_ref} that counts"
        raise Refused(f"{told}; `cpor poe list {state.claim_ref}` names them", Code.DOCUMENT_UNKNOWN)
    return found[0]
