"""More than two thousand claims of several partners: what these say of their own accord, and how."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from cpor.domain.ids import receipt_id
from cpor.domain.vocabulary import ClaimId, CommandName, TenantId
from cpor.runtime.transport.port import Transport
from tests.chaos.fates import BY_NAME, OF_RIVALS, Fate, draws
from tests.chaos.material import ACKNOWLEDGED, ADMIN, tenant
from tests.chaos.story import Claim, Said, Word, misbehave

PARTNERS = ("C-1", "C-2", "C-3", "C-4", "C-5")
#: Of a hundred claims so many come whole, with a document; the others are small.
FILED = 15


@dataclass(frozen=True)
class Crowd:
    """The claims of one run, and what their partners say of their own accord, in order."""

    claims: dict[ClaimId, Claim]
    #: Of those that are filed.
    fates: dict[ClaimId, Fate]
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
    fates, drawn = {each.id: BY_NAME[dice.choice(OF_RIVALS)] for two in twins for each in two}, draws(dice)
    for claim in singles:
        if dice.randrange(100) < FILED:
            fates[claim.id] = next(drawn)
        else:
            _small(claim)
    everyone = [*singles, *(each for two in twins for each in two)]
    for claim in everyone:
        if claim.id in fates:
            _whole(claim, fates[claim.id])
    rivals = {mine.id: other.id for a, b in twins for mine, other in ((a, b), (b, a))}
    words = list(_mixed([each.words for each in everyone], dice))
    return Crowd({each.id: each for each in everyone}, fates, rivals, words)


def _pair(n: int, dice: random.Random, numbers: Iterator[int]) -> tuple[Claim, Claim]:
    first, second = dice.sample(PARTNERS, 2)
    unit = tenant(1_000_000 + n)
    return Claim(first, f"x-{n}", unit, dice, numbers), Claim(second, f"x-{n}", unit, dice, numbers)


def _whole(claim: Claim, fate: Fate) -> None:
    claim.file(**fate.form(claim))
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
