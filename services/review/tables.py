"""What review keeps and what it looks up: its tables, their indexes and codecs (contract §1)."""

from __future__ import annotations

from collections.abc import Iterable

from cpor.domain import directory, ids, wire
from cpor.domain.associations import Association
from cpor.domain.model import ClaimForm, ClaimState
from cpor.domain.reference import Subscription
from cpor.domain.units import touched
from cpor.domain.vocabulary import Instant, Status
from cpor.runtime.processor import Index, ReferenceTable, StateTable
from cpor.runtime.references import readable
from cpor.runtime.topics import Topic
from schemas.associations import ASSOCIATION
from schemas.claim_state import STATE
from schemas.envelope import Header, headers

SOURCE = "/services/review"

CLAIMS = "claims"
ASSOCIATIONS = "associations"
PARTNERS = "partners"
CUSTOMERS = "customers"
SUBSCRIPTIONS = "subscriptions"
CLAIMS_BY_UNIT = "claims_by_unit"
SUBSCRIPTIONS_BY_TENANT = "subscriptions_by_tenant"
SUBSCRIPTIONS_BY_ID = "subscriptions_by_id"

#: Claims that stand in nobody's way: no rule ever asks for them as neighbours (D10, D17, D27).
_ASIDE = (Status.DRAFT, Status.CANCELLED)
_KEPT_UNITS = 20_000


class _UnitKeys:
    """Index keys of claims. Asked for with every row that is put, while forms hardly ever change: kept per form."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[ClaimForm, object, tuple[bytes, ...]]] = {}

    def __call__(self, key: bytes, state: ClaimState) -> tuple[bytes, ...]:
        if state.status in _ASIDE:
            return ()
        kept = self._kept.get(id(state.form))
        # The form is held, so its id stays its own.
        if kept is not None and kept[0] is state.form and kept[1] is state.units:
            return kept[2]
        keys = tuple(unit.encode() for unit in touched(state))
        if len(self._kept) >= _KEPT_UNITS:
            self._kept.clear()
        self._kept[id(state.form)] = (state.form, state.units, keys)
        return keys


def _tenant_keys(key: bytes, subscription: Subscription) -> Iterable[bytes]:
    return (subscription.tenant_id.encode(),)


def _id_keys(key: bytes, subscription: Subscription) -> Iterable[bytes]:
    return (subscription.subscription_id.encode(),)


def _state_headers(key: bytes, state: ClaimState | None) -> list[Header]:
    if state is None:
        return []
    cause = ids.event_id(state.claim_id, state.sequence)
    return headers(STATE, ids.derived_id(cause, STATE), SOURCE, _newest_instant(state), state.claim_id, cause)


def _newest_instant(state: ClaimState) -> Instant:
    """The newest instant that the snapshot knows of; which event it stands at says its sequence."""
    newest: int = max(state.origin.created_at, state.submitted_at or 0, state.decided_at or 0)
    for clock in state.clocks:
        newest = max(newest, clock.starts_at)
    return Instant(max(newest, state.comments[-1].at) if state.comments else newest)


def _association_headers(key: bytes, row: Association | None) -> list[Header]:
    """The row's own content names it: it keeps no id of the event behind it."""
    if row is None:
        return []
    claims = ",".join(each.claim_id for each in row.claims)
    cause = f"{row.unit}/{row.held_from}/{row.official_from}/{claims}"
    newest = row.official_from or row.held_from
    return headers(ASSOCIATION, ids.derived_id(cause, ASSOCIATION), SOURCE, newest, row.claims[0].claim_id)


def _decode_association(value: bytes) -> Association:
    row: Association = wire.adapter(Association).validate_json(value)
    return row


STATE_TABLES: tuple[StateTable, ...] = (
    StateTable(
        CLAIMS,
        Topic.CLAIM_STATE,
        wire.encode,
        wire.decode_state,
        _state_headers,
        (Index(CLAIMS_BY_UNIT, _UnitKeys()),),
    ),
    StateTable(ASSOCIATIONS, Topic.ASSOCIATIONS, wire.encode, _decode_association, _association_headers),
)

REFERENCE_TABLES: tuple[ReferenceTable, ...] = (
    ReferenceTable(PARTNERS, Topic.PARTNERS, readable(PARTNERS, directory.read_partner), everywhere=True),
    ReferenceTable(CUSTOMERS, Topic.CUSTOMERS, readable(CUSTOMERS, directory.read_customer)),
    # Global, for one answer: that a subscription is another tenant's, who may lie in any partition (D22).
    ReferenceTable(
        SUBSCRIPTIONS,
        Topic.SUBSCRIPTIONS,
        readable(SUBSCRIPTIONS, directory.read_subscription),
        everywhere=True,
        indexes=(Index(SUBSCRIPTIONS_BY_TENANT, _tenant_keys), Index(SUBSCRIPTIONS_BY_ID, _id_keys)),
        apart=True,
    ),
)
