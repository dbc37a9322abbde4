"""Hand-offs: what approved and eligible hold is exactly what the events say (contract §5, D4, D16, D23)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cpor.domain import events as ev
from cpor.domain import ids
from cpor.domain.model import ClaimState
from cpor.domain.vocabulary import AssociationEndReason, instant_text
from cpor.ops.checker.findings import Finding, FindingCode, finding
from cpor.ops.checker.reading import History, Read, Reading
from schemas import handoff

APPROVED_TYPES = (handoff.APPROVED, handoff.APPROVED_REVOKED, handoff.APPROVED_ENDED)


@dataclass(frozen=True, slots=True)
class Expected:
    """A hand-off that an event calls for; `facts` are the fields of its value that must be so."""

    type: str
    id: str
    claim_id: str
    approval: int
    facts: dict[str, Any]


def check_handoffs(reading: Reading) -> Iterator[Finding]:
    """Each expected one is there exactly once, and no other; what is taken back comes after what was given."""
    broken = {claim for claim, history in reading.histories.items() if history.broken}
    expected = {each.id: each for history in reading.histories.values() for each in _expected(history)}
    found: dict[str, list[Read]] = {}
    for read in (*reading.approved, *reading.eligible):
        if read.value["claim_id"] not in broken:
            found.setdefault(_identity(read, expected), []).append(read)
    for want in expected.values():
        yield from _judge(want, found.get(want.id, []))
    for name, reads in found.items():
        if name not in expected:
            sentence = "No event calls for this hand-off."
            yield from (_of(read, FindingCode.HANDOFF_WITHOUT_EVENT, sentence) for read in reads)
    yield from _orders(reading)


def _identity(read: Read, expected: dict[str, Expected]) -> str:
    """Its id; under a foreign id it is still known by type, claim, approval and units."""
    if read.told.id in expected:
        return read.told.id or ""
    same = (read.type, read.value["claim_id"], read.value["approval"], read.value["units"])
    for want in expected.values():
        if (want.type, want.claim_id, want.approval, want.facts["units"]) == same:
            return want.id
    return read.told.id or ""


def _judge(want: Expected, reads: list[Read]) -> Iterator[Finding]:
    if not reads:
        sentence = f"{want.type} is missing."
        yield finding(
            FindingCode.HANDOFF_MISSING, sentence, claim=want.claim_id, approval=want.approval, type=want.type
        )
    if len(reads) > 1:
        yield _of(reads[1], FindingCode.HANDOFF_DOUBLED, f"{want.type} is there {len(reads)} times.")
    for read in reads[:1]:
        if read.told.id != want.id:
            yield _of(read, FindingCode.WRONG_ID, "Its id does not follow from the event behind it.")
        wrong = [name for name, value in want.facts.items() if read.value.get(name) != value]
        if wrong or (read.type in APPROVED_TYPES) != (read.record.topic == "cpor.claims.approved"):
            yield _of(read, FindingCode.HANDOFF_WRONG, f"It is not what the event says: {', '.join(wrong) or 'topic'}.")


def _expected(history: History) -> Iterator[Expected]:
    """What the events of a claim call for; of a legacy association nothing (D23)."""
    if history.broken or history.legacy:
        return
    for each in history.steps:
        cause = ids.event_id(each.event.claim_id, each.event.sequence)
        for number, (ce_type, facts) in enumerate(_called_for(each.event, each.after)):
            yield Expected(ce_type, ids.derived_id(cause, ce_type, number), history.claim_id, facts["approval"], facts)


def _called_for(event: ev.Event, after: ClaimState) -> list[tuple[str, dict[str, Any]]]:
    approval = after.approval
    if approval is None:
        return []
    given = approval.completed_at is not None
    base = {"claim_id": after.claim_id, "approval": approval.sequence}
    if isinstance(event, ev.Approved):
        facts = _whole(after) | {"units": list(event.units), "consent_completed_at": None}
        return [(handoff.APPROVED, base | facts | {"approved_at": instant_text(event.at)})]
    if isinstance(event, ev.ConsentCompleted):
        facts = _whole(after) | {"units": list(after.units), "consent_completed_at": instant_text(event.at)}
        return [(handoff.ELIGIBLE, base | facts | {"approved_at": instant_text(approval.at)})]
    if isinstance(event, ev.AssociationEnded) and event.reason == AssociationEndReason.SUBSCRIPTION_ENDED:
        ended = {"units": list(event.units), "ends_on": event.ends_on.isoformat() if event.ends_on else None}
        return _both(handoff.APPROVED_ENDED, handoff.ELIGIBLE_ENDED, base | ended, given)
    taken, reason = _taken_back(event)
    if reason is None:
        return []
    revoked = {"units": list(taken), "reason": reason, "effective_from": instant_text(event.at)}
    return _both(handoff.APPROVED_REVOKED, handoff.ELIGIBLE_REVOKED, base | revoked, given)


def _both(approved: str, eligible: str, facts: dict[str, Any], given: bool) -> list[tuple[str, dict[str, Any]]]:
    """`eligible` is taken back only where it was given."""
    return [(approved, facts), (eligible, facts)] if given else [(approved, facts)]


def _taken_back(event: ev.Event) -> tuple[tuple[str, ...], str | None]:
    if isinstance(event, ev.AssociationEnded):
        displaced = event.reason == AssociationEndReason.DISPLACED
        return event.units, "displaced" if displaced else None
    if isinstance(event, ev.Rejected | ev.RejectedFinal) and event.units_released:
        return event.units_released, None if event.revocation is None else event.revocation.value
    return (), None


def _whole(state: ClaimState) -> dict[str, Any]:
    form, approval = state.form, state.approval
    assert approval is not None, "only asked after an approval"
    return {
        "partner_id": state.partner_id,
        "location_id": form.location_id,
        "tenant_id": form.tenant_id,
        "engagement": form.engagement,
        "partner_role": form.partner_role,
        "subscription_id": form.subscription_id,
        "incentive": approval.incentive,
        "incentive_reason": approval.incentive_reason,
        "policy": state.policy,
    }


def _orders(reading: Reading) -> Iterator[Finding]:
    """`eligible.revoked` and `eligible.ended` only after their `eligible`; the same for `approved`."""
    for reads, given in ((reading.approved, handoff.APPROVED), (reading.eligible, handoff.ELIGIBLE)):
        seen: set[tuple[str, int]] = set()
        present = {_approval(each) for each in reads if each.type == given}
        for read in reads:
            if read.type == given:
                seen.add(_approval(read))
            elif _approval(read) in present - seen:
                yield _of(read, FindingCode.HANDOFF_OUT_OF_ORDER, f"It comes before its {given}.")


def _approval(read: Read) -> tuple[str, int]:
    return read.value["claim_id"], read.value["approval"]


def _of(read: Read, code: FindingCode, sentence: str) -> Finding:
    claim, approval = read.value["claim_id"], read.value["approval"]
    return finding(code, sentence, claim=claim, approval=approval, type=read.type, record=read.record.origin)
