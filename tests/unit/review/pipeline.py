"""Review under the real kernel on the in-memory transport: what lies in its inbox goes in, its topics are read back.

Commands are written as intake and the reviewers' tools write them; nothing else is simulated.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from cpor.domain import ids, wire
from cpor.domain.events import Event
from cpor.domain.model import ClaimState
from cpor.domain.vocabulary import ClaimId, CommandName, Instant, PartnerId, TenantId, parse_instant
from cpor.runtime.clock import ManualClock
from cpor.runtime.record import Output, Record
from cpor.runtime.store.engine import MemoryEngines
from cpor.runtime.topics import FIXED_TOPICS, Count, Topic, partner_topics, receipts_topic
from cpor.runtime.transport.memory import MemoryBroker, MemoryTransport
from cpor.runtime.worker import Worker
from schemas.base import check
from schemas.envelope import headers, origin_headers, read_envelope
from schemas.inbox import AcceptedFile, Identity, partner_value
from schemas.partner_commands import WrongShape, parse_partner_command
from schemas.receipts import Receipt
from services.review.worker import Review
from tests.unit.review.auditor import Auditor

N = 4
TENANT = TenantId("3f0e1d7a-5b1c-4c7e-9a51-0d7d1a2b3c4d")
OTHER_TENANT = TenantId("5a0e1d7a-5b1c-4c7e-9a51-0d7d1a2b3c4d")
SUBSCRIPTION = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
LOCATION = "4711001"
#: A Monday morning under P2023.
MONDAY = parse_instant("2024-03-04T08:00:00Z")
DAY_MS = 86_400_000
ACKNOWLEDGED = ["information_is_accurate", "customer_is_informed", "program_terms_accepted"]
REVIEWER = {"kind": "reviewer", "id": "r-1"}
OPERATOR = {"kind": "operator", "id": "o-1"}


def directory_entry(partner: str) -> dict[str, Any]:
    place = {"name": "Munich", "country": "DE", "region": "BY", "timezone": "Europe/Berlin", "enrolled": True}
    anna = {"user_id": "u-anna", "name": "Anna", "email": "anna@nordwind.example", "role": "incentives_admin"}
    uwe = {"user_id": "u-uwe", "name": "Uwe", "email": "uwe@nordwind.example", "role": "incentives_user"}
    return {
        "kind": "partner",
        "partner_id": partner,
        "name": f"Partner {partner}",
        "status": "active",
        "country": "DE",
        "region": "BY",
        "timezone": "Europe/Berlin",
        "language": "en",
        "locations": [{"location_id": LOCATION, **place}, {"location_id": "4711002", **place}],
        "users": [anna, uwe],
    }


CUSTOMER = {
    "kind": "customer",
    "tenant_id": TENANT,
    "name": "Contoso",
    "domains": ["contoso.example"],
    "country": "JP",
    "language": "en",
    "channels": ["volume_licensing"],
}
SALES = {
    "kind": "subscription",
    "subscription_id": SUBSCRIPTION,
    "tenant_id": TENANT,
    "products": ["sales", "power_bi"],
    "channel": "volume_licensing",
    "state": "active",
    "provisioned_at": "2023-01-01T00:00:00.000Z",
    "ends_on": None,
}


def usage_form(*workloads: str, **changes: Any) -> dict[str, Any]:
    """A Modern Work and Security form as a partner sends it."""
    return {
        "claim_name": "Teams roll-out",
        "location_id": LOCATION,
        "tenant_id": TENANT,
        "solution_area": "modern_work_security",
        "partner_role": "use_or_consume",
        "workloads": list(workloads or ("teams", "intune")),
        "customer_contact": {"name": "Kana Ito", "title": "CIO", "email": "kana@contoso.example", "language": "en"},
        "partner_contact": {"name": "Anna Weber", "email": "anna@nordwind.example", "language": "en"},
        **changes,
    }


def sales_form(role: str = "build_intent_advisor", **changes: Any) -> dict[str, Any]:
    """A Business Applications form."""
    named = {"solution_area": "business_applications", "partner_role": role, "subscription_id": SUBSCRIPTION}
    return usage_form("sales", **{**named, **changes})


def file_of(number: int = 1) -> AcceptedFile:
    """What intake found out about a file; another number is another file."""
    digest = f"{number:064x}"
    name = ids.name_id(f"document/{number}")
    return AcceptedFile(name, f"accepted/x/{digest}", "v1", "poe.pdf", "application/pdf", 2048, digest)


def said_of(number: int = 1, covers: Iterable[str] = ("teams", "intune")) -> dict[str, Any]:
    """What the partner says of it."""
    return {
        "document_id": file_of(number).document_id,
        "description": "Signed statement of work",
        "customer_signed_on": "2024-01-15",
        "covers": list(covers),
    }


@dataclass
class Pipeline:
    """One review worker that owns all slots."""

    clock: ManualClock = field(default_factory=lambda: ManualClock(MONDAY))
    partners: tuple[str, ...] = ("P-1", "P-2")
    #: Origins of the partners' messages, in order: each must have exactly one receipt.
    admitted: list[tuple[str, str, str]] = field(default_factory=list)
    sent: int = 0

    def __post_init__(self) -> None:
        self.broker = MemoryBroker(self.clock)
        counts = {Count.CLAIMS: N, Count.PARTNERS: 2, Count.ONE: 1}
        specs = [*FIXED_TOPICS, *(spec for partner in self.partners for spec in partner_topics(partner))]
        for spec in specs:
            self.broker.create(spec.name, counts[spec.count])
        for partner in self.partners:
            self.load(Topic.PARTNERS, partner, directory_entry(partner), 0)
        self.load(Topic.CUSTOMERS, TENANT, CUSTOMER)
        self.load(Topic.SUBSCRIPTIONS, SUBSCRIPTION, SALES)
        self.engines = MemoryEngines()
        self.worker = self.fresh_worker()

    def fresh_worker(self) -> Worker:
        return Worker(Review(N), MemoryTransport(self.broker), self.engines, self.clock, "0")

    def load(self, topic: Topic, key: str, value: dict[str, Any], partition: int | None = None) -> None:
        """A reference record, in its tenant's partition unless said otherwise."""
        there = ids.tenant_partition(TENANT, N) if partition is None else partition
        self.broker.append(Output(topic, there, key.encode(), json.dumps(value).encode(), []))

    # -- saying something ---------------------------------------------------------------------------------------------

    def partner(
        self,
        ref: str,
        name: CommandName,
        data: dict[str, Any] | None = None,
        *,
        by: str = "P-1",
        files: tuple[AcceptedFile, ...] = (),
        received_at: int | None = None,
        **admitted: Any,
    ) -> Receipt:
        """A partner's command as intake admits it; its receipt. `received_at` ms: when the broker took it."""
        self.admit(ref, name, data, by=by, files=files, received_at=received_at, **admitted)
        self.run()
        return self.receipts(by)[-1]

    def admit(
        self,
        ref: str,
        name: CommandName,
        data: dict[str, Any] | None = None,
        *,
        by: str = "P-1",
        files: tuple[AcceptedFile, ...] = (),
        received_at: int | None = None,
        **admitted: Any,
    ) -> None:
        """The same without running it."""
        command = parse_partner_command(name, json.dumps({"user": "u-anna", **(data or {})}).encode())
        assert not isinstance(command, WrongShape), command
        origin, message_id = self._origin(by)
        claim = ids.claim_id(PartnerId(by), ref)
        who = Identity(claim, TENANT, by, ref, message_id)
        value = partner_value(command, who, accepted=files, **admitted)
        at = Instant(received_at or self.clock.now())
        told = headers(
            name,
            ids.derived_id(ids.name_id(origin), name),
            "/services/intake",
            at,
            claim,
            message_id,
            message_id,
            extra=origin_headers(origin, at),
        )
        self.admitted.append((by, origin, message_id))
        self.append(value, told)

    def _origin(self, by: str) -> tuple[str, str]:
        self.sent += 1
        return f"cpor.partners.{by}.commands-0-{self.sent}", f"m-{self.sent}"

    def inside(
        self,
        ref: str,
        name: CommandName,
        *,
        by: str = "P-1",
        actor: dict[str, str] | None = None,
        **data: Any,
    ) -> list[Event]:
        """A command of a reviewer, an operator (`actor`) or a service about `ref`; the events it brought about."""
        before = len(self.events())
        claim = ids.claim_id(PartnerId(by), ref)
        spoken = {"claim_id": claim, **data} | ({} if actor is None else {"actor": actor})
        self.sent += 1
        told = headers(name, ids.name_id(f"tool/{self.sent}"), "/reviewers/r-1", Instant(self.clock.now()), claim)
        self.append(json.dumps(spoken).encode(), told)
        self.run()
        return self.events()[before:]

    def review(self, ref: str, name: CommandName, *, by: str = "P-1", **data: Any) -> list[Event]:
        return self.inside(ref, name, by=by, actor=REVIEWER, **data)

    def append(
        self,
        value: bytes | None,
        told: list[tuple[str, bytes]],
        tenant: str = TENANT,
        partition: int | None = None,
    ) -> None:
        """Anything at all, into the inbox."""
        there = ids.tenant_partition(TenantId(tenant), N) if partition is None else partition
        self.broker.append(Output(Topic.CLAIM_COMMANDS, there, tenant.encode(), value, told))

    def run(self) -> None:
        while self.worker.step():
            pass
        self.clock.tick(1_000)

    def pass_days(self, days: float) -> None:
        self.clock.tick(int(days * DAY_MS))

    # -- longer steps -------------------------------------------------------------------------------------------------

    def file(self, ref: str = "c", by: str = "P-1", form: dict[str, Any] | None = None, number: int = 1) -> Receipt:
        form = form or usage_form()
        file = file_of(number)
        inline = {name: value for name, value in said_of(number, form["workloads"]).items() if name != "document_id"}
        facts = {"filename": file.filename, "content_type": file.content_type, "size": file.size, "sha256": file.sha256}
        document = {"object_key": f"incoming/{by}/a.pdf", **facts, **inline}
        data = {**form, "documents": [document], "acknowledgements": ACKNOWLEDGED}
        return self.partner(ref, CommandName.FILE, data, by=by, files=(file,))

    def submitted_2020(self, form: dict[str, Any] | None = None) -> None:
        """Filed under P2020, which has no acknowledgements."""
        file, form = file_of(), form or usage_form(domain="contoso.example")
        said = {name: value for name, value in said_of(1, form["workloads"]).items() if name != "document_id"}
        facts = {"filename": file.filename, "content_type": file.content_type, "size": file.size, "sha256": file.sha256}
        document = {"object_key": "incoming/P-1/a.pdf", **facts, **said, "customer_signed_on": "2023-01-15"}
        data = {**form, "documents": [document], "acknowledgements": []}
        receipt = self.partner("c", CommandName.FILE, data, files=(file,))
        assert receipt.outcome == "accepted", receipt

    def approved(
        self, ref: str = "c", by: str = "P-1", form: dict[str, Any] | None = None, number: int = 1, **data: Any
    ) -> ClaimState:
        assert self.file(ref, by, form, number).outcome == "accepted"
        self.review(ref, CommandName.REVIEW_START, by=by)
        self.review(ref, CommandName.REVIEW_APPROVE, by=by, **data)
        return self.claim(ref, by)

    def official(self, ref: str = "c", by: str = "P-1", form: dict[str, Any] | None = None) -> ClaimState:
        """Approved, and the customer has kept silent for seven days."""
        approval = self.approved(ref, by, form).sequence
        self.pass_days(8)
        self.inside(ref, CommandName.CONSENT_OUTCOME, by=by, outcome="completed", approval=approval)
        return self.claim(ref, by)

    def rejected(self, ref: str = "c") -> ClaimState:
        self.file(ref)
        self.review(ref, CommandName.REVIEW_START)
        self.review(ref, CommandName.REVIEW_REJECT, reasons=[{"code": "insufficient_poe"}], comment="Too thin")
        return self.claim(ref)

    def asked(self, ref: str = "c") -> ClaimState:
        self.file(ref)
        self.review(ref, CommandName.REVIEW_START)
        reasons = [{"code": "missing_products"}]
        self.review(ref, CommandName.REVIEW_REQUEST_INFORMATION, reasons=reasons, comment="Which products?")
        return self.claim(ref)

    # -- reading back -------------------------------------------------------------------------------------------------

    def claim(self, ref: str = "c", by: str = "P-1") -> ClaimState:
        """The newest snapshot on `cpor.claims.state`."""
        key = ids.claim_id(PartnerId(by), ref).encode()
        rows = [record.value for record in self.broker.records(Topic.CLAIM_STATE) if record.key == key]
        assert rows[-1:] != [None]
        return wire.decode_state(rows[-1] or b"")

    def event_records(self) -> list[Record]:
        return self.broker.records(Topic.CLAIM_EVENTS, ids.tenant_partition(TENANT, N))

    def events(self, ref: str | None = None, by: str = "P-1") -> list[Event]:
        """Every event inside a fold, in order; of one claim where `ref` is given."""
        wanted = None if ref is None else ids.claim_id(PartnerId(by), ref)
        found = [decoded(record) for record in self.event_records()]
        return [each for each in found if each is not None and wanted in (None, each.claim_id)]

    def receipts(self, by: str = "P-1") -> list[Receipt]:
        return [check(Receipt, record.value or b"") for record in self.broker.records(receipts_topic(by))]

    def handed_off(self, topic: Topic) -> list[tuple[str, dict[str, Any]]]:
        """Type and data of everything on `cpor.claims.approved` or `cpor.claims.eligible`."""
        records = self.broker.records(topic)
        return [(read_envelope(each.headers).type or "", json.loads(each.value or b"")) for each in records]

    def associations(self) -> dict[str, dict[str, Any]]:
        """The newest row of each unit; units with a tombstone are left out."""
        newest = {str(each.key, "utf-8"): each.value for each in self.broker.records(Topic.ASSOCIATIONS) if each.key}
        return {unit: json.loads(value) for unit, value in newest.items() if value is not None}

    def letters(self) -> list[Record]:
        return self.broker.records(Topic.DEAD_LETTERS)

    def audit(self) -> None:
        """Everything that must hold of the topics, whatever was said; see `Auditor`."""
        Auditor(self.broker, self.admitted, N).audit()


def decoded(record: Record) -> Event | None:
    """An event inside a fold; None for the refusal of a command to an unknown claim."""
    told = read_envelope(record.headers)
    if told.sequence == 0:
        return None
    return wire.decode_event(wire.event_name(told.type or ""), record.value or b"")


def of(ref: str, by: str = "P-1") -> ClaimId:
    return ids.claim_id(PartnerId(by), ref)
