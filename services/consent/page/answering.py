"""An answer from the page: what speaks against a person having given it, its evidence, and the way onto the log."""

from __future__ import annotations

import hashlib
import json
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from cpor.domain import ids
from cpor.domain.vocabulary import Instant, instant_text
from cpor.runtime.record import Output
from cpor.runtime.topics import Topic
from cpor.runtime.transport.port import Publisher, Transport
from schemas.base import write
from schemas.consent import RESPONSE, Answer, AnswerChannel, Doubt, Response
from schemas.envelope import headers
from services.consent.page.knowledge import NoticeSent
from services.consent.tokens import About

#: A form counts for that long after its page was opened, ms.
FORM_MS = 4 * 3_600_000
#: Sooner after the notice's delivery no person has read it, ms.
SOON_MS = 3_000
LONGEST_AGENT = 200
#: How long the log may take to say that it has an answer, seconds.
WRITE_SECONDS = 8.0


class NotWritten(Exception):
    """The log did not say in time that it has the answer: nobody knows whether it will."""


def doubts_of(notice: NoticeSent, opened_at: int | None, now: int) -> tuple[Doubt, ...]:
    """`opened_at`: when the page was opened that the form is from, None where there is no such form."""
    visited = opened_at is not None and 0 <= now - opened_at <= FORM_MS
    soon = notice.delivered_at is None or now - notice.delivered_at < SOON_MS
    return tuple(doubt for doubt, applies in ((Doubt.NO_VISIT, not visited), (Doubt.TOO_SOON, soon)) if applies)


@cache
def page_version() -> str:
    """Names what the page said: a digest of its templates."""
    files = sorted((Path(__file__).parent / "templates").glob("*.html"))
    return hashlib.sha256(b"\0".join(each.read_bytes() for each in files)).hexdigest()[:12]


def evidence_of(about: About, notice: NoticeSent, opened_at: int | None, now: int, agent: str, language: str) -> str:
    """JSON: what shows that the answer is the customer's. No address of the network is part of it."""
    shown = {
        "opened_at": None if opened_at is None else instant_text(Instant(opened_at)),
        "answered_at": instant_text(Instant(now)),
        "token_id": about.request,
        "recipient": about.recipient or None,
        "user_agent": "".join(each for each in agent if each.isprintable())[:LONGEST_AGENT],
        "notice": {
            "kind": notice.notice,
            "mail_id": notice.mail_id,
            "language": notice.language,
            "sha256": notice.digest,
            "delivered_at": None if notice.delivered_at is None else instant_text(Instant(notice.delivered_at)),
        },
        "page": {"version": page_version(), "language": language},
    }
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":"))


def response_of(about: About, answer: Answer, doubts: tuple[Doubt, ...], evidence: str) -> Response:
    told: dict[str, Any] = {"doubts": doubts} if doubts else {}
    return Response(
        claim_id=about.claim_id,
        answer=answer,
        channel=AnswerChannel.PAGE,
        token_id=about.request,
        evidence=evidence,
        **told,
    )


def output_of(about: About, said: Response, now: int, partitions: int) -> Output:
    """In the tenant's partition, under an id of its own."""
    tenant = about.tenant_id
    spoken = headers(RESPONSE, str(uuid.uuid4()), f"/customers/{tenant}", Instant(now), about.claim_id)
    place = ids.tenant_partition(tenant, partitions)
    return Output(Topic.CONSENT_RESPONSES, place, tenant.encode(), write(said), spoken)


class Log:
    """Writes one record after the other, and waits until all replicas have it.

    In a thread of its own, for the client may wait without limit; one that did is left behind with its thread.
    """

    def __init__(self, transport: Transport, seconds: float = WRITE_SECONDS) -> None:
        self._transport = transport
        self._seconds = seconds
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(1, "log")
        self._publisher: Publisher | None = None

    def write(self, output: Output) -> None:
        """Returns when the record is on the log. Raises NotWritten."""
        with self._alone():
            try:
                self._thread.submit(self._send, output).result(self._seconds)
            except Exception as fault:
                self._leave_behind()
                raise NotWritten(repr(fault)[:300]) from fault

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if not self._lock.acquire(timeout=self._seconds):
            raise NotWritten("others wait already")
        try:
            yield
        finally:
            self._lock.release()

    def _send(self, output: Output) -> None:
        if self._publisher is None:
            self._publisher = self._transport.publisher()
        self._publisher.send(output)
        self._publisher.flush(self._seconds)

    def _leave_behind(self) -> None:
        publisher, self._publisher = self._publisher, None
        if publisher is not None:
            self._thread.submit(publisher.close)
        self._thread.shutdown(wait=False)
        self._thread = ThreadPoolExecutor(1, "log")

    def close(self) -> None:
        self._leave_behind()
        self._thread.shutdown(wait=False)
