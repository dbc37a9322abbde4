"""Where a link's claim stands, and what an answer given now would come to: the worker's own rules decide, here too."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cpor.domain.calendar import local_date
from cpor.domain.model import ConsentStage
from cpor.domain.policy import EarlyDecline, policy
from cpor.domain.vocabulary import Instant, Status
from schemas.consent import AGREED, DECLINED, HELD, IGNORED, Answer, AnswerChannel
from services.consent.answers import Effect, Given, Unchanged, Verdict, judge
from services.consent.case import Case, noes_alone
from services.consent.page.knowledge import AnswerKnown, Known
from services.consent.tokens import About


class Heard(StrEnum):
    """What we have heard from the customer so far, as far as it still matters."""

    NOTHING = "nothing"
    PROCESSING = "processing"
    CHECKING = "checking"
    DECLINED = "declined"
    #: P2020: kept for the approval (D9).
    DECLINED_EARLY = "declined_early"
    AGREED = "agreed"
    TOO_LATE = "too_late"


class Phase(StrEnum):
    """Where the partner's request stands."""

    IN_REVIEW = "in_review"
    WAITING = "waiting"
    SUSPENDED = "suspended"
    IN_EFFECT = "in_effect"
    ENDED = "ended"
    REJECTED = "rejected"
    OVER = "over"


_PHASES = {
    Status.REJECTED: Phase.REJECTED,
    Status.REJECTED_FINAL: Phase.OVER,
    Status.CANCELLED: Phase.OVER,
}
_OF_STAGES = {
    ConsentStage.WAITING: Phase.WAITING,
    ConsentStage.SUSPENDED: Phase.SUSPENDED,
    ConsentStage.COMPLETED: Phase.IN_EFFECT,
    ConsentStage.NONE: Phase.ENDED,
}


@dataclass(frozen=True, slots=True)
class Standing:
    """`answer` and `answered_at` belong to `heard`. `decline`, `agree`: what each button would come to now.

    `limited`: the customer's days to decline are numbered (D4); `until`: the end of the wait that runs or ran, ms;
    `no_checked`: a no waits for its check, which a yes does not spare it (D9).
    """

    heard: Heard
    answer: Answer | None
    answered_at: int | None
    phase: Phase
    decline: Verdict
    agree: Verdict
    limited: bool
    until: int | None
    no_checked: bool

    @property
    def may_decline(self) -> bool:
        return self.decline.effect == Effect.DECLINED and not self.declining

    @property
    def declining(self) -> bool:
        """A no is on the log and about to be judged: nothing else is asked for."""
        return self.heard is Heard.PROCESSING and self.answer == Answer.DECLINE

    @property
    def may_agree(self) -> bool:
        """Where it would be noted, and is of any use to somebody who reads it: a yes alone is no choice."""
        asked = self.phase in (Phase.IN_REVIEW, Phase.WAITING, Phase.SUSPENDED)
        return asked and not (self.too_late or self.declining) and self.agree.effect == Effect.AGREED

    @property
    def too_late(self) -> bool:
        return self.decline.reason is Unchanged.TOO_LATE

    def would(self, answer: Answer) -> Verdict:
        return self.decline if answer == Answer.DECLINE else self.agree


def is_live(known: Known | None, about: About, now: int) -> bool:
    """Whether a genuine link still leads to its claim: of this customer, not replaced, not expired."""
    if known is None or known.case.tenant_id != about.tenant_id or about.request not in known.case.tokens:
        return False
    known_recipient = known.case.recipient
    same = not (about.recipient and known_recipient) or about.recipient == known_recipient
    return same and (about.last_day is None or local_date(Instant(now), "UTC") <= about.last_day)


def standing_of(known: Known, about: About, now: int) -> Standing:
    """Of a live link."""
    heard, answer = _heard(known)
    case, until = known.case, known.case.wait.due if known.case.wait else None
    return Standing(
        heard,
        Answer(answer.answer) if answer is not None else None,
        answer.received_at if answer is not None else None,
        _PHASES.get(case.status) or _approved_or_not(case),
        _would(case, about, Answer.DECLINE, now),
        _would(case, about, Answer.AGREE, now),
        policy(case.policy).consent.decline_days is not None,
        until,
        bool(noes_alone(case).checks),
    )


def _approved_or_not(case: Case) -> Phase:
    return _OF_STAGES[case.stage] if case.status == Status.APPROVED else Phase.IN_REVIEW


def _would(case: Case, about: About, answer: Answer, now: int) -> Verdict:
    """What the worker would make of it, were it to come now."""
    said = Given(about.tenant_id, "", "", "", Instant(now), answer, AnswerChannel.PAGE, about.request)
    return judge(case, said)


def _heard(known: Known) -> tuple[Heard, AnswerKnown | None]:
    newest = known.answers[-1] if known.answers else None
    if newest is not None and newest.verdict is None:
        return Heard.PROCESSING, newest
    if known.case.declined:
        kept = policy(known.case.policy).consent.early_decline == EarlyDecline.KEPT_FOR_APPROVAL
        early = kept and known.case.status not in (Status.APPROVED, *_PHASES)
        return (Heard.DECLINED_EARLY if early else Heard.DECLINED), _last(known, DECLINED)
    if known.case.checks:
        return Heard.CHECKING, _last(known, HELD)
    if newest is not None and newest.verdict == IGNORED and newest.reason == Unchanged.TOO_LATE:
        return Heard.TOO_LATE, newest
    if known.case.agreed:
        return Heard.AGREED, _last(known, AGREED)
    return Heard.NOTHING, None


def _last(known: Known, verdict: str) -> AnswerKnown | None:
    return next((each for each in reversed(known.answers) if each.verdict == verdict), None)
