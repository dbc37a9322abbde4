"""What consent knows of a claim: one row of `cpor.consent.state`, a fold of claim events, deliveries and answers."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cpor.domain import ids
from cpor.domain.events import FieldChange
from cpor.domain.model import ClockStart, ConsentStage, Reason
from cpor.domain.vocabulary import (
    ClaimId,
    Clock,
    ConsentOutcome,
    Edition,
    EventName,
    Instant,
    InstantField,
    RejectionReason,
    Status,
    SuspensionReason,
    TenantId,
)
from cpor.runtime.processor import Timer
from schemas.consent import REQUESTED, Answer, AnswerChannel, Doubt, Notice
from services.consent.tokens import recipient_of

#: The timer of a wait, and those of an answer and of an operator's finding until they are judged.
WAIT = Clock.CONSENT_WAIT.value
ANSWER = "answer"
CHECK = "check"
#: Answers of one claim that wait for a check at a time.
MOST_HELD = 10

_BEGINNINGS = (EventName.DRAFTED, EventName.FILED, EventName.LEGACY_IMPORTED)


@dataclass(frozen=True, slots=True)
class Request:
    """A notice to the customer; `id` is that of the `cpor.consent.requested.v1` that asks for it. `delivered_at`: when
    that was first told; absent in rows of an earlier version.
    """

    id: str
    notice: Notice
    delivered: bool = False
    bounced: bool = False
    delivered_at: InstantField | None = None


@dataclass(frozen=True, slots=True)
class VoidLink:
    """A request whose link counts no more; `at`: when the event that says so lay on its topic."""

    id: str
    at: InstantField


@dataclass(frozen=True, slots=True)
class Wait:
    """The seven days, named by the event that started them. `told`: review knows what they came to."""

    started_by: int
    due: InstantField
    told: bool = False


@dataclass(frozen=True, slots=True)
class HeldAnswer:
    """An answer that waits for a check; `id` is its `ce_id`."""

    id: str
    answer: Answer
    channel: AnswerChannel
    received_at: InstantField
    token_id: str | None = None
    evidence: str | None = None
    doubts: tuple[Doubt, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """`tokens`: ids of the requests whose links still count. `held`: when the first answer came that is being checked,
    `checks` are all of them. `recipient`: digest of the contact's address. `asked_at`: when the event lay on its topic
    that asked for the approval's newest notice.
    """

    tenant_id: TenantId
    policy: Edition
    status: Status
    legacy: bool = False
    stage: ConsentStage = ConsentStage.NONE
    approval: int | None = None
    wait: Wait | None = None
    request: Request | None = None
    tokens: tuple[str, ...] = ()
    declined: bool = False
    agreed: bool = False
    held: InstantField | None = None
    letters: tuple[str, ...] = ()
    checks: tuple[HeldAnswer, ...] = ()
    recipient: str = ""
    voided: tuple[VoidLink, ...] = ()
    asked_at: InstantField | None = None


@dataclass(frozen=True, slots=True)
class SeenContact:
    email: str


@dataclass(frozen=True, slots=True)
class SeenPeople:
    customer_contact: SeenContact | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What of a claim event concerns consent; `name` is None for one that this version does not know.

    `appended_at`: when it lay on its topic.
    """

    claim_id: ClaimId
    sequence: int
    at: InstantField
    policy: Edition | None
    status: Status | None
    clocks_started: tuple[ClockStart, ...] = ()
    clocks_stopped: tuple[Clock, ...] = ()
    changes: tuple[FieldChange, ...] = ()
    reasons: tuple[Reason, ...] = ()
    customer_notice: bool = False
    approval: int | None = None
    answer: ConsentOutcome | None = None
    reason: str | None = None
    letter_id: str | None = None
    personal: SeenPeople | None = None
    name: EventName | None = None
    appended_at: InstantField | None = None

    @property
    def id(self) -> str:
        return ids.event_id(self.claim_id, self.sequence)

    @property
    def known_at(self) -> Instant:
        """Nobody outside could know of it earlier."""
        return Instant(self.at if self.appended_at is None else self.appended_at)

    @property
    def suspended_for(self) -> SuspensionReason:
        return SuspensionReason(self.reason or SuspensionReason.NOT_DELIVERED)


def request_id(seen: Seen) -> str:
    """The id of the request that an event brings about: one event, one notice."""
    return ids.derived_id(seen.id, REQUESTED)


def after(case: Case | None, seen: Seen, tenant: TenantId) -> Case | None:
    """The row after an event; None where the claim's beginning was never seen."""
    if case is None:
        case = _begun(seen, tenant)
    if case is None or seen.status is None:
        return case
    case = _links(replace(case, status=seen.status, letters=_letters(case, seen)), seen)
    case = _waiting(replace(case, recipient=_recipient(case, seen)), seen)
    if any(each.code == RejectionReason.CUSTOMER_DECLINED for each in seen.reasons):
        case = replace(case, declined=True)
    notice = asks(case, seen)
    if notice is None:
        return case
    request = Request(request_id(seen), notice)
    asked_at = seen.known_at if notice == Notice.APPROVED else case.asked_at
    return replace(case, request=request, tokens=(*case.tokens, request.id), asked_at=asked_at)


def asks(case: Case, seen: Seen) -> Notice | None:
    """Which notice an event asks for (D3, D15, D20); none to a customer who has said no already."""
    if case.declined or case.legacy:
        return None
    if seen.name == EventName.APPROVED:
        return Notice.APPROVED
    if not seen.customer_notice:
        return None
    return Notice.APPROVED if case.status == Status.APPROVED else Notice.SUBMITTED


def _begun(seen: Seen, tenant: TenantId) -> Case | None:
    if seen.name not in _BEGINNINGS or seen.policy is None or seen.status is None:
        return None
    if seen.name != EventName.LEGACY_IMPORTED:
        return Case(tenant, seen.policy, seen.status)
    return Case(tenant, seen.policy, seen.status, True, ConsentStage.COMPLETED, seen.sequence)


def _letters(case: Case, seen: Seen) -> tuple[str, ...]:
    if seen.letter_id is None:
        return case.letters
    others = tuple(each for each in case.letters if each != seen.letter_id)
    return (*others, seen.letter_id) if seen.name == EventName.PARKED else others


def _links(case: Case, seen: Seen) -> Case:
    """Links sent to a contact that was replaced are void at once; what came by them before still counts (D9)."""
    if not any(each.field == "customer_contact" for each in seen.changes):
        return case
    voided = (VoidLink(each, seen.known_at) for each in case.tokens)
    return replace(case, tokens=(), voided=(*case.voided, *voided))


def link_counted(case: Case, token: str | None, at: Instant) -> bool:
    """Whether this link counted when an answer by it lay on its topic, however late it is judged (D9, D19)."""
    return token in case.tokens or any(each.id == token and at < each.at for each in case.voided)


def _recipient(case: Case, seen: Seen) -> str:
    contact = seen.personal.customer_contact if seen.personal is not None else None
    return case.recipient if contact is None else recipient_of(contact.email)


def _waiting(case: Case, seen: Seen) -> Case:
    """Where the wait stands after an event (D4, D20)."""
    if seen.name == EventName.APPROVED:
        case = replace(case, approval=seen.sequence, agreed=False)
    started = next((each for each in seen.clocks_started if each.clock == Clock.CONSENT_WAIT), None)
    if started is not None:
        return _wait_started(case, seen, started)
    if seen.name == EventName.CONSENT_SUSPENDED:
        return replace(case, stage=ConsentStage.SUSPENDED)
    if seen.name == EventName.CONSENT_COMPLETED:
        return replace(case, stage=ConsentStage.COMPLETED)
    if seen.name == EventName.CONSENT_ANSWERED and seen.answer == ConsentOutcome.DECLINED:
        return replace(case, declined=True)
    if case.status != Status.APPROVED or Clock.CONSENT_WAIT in seen.clocks_stopped:
        return replace(case, stage=ConsentStage.NONE, wait=None)
    return case


def _wait_started(case: Case, seen: Seen, started: ClockStart) -> Case:
    case = replace(case, stage=ConsentStage.WAITING, wait=Wait(seen.sequence, started.due))
    if seen.name != EventName.EDITED:
        return case
    # A new notice begins anew (D20): a yes to an older one no longer matters, a no does (D9).
    return noes_alone(replace(case, agreed=False))


def holding(case: Case, answer: HeldAnswer) -> Case:
    return replace(case, held=case.held or answer.received_at, checks=(*case.checks, answer))


def without(case: Case, answer: HeldAnswer) -> Case:
    """The answer was checked; the wait stands still for as long as others are left."""
    return _checking(case, tuple(each for each in case.checks if each.id != answer.id))


def noes_alone(case: Case) -> Case:
    """What is left to check after a yes, or with a new notice: whoever said the one has not taken back the other."""
    return _checking(case, tuple(each for each in case.checks if each.answer == Answer.DECLINE))


def _checking(case: Case, checks: tuple[HeldAnswer, ...]) -> Case:
    return replace(case, held=min((each.received_at for each in checks), default=None), checks=checks)


def timer_of(claim: ClaimId, case: Case | None) -> Timer | None:
    """The timer that has to stand; a parked claim's wait stands still with its letters."""
    if case is None or case.wait is None or case.wait.told or case.stage != ConsentStage.WAITING or case.letters:
        return None
    return Timer(case.wait.due, claim, WAIT, case.wait.started_by)


def knows(case: Case) -> bool:
    """Whether silence says anything: the approval's notice arrived before the wait fell due, or the customer answered
    it (D20).
    """
    request = case.request
    if case.agreed or request is None or request.notice != Notice.APPROVED or not request.delivered:
        return case.agreed
    return case.wait is None or request.delivered_at is None or request.delivered_at < case.wait.due


def told(case: Case) -> Case:
    """Review was told what this wait came to."""
    return case if case.wait is None else replace(case, wait=replace(case.wait, told=True))
