"""Answers that wait for a check: which there are, and putting on record what an operator found about one (D20).

Audited first, as an answer taken by phone or mail is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from cpor.domain.model import ClaimState
from cpor.domain.vocabulary import Instant, instant_text
from cpor.ops.answers import Became, ByOperator, told_to_consent
from cpor.ops.book import Claim
from cpor.ops.errors import Refused, WrongUse
from cpor.ops.inbox import WAIT_SECONDS
from cpor.ops.instance import Instance
from cpor.ops.reading import newest_rows
from cpor.ops.writing import checked
from cpor.runtime.record import Output
from cpor.runtime.topics import Topic
from cpor.runtime.transport.port import Transport
from schemas.audit import ANSWER_CHECKED, AnswerChecked
from schemas.consent import CHECKED, Checked, Finding


@dataclass(frozen=True, slots=True)
class HeldAnswer:
    """`received_at` is RFC 3339: a release counts from then. `evidence`: what the page wrote, empty without it."""

    claim: Claim
    id: str
    answer: str
    channel: str
    received_at: str
    doubts: tuple[str, ...]
    evidence: Mapping[str, Any]


def held_answers(transport: Transport, claims: Iterable[Claim]) -> list[HeldAnswer]:
    """All that wait, the oldest first; what consent itself remembers."""
    known = {str(claim.claim_id): claim for claim in claims}
    rows = newest_rows(transport, Topic.CONSENT_STATE)
    found = [
        _held(known[key.decode()], told)
        for key, row in rows.items()
        if key.decode() in known
        for told in from_json(row.value or b"{}").get("checks", ())
    ]
    return sorted(found, key=lambda each: (each.received_at, each.id))


def _held(claim: Claim, told: Mapping[str, Any]) -> HeldAnswer:
    return HeldAnswer(
        claim,
        told["id"],
        told["answer"],
        told["channel"],
        told["received_at"],
        tuple(told.get("doubts", ())),
        _evidence(told.get("evidence")),
    )


def _evidence(text: str | None) -> Mapping[str, Any]:
    """By phone or mail it is a sentence."""
    try:
        told = from_json(text or "{}")
    except ValueError:
        return {"told": text}
    return told if isinstance(told, dict) else {"told": text}


def pick_held(held: Iterable[HeldAnswer], wanted: str | None) -> HeldAnswer:
    """The one answer, or the one whose id begins as `wanted`. Raises Refused where none waits, WrongUse for several."""
    found = [each for each in held if wanted is None or each.id.startswith(wanted)]
    if not found:
        raise Refused("no such answer of this claim waits for a check: see `cpor consent show`")
    if len(found) > 1:
        told = ", ".join(f"{each.id[:8]} ({each.answer}, {each.received_at[:16]})" for each in found)
        raise WrongUse(f"several answers of this claim wait: name one with --answer: {told}")
    return found[0]


def put_finding(
    instance: Instance,
    answer: HeldAnswer,
    finding: Finding,
    operator: str,
    note: str | None = None,
    seconds: float = WAIT_SECONDS,
) -> Became:
    """Audit and write what was found, and wait for what becomes of it. Raises WrongUse, Refused, NotReachable."""
    state, now = answer.claim.state, instance.clock.now()
    return told_to_consent(
        instance,
        state,
        lambda said, place: records(state, answer.id, finding, operator, note, said, now, place),
        seconds,
    )


def records(
    state: ClaimState,
    answer_id: str,
    finding: Finding,
    operator: str,
    note: str | None,
    message_id: str,
    now: int,
    place: int,
) -> tuple[Output, Output]:
    """The audit's entry, and the finding. Raises WrongUse where a text is too long."""
    said = {"claim_id": state.claim_id, "response_id": answer_id, "finding": finding, "operator": operator}
    said |= {"note": note} if note else {}
    entry = {"at": instant_text(now), "tenant_id": state.form.tenant_id}
    by = ByOperator(operator, state.claim_id, state.form.tenant_id, message_id, Instant(now), place)
    return (
        by.on_the_audit(ANSWER_CHECKED, checked(AnswerChecked, said | entry)),
        by.to_consent(CHECKED, checked(Checked, said)),
    )
