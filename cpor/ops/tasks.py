"""What operators have to see to, folded from the topics (D20, T19, domain §2.3): open until a claim has moved on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydantic_core import from_json

from cpor.domain.ids import event_id
from cpor.domain.model import ClaimState, ConsentStage
from cpor.domain.vocabulary import ClaimId, Clock, RejectionReason, Status, SuspensionReason
from cpor.ops.book import Claim
from cpor.ops.ends import End
from cpor.ops.screen import moment_text
from cpor.runtime.record import Record
from cpor.runtime.topics import Topic
from schemas import consent, deadlines
from schemas.envelope import Envelope, read_envelope
from schemas.mail import BOUNCED, SUPERSEDED

#: What is read.
TOPICS = (Topic.CONSENT_EVENTS, Topic.DELIVERIES, Topic.DEADLINE_EVENTS)
#: A customer may still be asked, and an address corrected, before the approval.
_BEFORE = (Status.SUBMITTED, Status.UNDER_REVIEW, Status.PARTNER_ACTION_REQUIRED, Status.DISPUTED)
_OVER = (Status.CANCELLED, Status.REJECTED_FINAL)
_RESEND = "cpor ops resend-notice {claim} --as YOU --email ADDRESS --name NAME; or the partner edits the contact"
_CHECK = "find out whether the customer gave it, then cpor consent review {claim} --release|--dismiss --note TEXT"


class TaskKind(StrEnum):
    FIRST_NOTICE_BOUNCED = "first_notice_bounced"
    WAIT_SUSPENDED = "wait_suspended"
    LATE_BOUNCE = "late_bounce"
    ANSWER_HELD = "answer_held"
    DEADLINE_MISSED = "deadline_missed"
    ASSOCIATION_OVER = "association_over"


class What(StrEnum):
    """What is to be done about a task; `{claim}` is the claim's id."""

    CORRECT = "ask the partner for the right address; after the approval: " + _RESEND
    RESEND = _RESEND
    ASK_AGAIN = "cpor ops resend-notice {claim} --as YOU"
    CHECK = _CHECK
    ASK = "find out what the customer says, then cpor consent decline|agree {claim} --note TEXT"
    TAKE_UP = "see to it that the claim is taken up: cpor review queue"
    END = "cpor ops end-associations --as YOU"


@dataclass(frozen=True, slots=True)
class Task:
    """`since` is RFC 3339."""

    kind: TaskKind
    claim: Claim
    since: str
    why: str
    what: What

    @property
    def advice(self) -> str:
        return self.what.format(claim=self.claim.claim_id)


@dataclass(slots=True)
class _Told:
    """What the topics say of one claim, newest last; times are RFC 3339."""

    #: The newest notice: its request's id and which it is.
    notice: tuple[str, str] | None = None
    #: Answers that wait for a check: id → since when, and which.
    held: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    suspended: str | None = None
    missed: list[Mapping[str, Any]] = field(default_factory=list)


def tasks_of(claims: Iterable[Claim], records: Iterable[Record], over: Iterable[End] = ()) -> list[Task]:
    """The open tasks, with those of the associations that are over, the oldest first. Pure."""
    told: dict[str, _Told] = {}
    bounced: dict[str, Mapping[str, Any]] = {}
    superseded: set[str] = set()
    for record in records:
        value, about = from_json(record.value or b"{}"), read_envelope(record.headers)
        if about.type == BOUNCED:
            bounced.setdefault(value["cause"], value)
        elif about.type == SUPERSEDED:
            superseded.add(value["cause"])
        elif about.subject is not None:
            _hear(told.setdefault(about.subject, _Told()), about, value)
    bounced = {cause: value for cause, value in bounced.items() if cause not in superseded}
    found = (task for claim in claims for task in _tasks(claim, told.get(claim.claim_id, _Told()), bounced))
    return sorted([*found, *tasks_of_ends(over)], key=lambda task: (task.since, task.claim.claim_id, task.kind))


def tasks_of_ends(over: Iterable[End]) -> list[Task]:
    """Associations that are over and were not ended yet (T19)."""
    return [
        Task(TaskKind.ASSOCIATION_OVER, each.claim, f"{each.on}T00:00:00.000Z", f"its last day was {each.on}", What.END)
        for each in over
    ]


def _hear(told: _Told, about: Envelope, value: Mapping[str, Any]) -> None:
    if about.type == consent.REQUESTED:
        told.notice = (about.id or "", value["notice"])
        if _begins_anew(about, value):
            _forget_yeses(told)
    elif about.type == consent.HELD:
        told.held[about.causation or ""] = value["at"], value.get("answer")
    elif value.get("response_id") in told.held:
        del told.held[value["response_id"]]
    elif about.type == consent.DECLINED and "response_id" not in value:
        told.held.clear()
    elif about.type == consent.AGREED and "response_id" not in value:
        _forget_yeses(told)
    elif about.type == consent.SUSPENDED:
        told.suspended = value["at"]
    elif about.type == deadlines.MISSED:
        told.missed.append(value)


def _forget_yeses(told: _Told) -> None:
    """D9: a no waits on, whatever comes after it."""
    told.held = {name: each for name, each in told.held.items() if each[1] == consent.Answer.DECLINE}


def _begins_anew(about: Envelope, value: Mapping[str, Any]) -> bool:
    """D20: a new notice for an approval, not the approval's own: a yes that was held no longer matters."""
    if value["notice"] != consent.Notice.APPROVED:
        return False
    return about.causation != event_id(ClaimId(value["claim_id"]), int(value.get("approval") or 0))


def _tasks(claim: Claim, told: _Told, bounced: Mapping[str, Mapping[str, Any]]) -> Iterator[Task]:
    if told.held and not _is_settled(claim.state):
        yield Task(TaskKind.ANSWER_HELD, claim, min(told.held.values())[0], _waiting(told.held), What.CHECK)
    yield from _of_suspension(claim, told)
    yield from _of_first_notice(claim, told, bounced)
    yield from _of_late_bounce(claim, told, bounced)
    yield from _of_deadlines(claim, told)


def _is_settled(state: ClaimState) -> bool:
    """Whatever the answer says, it would change nothing any more."""
    return state.status in _OVER or state.has_reason(RejectionReason.CUSTOMER_DECLINED)


def _of_suspension(claim: Claim, told: _Told) -> Iterator[Task]:
    """An answer that is held is a task by itself; once it was dismissed, only a new notice starts the wait (D20)."""
    known = claim.state.consent
    if known.stage != ConsentStage.SUSPENDED or claim.state.status != Status.APPROVED:
        return
    reason = known.suspended or SuspensionReason.NOT_DELIVERED
    what = What.ASK_AGAIN if reason == SuspensionReason.ANSWER_HELD else What.RESEND
    if reason != SuspensionReason.ANSWER_HELD or not told.held:
        yield Task(TaskKind.WAIT_SUSPENDED, claim, told.suspended or "", _WORDS[reason], what)


def _waiting(held: Mapping[str, object]) -> str:
    return "an answer waits for a check" if len(held) == 1 else f"{len(held)} answers wait for a check"


def _of_first_notice(claim: Claim, told: _Told, bounced: Mapping[str, Mapping[str, Any]]) -> Iterator[Task]:
    request, notice = told.notice or ("", "")
    back = bounced.get(request)
    if back is not None and notice == consent.Notice.SUBMITTED and claim.state.status in _BEFORE:
        why = f"the first notice bounced: {back['reply']}"
        yield Task(TaskKind.FIRST_NOTICE_BOUNCED, claim, back["at"], why, What.CORRECT)


def _of_late_bounce(claim: Claim, told: _Told, bounced: Mapping[str, Mapping[str, Any]]) -> Iterator[Task]:
    """Silence was taken for consent of a customer whom the notice did not reach: open until it says something."""
    request, notice = told.notice or ("", "")
    known, back = claim.state.consent, bounced.get(request)
    silent = known.stage == ConsentStage.COMPLETED and known.agreed_at is None
    if back is not None and notice == consent.Notice.APPROVED and silent and claim.state.status == Status.APPROVED:
        why = f"the notice bounced after the wait: {back['reply']}"
        yield Task(TaskKind.LATE_BOUNCE, claim, back["at"], why, What.ASK)


def _of_deadlines(claim: Claim, told: _Told) -> Iterator[Task]:
    """While the clock that was missed runs on: a decision, whenever it comes, ends it."""
    for miss in told.missed:
        running = claim.state.clock(Clock(miss["clock"]))
        if running is not None and running.started_by == miss["started_by"]:
            why = f"{miss['clock']} ended at {moment_text(miss['due'])} UTC"
            yield Task(TaskKind.DEADLINE_MISSED, claim, miss["fired_at"], why, What.TAKE_UP)


_WORDS: Mapping[SuspensionReason, str] = {
    SuspensionReason.NOTICE_BOUNCED: "the notice bounced",
    SuspensionReason.NOT_DELIVERED: "nothing shows that the notice arrived",
    SuspensionReason.ANSWER_HELD: "the answer that suspended the wait was dismissed",
}


def task_json(task: Task) -> dict[str, Any]:
    return {
        "task": task.kind,
        **task.claim.names,
        "status": task.claim.state.status,
        "since": task.since,
        "why": task.why,
        "what": task.advice,
    }
