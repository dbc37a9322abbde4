"""Does it balance? Everything is counted from the topics; the demo's own tally is one more thing to compare with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pydantic_core import from_json

from cpor.domain.vocabulary import EventName, Status
from cpor.ops.checker import Finding, PipelineLog, check, read_log
from cpor.ops.demo.stage import Tally
from cpor.ops.instance import Instance
from cpor.ops.reading import partition_counts, read_whole
from cpor.runtime.record import Record
from cpor.runtime.topics import Topic, command_topics, partner_of
from schemas import envelope, handoff

#: Commands of the inbox that are not a partner's; each brings about at least one event (contract §4).
INSIDE_PREFIXES = ("cpor.review.", "cpor.ops.", "cpor.consent.")


@dataclass(frozen=True, slots=True)
class Balance:
    """Two numbers that must be equal, and what they are."""

    left: str
    left_count: int
    right: str
    right_count: int

    @property
    def holds(self) -> bool:
        return self.left_count == self.right_count


@dataclass(frozen=True)
class Books:
    """What the topics hold, counted. `claims`: claim id → (partner, status). `findings`: of the offline checker."""

    claims: dict[str, tuple[str, str]]
    receipts: Counter[tuple[str, str]]
    balances: tuple[Balance, ...]
    findings: tuple[Finding, ...]

    def by_status(self) -> Counter[str]:
        return Counter(status for _, status in self.claims.values())

    def wrong_ends(self, expected: Mapping[str, Status]) -> dict[str, tuple[str, str | None]]:
        """Claim id → (expected status, status) where they differ."""
        ends = {claim: (status.value, self.claims.get(claim, ("", None))[1]) for claim, status in expected.items()}
        return {claim: both for claim, both in ends.items() if both[0] != both[1]}

    def as_json(self) -> dict[str, Any]:
        receipts = [{"outcome": o, "code": c, "receipts": n} for (o, c), n in sorted(self.receipts.items())]
        return {
            "claims_by_outcome": dict(sorted(self.by_status().items())),
            "receipts_by_code": receipts,
            "reconciliation": [asdict(each) | {"holds": each.holds} for each in self.balances],
            "findings": [str(each) for each in self.findings],
        }


def read_books(instance: Instance, tally: Tally | None = None) -> Books:
    """Read all topics to their ends and count. The pipeline must be at rest."""
    counts = partition_counts(instance.transport)
    partners = [partner_of(topic) or "" for topic in command_topics(counts)]
    topics = [*_log_topics(), *(topic for topic in counts if topic.startswith("cpor.partners."))]
    records: dict[str, list[Record]] = {topic: [] for topic in topics}
    for record in read_whole(instance.transport, topics, counts):
        records[record.topic].append(record)
    log = read_log(lambda topic: records.get(topic, []), partners, counts[Topic.CLAIM_EVENTS])
    return count(log, tally)


def _log_topics() -> tuple[str, ...]:
    return (
        Topic.CLAIM_COMMANDS,
        Topic.CLAIM_EVENTS,
        Topic.CLAIM_STATE,
        Topic.ASSOCIATIONS,
        Topic.APPROVED,
        Topic.ELIGIBLE,
        Topic.DEAD_LETTERS,
    )


def count(log: PipelineLog, tally: Tally | None = None) -> Books:
    """The books of a log. Pure."""
    claims = _claims(log.states)
    receipts = Counter((str(value["outcome"]), str(value["code"])) for value in map(_value, log.receipts))
    balances = (*_of_messages(log, receipts), *_of_claims(log, claims), *_of_approvals(log, claims))
    if tally is not None:
        balances = (*_of_tally(log, tally), *balances)
    return Books(claims, receipts, balances, tuple(check(log)))


def _value(record: Record) -> dict[str, Any]:
    value: dict[str, Any] = from_json(record.value or b"{}")
    return value


def _claims(states: Iterable[Record]) -> dict[str, tuple[str, str]]:
    newest = {record.key: record for record in states}
    values = (_value(record) for record in newest.values() if record.value)
    return {value["claim_id"]: (value["partner_id"], value["status"]) for value in values}


def _type(record: Record) -> str:
    return record.header(envelope.TYPE) or ""


# -- the balances -------------------------------------------------------------------------------------------------


def _of_tally(log: PipelineLog, tally: Tally) -> list[Balance]:
    decided = sum(_is_inside(record) for record in log.inbox)
    return [
        Balance("messages the partners sent", sum(tally.sent.values()), "records in their topics", len(log.commands)),
        Balance("decisions sent", tally.decisions, "in review's inbox", decided),
    ]


def _is_inside(record: Record) -> bool:
    return _type(record).startswith(INSIDE_PREFIXES)


def _of_messages(log: PipelineLog, receipts: Counter[tuple[str, str]]) -> list[Balance]:
    answered = {record.header(envelope.CAUSATION) for record in log.events}
    decisions = [record for record in log.inbox if _is_inside(record)]
    with_event = sum(record.header(envelope.ID) in answered for record in decisions)
    by_outcome: Counter[str] = Counter()
    for (outcome, _), number in receipts.items():
        by_outcome[outcome] += number
    told = " + ".join(f"{number} {outcome}" for outcome, number in sorted(by_outcome.items()))
    ids = {record.header(envelope.ID) for record in log.receipts}
    return [
        Balance("records sent", len(log.commands), f"receipts ({told})", len(log.receipts)),
        Balance("receipts", len(log.receipts), "different receipt ids", len(ids)),
        Balance("decisions", len(decisions), "with an outcome among the events", with_event),
        Balance("dead letters", len(log.dead_letters), "allowed", 0),
    ]


def _of_claims(log: PipelineLog, claims: Mapping[str, tuple[str, str]]) -> list[Balance]:
    begun = sum(_type(record) in _BEGINNINGS for record in log.events)
    by_status = Counter(status for _, status in claims.values())
    told = "+".join(str(by_status[status]) for status in Status if by_status[status])
    return [
        Balance("claims begun (first events)", begun, "claims (snapshots)", len(claims)),
        Balance("claims", begun, f"sum of outcomes: {told}", sum(by_status.values())),
    ]


_BEGINNINGS = (EventName.DRAFTED.ce_type, EventName.FILED.ce_type, EventName.LEGACY_IMPORTED.ce_type)


def _of_approvals(log: PipelineLog, claims: Mapping[str, tuple[str, str]]) -> list[Balance]:
    """An approval opens units for its claim; each of them is held, or was taken back or ended since."""
    opened = _opened(log.approved)
    ended = _ended(log.approved)
    held = _held(log.associations)
    standing = sum(any((claim, unit) in held for unit in units) for (claim, _), units in opened.items())
    gone = sum(units <= ended.get(approval, set()) for approval, units in opened.items())
    approved = sum(_type(record) == EventName.APPROVED.ce_type for record in log.events)
    units_opened = sum(map(len, opened.values()))
    units_ended = sum(map(len, ended.values()))
    status_approved = sum(status == Status.APPROVED for _, status in claims.values())
    return [
        Balance("approvals (events)", approved, "handed over as approved", len(opened)),
        Balance("approvals", len(opened), f"associations: {standing} held + {gone} ended", standing + gone),
        Balance("units opened", units_opened, f"{len(held)} held + {units_ended} ended", len(held) + units_ended),
        Balance("claims approved now", status_approved, "claims that hold a unit", len({claim for claim, _ in held})),
    ]


Approval = tuple[str, int]


def _opened(approved: Iterable[Record]) -> dict[Approval, set[str]]:
    values = [_value(record) for record in approved if _type(record) == handoff.APPROVED]
    return {(value["claim_id"], value["approval"]): set(value["units"]) for value in values}


def _ended(approved: Iterable[Record]) -> dict[Approval, set[str]]:
    units: dict[Approval, set[str]] = {}
    for record in approved:
        if _type(record) in (handoff.APPROVED_REVOKED, handoff.APPROVED_ENDED):
            value = _value(record)
            units.setdefault((value["claim_id"], value["approval"]), set()).update(value["units"])
    return units


def _held(associations: Iterable[Record]) -> set[tuple[str, str]]:
    """(claim id, unit) of every association that stands."""
    newest = {record.key: record for record in associations}
    rows = [_value(record) for record in newest.values() if record.value]
    return {(claim["claim_id"], row["unit"]) for row in rows for claim in row["claims"]}
