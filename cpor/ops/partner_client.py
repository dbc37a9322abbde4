"""A partner's side of the contract: sends commands, uploads documents, collects receipts.

For the demo, the tests and the benchmarks; a partner's own system does the same with any Kafka and S3 client.
"""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import urllib3

from cpor.devstack.endpoints import Endpoints
from cpor.domain.ids import murmur2, receipt_id
from cpor.domain.vocabulary import CommandName
from cpor.ops.errors import NotReachable
from cpor.runtime.record import Output, TopicPartition
from cpor.runtime.topics import commands_topic, receipts_topic
from cpor.runtime.transport.port import Transport
from schemas import envelope
from schemas.receipts import Upload

RECEIPT_PARTITION = 0


class Sent(NamedTuple):
    """A record that the broker has."""

    message_id: str | None
    topic: str
    partition: int
    offset: int

    @property
    def receipt_id(self) -> str:
        """`ce_id` of the one receipt that this record gets."""
        return receipt_id(self.topic, self.partition, self.offset)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt as the partner reads it: `receipt_id` is its `ce_id`, `value` the JSON of contract §3."""

    receipt_id: str
    causation: str | None
    key: str | None
    value: dict[str, Any]

    @property
    def outcome(self) -> str:
        return str(self.value["outcome"])

    @property
    def code(self) -> str:
        return str(self.value["code"])

    @property
    def claim_id(self) -> str:
        return str(self.value["claim_id"])


class PartnerClient:
    """One partner's system. `partitions` are those of its command topic; the same reference always goes to the same."""

    def __init__(self, transport: Transport, partner_id: str, partitions: int) -> None:
        self.partner_id = partner_id
        self.topic = commands_topic(partner_id)
        self._partitions = partitions
        self._transport = transport
        self._publisher = transport.publisher()
        self._queued: list[tuple[str | None, int]] = []
        self._receipts = transport.reader()
        self._receipts.assign({TopicPartition(receipts_topic(partner_id), RECEIPT_PARTITION): 0})
        self._unclaimed: dict[str, Receipt] = {}

    def partition(self, claim_ref: str) -> int:
        """Where everything about this reference goes."""
        return (murmur2(claim_ref.encode()) & 0x7FFFFFFF) % self._partitions

    def send(
        self,
        claim_ref: str,
        command: CommandName,
        data: Mapping[str, Any],
        *,
        message_id: str | None = None,
    ) -> str:
        """Queue a command; returns its message id. `flush` waits for the broker."""
        told = message_id or str(uuid.uuid4())
        headers = [
            (envelope.SPECVERSION, b"1.0"),
            (envelope.ID, told.encode()),
            (envelope.TYPE, command.encode()),
            (envelope.CONTENT_TYPE, b"application/json"),
        ]
        self.send_raw(claim_ref, json.dumps(data, ensure_ascii=False).encode(), headers)
        return told

    def send_raw(self, claim_ref: str | None, value: bytes | None, headers: list[tuple[str, bytes]]) -> None:
        """Queue a record as it is, also one that no partner should send."""
        partition = self.partition(claim_ref or "")
        key = None if claim_ref is None else claim_ref.encode()
        self._publisher.send(Output(self.topic, partition, key, value, headers))
        told = next((text.decode(errors="replace") for name, text in headers if name == envelope.ID), None)
        self._queued.append((told, partition))

    def flush(self, seconds: float = 30) -> list[Sent]:
        """Wait until the broker has everything; what was sent, in order. Raises `PublishFailed`."""
        queued, self._queued = self._queued, []
        offsets = self._publisher.flush(seconds)
        return [
            Sent(message_id, self.topic, partition, offset)
            for (message_id, partition), offset in zip(queued, offsets, strict=True)
        ]

    def poll_receipts(self, timeout_ms: int = 100) -> list[Receipt]:
        """Receipts that have come since the last call."""
        return [read_receipt(record.key, record.value, record.headers) for record in self._poll(timeout_ms)]

    def _poll(self, timeout_ms: int) -> list[Any]:
        return list(self._receipts.poll(timeout_ms, 5_000))

    def collect(self, sent: Iterable[Sent], seconds: float = 30) -> dict[str, Receipt]:
        """The receipts of these records, by receipt id. Raises NotReachable when some do not come in time."""
        wanted = {each.receipt_id for each in sent}
        deadline = time.monotonic() + seconds
        while not wanted <= self._unclaimed.keys():
            if time.monotonic() > deadline:
                missing = len(wanted - self._unclaimed.keys())
                raise NotReachable(f"{missing} receipts of {self.partner_id} did not come within {seconds:.0f} s")
            self._unclaimed.update((each.receipt_id, each) for each in self.poll_receipts())
        return {each: self._unclaimed.pop(each) for each in sorted(wanted)}

    def ask(self, claim_ref: str, command: CommandName, data: Mapping[str, Any], seconds: float = 30) -> Receipt:
        """Send one command and wait for its receipt."""
        self.send(claim_ref, command, data)
        (sent,) = self.flush()
        return self.collect([sent], seconds)[sent.receipt_id]

    def close(self) -> None:
        self._publisher.close()
        self._receipts.close()


def read_receipt(key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes]]) -> Receipt:
    told = envelope.read_envelope(headers)
    text = None if key is None else key.decode(errors="replace")
    return Receipt(told.id or "", told.causation, text, json.loads(value or b"{}"))


def declared(filename: str, content_type: str, content: bytes) -> dict[str, Any]:
    """What a reserve, or a document of the bulk path, says about a file."""
    digest = hashlib.sha256(content).hexdigest()
    return {"filename": filename, "content_type": content_type, "size": len(content), "sha256": digest}


_http = urllib3.PoolManager(maxsize=16, retries=urllib3.Retry(2, backoff_factor=0.2))


def upload(where: Upload | Mapping[str, Any], filename: str, content_type: str, content: bytes) -> int:
    """The presigned POST of a reserve's receipt; the store's HTTP status (2xx: taken)."""
    told = where if isinstance(where, Upload) else Upload.model_validate_json(json.dumps(where))
    fields: dict[str, Any] = {**told.fields, "file": (filename, content, content_type)}
    answer = _http.request("POST", told.url, fields=fields, timeout=urllib3.Timeout(connect=5, read=60))
    return int(answer.status)


class Dropbox:
    """The bulk path's way: files are put under `incoming/<partner>/` with the partner's own credentials."""

    def __init__(self, endpoints: Endpoints, partner_id: str) -> None:
        import boto3  # slow to import; only who uploads needs it
        from botocore.config import Config

        self.partner_id = partner_id
        self._bucket = endpoints.s3_bucket
        self._client = boto3.client(
            "s3",
            endpoint_url=endpoints.s3_endpoint,
            aws_access_key_id=endpoints.s3_access_key,
            aws_secret_access_key=endpoints.s3_secret_key,
            region_name=endpoints.s3_region,
            config=Config(max_pool_connections=16, retries={"mode": "standard", "total_max_attempts": 3}),
        )

    def key(self, content: bytes, name: str = "") -> str:
        """Where a file goes; the same file, or the same `name`, goes to the same place."""
        told = name or hashlib.sha256(content).hexdigest()
        return f"incoming/{self.partner_id}/{uuid.uuid5(uuid.NAMESPACE_OID, told)}"

    def put(self, content: bytes, content_type: str, name: str = "") -> str:
        """Put a file; returns its object key."""
        key = self.key(content, name)
        self._client.put_object(Bucket=self._bucket, Key=key, Body=content, ContentType=content_type)
        return key
