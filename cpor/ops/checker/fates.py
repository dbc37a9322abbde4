"""What became of each approval: handed off, ended before that, or still waiting (D4, D8, D9, D16, D17, D20)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from cpor.domain import events as ev
from cpor.domain.model import ConsentStage
from cpor.domain.vocabulary import AssociationEndReason, RevocationReason, Status
from cpor.ops.checker.reading import History, Step


class Fate(StrEnum):
    """Exactly one of an approval; what ends it after the hand-off does not count here."""

    HANDED_OFF = "handed_off"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    DISASSOCIATED = "disassociated"
    DISPLACED = "displaced"
    ENDED = "ended"
    WAITING = "waiting"
    SUSPENDED = "suspended"
    #: Neither handed off nor ended, and nothing runs that will: a fault.
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class ApprovalFate:
    """`ended_by` is the event that decided it, None while it waits."""

    history: History
    approval: int
    fate: Fate
    ended_by: Step | None


def fates(history: History) -> Iterator[ApprovalFate]:
    """Of every approval of a claim in order; of a legacy association none (D23)."""
    if history.legacy:
        return
    given = [step.event.sequence for step in history.steps if isinstance(step.event, ev.Approved)]
    for approval, following in zip(given, [*given[1:], None], strict=False):
        yield _fate(history, approval, history.steps[approval : following and following - 1])


def _fate(history: History, approval: int, later: tuple[Step, ...]) -> ApprovalFate:
    for step in later:
        fate = _decided(step)
        if fate is not None:
            return ApprovalFate(history, approval, fate, step)
    newest = later[-1] if later else history.steps[approval - 1]
    return ApprovalFate(history, approval, _STANDING.get(newest.after.consent.stage, Fate.LOST), None)


_STANDING: Mapping[ConsentStage, Fate] = {
    ConsentStage.WAITING: Fate.WAITING,
    ConsentStage.SUSPENDED: Fate.SUSPENDED,
}

_REVOKED: Mapping[RevocationReason | None, Fate] = {
    RevocationReason.CUSTOMER_DECLINED: Fate.DECLINED,
    RevocationReason.WITHDRAWN: Fate.WITHDRAWN,
    RevocationReason.DISASSOCIATED: Fate.DISASSOCIATED,
    RevocationReason.DISPLACED: Fate.DISPLACED,
}


def _decided(step: Step) -> Fate | None:
    """What this event makes of an approval that stood until then."""
    event = step.event
    if isinstance(event, ev.ConsentCompleted):
        return Fate.HANDED_OFF
    if isinstance(event, ev.AssociationEnded) and not step.after.units:
        return Fate.DISPLACED if event.reason == AssociationEndReason.DISPLACED else Fate.ENDED
    if step.after.status == Status.APPROVED:
        return None
    return _REVOKED.get(getattr(event, "revocation", None), Fate.LOST)
