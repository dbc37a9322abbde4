"""What a decision may know besides its claim, read from the tables when, and only when, a rule asks for it.

Most commands ask for nothing but the partner: looking the rest up for each would cost more than deciding. That a
mapping is filled late changes nothing: the tables stand still while a record is decided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Generic, NamedTuple, TypeVar

from cpor.domain import ids
from cpor.domain.commands import Command, CreateClaim, EditClaim, FileClaim, ImportLegacy
from cpor.domain.knowledge import Facts
from cpor.domain.model import ClaimState, FormData
from cpor.domain.reference import Subscription
from cpor.domain.units import touched
from cpor.domain.vocabulary import ClaimId, SolutionArea, SubscriptionId, UnitId
from cpor.runtime.processor import Context, placed
from services.review.tables import (
    CLAIMS_BY_UNIT,
    CUSTOMERS,
    PARTNERS,
    SUBSCRIPTIONS_BY_ID,
    SUBSCRIPTIONS_BY_TENANT,
)


class About(NamedTuple):
    """What is looked up for."""

    context: Context
    state: ClaimState | None
    command: Command


K = TypeVar("K", bound=str)
V = TypeVar("V")


class Late(Mapping[K, V], Generic[K, V]):
    """A mapping that is made when it is first looked into; `make` gets `about`."""

    __slots__ = ("_about", "_found", "_make")

    def __init__(self, make: Callable[[About], dict[K, V]], about: About) -> None:
        self._make = make
        self._about = about
        self._found: dict[K, V] | None = None

    @property
    def _all(self) -> dict[K, V]:
        if self._found is None:
            self._found = self._make(self._about)
        return self._found

    def __getitem__(self, key: K) -> V:
        return self._all[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)


def gather(context: Context, state: ClaimState | None, command: Command) -> Facts:
    """The facts for a command on the claim `state`."""
    about = About(context, state, command)
    partner = command.context.partner_id if state is None else state.partner_id
    return Facts(
        None if partner is None else context.get(PARTNERS, partner.encode()),
        context.get(CUSTOMERS, command.context.tenant_id.encode()),
        Late(_subscriptions, about),
        Late(_neighbours, about),
    )


def _subscriptions(about: About) -> dict[SubscriptionId, Subscription]:
    """Those of the tenant, which lie in its partition, and the named ones, whosesoever they are (D22)."""
    context, state, command = about
    tenant, here = command.context.tenant_id, placed(context.partition, b"")
    of_tenant = context.find(SUBSCRIPTIONS_BY_TENANT, tenant.encode())
    own = (each for key, each in of_tenant if key.startswith(here))
    found: dict[SubscriptionId, Subscription] = {each.subscription_id: each for each in own}
    for named in (_named_subscription(command), state.form.subscription_id if state else None):
        if named is not None and named not in found:
            others = (each for _, each in context.find(SUBSCRIPTIONS_BY_ID, named.encode()))
            found |= {each.subscription_id: each for each in others if each.tenant_id != tenant}
    return found


def _neighbours(about: About) -> dict[ClaimId, ClaimState]:
    """Every other claim on a unit that the claim has, or may have after this command."""
    own = about.command.context.claim_id
    found: dict[ClaimId, ClaimState] = {}
    for unit in _units(about):
        for _, other in about.context.find(CLAIMS_BY_UNIT, unit.encode()):
            if other.claim_id != own:
                found[other.claim_id] = other
    return found


def _units(about: About) -> tuple[UnitId, ...]:
    """More units than needed do no harm: a rule compares units itself."""
    standing = touched(about.state) if about.state is not None else ()
    return tuple(dict.fromkeys((*standing, *_asked_workloads(about.command), *_asked_subscriptions(about))))


def _asked_workloads(command: Command) -> list[UnitId]:
    form = _form(command)
    tenant = command.context.tenant_id
    return [ids.workload_unit(tenant, each) for each in (form.workloads or ())] if form else []


def _asked_subscriptions(about: About) -> list[UnitId]:
    """Where a claim of Business Applications names none, any of the tenant's may be filled in (D11)."""
    tenant, named = about.command.context.tenant_id, _named_subscription(about.command)
    if named is not None:
        return [ids.subscription_unit(tenant, named)]
    form = about.state.form if about.state is not None else _form(about.command)
    if form is None or form.solution_area != SolutionArea.BUSINESS_APPLICATIONS or form.subscription_id is not None:
        return []
    return [ids.subscription_unit(tenant, each) for each in _subscriptions(about)]


def _named_subscription(command: Command) -> SubscriptionId | None:
    form = _form(command)
    if form is not None:
        return form.subscription_id
    return command.data.subscription_id if isinstance(command.data, ImportLegacy) else None


def _form(command: Command) -> FormData | None:
    data = command.data
    return data.form if isinstance(data, CreateClaim | FileClaim | EditClaim) else None
