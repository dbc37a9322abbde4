"""What a batch needs of the store, gathered beside the worker's loop: verdicts on documents, signed uploads.

`prepare` asks for more than `process` may need (a message it asks for may yet be refused), never for less.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from cpor.domain.ids import claim_id, derived_id
from cpor.domain.vocabulary import CommandName, DocumentId, datetime_instant, instant_text
from cpor.runtime.processor import Lookup
from cpor.runtime.record import Record, last_header
from schemas.partner_commands import Attach, File, Reserve
from services.intake.message import Message, sender
from services.intake.poe.check import DocumentRequest, DocumentVerdict
from services.intake.poe.errors import StoreUnavailable
from services.intake.poe.keys import incoming_key
from services.intake.poe.limits import Limits
from services.intake.poe.store import UPLOAD_VALID
from services.intake.references import Reference, Reservation, row_key

#: Documents of one partition that may be under way or waiting for their message's turn.
MOST_PER_PARTITION = 256

_ASKING = frozenset(name.value.encode() for name in (CommandName.POE_RESERVE, CommandName.POE_ATTACH, CommandName.FILE))


class Checker(Protocol):
    """`poe.check.DocumentChecker`, as far as it is needed here."""

    def submit(self, request: DocumentRequest) -> Future[DocumentVerdict]:
        """A future of the verdict; it raises `StoreUnavailable` for passing faults of ours."""


class Signer(Protocol):
    """`poe.store.PoeStore`, as far as it is needed here."""

    def presign_upload(
        self, partner: str, document_id: str, content_type: str, size: int, sha256: str, now: datetime
    ) -> dict[str, Any]:
        """`{"url", "fields"}` of a form POST, valid for 24 hours from `now`, which is real time."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """The message, so that it is not parsed twice, and what was found out for it."""

    message: Message
    #: In the order of the message's documents; of an attach one, or none where nothing was reserved.
    verdicts: tuple[DocumentVerdict, ...] = ()
    #: Of a reserve: {url, fields, expires_at}.
    upload: Mapping[str, Any] | None = None


def document_id(message: Message, n: int = 0) -> DocumentId:
    """Of the document a reserve asks for (0), or of the n-th one of a file; the 0-th id is the inbox message's own."""
    return DocumentId(derived_id(message.receipt_id, message.type or "", n + 1))


def reservation_of(message: Message, body: Reserve) -> Reservation:
    return Reservation(document_id(message), body.filename, body.content_type, body.size, body.sha256)


Place = tuple[str, int, int]
Under = tuple[Message, tuple[Future[DocumentVerdict], ...], Mapping[str, Any] | None]


class Gathering:
    """The preparation of one batch; see `cpor.runtime.processor.Preparation`."""

    def __init__(self) -> None:
        self._under: dict[Place, Under] = {}
        self._held_back: set[Place] = set()

    def add(
        self, message: Message, verdicts: tuple[Future[DocumentVerdict], ...], upload: Mapping[str, Any] | None
    ) -> None:
        self._under[_place(message.record)] = (message, verdicts, upload)

    def hold_back(self, record: Record) -> None:
        """Its partition has enough under way: it comes again in a later batch."""
        self._held_back.add(_place(record))

    def wait(self, seconds: float) -> None:
        wait([future for _, verdicts, _ in self._under.values() for future in verdicts], timeout=seconds)

    def ready(self, record: Record) -> bool:
        if not self._under:
            return True
        place = _place(record)
        if place in self._held_back:
            return False
        under = self._under.get(place)
        return under is None or all(map(_has_verdict, under[1]))

    def facts(self, record: Record) -> Gathered | None:
        under = self._under.get(_place(record)) if self._under else None
        if under is None:
            return None
        message, verdicts, upload = under
        return Gathered(message, tuple(future.result() for future in verdicts), upload)


def _place(record: Record) -> Place:
    return record[:3]


def _has_verdict(future: Future[DocumentVerdict]) -> bool:
    """A passing fault is no verdict; a fault of ours is passed on by `facts`, and stops the worker."""
    if not future.done() or future.cancelled():
        return False
    return not isinstance(future.exception(), StoreUnavailable)


class Documents:
    """Starts checks and signs uploads for whatever in a batch has documents."""

    def __init__(self, checker: Checker, signer: Signer, limits: Limits, table: str) -> None:
        self._checker = checker
        self._signer = signer
        self._table = table
        self.limits = limits

    def prepare(self, batch: Sequence[Record], lookup: Lookup) -> Gathering:
        """Never blocks. Messages that will be refused anyway for what stands on them are passed over."""
        gathering = Gathering()
        reserved: dict[str, Reservation] = {}
        under_way: Counter[tuple[str, int]] = Counter()
        for record in batch:
            if last_header(record.headers, "ce_type") not in _ASKING:
                continue
            if under_way[record[:2]] >= MOST_PER_PARTITION:
                gathering.hold_back(record)
                continue
            message = _readable(record)
            if message is not None:
                under_way[record[:2]] += self._begin(gathering, message, reserved, lookup)
        return gathering

    def _begin(self, gathering: Gathering, message: Message, reserved: dict[str, Reservation], lookup: Lookup) -> int:
        """Starts what one message needs; the number of documents."""
        body = message.body
        if isinstance(body, Reserve):
            reserved[document_id(message)] = reservation_of(message, body)
            gathering.add(message, (), self._sign(message, body))
            return 0
        requests = list(self._requests(message, reserved, lookup))
        gathering.add(message, tuple(self._checker.submit(request) for request in requests), None)
        return len(requests)

    def _sign(self, message: Message, body: Reserve) -> Mapping[str, Any]:
        now = datetime.now(UTC)
        post = self._signer.presign_upload(
            message.partner, document_id(message), body.content_type, body.size, body.sha256, now
        )
        return {**post, "expires_at": instant_text(datetime_instant(now + UPLOAD_VALID))}

    def _requests(
        self, message: Message, reserved: Mapping[str, Reservation], lookup: Lookup
    ) -> Iterator[DocumentRequest]:
        body = message.body
        if isinstance(body, File) and len(body.documents) <= self.limits.max_documents:
            for each in body.documents:
                yield _request(message, each.object_key, each.content_type, each.size, each.sha256, each.filename)
        elif isinstance(body, Attach):
            found = reserved.get(body.document_id) or self._reservation(message, body, lookup)
            if found is not None:
                key = incoming_key(message.partner, found.document_id)
                yield _request(message, key, found.content_type, found.size, found.sha256, found.filename)

    def _reservation(self, message: Message, body: Attach, lookup: Lookup) -> Reservation | None:
        key = row_key(message.partner, message.claim_ref or "")
        row: Reference | None = lookup.get(self._table, message.record.partition, key)
        return None if row is None else row.reserved(body.document_id)


def _readable(record: Record) -> Message | None:
    """The message, if it may come as far as its documents."""
    partner = sender(record.topic)
    if partner is None:
        return None
    message = Message(partner, record)
    if message.claim_ref is None or message.message_id is None or message.is_too_large:
        return None
    return message if isinstance(message.body, Reserve | Attach | File) else None


def _request(message: Message, key: str, content_type: str, size: int, sha256: str, filename: str) -> DocumentRequest:
    return DocumentRequest(
        partner=message.partner,
        claim_id=claim_id(message.partner, message.claim_ref or ""),
        object_key=key,
        content_type=content_type,
        size=size,
        sha256=sha256,
        filename=filename,
        origin=message.record.origin,
    )
