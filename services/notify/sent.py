"""What the ledger says of a mail by its id, in a view: the facts that a bounce is told with."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from pydantic_core import from_json

from cpor.runtime.record import Record
from cpor.runtime.topics import Topic
from cpor.runtime.view import Shape, View
from schemas.base import read, write
from schemas.envelope import read_envelope
from schemas.mail import BOUNCED, DELIVERED, AboutMail

#: How long the view may take to read up to the end of the ledger, seconds.
PATIENCE = 20.0


@dataclass(frozen=True, slots=True)
class Sent:
    """A mail that a server took at its n-th `attempt`. `tenant` and `partition` are those of its entries."""

    about: AboutMail
    tenant: bytes
    partition: int
    attempt: int
    bounced: bool


def fold(rows: sqlite3.Connection, record: Record) -> None:
    """Deliveries happen at least once: the first entry holds. What cannot be read is passed over."""
    kind = read_envelope(record.headers).type
    if kind not in (DELIVERED, BOUNCED):
        return
    try:
        value = record.value or b""
        about = read(AboutMail, value)
        attempt = int(from_json(value)["attempt"])
    except (ValueError, KeyError, TypeError):
        return
    if kind == BOUNCED:
        rows.execute("INSERT OR IGNORE INTO bounced VALUES (?)", (about.mail_id,))
    else:
        told = (about.mail_id, record.key or b"", record.partition, attempt, write(about))
        rows.execute("INSERT OR IGNORE INTO sent VALUES (?, ?, ?, ?, ?)", told)


SHAPE = Shape(
    version=1,
    topics=(Topic.DELIVERIES,),
    tables=(
        "CREATE TABLE sent (mail TEXT PRIMARY KEY, tenant BLOB, place INTEGER, attempt INTEGER, about BLOB)",
        "CREATE TABLE bounced (mail TEXT PRIMARY KEY) WITHOUT ROWID",
    ),
    fold=fold,
)


class Book:
    """Looks mails up in the view."""

    def __init__(self, view: View) -> None:
        self._view = view

    def is_current(self) -> bool:
        """Wait until all that is on the ledger now is known; False where that takes too long. Raises what ended it."""
        current = self._view.caught_up(PATIENCE)
        if self._view.failure is not None:
            raise self._view.failure
        return current

    def find(self, mail_id: str) -> Sent | None:
        """None for a mail that no server took, as far as is known."""
        with self._view.reading() as rows:
            found = rows.execute("SELECT about, tenant, place, attempt FROM sent WHERE mail = ?", (mail_id,)).fetchone()
            bounced = rows.execute("SELECT 1 FROM bounced WHERE mail = ?", (mail_id,)).fetchone()
        if found is None:
            return None
        about, tenant, partition, attempt = found
        return Sent(read(AboutMail, about), tenant, partition, attempt, bounced is not None)
