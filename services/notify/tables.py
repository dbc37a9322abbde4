"""What notify keeps and what it looks up: its tables and their codecs."""

from __future__ import annotations

from cpor.domain import directory, wire
from cpor.runtime.processor import Index, ReferenceTable, StateTable
from cpor.runtime.references import readable
from cpor.runtime.topics import Topic
from services.notify import posted
from services.notify.claim import ClaimRow

SOURCE = "/services/notify"

CLAIMS = "claims"
OUTBOX = "outbox"
OUTBOX_OF_CLAIM = "outbox_of_claim"
PARTNERS = "partners"
CUSTOMERS = "customers"
SUBSCRIPTIONS = "subscriptions"


def _row(value: bytes) -> ClaimRow:
    row: ClaimRow = wire.adapter(ClaimRow).validate_json(value)
    return row


STATE_TABLES: tuple[StateTable, ...] = (
    StateTable(CLAIMS, Topic.NOTIFY_STATE, wire.encode, _row),
    #: Mails on their way, by mail id; contact data goes with them when they have arrived.
    StateTable(
        OUTBOX,
        Topic.NOTIFY_OUTBOX,
        posted.encode,
        posted.decode,
        indexes=(Index(OUTBOX_OF_CLAIM, posted.claim_of),),
    ),
)

REFERENCE_TABLES: tuple[ReferenceTable, ...] = (
    ReferenceTable(PARTNERS, Topic.PARTNERS, readable(PARTNERS, directory.read_partner), everywhere=True),
    ReferenceTable(CUSTOMERS, Topic.CUSTOMERS, readable(CUSTOMERS, directory.read_customer)),
    ReferenceTable(SUBSCRIPTIONS, Topic.SUBSCRIPTIONS, readable(SUBSCRIPTIONS, directory.read_subscription)),
)
