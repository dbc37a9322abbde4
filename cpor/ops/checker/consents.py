"""Consent: each notice asked for once, each answer heard once, and none lost (contract §5, D3, D4, D9, D19, D20)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cpor.domain import events as ev
from cpor.domain import ids
from cpor.domain.policy import policy
from cpor.domain.vocabulary import (
    CommandName,
    ConsentOutcome,
    Instant,
    RejectionReason,
    Status,
    instant_text,
    parse_instant,
)
from cpor.ops.checker.findings import Finding, FindingCode, finding
from cpor.ops.checker.log import CONSENT
from cpor.ops.checker.reading import History, Read, Reading, Step
from schemas import consent
from schemas.mail import DELIVERED

SOURCE = "/services/consent"
#: What consent may say to an answer; the first two go on to review.
TO_REVIEW = (consent.DECLINED, consent.AGREED)
VERDICTS = (*TO_REVIEW, consent.HELD, consent.DISMISSED, consent.IGNORED)
_OVER = (Status.CANCELLED, Status.REJECTED_FINAL)
#: Nobody was asked yet, or nothing is left to refuse.
_NOT_ASKED = (Status.DRAFT, *_OVER)


@dataclass(frozen=True, slots=True)
class Expected:
    """A consent event that a claim event calls for; `sure` is False where consent may have known of a no by then."""

    type: str
    history: History
    step: Step
    sure: bool = True
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return ids.derived_id(ids.event_id(self.step.event.claim_id, self.step.event.sequence), self.type)


def check_consent(reading: Reading) -> Iterator[Finding]:
    wanted = {each.id: each for history in reading.whole for each in _expected(reading, history)}
    answers = {ids.derived_id(read.record.origin, name): read for read in reading.responses for name in VERDICTS}
    found: dict[str, list[Read]] = {}
    for read in reading.consent:
        found.setdefault(read.told.id or "", []).append(read)
    for name, want in wanted.items():
        yield from _judge(reading, want, found.get(name, []))
    for name, reads in found.items():
        if name not in wanted and name not in answers and not reading.is_broken(reads[0].value["claim_id"]):
            sentence = "Neither a claim event nor an answer calls for it."
            yield from (_of(read, FindingCode.CONSENT_WITHOUT_CAUSE, sentence) for read in reads)
    for read in reading.responses:
        yield from _heard(reading, read, found)
    yield from _without_effect(reading)
    yield from _untold(reading)


# -- what claim events call for ------------------------------------------------------------------------------------


def _expected(reading: Reading, history: History) -> Iterator[Expected]:
    said_no = any(read.type == consent.DECLINED for read in reading.consent_of(history.claim_id))
    for step in history.steps:
        notice = _notice(history, step)
        if notice is not None:
            yield Expected(consent.REQUESTED, history, step, not said_no, {"notice": notice})
        if isinstance(step.event, ev.ConsentCompleted):
            yield Expected(consent.COMPLETED, history, step)
        if isinstance(step.event, ev.ConsentSuspended):
            yield Expected(consent.SUSPENDED, history, step, facts={"reason": step.event.reason})


def _notice(history: History, step: Step) -> consent.Notice | None:
    """Which notice the customer gets (D3, D15, D20): none of an imported claim, none who has said no."""
    if history.legacy or _said_no(history, step.event.sequence):
        return None
    if isinstance(step.event, ev.Approved):
        return consent.Notice.APPROVED
    if not getattr(step.event, "customer_notice", False):
        return None
    return consent.Notice.APPROVED if step.after.status == Status.APPROVED else consent.Notice.SUBMITTED


def _said_no(history: History, until: int) -> bool:
    """Whether the customer's no stands in the events up to this one."""
    for step in history.steps[:until]:
        event = step.event
        if isinstance(event, ev.ConsentAnswered) and event.answer == ConsentOutcome.DECLINED:
            return True
        if any(each.code == RejectionReason.CUSTOMER_DECLINED for each in getattr(event, "reasons", ())):
            return True
    return False


def _judge(reading: Reading, want: Expected, reads: list[Read]) -> Iterator[Finding]:
    event, approval = want.step.event, want.step.after.approval
    ids = {"claim": want.history.claim_id, "sequence": event.sequence, "type": want.type}
    if not reads and want.sure and CONSENT in reading.log.services:
        yield finding(FindingCode.CONSENT_MISSING, "Consent did not tell of it.", **ids)
    if len(reads) > 1:
        yield _of(reads[1], FindingCode.CONSENT_DOUBLED, f"Consent told of it {len(reads)} times.")
    facts = {"claim_id": want.history.claim_id, "at": instant_text(event.at), **want.facts}
    facts["approval"] = None if approval is None else approval.sequence
    for read in reads[:1]:
        wrong = [name for name, value in facts.items() if read.value.get(name) != value]
        if wrong or read.type != want.type:
            yield _of(read, FindingCode.CONSENT_WRONG, f"It is not what the event says: {', '.join(wrong)}.")


# -- what customers answered ---------------------------------------------------------------------------------------


def _heard(reading: Reading, said: Read, found: dict[str, list[Read]]) -> Iterator[Finding]:
    """Exactly one outcome of each answer; a no or yes that counts goes to review."""
    names = (ids.derived_id(said.record.origin, name) for name in VERDICTS)
    verdicts = [read for name in names for read in found.get(name, ())]
    if not verdicts:
        if CONSENT in reading.log.services and said.record.origin not in reading.given_up:
            yield _of(said, FindingCode.ANSWER_UNHEARD, "Nothing tells what became of the answer.")
        return
    if len(verdicts) > 1:
        yield _of(said, FindingCode.ANSWER_HEARD_TWICE, f"The answer has {len(verdicts)} outcomes.")
    verdict = verdicts[0]
    if verdict.type in TO_REVIEW and said.record.origin not in reading.inbox_origins:
        yield _of(said, FindingCode.ANSWER_WITHOUT_EFFECT, "Review was not told of the answer.")
    history = reading.history(str(said.value["claim_id"]))
    if verdict.type == consent.IGNORED and history is not None and _is_lost(history, said, reading):
        # As long as review has not heard of a no before it, this one has nothing to add.
        passed_on = any(read.type == consent.DECLINED for read in reading.consent_of(history.claim_id))
        code = FindingCode.ANSWER_WITHOUT_EFFECT if passed_on else FindingCode.ANSWER_LOST
        yield _of(said, code, "The customer's no came in time and was ignored.")


def _is_lost(history: History, said: Read, reading: Reading) -> bool:
    """A no that could count, by what its sender could know, of a claim that goes on as if it had not been said."""
    if said.value.get("answer") != consent.Answer.DECLINE or said.key != history.state.form.tenant_id:
        return False
    if _said_no(history, len(history.steps)) or history.state.status in _OVER or not _is_proven(history, said, reading):
        return False
    before = [step.after for step in history.steps if step.appended_at <= said.record.appended_at]
    if not before or before[-1].status in _NOT_ASKED:
        return False
    limited = policy(history.state.policy).consent.decline_days is not None
    due = before[-1].consent.due if before[-1].status == Status.APPROVED else None
    return not limited or due is None or _received(said) < due


def _is_proven(history: History, said: Read, reading: Reading) -> bool:
    """By the page with a link that still counts and without a doubt, else under an operator's name."""
    if said.value["channel"] != consent.AnswerChannel.PAGE:
        return said.value.get("operator") is not None
    if said.value.get("doubts"):
        return False
    asked = [step for step in history.steps if _request_id(step) == said.value.get("token_id")]
    since = history.steps[asked[0].event.sequence :] if asked else []
    known = (step for step in since if step.appended_at <= said.record.appended_at)
    return bool(asked) and not any(map(_replaces_contact, known))


def _request_id(step: Step) -> str:
    return ids.derived_id(ids.event_id(step.event.claim_id, step.event.sequence), consent.REQUESTED)


def _replaces_contact(step: Step) -> bool:
    return any(getattr(each, "field", "") == "customer_contact" for each in getattr(step.event, "changes", ()))


def _received(said: Read) -> Instant:
    """D19: by page when the broker took it; else when the operator says it came, never later than that."""
    appended, answered = said.record.appended_at, said.value.get("answered_at")
    if answered is None or said.value["channel"] == consent.AnswerChannel.PAGE:
        return Instant(appended)
    return Instant(min(appended, parse_instant(answered)))


def _without_effect(reading: Reading) -> Iterator[Finding]:
    """D9: a no is never lost, whatever the claim's status was when review heard of it."""
    for read in reading.inbox:
        declined = read.type == CommandName.CONSENT_OUTCOME and read.value["outcome"] == ConsentOutcome.DECLINED
        history = reading.history(str(read.value["claim_id"])) if declined else None
        if history is None or read.told.source != SOURCE or _said_no(history, len(history.steps)):
            continue
        if history.state.status not in _OVER and not _was_too_late(history, read):
            yield _of(read, FindingCode.ANSWER_WITHOUT_EFFECT, "The customer said no, and the claim goes on.")


def _was_too_late(history: History, read: Read) -> bool:
    """P2020's seven days (D4)."""
    limited = policy(history.state.policy).consent.decline_days is not None
    received = read.told.received_at or read.record.appended_at
    return limited and any(0 < (step.after.consent.due or 0) <= received for step in history.steps)


# -- silence is consent only of who was asked ----------------------------------------------------------------------


def _untold(reading: Reading) -> Iterator[Finding]:
    if CONSENT not in reading.log.services:
        return
    arrived: dict[str, int] = {}
    for read in reading.deliveries:
        if read.type == DELIVERED:
            arrived.setdefault(read.value["cause"], read.record.appended_at)
    for history in (each for each in reading.whole if not each.legacy):
        for step in history.steps:
            if isinstance(step.event, ev.ConsentCompleted) and not _knew(history, step, arrived):
                sentence = "Silence was taken for consent, and no notice had been delivered."
                named = {"claim": history.claim_id, "approval": step.event.approval}
                yield finding(FindingCode.COMPLETED_UNTOLD, sentence, **named)


def _knew(history: History, completed: Step, arrived: Mapping[str, int]) -> bool:
    """The newest notice arrived before the wait fell due, or the customer has answered since it was asked for."""
    until = completed.event.sequence - 1
    asked = [step for step in history.steps[:until] if _notice(history, step) == consent.Notice.APPROVED]
    if not asked:
        return False
    since = history.steps[asked[-1].event.sequence : until]
    due = history.steps[until - 1].after.consent.due or 0
    in_time = arrived.get(_request_id(asked[-1]), due) < due
    return in_time or any(isinstance(step.event, ev.ConsentAnswered) for step in since)


def _of(read: Read, code: FindingCode, sentence: str) -> Finding:
    return finding(code, sentence, claim=read.value["claim_id"], type=read.type, record=read.record.origin)
