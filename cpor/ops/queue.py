"""What waits for a reviewer, the most urgent first, and what is to be looked at (D17, D21)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from cpor.domain.calendar import local_date
from cpor.domain.model import ClaimState
from cpor.domain.poe import is_old_signature
from cpor.domain.policy import policy
from cpor.domain.vocabulary import Clock, Instant, Status, instant_text
from cpor.ops.book import Claim
from cpor.ops.columns import COLUMNS

#: Status → the clock by which the reviewers should have moved on (§2.3).
CLOCKS: dict[Status, Clock] = {
    Status.SUBMITTED: Clock.REVIEW_START,
    Status.UNDER_REVIEW: Clock.REVIEW_DECISION,
    Status.DISPUTED: Clock.DISPUTE_ANSWER,
}
FAR = 1 << 62


@dataclass(frozen=True, slots=True)
class Waiting:
    """A claim in the queue; `due` in ms since the epoch, `late` when it has passed."""

    claim: Claim
    due: int | None
    late: bool
    flags: tuple[str, ...]


def queue_of(claims: Iterable[Claim], now: int) -> list[Waiting]:
    waiting = [_waiting(claim, now) for claim in claims if claim.state.status in CLOCKS]
    return sorted(waiting, key=lambda each: (each.due or FAR, each.claim.state.origin.created_at, each.claim.claim_id))


def _waiting(claim: Claim, now: int) -> Waiting:
    clock = claim.state.clock(CLOCKS[claim.state.status])
    due = clock.due if clock else None
    return Waiting(claim, due, due is not None and due <= now, tuple(flags_of(claim.state)))


def flags_of(state: ClaimState) -> Iterator[str]:
    """What the reviewer should look at; none of it refuses a submission (D21)."""
    uncovered = uncovered_workloads(state)
    if uncovered:
        yield f"not covered: {', '.join(uncovered)}"
    old = [each.filename for each in state.documents if is_old(state, each.customer_signed_on)]
    if old:
        yield f"signature too old: {', '.join(old)}"
    if any(each.customer_signed_on is None for each in state.documents):
        yield "signature undated"
    if state.competes_with:
        yield f"competes with {len(state.competes_with)}"
    if state.parked:
        yield "parked"


def uncovered_workloads(state: ClaimState) -> list[str]:
    covered = {workload for document in state.documents for workload in document.covers}
    return [workload for workload in state.form.workloads if workload not in covered]


def is_old(state: ClaimState, signed_on: date | None) -> bool:
    """R26, D21: at the submission, on the claim's local day; a day that is not known is not old."""
    if signed_on is None or state.submitted_at is None:
        return False
    submitted_on = local_date(Instant(state.submitted_at), state.origin.zone)
    return is_old_signature(policy(state.policy), signed_on, submitted_on)


def waiting_json(waiting: Waiting) -> dict[str, Any]:
    due = None if waiting.due is None else instant_text(waiting.due)
    row = {name: column.json(waiting.claim) for name, column in COLUMNS.items()}
    sequence = waiting.claim.state.sequence
    return row | {"due": due, "late": waiting.late, "flags": list(waiting.flags), "sequence": sequence}
