"""What became of each claim's newest approval: until the hand-off as the checker judges it, and after it (D4, D16)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from cpor.ops.checker.fates import ApprovalFate, Fate, fates
from cpor.ops.checker.reading import Read, Reading
from schemas import handoff


class Became(StrEnum):
    """In the order in which they are shown."""

    NOTHING = "never approved"
    WAITS = "consent wait runs"
    SUSPENDED = "consent wait suspended"
    STANDS = "handed off"
    REVOKED = "handed off, then revoked"
    ENDED = "handed off, then ended"
    DECLINED = "declined before the hand-off"
    WITHDRAWN = "withdrawn before the hand-off"
    DISASSOCIATED = "disassociated before the hand-off"
    DISPLACED = "displaced before the hand-off"
    ENDED_FIRST = "ended before the hand-off"
    LOST = "lost"


_UNTIL_THE_HAND_OFF: Mapping[Fate, Became] = {
    Fate.WAITING: Became.WAITS,
    Fate.SUSPENDED: Became.SUSPENDED,
    Fate.DECLINED: Became.DECLINED,
    Fate.WITHDRAWN: Became.WITHDRAWN,
    Fate.DISASSOCIATED: Became.DISASSOCIATED,
    Fate.DISPLACED: Became.DISPLACED,
    Fate.ENDED: Became.ENDED_FIRST,
    Fate.LOST: Became.LOST,
}

Approval = tuple[str, int]


def became(reading: Reading) -> dict[str, Became]:
    """By claim id; claims that were never approved are among them."""
    handed = _by_approval(reading.eligible)
    found: dict[str, Became] = {}
    for history in reading.whole:
        *_, newest = (None, *fates(history))
        found[history.claim_id] = Became.NOTHING if newest is None else _became(newest, handed)
    return found


def _became(newest: ApprovalFate, handed: Mapping[Approval, list[Read]]) -> Became:
    if newest.fate != Fate.HANDED_OFF:
        return _UNTIL_THE_HAND_OFF[newest.fate]
    told = handed.get((newest.history.claim_id, newest.approval), [])
    if not any(each.type == handoff.ELIGIBLE for each in told):
        return Became.LOST
    if newest.history.state.units:
        return Became.STANDS
    revoked = any(each.type == handoff.ELIGIBLE_REVOKED for each in told)
    return Became.REVOKED if revoked else Became.ENDED


def _by_approval(eligible: Iterable[Read]) -> dict[Approval, list[Read]]:
    found: dict[Approval, list[Read]] = {}
    for read in eligible:
        found.setdefault((read.value["claim_id"], read.value["approval"]), []).append(read)
    return found
