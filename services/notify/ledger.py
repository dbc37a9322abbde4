"""What is on record of the mails that a worker finds when partitions come to it: what is settled is not sent again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field

from pydantic_core import from_json

from cpor.runtime.clock import wall_ms
from cpor.runtime.record import Record
from schemas.envelope import read_envelope
from schemas.mail import BOUNCED, DELIVERED, SUPERSEDED

#: Entries that are looked at in a partition: more than are told, of both topics of mails, of what lies beyond its
#: committed positions (`faust_lanes.REACH`).
NEWEST = 1_000
#: No attempt is needed after this one.
LAST = 1 << 30
#: A mail that has waited so long for us, by the broker's clock, may not be wanted any more; and how often it is worth
#: a look, in seconds.
OLD_MS, LOOK_AGAIN = 5_000, 5.0
NEVER = float("-inf")

#: Partition, and the offset from which on (None: the newest) → records.
Tail = Callable[[int, int | None], Awaitable[Sequence[Record]]]
Settled = dict[str, int]


@dataclass(slots=True)
class _Known:
    """What was read of a partition, up to where and when."""

    settled: Settled = field(default_factory=dict)
    since: int | None = None
    looked: float = NEVER
    reading: asyncio.Task[None] | None = None


class Ledger:
    """The newest entries of `cpor.notify.deliveries`, read when the first mail of a partition turns up, and again for
    mails that lay there for a while: in the meantime their contact may have been replaced.

    Who was killed between handing a mail over and telling of it leaves no entry: that mail goes out twice.
    """

    def __init__(self, tail: Tail) -> None:
        self._tail = tail
        self._known: dict[int, _Known] = {}

    async def has(self, record: Record, mail_id: str, attempt: int) -> bool:
        """Whether it is known what became of this attempt, or that the mail is not wanted any more. Raises what reading
        the topic raises.
        """
        known = self._known.setdefault(record.partition, _Known())
        if known.reading is None and self._is_stale(known, record):
            known.reading = asyncio.create_task(self._read(record.partition, known))
        if known.reading is not None:
            await asyncio.shield(known.reading)
        return known.settled.get(mail_id, 0) >= attempt

    def forget(self) -> None:
        """Partitions may go to others now, who tell more."""
        self._known.clear()

    def _is_stale(self, known: _Known, record: Record) -> bool:
        if known.looked == NEVER:
            return True
        return wall_ms() - record.appended_at > OLD_MS and time.monotonic() - known.looked > LOOK_AGAIN

    async def _read(self, partition: int, known: _Known) -> None:
        try:
            entries = await self._tail(partition, known.since)
            known.settled |= settled(entries) if known.looked == NEVER else unwanted(entries)
            known.since = entries[-1].offset + 1 if entries else known.since
            known.looked = time.monotonic()
        finally:
            known.reading = None


def settled(entries: Iterable[Record]) -> Settled:
    """Mail id → the newest attempt that needs no more work; `LAST` where it arrived or bounced. Where the contact was
    replaced that is the attempt after those that were made: should the contact come back, it is sent under the next.
    """
    found: Settled = {}
    for each in entries:
        about = read_envelope(each.headers)
        if about.causation is not None and each.value is not None:
            attempt = LAST if about.type in (DELIVERED, BOUNCED) else int(from_json(each.value)["attempt"])
            attempt += about.type == SUPERSEDED
            found[about.causation] = max(attempt, found.get(about.causation, 0))
    return found


def unwanted(entries: Iterable[Record]) -> Settled:
    """All that is news to who tells the rest himself: mails whose contact was replaced."""
    return settled(each for each in entries if read_envelope(each.headers).type == SUPERSEDED)
