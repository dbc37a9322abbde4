"""Lives at random, with services that stand still, die and lose their stores: the checker finds nothing in them."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

import cpor.runtime.worker
from cpor.domain import ids
from cpor.domain.vocabulary import CommandName, PartnerId, parse_instant
from cpor.ops.checker import Fate, PipelineLog, balances, check
from cpor.runtime.store.engine import MemoryEngines
from tests.unit.ops.checker.five import CONTACT, EAGER, PUT_OFF, REFUSED, Five
from tests.unit.ops.checker.whole import PARTNERS
from tests.unit.review.pipeline import ACKNOWLEDGED, MONDAY, usage_form

#: The first Monday of each edition.
STARTS = {"P2020": parse_instant("2023-06-05T08:00:00Z"), "P2023": MONDAY}
WORKLOADS = ("teams", "exchange", "sharepoint", "intune", "yammer", "viva_topics")
PACES = (0.1, 0.5, 1, 3, 7, 8, 15)


class Life:
    """Everything is drawn from the dice: what happens next, to which claim, and to which service."""

    def __init__(self, seed: int, edition: str) -> None:
        self.dice = random.Random(seed)
        self.edition = edition
        self.five = Five(STARTS[edition])
        self.claims: list[tuple[str, str]] = []
        self.staff = list(self.five.workers)
        self.stores = {worker.processor.service: MemoryEngines() for worker in self.staff}
        for place in range(len(self.staff)):
            self._replace(place)

    def play(self, steps: int) -> None:
        for _ in range(steps):
            if self.dice.random() < 0.15:
                self.five.workers = self.dice.sample(self.staff, self.dice.randrange(1, len(self.staff) + 1))
            ((step, _),) = self.dice.choices(STEPS, [often for _, often in STEPS])
            if step is Life.files or not self.claims:
                self.files()
            else:
                step(self, *self.dice.choice(self.claims))
        self.rest()

    def rest(self) -> None:
        """Everybody works until nothing is left, mails that were put off and graces included."""
        self.five.workers = self.staff
        for _ in range(4):
            self.five.run()
            self.five.clock.tick(61_000)
        self.five.run()

    # -- what may happen -----------------------------------------------------------------------------------------------

    def files(self, *_: str) -> None:
        ref, by = f"c{len(self.claims)}", self.dice.choice(PARTNERS)
        named = {} if self.edition == "P2023" else {"domain": "contoso.example"}
        form = usage_form(*self.dice.sample(WORKLOADS, self.dice.randrange(1, 3)), **self._contact(), **named)
        signed = ACKNOWLEDGED if self.edition == "P2023" else ()
        self.five.file(ref, form, by=by, digest=f"{len(self.claims) % 16:x}", acknowledged=signed)
        self.claims.append((ref, by))

    def _contact(self) -> dict[str, Any]:
        known = (REFUSED, PUT_OFF, *(f"kana{n}@contoso.example" for n in range(4)))
        return {"customer_contact": {**CONTACT, "email": self.dice.choice(known)}}

    def is_looked_at(self, ref: str, by: str) -> None:
        self.five.review(ref, CommandName.REVIEW_START, by=by)

    def is_approved(self, ref: str, by: str) -> None:
        others = [ids.claim_id(PartnerId(partner), name) for name, partner in self.claims if partner != by]
        self.five.approve(ref, by=by, displaces=others)

    def is_rejected(self, ref: str, by: str) -> None:
        reasons = [{"code": "insufficient_poe"}]
        self.five.review(ref, CommandName.REVIEW_REJECT, by=by, reasons=reasons, comment="Too thin.")

    def is_asked(self, ref: str, by: str) -> None:
        self.is_looked_at(ref, by)
        reasons = [{"code": "missing_products"}]
        self.five.review(ref, CommandName.REVIEW_REQUEST_INFORMATION, by=by, reasons=reasons, comment="Which?")

    def answers(self, ref: str, by: str) -> None:
        self.five.say(ref, CommandName.RESUBMIT, {"comment": "These."}, by=by)

    def corrects(self, ref: str, by: str) -> None:
        self.five.say(ref, CommandName.EDIT, self._contact(), by=by)

    def disputes(self, ref: str, by: str) -> None:
        self.five.say(ref, CommandName.DISPUTE, {"justification": "It says all on page 4."}, by=by)

    def leaves(self, ref: str, by: str) -> None:
        self.five.say(ref, CommandName.DISASSOCIATE, {"reason": "No longer ours."}, by=by)

    def withdraws(self, ref: str, by: str) -> None:
        self.five.say(ref, CommandName.WITHDRAW, {"reason": "wrong_role"}, by=by)

    def hears_the_customer(self, ref: str, by: str) -> None:
        said, operator = self.dice.choice(("decline", "agree")), self.dice.choice((None, None, "o-1", ""))
        self.five.answer(ref, said, by=by, operator=operator, doubts=self.dice.choice(("", "no_visit", "too_soon")))

    def has_answers_checked(self, ref: str, by: str) -> None:
        self.five.checks(ref, self.dice.choice(("released", "dismissed")), by=by)

    def asks_again(self, ref: str, by: str) -> None:
        self.five.operate(ref, CommandName.OPS_RESEND_NOTICE, by=by)

    def grows_older(self, *_: str) -> None:
        self.five.days(self.dice.choice(PACES))

    def loses_a_worker(self, *_: str) -> None:
        """It is followed by another, at times without the store."""
        place = self.dice.randrange(len(self.staff))
        if self.dice.random() < 0.4:
            self.stores[self.staff[place].processor.service] = MemoryEngines()
        self._replace(place)

    def _replace(self, place: int) -> None:
        """The one before it has died: it never works again."""
        processor = self.staff[place].processor
        self.staff[place] = self.five.hire(processor, EAGER, self.stores[processor.service])
        self.five.workers = list(self.staff)


Step = Callable[..., None]
#: What may happen, and how often beside the others.
STEPS: tuple[tuple[Step, int], ...] = (
    (Life.files, 15),
    (Life.is_looked_at, 5),
    (Life.is_approved, 20),
    (Life.is_rejected, 5),
    (Life.is_asked, 7),
    (Life.answers, 5),
    (Life.corrects, 4),
    (Life.disputes, 3),
    (Life.leaves, 2),
    (Life.withdraws, 2),
    (Life.hears_the_customer, 8),
    (Life.has_answers_checked, 5),
    (Life.asks_again, 2),
    (Life.grows_older, 15),
    (Life.loses_a_worker, 4),
)


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is held back for a moment must not miss all of a life that is over in one."""
    monkeypatch.setattr(cpor.runtime.worker, "RETRY_SECONDS", 0.0)


@cache
def lived(seed: int, edition: str) -> PipelineLog:
    life = Life(seed, edition)
    life.play(70)
    return life.five.log()


LIVES = [(seed, edition) for edition in STARTS for seed in range(4)]


@pytest.mark.parametrize(("seed", "edition"), LIVES)
def test_a_life_at_random_has_no_findings_and_its_books_balance(seed: int, edition: str) -> None:
    log = lived(seed, edition)
    assert [str(each) for each in check(log)] == []
    assert [row for row in balances(log).rows() if not row.holds] == []


def test_the_lives_are_eventful_enough_to_say_something() -> None:
    found = [balances(lived(*each)) for each in LIVES]
    fates = {fate for books in found for fate, number in books.fates.items() if number}
    assert {Fate.HANDED_OFF, Fate.DECLINED, Fate.DISPLACED, Fate.WAITING, Fate.SUSPENDED} <= fates
    assert len({each.kind for books in found for each in books.mails}) >= 12
    assert any(books.expired for books in found)
    assert any(books.bounced for books in found)
