"""Partners' records and their receipts; the inbox between them (contract §3, §4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from cpor.domain import ids
from cpor.domain.vocabulary import CommandName, Outcome
from cpor.ops.checker.findings import Finding, FindingCode, finding
from cpor.ops.checker.reading import PARTNER_TYPES, Read, Reading, by_cause
from cpor.runtime.record import Record
from cpor.runtime.topics import partner_of, receipts_topic
from schemas.envelope import is_message_id, read_envelope
from schemas.receipts import OriginalOutcome
from schemas.upcast import versions

REVIEW = "/services/review"
#: Accepted without an event: an upload is signed; what changes nothing is no event.
MAY_LEAVE_NO_EVENT = frozenset((CommandName.POE_RESERVE, CommandName.EDIT, CommandName.POE_AMEND))
#: A person waits for the outcome: an event, if only a refusal. The services' messages may have been overtaken.
MUST_LEAVE_AN_EVENT = frozenset(
    (
        CommandName.REVIEW_START,
        CommandName.REVIEW_REQUEST_INFORMATION,
        CommandName.REVIEW_APPROVE,
        CommandName.REVIEW_REJECT,
        CommandName.REVIEW_COMMENT,
        CommandName.OPS_IMPORT_LEGACY,
        CommandName.OPS_RESEND_NOTICE,
    )
)
PARKING = versions(CommandName.PARK) | versions(CommandName.UNPARK)


class Answers:
    """Each partner record with its receipts and what it became in the inbox."""

    def __init__(self, reading: Reading) -> None:
        self.records = {_receipt_id(each): each for each in reading.log.commands}
        self.receipts = _by_id(reading.receipts)
        self.inbox = {read.told.origin: read for read in reading.inbox if read.type in PARTNER_TYPES}
        self.events = by_cause(reading.event_records)
        self.given_up = reading.given_up
        self.known = _message_ids(self.records.values())


def check_receipts(reading: Reading) -> Iterator[Finding]:
    """Exactly one receipt for each record, none without one, and each says what happened."""
    answers = Answers(reading)
    for receipt_id, record in answers.records.items():
        receipts = answers.receipts.get(receipt_id, [])
        if not receipts and record.origin not in answers.given_up:
            yield _of(record, FindingCode.RECEIPT_MISSING, "The record has no receipt.")
        elif len(receipts) > 1:
            yield _of(record, FindingCode.RECEIPT_DOUBLED, f"The record has {len(receipts)} receipts.")
        for receipt in receipts[:1]:
            yield from _what_it_says(answers, record, receipt)
    for receipt_id, receipts in answers.receipts.items():
        if receipt_id not in answers.records:
            sentence = "The receipt is of no record that was sent."
            origin = receipts[0].record.origin
            yield finding(FindingCode.RECEIPT_WITHOUT_RECORD, sentence, receipt=origin, id=receipt_id)


def _what_it_says(answers: Answers, record: Record, receipt: Read) -> Iterator[Finding]:
    if not _lies_right(record, receipt):
        yield _of(record, FindingCode.RECEIPT_MISPLACED, "The receipt does not go to the sender under its key and id.")
    admitted = answers.inbox.get(record.origin)
    if admitted is None:
        yield from _of_intake(answers, record, receipt)
    else:
        yield from _of_review(answers, record, receipt, admitted)


def _lies_right(record: Record, receipt: Read) -> bool:
    """Topic, partition, key (which may be cut short) and the message's id (contract §3)."""
    partner, there = partner_of(record.topic) or "", receipt.record
    if (there.topic, there.partition) != (receipts_topic(partner), 0):
        return False
    if (there.key is None) != (record.key is None) or not (record.key or b"").startswith(there.key or b""):
        return False
    sent = read_envelope(record.headers).id
    named = (receipt.told.causation, receipt.value["message_id"])
    return all(each in (sent, record.origin) for each in named)


def _of_intake(answers: Answers, record: Record, receipt: Read) -> Iterator[Finding]:
    """Never reached the inbox: refused, or a duplicate of a message that is there."""
    outcome = receipt.value["outcome"]
    if outcome == Outcome.ACCEPTED or receipt.told.source == REVIEW:
        yield _of(record, FindingCode.ACCEPTED_WITHOUT_INBOX, "Review answers a record that never reached its inbox.")
    elif outcome == Outcome.DUPLICATE and not _has_original(answers, record, receipt):
        yield _of(record, FindingCode.DUPLICATE_OF_NOTHING, "No earlier message has this id and this fate.")


def _has_original(answers: Answers, record: Record, receipt: Read) -> bool:
    message = (record.topic, record.key, read_envelope(record.headers).id)
    admitted = (receipt.value.get("original") or {}).get("outcome") == OriginalOutcome.ADMITTED
    return any(
        (each.partition, each.offset) < (record.partition, record.offset) and (each.origin in answers.inbox) == admitted
        for each in answers.known.get(message, ())
    )


def _of_review(answers: Answers, record: Record, receipt: Read, admitted: Read) -> Iterator[Finding]:
    events = answers.events.get(admitted.told.id or "", [])
    if receipt.told.source != REVIEW or receipt.value["outcome"] == Outcome.DUPLICATE:
        yield _of(record, FindingCode.REFUSED_THOUGH_ADMITTED, "The record is in the inbox, and not review answers.")
    elif receipt.value["outcome"] == Outcome.ACCEPTED:
        if not events and admitted.type not in MAY_LEAVE_NO_EVENT:
            yield _of(record, FindingCode.ACCEPTED_WITHOUT_EVENT, "The receipt says accepted, and no event followed.")
    elif events:
        yield _of(record, FindingCode.REFUSED_WITH_EVENT, "The receipt says rejected, and an event followed.")


def check_inbox(reading: Reading) -> Iterator[Finding]:
    """Each message once, under the id that follows from it, and none that nobody sent."""
    answers = Answers(reading)
    origins = {each.origin for each in reading.log.commands}
    seen: Counter[str | None] = Counter()
    for read in reading.inbox:
        seen[_behind(read)] += read.type not in PARKING and _behind(read) is not None
        if seen[_behind(read)] == 2:
            yield _inbox(read, FindingCode.INBOX_DOUBLED, "The message behind it is in the inbox already.")
        if read.type in PARTNER_TYPES:
            yield from _admission(read, origins)
        elif read.type in MUST_LEAVE_AN_EVENT and not _answered(answers, read):
            yield _inbox(read, FindingCode.COMMAND_UNANSWERED, "No event tells what became of the command.")


def _behind(read: Read) -> str | None:
    """What may bring about one message only: the message behind it, or the wait whose end it is."""
    if read.told.origin is None and read.type == CommandName.CONSENT_OUTCOME:
        return read.told.id
    return read.told.origin


def _admission(read: Read, origins: set[str]) -> Iterator[Finding]:
    origin = read.told.origin
    if origin not in origins:
        yield _inbox(read, FindingCode.INBOX_WITHOUT_RECORD, "No partner has sent the message behind it.")
    elif read.told.id != ids.derived_id(ids.name_id(origin or ""), read.type):
        yield _inbox(read, FindingCode.WRONG_ID, "Its id does not follow from the message behind it.")


def _answered(answers: Answers, read: Read) -> bool:
    return bool(answers.events.get(read.told.id or "")) or read.record.origin in answers.given_up


def _receipt_id(record: Record) -> str:
    return ids.receipt_id(record.topic, record.partition, record.offset)


def _by_id(receipts: list[Read]) -> dict[str, list[Read]]:
    found: dict[str, list[Read]] = {}
    for read in receipts:
        found.setdefault(read.told.id or "", []).append(read)
    return found


_Message = tuple[str, bytes | None, str | None]


def _message_ids(records: Iterable[Record]) -> dict[_Message, list[Record]]:
    found: dict[_Message, list[Record]] = {}
    for record in records:
        told = read_envelope(record.headers)
        if is_message_id(told.id):
            found.setdefault((record.topic, record.key, told.id), []).append(record)
    return found


def _of(record: Record, code: FindingCode, sentence: str) -> Finding:
    message = read_envelope(record.headers).id or ""
    return finding(code, sentence, record=record.origin, message=message[:64])


def _inbox(read: Read, code: FindingCode, sentence: str) -> Finding:
    return finding(code, sentence, record=read.record.origin, claim=read.value["claim_id"], origin=read.told.origin)
