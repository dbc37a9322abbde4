"""A desk that answers whatever comes to it: reviewers, operators, customers, and partners who answer them."""

from __future__ import annotations

import heapq
import json
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NamedTuple

from cpor.domain.vocabulary import ClaimId, CommandName, EventName, Instant, SuspensionReason, instant_text
from cpor.ops.reading import POLL_MS
from cpor.runtime.clock import Clock
from cpor.runtime.record import Record, TopicPartition
from cpor.runtime.topics import DAY_MS, Topic
from cpor.runtime.transport.port import Transport
from schemas import consent
from schemas.envelope import read_envelope
from tests.chaos import fates
from tests.chaos.fates import EVA, Fate
from tests.chaos.material import ADMIN, contact
from tests.chaos.story import Claim, Word
from tests.chaos.traffic import Crowd, Mouth

#: An operator takes at most so many days.
OPERATOR_DAYS = 2
Act = Callable[[Claim], None]


class Told(NamedTuple):
    """An event of a claim's, or of consent's; `cause`: the message that it came of."""

    id: str
    cause: str
    value: Mapping[str, Any]


@dataclass
class Desk:
    """Reads the events and says what follows, once for each; some things only days later."""

    transport: Transport
    mouth: Mouth
    crowd: Crowd
    partitions: int
    clock: Clock
    said: Counter[str] = field(default_factory=Counter)
    _agenda: list[tuple[int, int, Claim, Act]] = field(default_factory=list)
    _asked: set[ClaimId] = field(default_factory=set)
    #: The newest link that each customer has.
    links: dict[ClaimId, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._reader = self.transport.reader()
        topics = (Topic.CLAIM_EVENTS, Topic.CONSENT_EVENTS)
        self._reader.assign({TopicPartition(topic, n): 0 for topic in topics for n in range(self.partitions)})
        self._numbers = count()
        self._dice = random.Random(len(self.crowd.claims))

    def work(self) -> int:
        """Answer what has come, and say what is due; the number of words said."""
        words = [word for record in self._reader.poll(POLL_MS, 500) for word in self._answer(record)]
        words += self._due()
        if words:
            self.mouth.speak(words)
        self.said["words"] += len(words)
        return len(words)

    def next_due(self) -> int | None:
        """When somebody wants to say something next, ms."""
        return self._agenda[0][0] if self._agenda else None

    def later(self, claim: Claim, days: float, act: Act) -> None:
        """Somewhere in so many days; at once where it is nought."""
        due = self.clock.now() + int(self._dice.uniform(0, days) * DAY_MS)
        heapq.heappush(self._agenda, (due, next(self._numbers), claim, act))

    def first_time(self, claim: Claim) -> bool:
        fresh = claim.id not in self._asked
        self._asked.add(claim.id)
        return fresh

    def _answer(self, record: Record) -> list[Word]:
        told = read_envelope(record.headers)
        claim = self.crowd.claims.get(ClaimId(told.subject or ""))
        answer = REPLIES.get(told.type or "")
        if claim is None or answer is None or (record.topic == Topic.CLAIM_EVENTS and not told.sequence):
            return []
        fate = self.crowd.fates.get(claim.id, fates.FATES[0])
        heard = Told(told.id or "", told.causation or "", json.loads(record.value or b"{}"))
        return _spoken(claim, lambda it: answer(self, it, fate, heard))

    def _due(self) -> list[Word]:
        now, words = self.clock.now(), list[Word]()
        while self._agenda and self._agenda[0][0] <= now:
            _, _, claim, act = heapq.heappop(self._agenda)
            words += _spoken(claim, act)
        return words

    def close(self) -> None:
        self._reader.close()


def _spoken(claim: Claim, act: Act) -> list[Word]:
    claim.words.clear()
    act(claim)
    return list(claim.words)


# -- reviewers and partners -------------------------------------------------------------------------------------------


def _begin(desk: Desk, claim: Claim, fate: Fate, told: Told) -> None:
    desk.later(claim, fate.queue, lambda it: it.desk(CommandName.REVIEW_START))


def _judge(desk: Desk, claim: Claim, fate: Fate, told: Told) -> None:
    judged = fate.judged if desk.first_time(claim) else "approve"
    desk.said[judged] += 1
    if judged == "approve":
        claim.desk(CommandName.REVIEW_APPROVE)
    elif judged == "reject":
        claim.desk(CommandName.REVIEW_REJECT, reasons=[{"code": "insufficient_poe"}], comment="Too thin")
    else:
        claim.desk(CommandName.REVIEW_REQUEST_INFORMATION, reasons=[{"code": "missing_products"}], comment="Which?")


def _provide(desk: Desk, claim: Claim, fate: Fate, told: Told) -> None:
    if fate.partner is not None:
        answer = {"user": ADMIN, "comment": "As the document says"}
        desk.later(claim, fate.partner, lambda it: it.say(CommandName.RESUBMIT, answer))


def _perhaps_dispute(desk: Desk, claim: Claim, fate: Fate, told: Told) -> None:
    if told.value["disputable"] and fate.disputes:
        claim.say(CommandName.DISPUTE, {"user": ADMIN, "justification": "Every page is signed"})


def _judge_dispute(desk: Desk, claim: Claim, fate: Fate, told: Told) -> None:
    if int(claim.id[:8], 16) % 2:
        claim.desk(CommandName.REVIEW_APPROVE)
    else:
        claim.desk(CommandName.REVIEW_REJECT, reasons=[{"code": "insufficient_poe"}], comment="Still too thin")


def _perhaps_end(desk: Desk, claim: Claim, fate: Fate, told: Told) -> None:
    if fate.leaves is not None:
        leaving = {"user": ADMIN, "reason": "The project is over"}
        desk.later(claim, fate.leaves, lambda it: it.say(CommandName.DISASSOCIATE, leaving))
    if fate.ends is not None:
        ends = instant_text(Instant(desk.clock.now()))[:10]
        desk.later(claim, fate.ends, lambda it: it.operator(CommandName.OPS_END_SUBSCRIPTION, ends_on=ends))


def _name_the_incumbent(desk: Desk, claim: Claim, fate: Fate, told: Told) -> None:
    if told.value["code"] == "incumbents_not_named":
        claim.desk(CommandName.REVIEW_APPROVE, displaces=[desk.crowd.rivals[claim.id]])


# -- notices ----------------------------------------------------------------------------------------------------------


def _mend(desk: Desk, claim: Claim, fate: Fate, told: Told) -> None:
    """The wait was suspended: a new notice, to the right address where the old one was wrong."""
    reason = told.value["reason"]
    desk.said[f"suspended: {reason}"] += 1
    if reason == SuspensionReason.NOT_DELIVERED:
        desk.later(claim, OPERATOR_DAYS, lambda it: it.operator(CommandName.OPS_RESEND_NOTICE))
    elif reason == SuspensionReason.NOTICE_BOUNCED and fate.repair == "resend":
        right = {"customer_contact": contact(EVA)}
        desk.later(claim, OPERATOR_DAYS, lambda it: it.operator(CommandName.OPS_RESEND_NOTICE, **right))
    elif reason == SuspensionReason.NOTICE_BOUNCED and fate.repair == "edit":
        edited = {"user": ADMIN, "customer_contact": contact(EVA)}
        desk.later(claim, OPERATOR_DAYS, lambda it: it.say(CommandName.EDIT, edited))


# -- customers --------------------------------------------------------------------------------------------------------


def _ask_customer(desk: Desk, claim: Claim, fate: Fate, told: Told) -> None:
    desk.links[claim.id] = told.id
    _perhaps_answer(desk, claim, fate, f"requested:{told.value['notice']}")


def _tell_customer(desk: Desk, claim: Claim, fate: Fate, told: Told) -> None:
    _perhaps_answer(desk, claim, fate, fates.COMPLETED)


def _perhaps_answer(desk: Desk, claim: Claim, fate: Fate, event: str) -> None:
    if fate.answers is not None and fate.answers[0] == event:
        _, answer, channel, days = fate.answers
        desk.later(claim, days, lambda it: _answer(desk, it, answer, channel))


def _answer(desk: Desk, claim: Claim, answer: str, channel: str) -> None:
    desk.said[f"{answer}: {channel}"] += 1
    if channel == fates.PHONE:
        claim.customer(answer, "phone", operator="o-1", answered_at=instant_text(Instant(desk.clock.now())))
    elif channel == fates.UNCHECKED:
        claim.customer(answer, "mail", note="Forwarded by somebody")
    else:
        claim.customer(answer, "page", token_id=desk.links[claim.id] if channel == fates.PAGE else claim.id)
    if claim.dice.random() < 0.3:
        claim.words.append(claim.words[-1])


def _check(desk: Desk, claim: Claim, fate: Fate, told: Told) -> None:
    """Half of the answers are the customer's; of the others an operator asks the customer, who agrees."""
    act = _release if int(claim.id[:8], 16) % 2 else _dismiss
    desk.later(claim, OPERATOR_DAYS, lambda it: act(it, told.cause))


def _release(claim: Claim, response_id: str) -> None:
    claim.found("released", response_id)


def _dismiss(claim: Claim, response_id: str) -> None:
    claim.found("dismissed", response_id)
    claim.customer("agree", "mail", operator="o-1")


REPLIES: Mapping[str, Callable[[Desk, Claim, Fate, Told], None]] = {
    EventName.FILED.ce_type: _begin,
    EventName.RESUBMITTED.ce_type: _begin,
    EventName.REVIEW_STARTED.ce_type: _judge,
    EventName.INFORMATION_REQUESTED.ce_type: _provide,
    EventName.REJECTED.ce_type: _perhaps_dispute,
    EventName.DISPUTED.ce_type: _judge_dispute,
    EventName.APPROVED.ce_type: _perhaps_end,
    EventName.CONSENT_SUSPENDED.ce_type: _mend,
    EventName.COMMAND_REFUSED.ce_type: _name_the_incumbent,
    consent.REQUESTED: _ask_customer,
    consent.COMPLETED: _tell_customer,
    consent.HELD: _check,
}
