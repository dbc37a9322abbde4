"""Does it balance? Everything is counted from the topics and the mailboxes; the demo's own tally is one more thing to
compare with. What the offline checker counts is taken from there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from cpor.domain.vocabulary import EventName, Status
from cpor.ops.checker import Balances, Finding, PipelineLog, Row, balances, check, log_topics, read_log
from cpor.ops.checker.histories import check_sequences
from cpor.ops.checker.reading import Read, Reading
from cpor.ops.demo.approvals import Became, became
from cpor.ops.demo.cast import End
from cpor.ops.demo.stage import Tally
from cpor.ops.instance import Instance
from cpor.ops.mailbox import read_mails
from cpor.ops.reading import partition_counts, read_whole
from cpor.runtime.record import Record
from cpor.runtime.topics import Topic, command_topics, partner_of
from schemas import handoff

#: Commands of the inbox that reviewers and operators give; each brings about at least one event (contract §4).
INSIDE_PREFIXES = ("cpor.review.", "cpor.ops.")


@dataclass(frozen=True)
class Books:
    """What the topics hold, counted. `claims`: claim id → (partner, status). `findings`: of the offline checker."""

    claims: dict[str, tuple[str, str]]
    became: dict[str, Became]
    receipts: Counter[tuple[str, str]]
    balances: Balances
    rows: tuple[Row, ...]
    findings: tuple[Finding, ...]

    def by_status(self) -> Counter[str]:
        return Counter(status for _, status in self.claims.values())

    def wrong_ends(self, expected: Mapping[str, End]) -> dict[str, tuple[str, str]]:
        """Claim id → (how it was to end, how it did) where they differ."""
        ends = {claim: (_told(end.status, end.became), self._end(claim)) for claim, end in expected.items()}
        return {claim: both for claim, both in ends.items() if both[0] != both[1]}

    def _end(self, claim: str) -> str:
        if claim not in self.claims:
            return "nothing"
        return _told(self.claims[claim][1], self.became.get(claim, Became.LOST))

    def as_json(self) -> dict[str, Any]:
        receipts = [{"outcome": o, "code": c, "receipts": n} for (o, c), n in sorted(self.receipts.items())]
        told = self.balances
        return {
            "claims_by_outcome": dict(sorted(self.by_status().items())),
            "approvals": dict(Counter(each.value for each in self.became.values() if each != Became.NOTHING)),
            "receipts_by_code": receipts,
            "mails_by_kind": [asdict(each) for each in told.mails],
            "deliveries": {"delivered": told.delivered, "bounced": told.bounced, "doubles": told.doubles},
            "clocks": {"reminders": told.reminders, "missed": told.missed, "expired": told.expired},
            "reconciliation": [each._asdict() | {"holds": each.holds} for each in self.rows],
            "findings": [str(each) for each in self.findings],
        }


def read_pipeline(instance: Instance) -> PipelineLog:
    """All topics to their ends, and the mailboxes. The pipeline must be at rest."""
    counts = partition_counts(instance.transport)
    partners = [partner_of(topic) or "" for topic in command_topics(counts)]
    topics = log_topics(partners)
    records: dict[str, list[Record]] = {topic: [] for topic in topics}
    for record in read_whole(instance.transport, topics, counts):
        records[record.topic].append(record)
    operations = instance.env().get("CPOR_OPERATIONS_MAIL")
    log = read_log(lambda topic: records[topic], partners, counts[Topic.CLAIM_EVENTS], operations=operations)
    return log.with_sink(read_mails(instance))


def count(log: PipelineLog, tally: Tally | None = None) -> Books:
    """The books of a log. Pure."""
    reading = Reading(log)
    list(check_sequences(reading))  # marks what has no fold
    claims = {claim: (str(row.value["partner_id"]), str(row.value["status"])) for claim, row in _rows(reading.states)}
    receipts = Counter((str(each.value["outcome"]), str(each.value["code"])) for each in reading.receipts)
    counted = balances(log)
    rows = (
        *(_of_tally(reading, tally) if tally is not None else ()),
        *_of_messages(reading, receipts),
        *_of_claims(reading, claims),
        *counted.rows(),
        *_of_units(reading, claims),
    )
    return Books(claims, became(reading), receipts, counted, rows, tuple(check(log)))


def _rows(table: Mapping[str, Read | None]) -> Iterable[tuple[str, Read]]:
    """Without the tombstones."""
    return ((key, row) for key, row in table.items() if row is not None)


def _told(status: str, end: Became) -> str:
    return status if end == Became.NOTHING else f"{status}, {end}"


# -- what must be equal ---------------------------------------------------------------------------------------------


def _of_tally(reading: Reading, tally: Tally) -> list[Row]:
    log = reading.log
    decided = sum(map(_is_decision, reading.inbox))
    told = sum(each.type == EventName.INCENTIVE_RESULT.ce_type for each in reading.event_records) + len(log.responses)
    return [
        Row("messages the partners sent", sum(tally.sent.values()), "records in their topics", len(log.commands)),
        Row("decisions sent", tally.decisions, "in review's inbox", decided),
        Row("customers' answers, incentive results", tally.told, "on record", told),
    ]


def _is_decision(read: Read) -> bool:
    """Of a person: deadlines ends associations by itself (T19)."""
    return read.type.startswith(INSIDE_PREFIXES) and not (read.told.source or "").startswith("/services/")


def _of_messages(reading: Reading, receipts: Counter[tuple[str, str]]) -> list[Row]:
    log = reading.log
    answered = {each.told.causation for each in reading.event_records}
    decisions = [each for each in reading.inbox if _is_decision(each)]
    with_event = sum(each.told.id in answered for each in decisions)
    by_outcome: Counter[str] = Counter()
    for (outcome, _), number in receipts.items():
        by_outcome[outcome] += number
    told = " + ".join(f"{number} {outcome}" for outcome, number in sorted(by_outcome.items()))
    ids = {each.told.id for each in reading.receipts}
    return [
        Row("records sent", len(log.commands), f"receipts ({told})", len(log.receipts)),
        Row("receipts", len(log.receipts), "different receipt ids", len(ids)),
        Row("decisions", len(decisions), "with an outcome among the events", with_event),
        Row("dead letters", len(log.dead_letters), "allowed", 0),
    ]


def _of_claims(reading: Reading, claims: Mapping[str, tuple[str, str]]) -> list[Row]:
    begun = sum(each.type in _BEGINNINGS for each in reading.event_records)
    by_status = Counter(status for _, status in claims.values())
    told = "+".join(str(by_status[status]) for status in Status if by_status[status])
    return [
        Row("claims begun (first events)", begun, "claims (snapshots)", len(claims)),
        Row("claims", begun, f"sum of outcomes: {told}", sum(by_status.values())),
    ]


_BEGINNINGS = (EventName.DRAFTED.ce_type, EventName.FILED.ce_type, EventName.LEGACY_IMPORTED.ce_type)


def _of_units(reading: Reading, claims: Mapping[str, tuple[str, str]]) -> list[Row]:
    """An approval opens units for its claim; each of them is held, or was taken back or ended since."""
    opened = sum(len(each.value["units"]) for each in reading.approved if each.type == handoff.APPROVED)
    closed = sum(len(each.value["units"]) for each in reading.approved if each.type in _CLOSING)
    held = [claim["claim_id"] for _, row in _rows(reading.associations) for claim in row.value["claims"]]
    approved = sum(status == Status.APPROVED for _, status in claims.values())
    snapshots = [row.value for _, row in _rows(reading.states)]
    without = sum(each["status"] == Status.APPROVED and not each["units"] for each in snapshots)
    return [
        Row("units opened", opened, f"{len(held)} held + {closed} ended", len(held) + closed),
        Row(
            "claims approved now",
            approved,
            f"{len(set(held))} hold a unit + {without} hold none any more",
            len(set(held)) + without,
        ),
    ]


_CLOSING = (handoff.APPROVED_REVOKED, handoff.APPROVED_ENDED)
