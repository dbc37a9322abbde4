from __future__ import annotations

import socket
import time
from concurrent.futures import wait
from dataclasses import replace
from datetime import date
from pathlib import Path

import boto3
import pytest
from structlog.testing import capture_logs

from cpor.devstack.endpoints import Endpoints
from cpor.devstack.samples import BadFile, bad_files, poe_pdf, realistic_content, scan_png
from cpor.devstack.stack import Stack
from services.intake.poe.check import AcceptedDocument, DocumentChecker, DocumentRequest
from services.intake.poe.errors import StoreUnavailable
from services.intake.poe.keys import accepted_key, incoming_key
from services.intake.poe.limits import P2023
from services.intake.poe.store import PoeStore, StoreAddress
from services.intake.poe.verdict import Refused
from tests.integration.intake.s3 import address_of, sha256, unique

pytestmark = pytest.mark.integration

PARTNER = "P-1"
PDF = "application/pdf"
CONTENT = poe_pdf(
    realistic_content(
        seed="checker",
        partner_name="Fabrikam",
        partner_location_id="4711001",
        customer_name="Contoso",
        domain="contoso.example",
        tenant_id="3f2b8a52-6a5e-4d0b-9d43-5c1d8c2a7e10",
        country="US",
        partner_role="build_intent_advisor",
        workloads=("sales",),
        signed_on=date(2026, 3, 2),
        issued_on=date(2026, 3, 4),
    )
)


def request(
    content: bytes = CONTENT, mime: str = PDF, *, key: str | None = None, name: str = "PoE.pdf"
) -> DocumentRequest:
    """A true declaration of `content` under a key of its own."""
    object_key = key or incoming_key(PARTNER, unique("d"))
    return DocumentRequest(PARTNER, unique("c"), object_key, mime, len(content), sha256(content), name)


def verdict_of(checker: DocumentChecker, asked: DocumentRequest) -> AcceptedDocument | Refused:
    return checker.submit(asked).result(timeout=60)


def verdict_when_back(checker: DocumentChecker, asked: DocumentRequest) -> AcceptedDocument | Refused:
    """A store that has just started may answer for a while that it cannot."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return verdict_of(checker, asked)
        except StoreUnavailable:
            assert time.monotonic() < deadline
            time.sleep(0.2)


def codes(verdict: object) -> tuple[str, ...]:
    return tuple(problem.code for problem in verdict.problems) if isinstance(verdict, Refused) else ()


def test_a_good_document_is_kept_for_its_claim_and_the_verdict_says_where(
    store: PoeStore, checker: DocumentChecker
) -> None:
    asked = request(name="../PoE Contoso.PDF")
    store.put(asked.object_key, CONTENT, PDF)
    verdict = verdict_of(checker, asked)
    assert isinstance(verdict, AcceptedDocument)
    assert verdict.object_key == accepted_key(asked.claim_id, asked.sha256)
    assert (verdict.size, verdict.sha256, verdict.content_type) == (len(CONTENT), sha256(CONTENT), PDF)
    assert verdict.filename == "PoE Contoso.pdf"
    kept = store.head(verdict.object_key)
    assert (kept.version, kept.sha256, kept.content_type) == (verdict.version, verdict.sha256, PDF)
    assert store.fetch(verdict.object_key, len(CONTENT)).content == CONTENT


@pytest.mark.parametrize("bad", bad_files().values(), ids=lambda bad: bad.kind)
def test_each_bad_file_is_refused_with_its_codes_and_nothing_is_kept(
    store: PoeStore, checker: DocumentChecker, bad: BadFile
) -> None:
    size, digest = bad.declaration()
    asked = replace(request(), content_type=bad.content_type, size=size, sha256=digest, filename=bad.filename)
    if bad.uploaded:
        store.put(asked.object_key, bad.content(), bad.content_type)
    assert codes(verdict_of(checker, asked)) == bad.codes
    with pytest.raises(Exception, match="404"):
        store.head(accepted_key(asked.claim_id, digest))


def test_a_file_that_is_larger_than_declared_but_allowed_is_judged_whole(
    store: PoeStore, checker: DocumentChecker
) -> None:
    asked = replace(request(), size=10, content_type="image/png")
    store.put(asked.object_key, CONTENT, PDF)
    assert codes(verdict_of(checker, asked)) == ("document_digest_mismatch", "document_type_not_allowed")


@pytest.mark.parametrize("size", [-1, 0, 2**70])
def test_an_absurd_declared_size_is_a_mismatch_and_costs_nothing(
    store: PoeStore, checker: DocumentChecker, size: int
) -> None:
    asked = replace(request(), size=size)
    store.put(asked.object_key, CONTENT, PDF)
    assert codes(verdict_of(checker, asked)) == ("document_digest_mismatch",)


@pytest.mark.parametrize("digest", ["", "not hex", "../../x", "é" * 64])
def test_an_absurd_declared_digest_is_a_mismatch(store: PoeStore, checker: DocumentChecker, digest: str) -> None:
    asked = replace(request(), sha256=digest)
    store.put(asked.object_key, CONTENT, PDF)
    assert codes(verdict_of(checker, asked)) == ("document_digest_mismatch",)


def test_another_partners_file_looks_like_no_file(store: PoeStore, checker: DocumentChecker) -> None:
    theirs = incoming_key("P-2", unique("d"))
    store.put(theirs, CONTENT, PDF)
    for key in (theirs, f"incoming/P-1/../P-2/{theirs.rsplit('/', 1)[1]}", "incoming/P-2/none"):
        verdict = verdict_of(checker, request(key=key))
        assert codes(verdict) == ("document_missing",)


def test_a_check_repeated_after_a_crash_gives_the_same_verdict_and_keeps_one_version(
    platform: Endpoints, store: PoeStore, checker: DocumentChecker
) -> None:
    asked = request()
    store.put(asked.object_key, CONTENT, PDF)
    first = verdict_of(checker, asked)
    after_restart = DocumentChecker(store, P2023, threads=1, processes=1)
    try:
        assert verdict_of(after_restart, asked) == first
        store.put(asked.object_key, b"replaced since", PDF)
        assert verdict_of(after_restart, asked) == first
        _delete(platform, asked.object_key)
        assert verdict_of(after_restart, asked) == first
    finally:
        after_restart.close()


def test_a_kept_copy_answers_only_for_its_own_claim_and_declaration(
    platform: Endpoints, store: PoeStore, checker: DocumentChecker
) -> None:
    asked = request()
    store.put(asked.object_key, CONTENT, PDF)
    assert isinstance(verdict_of(checker, asked), AcceptedDocument)
    _delete(platform, asked.object_key)
    assert codes(verdict_of(checker, replace(asked, claim_id=unique("c")))) == ("document_missing",)
    assert codes(verdict_of(checker, replace(asked, content_type="image/png"))) == ("document_missing",)
    assert codes(verdict_of(checker, replace(asked, size=asked.size + 1))) == ("document_missing",)


def test_a_message_keeps_its_verdict_and_a_later_message_gets_a_new_one(
    store: PoeStore, checker: DocumentChecker
) -> None:
    early = replace(request(), origin="commands-0-17")
    assert codes(verdict_of(checker, early)) == ("document_missing",)
    store.put(early.object_key, CONTENT, PDF)
    assert codes(verdict_of(checker, early)) == ("document_missing",)
    assert isinstance(verdict_of(checker, replace(early, origin="commands-0-18")), AcceptedDocument)


def test_many_documents_are_checked_at_once(store: PoeStore, checker: DocumentChecker) -> None:
    asked = [request() for _ in range(60)]
    for one in asked:
        store.put(one.object_key, CONTENT, PDF)
    futures = [checker.submit(one) for one in asked]
    done, late = wait(futures, timeout=60)
    assert not late
    assert all(isinstance(future.result(), AcceptedDocument) for future in done)


def test_documents_larger_than_the_memory_for_them_are_checked_one_after_the_other(store: PoeStore) -> None:
    checker = DocumentChecker(store, P2023, threads=4, bytes_in_flight=len(CONTENT))
    try:
        asked = [request() for _ in range(12)]
        for one in asked:
            store.put(one.object_key, CONTENT, PDF)
        assert all(isinstance(future.result(60), AcceptedDocument) for future in map(checker.submit, asked))
    finally:
        checker.close()


def test_a_store_outage_is_no_verdict_and_the_check_can_be_asked_for_again(tmp_path: Path) -> None:
    asked = replace(request(), origin="commands-0-1")
    with Stack(tmp_path, kafka=False) as stack:
        store = PoeStore(address_of(stack.endpoints))
        checker = DocumentChecker(store, P2023, threads=2, processes=1)
        store.put(asked.object_key, CONTENT, PDF)
    try:
        with capture_logs() as told, pytest.raises(StoreUnavailable):
            verdict_of(checker, asked)
        assert [(each["log_level"], each["origin"]) for each in told] == [("warning", asked.origin)]
        with Stack(tmp_path, kafka=False):
            assert isinstance(verdict_when_back(checker, asked), AcceptedDocument)
    finally:
        checker.close()


def test_a_hung_store_holds_up_a_check_and_never_the_one_who_asks() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = StoreAddress(f"http://127.0.0.1:{silent.getsockname()[1]}", "key", "secret")
        checker = DocumentChecker(PoeStore(address, read_timeout=0.2), P2023, threads=1, processes=1)
        try:
            future = checker.submit(request())
            assert not wait([future], timeout=0.2).done
            with pytest.raises(StoreUnavailable):
                future.result(timeout=60)
        finally:
            checker.close()


def test_a_scan_is_kept_under_its_own_type(store: PoeStore, checker: DocumentChecker) -> None:
    scan = scan_png(
        realistic_content(
            seed="scan",
            partner_name="Fabrikam",
            partner_location_id="4711001",
            customer_name="Contoso",
            domain="contoso.example",
            tenant_id="3f2b8a52-6a5e-4d0b-9d43-5c1d8c2a7e10",
            country="PT",
            partner_role="use_or_consume",
            workloads=("teams",),
            signed_on=None,
            issued_on=date(2026, 3, 4),
        )
    )
    asked = request(scan, "image/png", name="scan.png")
    store.put(asked.object_key, scan, "image/png")
    verdict = verdict_of(checker, asked)
    assert isinstance(verdict, AcceptedDocument)
    assert store.head(verdict.object_key).content_type == "image/png"


def _delete(platform: Endpoints, key: str) -> None:
    client = boto3.client(
        "s3",
        endpoint_url=platform.s3_endpoint,
        aws_access_key_id=platform.s3_access_key,
        aws_secret_access_key=platform.s3_secret_key,
        region_name=platform.s3_region,
    )
    client.delete_object(Bucket=platform.s3_bucket, Key=key)
