"""A partner, its customers and as many commands as wanted, on a running Kafka and S3."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config

from cpor.devstack.endpoints import Endpoints
from cpor.devstack.samples import poe_pdf, realistic_content
from cpor.domain.ids import murmur2, tenant_partition
from cpor.domain.vocabulary import TenantId
from cpor.runtime.clock import SystemClock
from cpor.runtime.record import Output, Record, TopicPartition
from cpor.runtime.settings import CLAIMS_PARTITIONS, PARTNERS_PARTITIONS
from cpor.runtime.topics import FIXED_TOPICS, Topic, commands_topic, partner_topics
from cpor.runtime.transport.kafka import KafkaTransport

COUNTS = {"claims": CLAIMS_PARTITIONS, "partners": PARTNERS_PARTITIONS, "one": 1}
USER = "u-bench"
LOCATION = "4711001"


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim of the bench: its reference and its customer."""

    ref: str
    tenant: str


class World:
    """One partner of its own for each run, so that runs on one broker do not meet."""

    def __init__(self, endpoints: Endpoints, claims: int) -> None:
        self.endpoints = endpoints
        self.partner = f"B-{uuid.uuid4().hex[:8]}"
        self.transport = KafkaTransport(endpoints.kafka_bootstrap, SystemClock())
        self.publisher = self.transport.publisher()
        self.claims = [
            Claim(f"ref-{n}", str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{self.partner}/{n}"))) for n in range(claims)
        ]

    def prepare(self) -> None:
        """Topics, the directory entry and the customers."""
        admin = self.transport.admin()
        admin.create([*FIXED_TOPICS, *partner_topics(self.partner)], COUNTS)
        admin.close()
        self.send([Output(Topic.PARTNERS, 0, self.partner.encode(), _json(self.partner_row()), [])])
        self.send(self._customer(claim.tenant) for claim in self.claims)

    def send(self, outputs: Iterable[Output]) -> int:
        """Send and wait for the acknowledgements; returns how many."""
        count = 0
        for output in outputs:
            self.publisher.send(output)
            count += 1
            if count % 20_000 == 0:
                self.publisher.flush()
        self.publisher.flush(60)
        return count

    def read_all(self, topics: Iterable[str]) -> Iterator[Record]:
        """Every committed record of these topics as of now."""
        admin, reader = self.transport.admin(), self.transport.reader()
        try:
            counts = admin.partition_counts()
            tps = [TopicPartition(topic, n) for topic in topics for n in range(counts[topic])]
            ends = reader.ends(tps)
            reader.assign(reader.beginnings(tps))
            while any(reader.position(tp) < end for tp, end in ends.items()):
                yield from reader.poll(100, 5_000)
        finally:
            reader.close()
            admin.close()

    def close(self) -> None:
        """Let go of the partner's connection."""
        self.publisher.close()

    def command(self, claim: Claim, kind: str, message_id: str, **data: Any) -> Output:
        """A partner's command."""
        partition = (murmur2(claim.ref.encode()) & 0x7FFFFFFF) % PARTNERS_PARTITIONS
        headers = [("ce_specversion", b"1.0"), ("ce_id", message_id.encode()), ("ce_type", kind.encode())]
        return Output(
            commands_topic(self.partner), partition, claim.ref.encode(), _json({"user": USER, **data}), headers
        )

    def creates(self) -> Iterator[Output]:
        return (
            self.command(claim, "cpor.claim.create.v1", f"create-{claim.ref}", **self.form(claim))
            for claim in self.claims
        )

    def comments(self, count: int, start: int = 0) -> Iterator[Output]:
        """Small commands, spread over all claims in turn; about 500 bytes each."""
        text = "The statement of work was signed on both sides; the annex lists every workload. " * 4
        for n in range(start, start + count):
            claim = self.claims[n % len(self.claims)]
            yield self.command(claim, "cpor.claim.comment.v1", f"comment-{n}", text=f"{n}: {text}")

    def files(self, *, documents: bool) -> Iterator[Output]:
        """Whole claims in one message, with the document uploaded by `upload` or with none."""
        for claim in self.claims:
            data = self.form(claim) | {"documents": [self.document(claim)] if documents else []}
            yield self.command(
                claim, "cpor.claim.file.v1", f"file-{claim.ref}", acknowledgements=ACKNOWLEDGEMENTS, **data
            )

    def withdrawals(self) -> Iterator[Output]:
        """Of claims that were filed."""
        for claim in self.claims:
            yield self.command(claim, "cpor.claim.withdraw.v1", f"withdraw-{claim.ref}", reason="wrong_role")

    def form(self, claim: Claim) -> dict[str, Any]:
        return FORM | {"claim_name": f"Bench {claim.ref}", "tenant_id": claim.tenant, "location_id": LOCATION}

    def document(self, claim: Claim) -> dict[str, Any]:
        return {
            "object_key": f"incoming/{self.partner}/{claim.ref}",
            "filename": "poe.pdf",
            "content_type": "application/pdf",
            "size": len(self.pdf),
            "sha256": hashlib.sha256(self.pdf).hexdigest(),
            "description": "Statement of work",
            "customer_signed_on": "2026-03-01",
            "covers": FORM["workloads"],
        }

    @cached_property
    def pdf(self) -> bytes:
        return poe_pdf(
            realistic_content(
                seed="bench",
                partner_name="Bench partner",
                partner_location_id=LOCATION,
                customer_name="Bench customer",
                domain="bench.example",
                tenant_id=self.claims[0].tenant,
                country="DE",
                partner_role="use_or_consume",
                workloads=FORM["workloads"],
                signed_on=date(2026, 3, 1),
                issued_on=date(2026, 2, 1),
            )
        )

    def upload(self) -> None:
        """Every claim's document into the partner's prefix."""
        client = self.s3()

        def put(claim: Claim) -> None:
            key = f"incoming/{self.partner}/{claim.ref}"
            client.put_object(Bucket="poe", Key=key, Body=self.pdf, ContentType="application/pdf")

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(put, self.claims))

    def s3(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.endpoints.s3_endpoint,
            aws_access_key_id=self.endpoints.s3_access_key,
            aws_secret_access_key=self.endpoints.s3_secret_key,
            region_name="us-east-1",
            config=Config(max_pool_connections=32, s3={"addressing_style": "path"}),
        )

    def partner_row(self) -> dict[str, Any]:
        """The directory entry."""
        place = {"country": "DE", "region": "BY", "timezone": "Europe/Berlin"}
        user = {"user_id": USER, "name": "Bench", "email": "bench@partner.example", "role": "incentives_admin"}
        return {
            "kind": "partner",
            "partner_id": self.partner,
            "name": "Bench partner",
            "status": "active",
            **place,
            "language": "de",
            "locations": [{"location_id": LOCATION, "name": "Munich", **place, "enrolled": True}],
            "users": [{**user, "language": "de", "locations": None}],
        }

    def customer_row(self, tenant: str) -> dict[str, Any]:
        """A customer's reference record."""
        return {
            "kind": "customer",
            "tenant_id": tenant,
            "name": "Bench customer",
            "domains": ["bench.example"],
            "country": "DE",
            "timezone": "Europe/Berlin",
            "language": "de",
            "channels": ["web_direct"],
        }

    def _customer(self, tenant: str) -> Output:
        partition = tenant_partition(TenantId(tenant), CLAIMS_PARTITIONS)
        return Output(Topic.CUSTOMERS, partition, tenant.encode(), _json(self.customer_row(tenant)), [])


ACKNOWLEDGEMENTS = ["information_is_accurate", "customer_is_informed", "program_terms_accepted"]

FORM: dict[str, Any] = {
    "solution_area": "modern_work_security",
    "partner_role": "use_or_consume",
    "workloads": ["teams", "exchange"],
    "incentive_opt_out": False,
    "customer_contact": {"name": "Eva Muster", "title": "CIO", "email": "eva@bench.example", "language": "de"},
    "partner_contact": {"name": "Anna Huber", "email": "anna@partner.example", "language": "de"},
}


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()
