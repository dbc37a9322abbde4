"""Ways into every status, by what partners and reviewers really say."""

from __future__ import annotations

from typing import Any

from cpor.domain.vocabulary import CommandName as C
from cpor.domain.vocabulary import Status as S
from tests.acceptance.bad_input.world import Claim, World

#: Claims by edition and status.
Editions = dict[str, dict[S, Claim]]
REJECT: dict[str, Any] = {"reasons": [{"code": "insufficient_poe"}], "comment": "Too thin"}
FILED: tuple[C, dict[str, Any]] = (C.FILE, {})
STARTED: tuple[C, dict[str, Any]] = (C.REVIEW_START, {})
ASK: dict[str, Any] = {"reasons": [{"code": "missing_products"}], "comment": "Which?"}
#: Which commands lead a new claim there.
WAYS: dict[S, tuple[tuple[C, dict[str, Any]], ...]] = {
    S.DRAFT: ((C.CREATE, {}),),
    S.CANCELLED: ((C.CREATE, {}), (C.CANCEL, {})),
    S.SUBMITTED: (FILED,),
    S.UNDER_REVIEW: (FILED, STARTED),
    S.PARTNER_ACTION_REQUIRED: (FILED, STARTED, (C.REVIEW_REQUEST_INFORMATION, ASK)),
    S.APPROVED: (FILED, STARTED, (C.REVIEW_APPROVE, {})),
    S.REJECTED: (FILED, STARTED, (C.REVIEW_REJECT, REJECT)),
    S.DISPUTED: (FILED, STARTED, (C.REVIEW_REJECT, REJECT), (C.DISPUTE, {"justification": "It is signed"})),
    S.REJECTED_FINAL: (FILED, STARTED, (C.REVIEW_APPROVE, {}), (C.DISASSOCIATE, {"reason": "It is over"})),
}


def claims_in_every_status(world: World, statuses: list[S]) -> dict[S, Claim]:
    return bring({status: world.claim() for status in statuses})


def brought(claim: Claim, status: S) -> Claim:
    """A new claim, brought there."""
    return bring({status: claim})[status]


def bring(claims: dict[S, Claim]) -> dict[S, Claim]:
    """Each new claim into its status, all of them step by step, so that nobody waits for the others."""
    world = next(iter(claims.values())).world
    reached: dict[S, str] = {}
    for step in range(max(len(WAYS[status]) for status in claims)):
        going = {status: claim for status, claim in claims.items() if step < len(WAYS[status])}
        said = {status: claim.begin(*WAYS[status][step]) for status, claim in going.items()}
        reached |= {status: str(each["status"]) for status, each in world.told(said).items()}
    assert reached == {status: status.value for status in claims}
    return claims
