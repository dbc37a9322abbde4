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
    """A notice to the customer; `id` is that of the `cpor.consent.requested.v1` that asks for it."""

    id: str
    notice: Notice
    delivered: bool = False
    bounced: bool = False


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
    `checks` are all of them. `recipient`: digest of the contact's address.
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


@dataclass(frozen=True, slots=True)
class SeenContact:
    email: str


@dataclass(frozen=True, slots=True)
class SeenPeople:
    customer_contact: SeenContact | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What of a claim event concerns consent; `name` is None for one that this version does not know."""

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

    @property
    def id(self) -> str:
        return ids.event_id(self.claim_id, self.sequence)

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
    case = replace(case, status=seen.status, letters=_letters(case, seen), tokens=_tokens(case, seen))
    case = _waiting(replace(case, recipient=_recipient(case, seen)), seen)
    if any(each.code == RejectionReason.CUSTOMER_DECLINED for each in seen.reasons):
        case = replace(case, declined=True)
    notice = asks(case, seen)
    if notice is None:
        return case
    request = Request(request_id(seen), notice)
    return replace(case, request=request, tokens=(*case.tokens, request.id))


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


def _tokens(case: Case, seen: Seen) -> tuple[str, ...]:
    """Links sent to a contact that was replaced are void at once."""
    replaced = any(each.field == "customer_contact" for each in seen.changes)
    return () if replaced else case.tokens


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
    # A new notice begins anew: what came of an older one no longer matters (D20).
    return replace(case, agreed=False, held=None, checks=())


def holding(case: Case, answer: HeldAnswer) -> Case:
    return replace(case, held=case.held or answer.received_at, checks=(*case.checks, answer))


def without(case: Case, answer: HeldAnswer) -> Case:
    """The answer was checked; the wait stands still for as long as others are left."""
    left = tuple(each for each in case.checks if each.id != answer.id)
    return replace(case, held=min((each.received_at for each in left), default=None), checks=left)


def timer_of(claim: ClaimId, case: Case | None) -> Timer | None:
    """The timer that has to stand; a parked claim's wait stands still with its letters."""
    if case is None or case.wait is None or case.wait.told or case.stage != ConsentStage.WAITING or case.letters:
        return None
    return Timer(case.wait.due, claim, WAIT, case.wait.started_by)


def knows(case: Case) -> bool:
    """Whether silence says anything: the approval's notice arrived, or the customer answered it (D20)."""
    request = case.request
    return case.agreed or (request is not None and request.notice == Notice.APPROVED and request.delivered)


def told(case: Case) -> Case:
    """Review was told what this wait came to."""
    return case if case.wait is None else replace(case, wait=replace(case.wait, told=True))
