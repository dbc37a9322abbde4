"""Documents in any S3-compatible store: upload forms, quarantine, and the accepted copies (contract §6)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from services.intake.poe.errors import StoreUnavailable
from services.intake.poe.keys import accepted_key, incoming_key

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

UPLOAD_VALID = timedelta(hours=24)
CHUNK = 256 * 1024
#: What a read of a name that no object can have is answered with, by one store or another.
IMPOSSIBLE_NAME = {"InvalidRequest", "InvalidArgument", "InvalidURI", "KeyTooLongError", "InvalidObjectName"}
CONDITION_FAILED = {"PreconditionFailed", "412"}


class ObjectMissing(Exception):
    """There is no object under that key: a permanent answer, as far as the store can tell now."""


class ObjectTooLarge(Exception):
    """The object has `size` bytes, more than the reader allows; its content was not read."""

    def __init__(self, size: int) -> None:
        super().__init__(f"{size} bytes")
        self.size = size


@dataclass(frozen=True)
class StoreAddress:
    """Which store and bucket, and as whom. The rights needed: get and put objects, and list the bucket
    (without the last, S3 answers 403 instead of 404 for what is missing).
    """

    #: None: AWS itself
    endpoint: str | None
    access_key: str
    secret_key: str
    bucket: str = "poe"
    region: str = "us-east-1"


@dataclass(frozen=True)
class StoredObject:
    """What a HEAD says."""

    key: str
    size: int
    etag: str
    #: None where the bucket keeps no versions
    version: str | None
    content_type: str
    #: lower-case hex, where the store recorded it at upload
    sha256: str | None


@dataclass(frozen=True)
class FetchedObject:
    """An object's content with what identifies that content."""

    key: str
    content: bytes
    etag: str
    version: str | None


@dataclass(frozen=True)
class AcceptedObject:
    """The kept copy of a document."""

    key: str
    version: str | None
    size: int
    etag: str


class PoeStore:
    """The PoE bucket. Safe for use by many threads; every call ends within about 40 s.

    All calls but the presigning one raise `StoreUnavailable` for whatever may be better later: time-outs,
    lost connections, throttling, 5xx, and also refused credentials or a missing bucket, which are ours to
    mend.
    """

    def __init__(self, address: StoreAddress, *, pool: int = 32, read_timeout: float = 10.0) -> None:
        self._bucket = address.bucket
        self._client: S3Client = boto3.client(
            "s3",
            endpoint_url=address.endpoint,
            aws_access_key_id=address.access_key,
            aws_secret_access_key=address.secret_key,
            region_name=address.region,
            config=_client_config(pool, read_timeout),
        )

    def presign_upload(
        self,
        partner: str,
        document_id: str,
        content_type: str,
        size: int,
        sha256: str,
        now: datetime,
        ttl: timedelta = UPLOAD_VALID,
    ) -> dict[str, Any]:
        """`{"url", "fields"}` of a form POST that stores exactly this document under its key, until `now +
        ttl`.

        Bound to key, content type, size in bytes and SHA-256 (hex). Computed here, without a call. The
        store judges the expiry by its own wall clock, so `now` must be real time, never a test clock's; the
        signature also carries the present second, so that two forms for one document differ.
        """
        bound = {
            "Content-Type": content_type,
            "x-amz-checksum-algorithm": "SHA256",
            "x-amz-checksum-sha256": _base64_of(sha256),
        }
        conditions: list[Any] = [{field: value} for field, value in bound.items()]
        post = self._client.generate_presigned_post(
            self._bucket,
            incoming_key(partner, document_id),
            Fields=dict(bound),
            Conditions=[*conditions, ["content-length-range", size, size]],
            ExpiresIn=round((now + ttl - datetime.now(UTC)).total_seconds()),
        )
        return {"url": post["url"], "fields": dict(post["fields"])}

    def head(self, key: str) -> StoredObject:
        """Raises `ObjectMissing`, also for a missing bucket: a HEAD cannot tell."""
        with _answers():
            answer = self._client.head_object(Bucket=self._bucket, Key=key, ChecksumMode="ENABLED")
        return StoredObject(
            key=key,
            size=answer["ContentLength"],
            etag=answer["ETag"],
            version=answer.get("VersionId"),
            content_type=answer.get("ContentType", ""),
            sha256=_hex_of(answer.get("ChecksumSHA256")),
        )

    def fetch(self, key: str, max_bytes: int) -> FetchedObject:
        """The content, if it has at most `max_bytes`. Raises `ObjectMissing`, `ObjectTooLarge`."""
        with _answers():
            answer = self._client.get_object(Bucket=self._bucket, Key=key)
            with closing(answer["Body"]) as body:
                if answer["ContentLength"] > max_bytes:
                    raise ObjectTooLarge(answer["ContentLength"])
                content = b"".join(body.iter_chunks(CHUNK))
        return FetchedObject(key, content, answer["ETag"], answer.get("VersionId"))

    def accept(self, claim_id: str, sha256: str, content: bytes, content_type: str) -> AcceptedObject:
        """Keeps the inspected bytes as `accepted/<claim id>/<sha256>`, once; the same document again
        changes nothing.

        The bytes in hand are uploaded, with their checksum: a copy inside the store could copy what a
        partner has put there since the inspection. A conditional put never overwrites what lies there.
        """
        key = accepted_key(claim_id, sha256)
        try:
            with _answers():
                answer = self._client.put_object(
                    Bucket=self._bucket,
                    Key=key,
                    Body=content,
                    ContentType=content_type,
                    ChecksumSHA256=_base64_of(sha256),
                    IfNoneMatch="*",
                )
        except AlreadyThere:
            return self._accepted_before(key, sha256, len(content))
        return AcceptedObject(key, answer.get("VersionId"), len(content), answer["ETag"])

    def put(self, key: str, content: bytes, content_type: str) -> None:
        """Puts an object without conditions: what the bulk path does with a partner's own credentials."""
        with _answers():
            self._client.put_object(Bucket=self._bucket, Key=key, Body=content, ContentType=content_type)

    def close(self) -> None:
        self._client.close()

    def _accepted_before(self, key: str, sha256: str, size: int) -> AcceptedObject:
        there = self.head(key)
        recorded = there.sha256 or _digest_of(self.fetch(key, size).content)
        if (there.size, recorded) != (size, sha256):
            raise StoreUnavailable(f"{key} holds other content than its name says")
        return AcceptedObject(key, there.version, there.size, there.etag)


class AlreadyThere(Exception):
    """The conditional put found an object under its key."""


def _client_config(pool: int, read_timeout: float) -> Config:
    return Config(
        signature_version="s3v4",
        s3={"addressing_style": "path"},
        connect_timeout=2,
        read_timeout=read_timeout,
        # The caller tries again by itself; this only bridges a hiccup.
        retries={"mode": "standard", "total_max_attempts": 3},
        max_pool_connections=pool,
        # Checksums are given where they bind (uploads) and computed by us where they matter (inspection).
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )


@contextmanager
def _answers() -> Iterator[None]:
    """Turns the client's many exceptions into our few."""
    try:
        yield
    except ClientError as error:
        raise _answer_of(error) from error
    except (BotoCoreError, OSError) as error:
        raise StoreUnavailable(f"{type(error).__name__}: {error}") from error


def _answer_of(error: ClientError) -> Exception:
    code = error.response["Error"].get("Code", "")
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    if code in CONDITION_FAILED:
        return AlreadyThere()
    if (status == 404 and code != "NoSuchBucket") or code in IMPOSSIBLE_NAME:
        return ObjectMissing(code)
    return StoreUnavailable(f"the store answered {status} {code}")


def _base64_of(sha256: str) -> str:
    return base64.b64encode(bytes.fromhex(sha256)).decode()


def _hex_of(checksum: str | None) -> str | None:
    """None also for a multipart upload's checksum of checksums ("…-2")."""
    return base64.b64decode(checksum).hex() if checksum and "-" not in checksum else None


def _digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
