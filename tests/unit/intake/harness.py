"""Intake on a table of rows in memory: records in, what it emits out."""

from __future__ import annotations

import json
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cpor.domain.vocabulary import CommandName
from cpor.runtime.record import Output, Record
from cpor.runtime.topics import Topic, commands_topic, receipts_topic
from schemas.inbox import INBOX_FROM_PARTNERS
from schemas.receipts import Receipt
from services.intake.directory import read_entry
from services.intake.documents import Gathering
from services.intake.poe.check import AcceptedDocument, DocumentRequest, DocumentVerdict
from services.intake.poe.keys import accepted_key
from services.intake.poe.limits import P2023
from services.intake.poe.verdict import Problem, ProblemCode, Refused
from services.intake.references import Reference, decode, encode
from services.intake.worker import PARTNERS, REFERENCES, Intake

PARTNER = "P-1001"
TOPIC = commands_topic(PARTNER)
TENANT = "11111111-2222-4333-8444-555555555555"
#: 2024-03-01T09:00:00Z
NOW = 1_709_283_600_000
DIGEST = "ab" * 32
N, P = 8, 4

DIRECTORY: dict[str, Any] = {
    "kind": "partner",
    "partner_id": PARTNER,
    "name": "Nordwind",
    "status": "active",
    "country": "DE",
    "region": "BY",
    "timezone": "Europe/Berlin",
    "language": "de",
    "locations": [
        {
            "location_id": place,
            "name": place,
            "country": "DE",
            "region": None,
            "timezone": "Europe/Berlin",
            "enrolled": True,
        }
        for place in ("4711001", "4711002")
    ],
    "users": [
        {"user_id": "u-anna", "name": "Anna", "email": "anna@nordwind.example", "role": "incentives_admin"},
        {"user_id": "u-bill", "name": "Bill", "email": "bill@nordwind.example", "role": "billing_admin"},
        {"user_id": "u-gert", "name": "Gert", "email": "gert@nordwind.example", "role": "global_admin"},
        {"user_id": "u-uwe", "name": "Uwe", "email": "uwe@nordwind.example", "role": "incentives_user"},
        {
            "user_id": "u-lena",
            "name": "Lena",
            "email": "lena@nordwind.example",
            "role": "incentives_admin",
            "locations": ["4711001"],
        },
    ],
}

FORM: dict[str, Any] = {
    "claim_name": "Contoso Teams",
    "location_id": "4711001",
    "tenant_id": TENANT,
    "solution_area": "modern_work_security",
    "partner_role": "use_or_consume",
    "workloads": ["teams", "exchange"],
    "customer_contact": {"name": "Ken Sato", "title": "CIO", "email": "ken@contoso.example"},
    "partner_contact": {"name": "Anna Berg", "email": "anna@nordwind.example"},
}
FILE: dict[str, Any] = {
    "object_key": f"incoming/{PARTNER}/poe.pdf",
    "filename": "poe.pdf",
    "content_type": "application/pdf",
    "size": 1000,
    "sha256": DIGEST,
    "description": "Signed statement of work",
    "customer_signed_on": "2024-02-20",
    "covers": ["teams", "exchange"],
}
RESERVE = {"filename": "poe.pdf", "content_type": "application/pdf", "size": 1000, "sha256": DIGEST}
ACKNOWLEDGED = ["information_is_accurate", "customer_is_informed", "program_terms_accepted"]


class Shelf:
    """A document store as `Documents` sees it: `refusing` maps object keys to verdicts, `stuck` ones never settle."""

    def __init__(self) -> None:
        self.refusing: dict[str, ProblemCode] = {}
        self.stuck: set[str] = set()
        self.asked: list[DocumentRequest] = []

    def submit(self, request: DocumentRequest) -> Future[DocumentVerdict]:
        self.asked.append(request)
        future: Future[DocumentVerdict] = Future()
        if request.object_key not in self.stuck:
            future.set_result(self._verdict(request))
        return future

    def _verdict(self, request: DocumentRequest) -> DocumentVerdict:
        code = self.refusing.get(request.object_key)
        if code is not None:
            return Refused((Problem(code, "It cannot be accepted."),))
        key = accepted_key(request.claim_id, request.sha256)
        return AcceptedDocument(key, "v1", request.sha256, request.size, request.content_type, request.filename)

    def presign_upload(
        self, partner: str, document_id: str, content_type: str, size: int, sha256: str, now: datetime
    ) -> dict[str, Any]:
        return {"url": "http://store.example/poe", "fields": {"key": f"incoming/{partner}/{document_id}"}}


@dataclass
class Rows:
    """`Context` and `Lookup` in one: rows in a dict, encoded and decoded on the way as the kernel does."""

    partition: int = 0
    now: int = NOW + 500
    rows: dict[tuple[str, bytes], Any] = field(default_factory=dict)
    emitted: list[Output] = field(default_factory=list)
    gathering: Gathering = field(default_factory=Gathering)

    def get(self, table: str, key: bytes) -> Any | None:
        return self.rows.get((table, key))

    def put(self, table: str, key: bytes, row: Reference) -> None:
        self.rows[table, key] = decode(encode(row))

    def emit(self, topic: str, partition: int, key: bytes | None, value: bytes | None, headers: Any) -> None:
        self.emitted.append(Output(topic, partition, key, value, headers))

    def prepared(self, record: Record) -> Any | None:
        return self.gathering.facts(record)


class Committed:
    def __init__(self, rows: dict[tuple[str, bytes], Any]) -> None:
        self._rows = rows

    def get(self, table: str, partition: int, key: bytes) -> Any | None:
        return self._rows.get((table, key))


class Desk:
    """Intake with its rows; `send` puts one record through, `send_all` a whole round."""

    def __init__(self, directory: dict[str, Any] | None = DIRECTORY) -> None:
        self.shelf = Shelf()
        self.intake = Intake(self.shelf, self.shelf, P2023, N, P)
        self.context: Any = Rows()
        self.offset = 0
        if directory is not None:
            self.know(directory)

    def know(self, directory: dict[str, Any]) -> None:
        key = directory["partner_id"].encode()
        self.context.rows[PARTNERS, key] = read_entry(json.dumps(directory).encode())

    def record(
        self,
        ce_type: str | None = CommandName.COMMENT,
        body: Any = None,
        *,
        key: bytes | None = b"CLM-1",
        ce_id: str | None = "m-1",
        topic: str = TOPIC,
        value: bytes | None = None,
        headers: tuple[tuple[str, bytes], ...] = (),
    ) -> Record:
        self.offset += 1
        told = [(name, text.encode()) for name, text in (("ce_id", ce_id), ("ce_type", ce_type)) if text is not None]
        sent = json.dumps(body).encode() if value is None else value
        return Record(topic, 0, self.offset, NOW, key, sent, (("ce_specversion", b"1.0"), *told, *headers))

    def send(self, *arguments: Any, **options: Any) -> Output:
        """The one record that comes out for one that goes in."""
        (output,) = self.send_all([self.record(*arguments, **options)])
        return output

    def send_all(self, records: list[Record]) -> list[Output]:
        """What a round of these records emits."""
        before = len(self.context.emitted)
        self.context.gathering = self.intake.prepare(records, Committed(dict(self.context.rows)))
        for record in records:
            assert self.context.gathering.ready(record)
            self.intake.process(self.context, record)
        found: list[Output] = self.context.emitted[before:]
        return found

    def create(self, ce_id: str = "c-1", **fields: Any) -> Output:
        return self.send(CommandName.CREATE, {"user": "u-anna", **FORM, **fields}, ce_id=ce_id)

    def row(self, partner: str = PARTNER, claim_ref: str = "CLM-1") -> Reference | None:
        found: Reference | None = self.context.get(REFERENCES, f"{partner}/{claim_ref}".encode())
        return found


def filing(*documents: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"user": "u-anna", **FORM, "documents": list(documents), "acknowledgements": ACKNOWLEDGED, **fields}


def comment(text: str = "Hello", user: str = "u-anna", **more: Any) -> dict[str, Any]:
    return {"user": user, "text": text, **more}


def receipt(output: Output) -> Receipt:
    """The output as a receipt of this partner; fails where it is none, or not as the schema has it."""
    assert output.topic == receipts_topic(PARTNER)
    assert output.partition == 0
    assert output.value is not None
    return Receipt.model_validate_json(output.value)


def admitted(output: Output) -> dict[str, Any]:
    """The output as an inbox value; fails where it is none, or not as the schema has it."""
    assert output.topic == Topic.CLAIM_COMMANDS
    assert output.value is not None
    model = INBOX_FROM_PARTNERS[header(output, "ce_type")]
    model.model_validate_json(output.value)
    value: dict[str, Any] = json.loads(output.value)
    return value


def header(output: Output, name: str) -> str:
    return dict(output.headers)[name].decode()


def codes(output: Output) -> list[tuple[str, str]]:
    return [(each.field, each.code.value) for each in receipt(output).errors]
