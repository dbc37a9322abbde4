"""Checks partners' documents beside the worker's loop: fetch from quarantine, inspect, keep a copy."""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from services.intake.poe.fair import ByteBudget, FairPool
from services.intake.poe.inspect import refuse_unread
from services.intake.poe.inspectors import InspectorPool
from services.intake.poe.keys import accepted_key, is_partners_own
from services.intake.poe.limits import BY_MIME, MIB, Limits
from services.intake.poe.names import safe_filename
from services.intake.poe.store import ObjectMissing, ObjectTooLarge, PoeStore
from services.intake.poe.verdict import Accepted, Problem, ProblemCode, Refused, echo

#: One warning in so many seconds tells of passing faults: each is tried again many times a second.
TELL_SECONDS = 10.0
#: Of settled verdicts, for messages that come round again after an aborted or paused round.
REMEMBERED = 4096
#: Anything else was never a key of an accepted copy, and would make a strange one.
DIGEST = re.compile(r"[0-9a-f]{64}")


log = structlog.get_logger("cpor.intake")


@dataclass(frozen=True)
class DocumentRequest:
    """One document of one message, as its partner declared it. Equal requests share one check."""

    partner: str
    claim_id: str
    object_key: str
    content_type: str
    #: bytes
    size: int
    #: hex
    sha256: str
    #: The partner's name for it; only made safe and handed on.
    filename: str = ""
    #: What asks: topic-partition-offset of the message. With it a verdict is remembered for that message
    #: alone, so that a later message about the same document is judged anew.
    origin: str = ""


@dataclass(frozen=True)
class AcceptedDocument:
    """The document is kept for the claim, and this is where."""

    object_key: str
    #: None where the bucket keeps no versions
    version: str | None
    sha256: str
    #: bytes
    size: int
    content_type: str
    #: Safe to show, to store and to put into a header.
    filename: str


DocumentVerdict = AcceptedDocument | Refused


class DocumentChecker:
    """Checks documents on threads of its own. All methods are safe for use by many threads.

    A verdict depends only on the request and the stored bytes. What was accepted once stays accepted for
    the same request, also when its upload has since expired or was replaced: the accepted copy, which only
    this class writes, is looked at before a document is called missing or different.
    """

    def __init__(
        self,
        store: PoeStore,
        limits: Limits,
        *,
        threads: int = 16,
        processes: int = 2,
        bytes_in_flight: int = 64 * MIB,
        inspectors: InspectorPool | None = None,
    ) -> None:
        """One partner gets at most three quarters of the threads."""
        self._store = store
        self._limits = limits
        self._inspectors = inspectors or InspectorPool(limits, processes)
        self._inspectors.start()
        self._pool: FairPool[DocumentVerdict] = FairPool(threads, max(1, threads * 3 // 4), "poe")
        self._budget = ByteBudget(bytes_in_flight)
        self._lock = threading.Lock()
        self._known: OrderedDict[DocumentRequest, Future[DocumentVerdict]] = OrderedDict()
        self._told = float("-inf")

    def submit(self, request: DocumentRequest) -> Future[DocumentVerdict]:
        """A future of the verdict; it raises `StoreUnavailable` for passing faults of ours, after which the
        same request may be submitted again. An equal request that is under way, or settled for the same
        origin, is joined.
        """
        with self._lock:
            known = self._known.get(request)
            if known is not None:
                self._known.move_to_end(request)
                return known
            future = self._pool.submit(request.partner, lambda: self.check(request))
            self._known[request] = future
        future.add_done_callback(lambda done: self._settled(request, done))
        return future

    def check(self, request: DocumentRequest) -> DocumentVerdict:
        """The same, on the caller's thread. Raises `StoreUnavailable`."""
        if not is_partners_own(request.object_key, request.partner):
            return _missing(request)
        try:
            verdict = self._judge_upload(request)
        except ObjectMissing:
            verdict = _missing(request)
        if isinstance(verdict, Refused) and _may_have_changed(verdict):
            return self._accepted_before(request) or verdict
        return verdict

    def close(self) -> None:
        """Waits for the checks under way, cancels the others and ends the inspecting processes."""
        self._pool.close()
        self._inspectors.close()

    def _judge_upload(self, request: DocumentRequest) -> DocumentVerdict:
        """Reads as many bytes as were declared or, when there are more, all within the limit."""
        try:
            return self._judge(request, request.size)
        except ObjectTooLarge as larger:
            if larger.size > self._limits.max_bytes:
                return refuse_unread(request.content_type, larger.size, self._limits)
            size = larger.size
        try:
            return self._judge(request, size)
        except ObjectTooLarge as larger:  # replaced between the two reads
            return refuse_unread(request.content_type, larger.size, self._limits)

    def _judge(self, request: DocumentRequest, size: int) -> DocumentVerdict:
        size = min(max(size, 0), self._limits.max_bytes)
        with self._holding(size):
            content = self._store.fetch(request.object_key, size).content
            inspection = self._inspectors.inspect(
                content,
                declared_type=request.content_type,
                declared_size=request.size,
                declared_sha256=request.sha256,
            )
            if isinstance(inspection, Refused):
                return inspection
            return self._keep(request, inspection, content)

    def _keep(self, request: DocumentRequest, inspection: Accepted, content: bytes) -> AcceptedDocument:
        facts = inspection.facts
        kept = self._store.accept(request.claim_id, facts.sha256, content, facts.mime)
        return _accepted(request, kept.key, kept.version)

    def _accepted_before(self, request: DocumentRequest) -> AcceptedDocument | None:
        """The copy that an earlier attempt at this request kept, if its facts are those declared now."""
        digest = request.sha256.lower()
        if not DIGEST.fullmatch(digest):
            return None
        try:
            kept = self._store.head(accepted_key(request.claim_id, digest))
        except ObjectMissing:
            return None
        same = (kept.size, kept.content_type) == (request.size, request.content_type)
        return _accepted(request, kept.key, kept.version) if same else None

    @contextmanager
    def _holding(self, size: int) -> Iterator[None]:
        share = self._budget.take(size)
        try:
            yield
        finally:
            self._budget.give_back(share)

    def _settled(self, request: DocumentRequest, done: Future[DocumentVerdict]) -> None:
        """Forgets what must be asked again, and the oldest of the rest."""
        fault = None if done.cancelled() else done.exception()
        failed = done.cancelled() or fault is not None
        with self._lock:
            if fault is not None:
                self._tell(request, fault)
            if failed or not request.origin:
                self._known.pop(request, None)
            while len(self._known) > REMEMBERED and next(iter(self._known.values())).done():
                self._known.popitem(last=False)

    def _tell(self, request: DocumentRequest, fault: BaseException) -> None:
        """The message waits and is asked for again: without this a store that is gone would be silent."""
        if time.monotonic() - self._told < TELL_SECONDS:
            return
        self._told = time.monotonic()
        log.warning("a document could not be checked yet", origin=request.origin, cause=repr(fault)[:300])


def _may_have_changed(verdict: Refused) -> bool:
    """Whether the upload is not, or no longer, what was declared."""
    changed = {ProblemCode.MISSING, ProblemCode.DIGEST_MISMATCH, ProblemCode.TOO_LARGE}
    return any(problem.code in changed for problem in verdict.problems)


def _missing(request: DocumentRequest) -> Refused:
    detail = f"There is no uploaded file {echo(request.object_key)} of this partner."
    return Refused((Problem(ProblemCode.MISSING, detail),))


def _accepted(request: DocumentRequest, key: str, version: str | None) -> AcceptedDocument:
    row = BY_MIME[request.content_type]
    name = safe_filename(request.filename or request.object_key, row)
    return AcceptedDocument(key, version, request.sha256.lower(), request.size, row.mime, name)
