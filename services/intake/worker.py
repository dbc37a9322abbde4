"""Intake's processor: partners' command topics in; receipts, review's inbox and a row for each reference out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cpor.domain.ids import claim_id, legacy_tenant
from cpor.domain.vocabulary import Code, PartnerId
from cpor.runtime.processor import Context, Lookup, Preparation, Processor, ReferenceTable, StateTable
from cpor.runtime.record import Record
from cpor.runtime.topics import Topic, command_topics
from schemas.partner_commands import WrongShape
from services.intake.admit import Inbox
from services.intake.case import Case
from services.intake.directory import read_entry
from services.intake.documents import Checker, Documents, Gathered, Signer
from services.intake.gate import judge, misshapen, turned_away
from services.intake.message import Message, sender
from services.intake.poe.limits import Limits
from services.intake.receipts import answer_repetition, refuse, refuse_at_entrance
from services.intake.references import Reference, decode, encode, identity, row_key
from services.intake.results import forward_result

REFERENCES = "references"
PARTNERS = "partners"


class Intake(Processor):
    """One receipt or one inbox record for each record of a partner, never both, never none (contract §3)."""

    service = "intake"
    slots_topic = Topic.INTAKE_SLOTS
    state_tables = (StateTable(REFERENCES, Topic.INTAKE_STATE, encode, decode),)
    reference_tables = (ReferenceTable(PARTNERS, Topic.PARTNERS, read_entry, everywhere=True),)
    parked_topic = Topic.INTAKE_PARKED

    def __init__(
        self, checker: Checker, signer: Signer, limits: Limits, claims_partitions: int, partners_partitions: int
    ) -> None:
        """`claims_partitions`: N, of the inbox; `partners_partitions`: P, of every command topic (contract §1)."""
        self._documents = Documents(checker, signer, limits, REFERENCES)
        self._inbox = Inbox(claims_partitions)
        self._claims_partitions = claims_partitions
        self._slots = partners_partitions

    def sources(self, all_topics: Iterable[str]) -> list[str]:
        topics = list(all_topics)
        results = [Topic.INCENTIVE_RESULTS.value] if Topic.INCENTIVE_RESULTS in topics else []
        return [*command_topics(topics), *results]

    def partitions_of(self, topic: str, slot: int, count: int) -> list[int]:
        """The results have N partitions, not P: slot p reads every one that leaves p when divided by P."""
        if topic == Topic.INCENTIVE_RESULTS:
            return list(range(slot, count, self._slots))
        return super().partitions_of(topic, slot, count)

    def appears_later(self, topic: str) -> bool:
        return sender(topic) is not None

    def order_key(self, record: Record) -> bytes | None:
        """Two partners may use the same reference. An incentive result waits for no other: none builds on another."""
        partner = sender(record.topic)
        return None if partner is None or record.key is None else partner.encode() + b"/" + record.key

    def prepare(self, batch: Sequence[Record], lookup: Lookup) -> Preparation:
        return self._documents.prepare(batch, lookup)

    def process(self, context: Context, record: Record) -> None:
        partner = sender(record.topic)
        if partner is None:
            forward_result(context, record, self._claims_partitions)
            return
        gathered: Gathered | None = context.prepared(record)
        message = Message(partner, record) if gathered is None else gathered.message
        refusal = turned_away(message)
        if refusal is None:
            self._answer(context, message, gathered)
        else:
            refuse_at_entrance(context, message, *refusal)

    def on_dead_letter(self, context: Context, record: Record, reason: str, letter_id: str) -> None:
        """A claim that is known is parked: its time-out must wait for the message (architecture §3)."""
        partner = sender(record.topic)
        if partner is None:
            return
        claim_ref = Message(partner, record).claim_ref
        row = None if claim_ref is None else context.get(REFERENCES, row_key(partner, claim_ref))
        if row is not None:
            self._inbox.park(context, record, row, letter_id)

    def _answer(self, context: Context, message: Message, gathered: Gathered | None) -> None:
        """An identified message: seen before, refused or admitted; the last two are remembered."""
        assert message.claim_ref is not None
        assert message.message_id is not None
        key = row_key(message.partner, message.claim_ref)
        row = context.get(REFERENCES, key) or self._fresh(message.partner, message.claim_ref, context.partition)
        this = identity(message.message_id, message.type, message.value)
        first = row.first(this)
        if first is not None:
            answer_repetition(context, message, row, first)
            return
        row, rejected = self._decide(context, message, row, gathered)
        context.put(REFERENCES, key, row.remembering(this, rejected))

    def _fresh(self, partner: PartnerId, claim_ref: str, partition: int) -> Reference:
        """An imported association is bound by its reference: no create of the partner ever came (D23)."""
        return Reference(claim_id(partner, claim_ref), legacy_tenant(claim_ref), partition)

    def _decide(
        self, context: Context, message: Message, row: Reference, gathered: Gathered | None
    ) -> tuple[Reference, Code | None]:
        """The row afterwards, and the code of a refusal."""
        body = message.body
        entry = context.get(PARTNERS, message.partner.encode())
        about = (row, entry, gathered, self._documents.limits)
        if isinstance(body, WrongShape):
            rest = Case(message, body.rest, *about) if entry and body.rest else None
            refusal = misshapen(body, rest)
            refuse(context, message, row, refusal)
            return row, refusal.code
        case = Case(message, body, *about)
        no = judge(case)
        if no is None:
            return self._inbox.admit(context, case), None
        refuse(context, message, row, no)
        return row, no.code
