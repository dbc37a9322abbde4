"""What notify keeps and what it looks up: its tables and their codecs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog

from cpor.domain import directory, wire
from cpor.runtime.processor import ReferenceTable, StateTable
from cpor.runtime.topics import Topic
from services.notify.claim import ClaimRow

SOURCE = "/services/notify"

CLAIMS = "claims"
OUTBOX = "outbox"
PARTNERS = "partners"
CUSTOMERS = "customers"
SUBSCRIPTIONS = "subscriptions"

log = structlog.get_logger("cpor.notify")


def _row(value: bytes) -> ClaimRow:
    row: ClaimRow = wire.adapter(ClaimRow).validate_json(value)
    return row


def _readable(kind: str, read: Callable[[bytes], Any]) -> Callable[[bytes], Any | None]:
    """What a feed wrote wrongly counts as absent: one bad reference record must not stop every mail."""

    def decode(value: bytes) -> Any | None:
        try:
            return read(value)
        except ValueError as fault:
            log.error("unreadable reference record: it counts as absent", kind=kind, cause=type(fault).__name__)
            return None

    return decode


STATE_TABLES: tuple[StateTable, ...] = (
    StateTable(CLAIMS, Topic.NOTIFY_STATE, wire.encode, _row),
    #: Mails on their way, by mail id; contact data goes with them when they have arrived.
    StateTable(OUTBOX, Topic.NOTIFY_OUTBOX),
)

REFERENCE_TABLES: tuple[ReferenceTable, ...] = (
    ReferenceTable(PARTNERS, Topic.PARTNERS, _readable(PARTNERS, directory.read_partner), everywhere=True),
    ReferenceTable(CUSTOMERS, Topic.CUSTOMERS, _readable(CUSTOMERS, directory.read_customer)),
    ReferenceTable(SUBSCRIPTIONS, Topic.SUBSCRIPTIONS, _readable(SUBSCRIPTIONS, directory.read_subscription)),
)
