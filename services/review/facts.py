"""What a decision may know besides its claim, read from the tables when, and only when, a rule asks for it.

Most commands ask for nothing but the partner: looking the rest up for each would cost more than deciding. That a
mapping is filled late changes nothing: the tables stand still while a record is decided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

from cpor.domain import ids
from cpor.domain.commands import Command, CreateClaim, EditClaim, FileClaim, ImportLegacy
from cpor.domain.knowledge import Facts
from cpor.domain.model import ClaimState, FormData
from cpor.domain.reference import Subscription
from cpor.domain.units import touched
from cpor.domain.vocabulary import ClaimId, SubscriptionId, TenantId, UnitId
from cpor.runtime.processor import Context
from services.review.tables import (
    CLAIMS_BY_UNIT,
    CUSTOMERS,
    PARTNERS,
    SUBSCRIPTIONS,
    SUBSCRIPTIONS_BY_TENANT,
)

K = TypeVar("K", bound=str)
V = TypeVar("V")


class Late(Mapping[K, V], Generic[K, V]):
    """A mapping that is made when it is first looked into."""

    __slots__ = ("_found", "_make")

    def __init__(self, make: Callable[[], dict[K, V]]) -> None:
        self._make = make
        self._found: dict[K, V] | None = None

    @property
    def _all(self) -> dict[K, V]:
        if self._found is None:
            self._found = self._make()
        return self._found

    def __getitem__(self, key: K) -> V:
        return self._all[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)


def gather(context: Context, state: ClaimState | None, command: Command) -> Facts:
    """The facts for a command on the claim `state`."""
    about = command.context
    partner = about.partner_id if state is None else state.partner_id
    subscriptions = Late(lambda: _subscriptions(context, state, command))
    return Facts(
        partner=None if partner is None else context.get(PARTNERS, partner.encode()),
        customer=context.get(CUSTOMERS, about.tenant_id.encode()),
        subscriptions=subscriptions,
        others=Late(lambda: _neighbours(context, state, command, subscriptions)),
    )


def _subscriptions(context: Context, state: ClaimState | None, command: Command) -> dict[SubscriptionId, Subscription]:
    """Those of the tenant, and the named one if it is known here, whosesoever it is (D22)."""
    of_tenant = context.find(SUBSCRIPTIONS_BY_TENANT, command.context.tenant_id.encode())
    found: dict[SubscriptionId, Subscription] = {each.subscription_id: each for _, each in of_tenant}
    for named in (_named_subscription(command), state.form.subscription_id if state else None):
        other = None if named is None or named in found else context.get(SUBSCRIPTIONS, named.encode())
        if other is not None:
            found[other.subscription_id] = other
    return found


def _neighbours(
    context: Context,
    state: ClaimState | None,
    command: Command,
    subscriptions: Mapping[SubscriptionId, Subscription],
) -> dict[ClaimId, ClaimState]:
    """Every other claim on a unit that the claim has, or may have after this command."""
    own = command.context.claim_id
    found: dict[ClaimId, ClaimState] = {}
    for unit in _units(state, command, subscriptions):
        for _, other in context.find(CLAIMS_BY_UNIT, unit.encode()):
            if other.claim_id != own:
                found[other.claim_id] = other
    return found


def _units(
    state: ClaimState | None, command: Command, subscriptions: Mapping[SubscriptionId, Subscription]
) -> tuple[UnitId, ...]:
    """More units than needed do no harm: a rule compares units itself."""
    tenant = command.context.tenant_id
    standing = touched(state) if state is not None else ()
    asked = [*_asked_workloads(tenant, command), *_asked_subscriptions(state, command, subscriptions)]
    return tuple(dict.fromkeys((*standing, *asked)))


def _asked_workloads(tenant: TenantId, command: Command) -> list[UnitId]:
    form = _form(command)
    return [ids.workload_unit(tenant, each) for each in (form.workloads or ())] if form else []


def _asked_subscriptions(
    state: ClaimState | None, command: Command, subscriptions: Mapping[SubscriptionId, Subscription]
) -> list[UnitId]:
    """Where none is named, any of the tenant's may be filled in (D11)."""
    tenant, named = command.context.tenant_id, _named_subscription(command)
    if named is not None:
        return [ids.subscription_unit(tenant, named)]
    if state is not None and (state.form.subscription_id is not None or touched(state)):
        return []
    return [ids.subscription_unit(tenant, each) for each in subscriptions]


def _named_subscription(command: Command) -> SubscriptionId | None:
    form = _form(command)
    if form is not None:
        return form.subscription_id
    return command.data.subscription_id if isinstance(command.data, ImportLegacy) else None


def _form(command: Command) -> FormData | None:
    data = command.data
    return data.form if isinstance(data, CreateClaim | FileClaim | EditClaim) else None
