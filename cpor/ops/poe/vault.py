"""Accepted documents as a reader gets them from the bucket: a link that soon dies, or the content (contract §6)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from cpor.devstack.endpoints import Endpoints
from cpor.domain.model import Document
from cpor.ops.errors import NotReachable
from cpor.ops.poe.names import attachment, local_name
from cpor.ops.poe.saving import Missing

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

#: Long enough to open all documents of a claim one after the other, too short to be worth passing on.
LINK_VALID = timedelta(minutes=15)
CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Link:
    """Whoever has `url` can read the one document until `until`, by the store's wall clock (never a test clock)."""

    url: str
    until: datetime


class Vault:
    """Reads only; every wait for the store ends within about 30 s."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._bucket = endpoints.s3_bucket
        self._client: S3Client = boto3.client(
            "s3",
            endpoint_url=endpoints.s3_endpoint,
            aws_access_key_id=endpoints.s3_access_key,
            aws_secret_access_key=endpoints.s3_secret_key,
            region_name=endpoints.s3_region,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path"},
                connect_timeout=3,
                read_timeout=10,
                retries={"mode": "standard", "total_max_attempts": 2},
                # The claim's record is what content is checked against, not what the store says of it.
                response_checksum_validation="when_required",
            ),
        )

    def link(self, document: Document, valid: timedelta = LINK_VALID) -> Link:
        """A URL that saves the document under its name, never shows it inside a page. Signed here, without a call."""
        disposition = attachment(local_name(document.filename))
        wanted = {"Bucket": self._bucket, "Key": document.object_key, "ResponseContentDisposition": disposition}
        until = datetime.now(UTC).replace(microsecond=0) + valid
        seconds = round(valid.total_seconds())
        return Link(self._client.generate_presigned_url("get_object", Params=wanted, ExpiresIn=seconds), until)

    def read(self, document: Document) -> Iterator[bytes]:
        """The content in pieces, unchecked. Raises Missing, NotReachable."""
        with _answers():
            answer = self._client.get_object(Bucket=self._bucket, Key=document.object_key)
            with closing(answer["Body"]) as body:
                yield from body.iter_chunks(CHUNK)

    def close(self) -> None:
        self._client.close()


@contextmanager
def _answers() -> Iterator[None]:
    try:
        yield
    except ClientError as fault:
        if fault.response["Error"].get("Code") in ("NoSuchKey", "404"):
            raise Missing from None
        raise NotReachable(f"the document store refused: {fault}; `cpor doctor` says more") from None
    except BotoCoreError as fault:
        raise NotReachable(f"the document store does not answer: {fault}; `cpor doctor` says more") from None
