"""What is on record of the mails that a worker finds when partitions come to it: what is settled is not sent again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

from pydantic_core import from_json

from cpor.runtime.record import Record
from schemas.envelope import read_envelope
from schemas.mail import BOUNCED, DELIVERED

#: Entries that are looked at in a partition: far more than anybody tells between two commits of its position.
NEWEST = 1_000
#: No attempt is needed after this one.
LAST = 1 << 30

Tail = Callable[[int], Awaitable[Sequence[Record]]]
Settled = dict[str, int]


class Ledger:
    """The newest entries of `cpor.notify.deliveries`, read when the first mail of a partition turns up.

    Who was killed between handing a mail over and telling of it leaves no entry: that mail goes out twice.
    """

    def __init__(self, tail: Tail) -> None:
        self._tail = tail
        self._known: dict[int, asyncio.Task[Settled]] = {}

    async def has(self, partition: int, mail_id: str, attempt: int) -> bool:
        """Whether it is known what became of this attempt. Raises what reading the topic raises."""
        known = self._known.get(partition)
        if known is None or (known.done() and (known.cancelled() or known.exception())):
            known = self._known[partition] = asyncio.create_task(self._read(partition))
        return (await asyncio.shield(known)).get(mail_id, 0) >= attempt

    def forget(self) -> None:
        """Partitions may go to others now, who tell more."""
        self._known.clear()

    async def _read(self, partition: int) -> Settled:
        return settled(await self._tail(partition))


def settled(entries: Iterable[Record]) -> Settled:
    """Mail id → the newest attempt that was told of; `LAST` where it arrived or bounced."""
    found: Settled = {}
    for each in entries:
        about = read_envelope(each.headers)
        if about.causation is not None and each.value is not None:
            final = about.type in (DELIVERED, BOUNCED)
            attempt = LAST if final else int(from_json(each.value)["attempt"])
            found[about.causation] = max(attempt, found.get(about.causation, 0))
    return found
