"""Do the books balance? Numbers that must be equal, each counted on its own from the topics."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from cpor.domain.vocabulary import CommandName
from cpor.ops.checker.deliveries import tally
from cpor.ops.checker.fates import Fate, fates
from cpor.ops.checker.histories import check_sequences
from cpor.ops.checker.log import PipelineLog
from cpor.ops.checker.mails import Post
from cpor.ops.checker.reading import Reading
from schemas import deadlines, handoff
from schemas.mail import MailKind


class Row(NamedTuple):
    """Two numbers that must be equal, and what they are."""

    left: str
    left_count: int
    right: str
    right_count: int

    @property
    def holds(self) -> bool:
        return self.left_count == self.right_count


@dataclass(frozen=True, slots=True)
class MailCount:
    """Mails of a kind: how many the events call for, and how many were written. Where only the moment of writing could
    tell (`reassociate`, or no address known), what was written counts as called for.
    """

    kind: MailKind
    called_for: int
    written: int


@dataclass(frozen=True, slots=True)
class Balances:
    """Counted over the claims whose events have a fold.

    `fates`: approvals by what became of them before the wait passed, `handed_off` as the eligible topic has it; without
    a fault they add up to `approvals`. Mails by what became of them add up to `mails_written`. `arrived` are mails in
    the sink, each once, `doubles` those that came again; both None where nobody looked there.
    """

    approvals: int
    fates: dict[Fate, int]
    events: int
    updates: int
    mails: tuple[MailCount, ...]
    delivered: int
    bounced: int
    deferred: int
    superseded: int
    in_flight: int
    arrived: int | None
    doubles: int | None
    reminders: int
    missed: int
    expired: int

    @property
    def mails_called_for(self) -> int:
        return sum(each.called_for for each in self.mails)

    @property
    def mails_written(self) -> int:
        return sum(each.written for each in self.mails)

    def rows(self) -> tuple[Row, ...]:
        """What must hold of a pipeline at rest."""
        told = " + ".join(f"{number} {fate.value.replace('_', ' ')}" for fate, number in self.fates.items() if number)
        names = ("delivered", "bounced", "deferred", "superseded")
        ways: dict[str, int] = {name: getattr(self, name) for name in names}
        became = " + ".join(f"{number} {name}" for name, number in ways.items() if number)
        found = [
            Row("approvals", self.approvals, told or "none", sum(self.fates.values())),
            Row("claim events", self.events, "partner updates", self.updates),
            Row("mails the events call for", self.mails_called_for, "mails written", self.mails_written),
            Row("mails written", self.mails_written, became or "none", sum(ways.values())),
        ]
        if self.arrived is not None:
            found.append(Row("mails delivered", self.delivered, "in the mailboxes", self.arrived))
        return tuple(found)


def balances(log: PipelineLog) -> Balances:
    """The books of a log. Pure."""
    reading = Reading(log)
    list(check_sequences(reading))  # marks what has no fold
    became, mails = tally(reading), _mails(reading)
    looked = log.sink is not None
    return Balances(
        approvals=sum(1 for history in reading.whole for _ in fates(history)),
        fates=_fates(reading),
        events=sum(len(history.steps) for history in reading.whole),
        updates=len(reading.updates),
        mails=mails,
        delivered=len(became.delivered),
        bounced=len(became.bounced),
        deferred=len(became.deferred),
        superseded=len(became.superseded),
        in_flight=len(became.in_flight),
        arrived=len(became.arrived) if looked else None,
        doubles=became.doubles if looked else None,
        reminders=_number(reading, deadlines.REMINDER),
        missed=_number(reading, deadlines.MISSED),
        expired=sum(read.type == CommandName.DEADLINE_EXPIRED for read in reading.inbox),
    )


def _fates(reading: Reading) -> dict[Fate, int]:
    found = Counter(each.fate for history in reading.whole for each in fates(history))
    found[Fate.HANDED_OFF] = sum(read.type == handoff.ELIGIBLE for read in reading.eligible)
    return {fate: found[fate] for fate in Fate if fate != Fate.LOST}


def _mails(reading: Reading) -> tuple[MailCount, ...]:
    post = Post(reading)
    written = Counter(MailKind(read.value["kind"]) for read in reading.mails)
    called: Counter[MailKind] = Counter({MailKind.REASSOCIATE: written[MailKind.REASSOCIATE]})
    for identity, want in post.expected.items():
        # What was told anew to a contact that came later is called for by that.
        due = None if post.was_superseded(want) else post.number_due(want)
        called[want.kind] += len(post.written.get(identity, ())) if due is None else due
    return tuple(MailCount(kind, called[kind], written[kind]) for kind in MailKind if called[kind] or written[kind])


def _number(reading: Reading, ce_type: str) -> int:
    return sum(read.type == ce_type for read in reading.deadlines)
