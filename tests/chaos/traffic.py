"""More than two thousand claims of several partners, and a desk that answers whatever comes to it."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from cpor.domain.ids import receipt_id
from cpor.domain.vocabulary import ClaimId, CommandName, EventName, TenantId
from cpor.domain.wire import event_name
from cpor.ops.reading import POLL_MS
from cpor.runtime.record import Record, TopicPartition
from cpor.runtime.topics import Topic
from cpor.runtime.transport.port import Transport
from schemas.envelope import read_envelope
from tests.chaos.material import ACKNOWLEDGED, ADMIN, tenant
from tests.chaos.story import Claim, Said, Word, misbehave

PARTNERS = ("C-1", "C-2", "C-3", "C-4", "C-5")
#: Of a hundred claims so many come whole, with a document; the others are small.
FILED = 15


@dataclass(frozen=True)
class Crowd:
    """The claims of one run, and what their partners say of their own accord, in order."""

    claims: dict[ClaimId, Claim]
    #: Claims that want the same unit.
    rivals: dict[ClaimId, ClaimId]
    words: list[Word]

    @property
    def tenants(self) -> list[TenantId]:
        return sorted({each.tenant for each in self.claims.values()})


def crowd(seed: int, claims: int, pairs: int) -> Crowd:
    """`claims` claims, and two more for each of `pairs`."""
    dice, numbers = random.Random(seed), count()
    singles = [Claim(dice.choice(PARTNERS), f"r-{n}", tenant(n), dice, numbers) for n in range(claims)]
    twins = [_pair(n, dice, numbers) for n in range(pairs)]
    for claim in singles:
        _whole(claim) if dice.randrange(100) < FILED else _small(claim)
    for claim in (each for two in twins for each in two):
        claim.file()
    everyone = [*singles, *(each for two in twins for each in two)]
    rivals = {mine.id: other.id for a, b in twins for mine, other in ((a, b), (b, a))}
    return Crowd({each.id: each for each in everyone}, rivals, list(_mixed([each.words for each in everyone], dice)))


def _pair(n: int, dice: random.Random, numbers: Iterator[int]) -> tuple[Claim, Claim]:
    first, second = dice.sample(PARTNERS, 2)
    unit = tenant(1_000_000 + n)
    return Claim(first, f"x-{n}", unit, dice, numbers), Claim(second, f"x-{n}", unit, dice, numbers)


def _whole(claim: Claim) -> None:
    claim.file()
    claim.comment("Filed in one message")


def _small(claim: Claim) -> None:
    dice = claim.dice
    claim.create()
    for n in range(dice.randrange(4)):
        claim.comment(f"Comment {n}")
    if dice.random() < 0.1:
        misbehave(claim)
    if dice.random() < 0.3:
        claim.say(CommandName.EDIT, {"user": ADMIN, "claim_name": f"Renamed {claim.ref}"})
    if dice.random() < 0.4:
        claim.say(CommandName.SUBMIT, {"user": ADMIN, "acknowledgements": ACKNOWLEDGED})
    if dice.random() < 0.2:
        claim.say(CommandName.CANCEL, {"user": ADMIN})


def _mixed(lists: list[list[Word]], dice: random.Random) -> Iterator[Word]:
    """All words, those of each claim in their order, with some 50 claims talking at a time."""
    waiting = [list(reversed(each)) for each in lists]
    dice.shuffle(waiting)
    talking: list[list[Word]] = []
    while waiting or talking:
        while waiting and len(talking) < 50:
            talking.append(waiting.pop())
        place = dice.randrange(len(talking))
        yield talking[place].pop()
        if not talking[place]:
            del talking[place]


class Mouth:
    """Puts words on their topics and remembers which receipts must come. For any thread."""

    def __init__(self, transport: Transport, claims: int, partners: int) -> None:
        self._publisher = transport.publisher()
        self._counts = claims, partners
        self._guard = threading.Lock()
        self.receipts: list[str] = []

    def speak(self, words: list[Word]) -> None:
        """Returns when the broker has them."""
        with self._guard:
            outputs = [word.output(*self._counts) for word in words]
            for output in outputs:
                self._publisher.send(output)
            offsets = self._publisher.flush(60)
            self.receipts += [
                receipt_id(output.topic, output.partition, offset)
                for word, output, offset in zip(words, outputs, offsets, strict=True)
                if isinstance(word, Said)
            ]

    def close(self) -> None:
        self._publisher.close()


@dataclass
class Desk:
    """Reviewers, customers, and partners who answer them: reads the events and says what follows, once for each."""

    transport: Transport
    mouth: Mouth
    crowd: Crowd
    partitions: int
    answered: int = 0
    _answers: dict[EventName, Callable[[Claim, dict[str, Any]], None]] = field(init=False)

    def __post_init__(self) -> None:
        self._reader = self.transport.reader()
        self._reader.assign({TopicPartition(Topic.CLAIM_EVENTS, n): 0 for n in range(self.partitions)})
        self._answers = {
            EventName.FILED: _begin,
            EventName.RESUBMITTED: _begin,
            EventName.REVIEW_STARTED: _judge,
            EventName.INFORMATION_REQUESTED: _provide,
            EventName.REJECTED: _perhaps_dispute,
            EventName.DISPUTED: _judge_dispute,
            EventName.APPROVED: _perhaps_end,
            EventName.COMMAND_REFUSED: self._name_the_incumbent,
        }

    def work(self) -> int:
        """Answer what has come; the number of words said."""
        words = [word for record in self._reader.poll(POLL_MS, 500) for word in self._answer(record)]
        if words:
            self.mouth.speak(words)
        self.answered += len(words)
        return len(words)

    def _answer(self, record: Record) -> list[Word]:
        told = read_envelope(record.headers)
        claim = self.crowd.claims.get(ClaimId(told.subject or ""))
        answer = self._answers.get(event_name(told.type or ""))
        if claim is None or answer is None or not told.sequence:
            return []
        claim.words.clear()
        answer(claim, json.loads(record.value or b"{}"))
        return list(claim.words)

    def _name_the_incumbent(self, claim: Claim, value: dict[str, Any]) -> None:
        if value["code"] == "incumbents_not_named":
            claim.desk(CommandName.REVIEW_APPROVE, displaces=[self.crowd.rivals[claim.id]])

    def close(self) -> None:
        self._reader.close()


def _taste(claim: Claim) -> int:
    """0 to 99, the same for a claim in every run."""
    return int(claim.id[:8], 16) % 100


def _begin(claim: Claim, value: dict[str, Any]) -> None:
    claim.desk(CommandName.REVIEW_START)


def _judge(claim: Claim, value: dict[str, Any]) -> None:
    taste = _taste(claim)
    if taste < 60 or value["sequence"] > 6:
        claim.desk(CommandName.REVIEW_APPROVE)
    elif taste < 80:
        claim.desk(CommandName.REVIEW_REJECT, reasons=[{"code": "insufficient_poe"}], comment="Too thin")
    else:
        claim.desk(CommandName.REVIEW_REQUEST_INFORMATION, reasons=[{"code": "missing_products"}], comment="Which?")


def _provide(claim: Claim, value: dict[str, Any]) -> None:
    claim.say(CommandName.RESUBMIT, {"user": ADMIN, "comment": "As the document says"})


def _perhaps_dispute(claim: Claim, value: dict[str, Any]) -> None:
    if value["disputable"] and _taste(claim) % 4:
        claim.say(CommandName.DISPUTE, {"user": ADMIN, "justification": "Every page is signed"})


def _judge_dispute(claim: Claim, value: dict[str, Any]) -> None:
    if _taste(claim) % 2:
        claim.desk(CommandName.REVIEW_APPROVE)
    else:
        claim.desk(CommandName.REVIEW_REJECT, reasons=[{"code": "insufficient_poe"}], comment="Still too thin")


def _perhaps_end(claim: Claim, value: dict[str, Any]) -> None:
    if _taste(claim) % 5 == 0:
        claim.order(CommandName.CONSENT_OUTCOME, outcome="declined", approval=value["sequence"])
    elif _taste(claim) % 5 == 1:
        claim.say(CommandName.DISASSOCIATE, {"user": ADMIN, "reason": "The project is over"})
