"""What becomes of a filed claim where nothing comes first: who says what, and when, in days of the pipeline's clock."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.chaos.material import contact, subscribed
from tests.chaos.story import Claim

EVA = "eva@contoso.example"
#: See `cpor.devstack.mail`: where mails bounce, and where the first two attempts are put off.
NOBODY, SLOW = "bounce-eva@contoso.example", "defer-2-eva@contoso.example"


@dataclass(frozen=True, slots=True)
class Fate:
    """`share`: of a hundred filed claims so many have it. Days are the longest that somebody takes."""

    name: str
    share: int
    #: What the reviewer says at first: approve, reject or ask.
    judged: str = "approve"
    #: Days until the review starts.
    queue: float = 0.5
    email: str = EVA
    subscription: bool = False
    #: Days until the partner answers what was asked; None: never.
    partner: float | None = 0.5
    disputes: bool = False
    #: What the partner or an operator does about a notice that bounced: edit, resend, or nothing.
    repair: str = ""
    #: Event that the customer answers (requested:submitted, requested:approved, completed), how, and in how many days.
    answers: tuple[str, str, str, float] | None = None
    #: Days from the approval until the association is given up, or its subscription ends.
    leaves: float | None = None
    ends: float | None = None

    def form(self, claim: Claim) -> dict[str, Any]:
        """What differs in its form."""
        area = subscribed(claim.tenant) if self.subscription else {}
        return {"customer_contact": contact(self.email), **area}


SUBMITTED, APPROVED, COMPLETED = "requested:submitted", "requested:approved", "completed"
PAGE, PHONE, UNCHECKED, VOID = "page", "phone", "unchecked", "void"

FATES: tuple[Fate, ...] = (
    Fate("silent", 15),
    Fate("agrees", 6, answers=(APPROVED, "agree", PAGE, 5)),
    Fate("declines early", 8, queue=6, answers=(SUBMITTED, "decline", PAGE, 4)),
    Fate("declines in the wait", 8, answers=(APPROVED, "decline", PAGE, 6)),
    Fate("declines around the end of the wait", 5, answers=(APPROVED, "decline", PHONE, 9)),
    Fate("declines after the hand-off", 7, answers=(COMPLETED, "decline", PAGE, 3)),
    Fate("answer to be checked", 5, answers=(APPROVED, "decline", UNCHECKED, 6)),
    Fate("answer that does not count", 4, answers=(APPROVED, "decline", VOID, 6)),
    Fate("never answers", 8, judged="ask", partner=None),
    Fate("answers around the end", 4, judged="ask", partner=24),
    Fate("answers", 4, judged="ask"),
    Fate("bounces, an operator mends it", 4, email=NOBODY, repair="resend"),
    Fate("bounces, the partner mends it", 3, email=NOBODY, repair="edit"),
    Fate("bounces for good", 2, email=NOBODY),
    Fate("greylisted", 4, email=SLOW),
    Fate("subscription ends", 4, subscription=True, ends=14),
    Fate("leaves", 3, leaves=9),
    Fate("rejected and disputed", 4, judged="reject", disputes=True),
    Fate("rejected", 2, judged="reject"),
)
BY_NAME: Mapping[str, Fate] = {each.name: each for each in FATES}
#: Fates of claims that want a unit which another one wants too: nobody waits for days.
OF_RIVALS = ("silent", "declines in the wait", "leaves", "answers")


def draws(dice: random.Random) -> Iterator[Fate]:
    """Fates in their shares, for ever: every one comes within any hundred."""
    while True:
        hundred = [fate for fate in FATES for _ in range(fate.share)]
        dice.shuffle(hundred)
        yield from hundred
