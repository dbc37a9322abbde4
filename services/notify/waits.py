"""How long a mail waits before it is tried again, and when nobody tries any more: a table, and nothing by chance.

The same mail and attempt always wait as long: what a worker would do again after a kill, it does alike.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import NamedTuple

from cpor.domain.vocabulary import Instant

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
#: After the first attempt.
GIVE_UP_MS = 48 * HOUR_MS
#: So often it is tried whatever the clock says: that we were down for days is no fault of the address.
FEWEST = 4
#: A wait is longer or shorter by up to this part, or mails that were refused together would come together again.
SPREAD = 0.2


class Wait(NamedTuple):
    """`of`: what the server's reply is like. Each further wait is twice as long as the one before."""

    name: str
    of: re.Pattern[str]
    first_ms: int
    longest_ms: int


#: The first row that fits. Who greylists turns everybody away for some minutes, five as a rule: to come earlier only
#: makes it longer. Anything else (4xx, no answer, a server that does not let us in) may be over in a minute.
WAITS: tuple[Wait, ...] = (
    Wait("greylisted", re.compile(r"45[01] .*(gr[ae]y-?list|again in \d|come back)", re.I), 5 * MINUTE_MS, 4 * HOUR_MS),
    Wait("any other", re.compile(""), MINUTE_MS, 4 * HOUR_MS),
)  # fmt: skip


def next_attempt(mail_id: str, attempt: int, reply: str, first_at: Instant, at: Instant) -> Instant | None:
    """When a mail is tried again whose `attempt` was put off at `at`; None: it is given up.

    The last attempt is made 48 hours after the first.
    """
    last = first_at + GIVE_UP_MS
    due = at + wait_ms(mail_id, attempt, reply)
    if attempt < FEWEST or due <= last:
        return Instant(due)
    return Instant(last) if at < last else None


def wait_ms(mail_id: str, attempt: int, reply: str) -> int:
    row = next(each for each in WAITS if each.of.match(reply))
    usual = min(row.first_ms << min(attempt - 1, 16), row.longest_ms)
    return round(usual * (1 - SPREAD + 2 * SPREAD * _share(mail_id, attempt)))


def _share(mail_id: str, attempt: int) -> float:
    """From 0 to 1, and always the same for an attempt."""
    digest = sha256(f"{mail_id}/{attempt}".encode()).digest()
    return int.from_bytes(digest[:4]) / 0xFFFFFFFF
