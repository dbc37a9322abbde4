from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from cpor.devstack.endpoints import Endpoints
from cpor.devstack.stack import Stack
from services.intake.poe.errors import StoreUnavailable
from services.intake.poe.keys import accepted_key, incoming_key
from services.intake.poe.store import ObjectMissing, ObjectTooLarge, PoeStore, StoreAddress
from tests.integration.intake.s3 import address_of, post_form, sha256, unique

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.integration

CONTENT = b"%PDF-1.7 something like a document %%EOF"
PDF = "application/pdf"


def presigned(store: PoeStore, document_id: str, now: datetime | None = None) -> dict[str, object]:
    return store.presign_upload(
        "P-1", document_id, PDF, len(CONTENT), sha256(CONTENT), now or datetime.now(UTC), timedelta(hours=24)
    )


def test_a_presigned_upload_stores_exactly_what_was_announced(store: PoeStore) -> None:
    document = unique("d")
    assert post_form(presigned(store, document), CONTENT) == 204
    fetched = store.fetch(incoming_key("P-1", document), 1_000)
    there = store.head(incoming_key("P-1", document))
    assert fetched.content == CONTENT
    assert (there.content_type, there.size, there.sha256) == (PDF, len(CONTENT), sha256(CONTENT))


@pytest.mark.parametrize(
    ("content", "changed"),
    [
        (CONTENT + b"x", {}),
        (CONTENT[:-1], {}),
        (CONTENT[:-1] + b"x", {}),
        (CONTENT, {"key": "incoming/P-2/another"}),
        (CONTENT, {"key": "accepted/c/d"}),
        (CONTENT, {"Content_Type": "text/html"}),
        (CONTENT, {"x_amz_checksum_sha256": "AAAA"}),
    ],
    ids=["longer", "shorter", "other bytes", "other partner's key", "accepted key", "other type", "other checksum"],
)
def test_a_presigned_upload_takes_nothing_but_the_bound_key_type_size_and_checksum(
    store: PoeStore, content: bytes, changed: dict[str, str]
) -> None:
    document = unique("d")
    assert post_form(presigned(store, document), content, **changed) in {400, 403}
    with pytest.raises(ObjectMissing):
        store.head(incoming_key("P-1", document))


def test_a_presigned_upload_is_refused_after_24_hours(store: PoeStore) -> None:
    document = unique("d")
    yesterday = datetime.now(UTC) - timedelta(hours=24, seconds=5)
    assert post_form(presigned(store, document, yesterday), CONTENT) == 403
    almost = datetime.now(UTC) - timedelta(hours=23, minutes=55)
    assert post_form(presigned(store, document, almost), CONTENT) == 204


def test_presigning_needs_no_store() -> None:
    nowhere = PoeStore(StoreAddress("http://127.0.0.1:9", "key", "secret"))
    upload = presigned(nowhere, "d-1")
    assert upload["url"] == "http://127.0.0.1:9/poe"
    assert upload["fields"]["key"] == "incoming/P-1/d-1"  # type: ignore[index]


def test_accepting_twice_gives_the_same_object_and_writes_no_second_version(
    store: PoeStore, platform: Endpoints
) -> None:
    claim, digest = unique("c"), sha256(CONTENT)
    first = store.accept(claim, digest, CONTENT, PDF)
    assert first.key == accepted_key(claim, digest)
    assert first.version
    assert store.accept(claim, digest, CONTENT, PDF) == first
    client = _client(platform)
    versions = client.list_object_versions(Bucket=platform.s3_bucket, Prefix=first.key)["Versions"]
    assert [version["VersionId"] for version in versions] == [first.version]


def test_accepting_never_overwrites_and_never_believes_other_content(store: PoeStore, platform: Endpoints) -> None:
    claim, digest = unique("c"), sha256(CONTENT)
    _client(platform).put_object(Bucket=platform.s3_bucket, Key=accepted_key(claim, digest), Body=b"someone else's")
    with pytest.raises(StoreUnavailable, match="other content"):
        store.accept(claim, digest, CONTENT, PDF)
    assert store.fetch(accepted_key(claim, digest), 100).content == b"someone else's"


def test_the_store_itself_refuses_bytes_that_are_not_the_inspected_ones(store: PoeStore) -> None:
    claim, digest = unique("c"), sha256(CONTENT)
    with pytest.raises(StoreUnavailable, match="BadDigest"):
        store.accept(claim, digest, CONTENT[:-1] + b"x", PDF)
    with pytest.raises(ObjectMissing):
        store.head(accepted_key(claim, digest))


def test_accepts_at_the_same_time_agree_on_one_object(store: PoeStore) -> None:
    digest = sha256(CONTENT)
    with ThreadPoolExecutor(8) as threads:
        for _ in range(3):
            claim, together = unique("c"), threading.Barrier(8)

            def accept(_: int, claim: str = claim, together: threading.Barrier = together) -> object:
                together.wait(20)
                return store.accept(claim, digest, CONTENT, PDF)

            assert len(set(threads.map(accept, range(8)))) == 1


def test_a_missing_object_is_an_answer(store: PoeStore) -> None:
    for ask in (store.head, lambda key: store.fetch(key, 10)):
        with pytest.raises(ObjectMissing):
            ask(unique("incoming/P-1/none"))


@pytest.mark.parametrize("key", ["incoming/P-1/../P-2/x", "incoming/P-1/" + "x" * 2_000])
def test_a_name_that_no_object_can_have_is_an_answer_too_and_never_retried_for_ever(store: PoeStore, key: str) -> None:
    with pytest.raises(ObjectMissing):
        store.fetch(key, 10)


def test_a_larger_object_is_not_read(store: PoeStore) -> None:
    key = unique("incoming/P-1/large")
    store.put(key, bytes(1_000), PDF)
    with pytest.raises(ObjectTooLarge) as refusal:
        store.fetch(key, 999)
    assert refusal.value.size == 1_000
    assert len(store.fetch(key, 1_000).content) == 1_000


CALLS: dict[str, Callable[[PoeStore], object]] = {
    "head": lambda store: store.head("incoming/P-1/d"),
    "fetch": lambda store: store.fetch("incoming/P-1/d", 10),
    "accept": lambda store: store.accept("c", sha256(CONTENT), CONTENT, PDF),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_store_that_is_down_is_a_passing_fault(call: Callable[[PoeStore], object]) -> None:
    with pytest.raises(StoreUnavailable):
        call(PoeStore(StoreAddress("http://127.0.0.1:9", "key", "secret")))


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_refused_credentials_are_ours_to_mend_and_never_the_partners_fault(
    platform: Endpoints, call: Callable[[PoeStore], object]
) -> None:
    stranger = PoeStore(replace(address_of(platform), secret_key="wrong"))
    with pytest.raises(StoreUnavailable):
        call(stranger)


def test_a_missing_bucket_is_ours_to_mend_and_never_a_missing_document(platform: Endpoints) -> None:
    lost = PoeStore(replace(address_of(platform), bucket="no-such-bucket"))
    with pytest.raises(StoreUnavailable):
        lost.fetch("incoming/P-1/d", 10)


@contextmanager
def faulty_store(status: int, body: bytes, announced: int) -> Iterator[StoreAddress]:
    """A server that answers everything so, and announces `announced` bytes of body."""

    class Faulty(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(announced))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)
            self.close_connection = True

        do_GET = do_PUT = do_HEAD = _answer

        def log_message(self, *_: object) -> None:
            """Not into the tests' output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Faulty)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield StoreAddress(f"http://127.0.0.1:{server.server_port}", "key", "secret")
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "code"), [(500, "InternalError"), (503, "SlowDown"), (429, "TooManyRequests"), (400, "RequestTimeout")]
)
def test_what_a_store_answers_in_trouble_is_a_passing_fault(status: int, code: str) -> None:
    body = f"<Error><Code>{code}</Code><Message>m</Message></Error>".encode()
    with faulty_store(status, body, len(body)) as address, pytest.raises(StoreUnavailable):
        PoeStore(address).fetch("incoming/P-1/d", 10)


def test_a_download_that_breaks_off_is_a_passing_fault_and_no_truncated_document() -> None:
    with faulty_store(200, b"only this", 5_000) as address, pytest.raises(StoreUnavailable):
        PoeStore(address).fetch("incoming/P-1/d", 10_000)


def test_a_store_that_comes_back_is_used_again(tmp_path: Path) -> None:
    with Stack(tmp_path, kafka=False) as stack:
        store = PoeStore(address_of(stack.endpoints))
        kept = store.accept("c-1", sha256(CONTENT), CONTENT, PDF)
    with pytest.raises(StoreUnavailable):
        store.head(kept.key)
    with Stack(tmp_path, kafka=False):
        assert store.accept("c-1", sha256(CONTENT), CONTENT, PDF) == kept


def _client(platform: Endpoints) -> S3Client:
    return boto3.client(
        "s3",
        endpoint_url=platform.s3_endpoint,
        aws_access_key_id=platform.s3_access_key,
        aws_secret_access_key=platform.s3_secret_key,
        region_name=platform.s3_region,
    )
