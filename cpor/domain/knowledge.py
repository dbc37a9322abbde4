"""What a decision may know besides the claim: gathered beforehand, so that deciding stays pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cpor.domain.model import ClaimState
from cpor.domain.reference import Customer, Partner, Subscription
from cpor.domain.vocabulary import ClaimId, SubscriptionId


@dataclass(frozen=True, slots=True)
class Facts:
    """Reference records as of the decision, and the claims that stand near.

    `subscriptions`: those of the claim's tenant, and the one the form names even if it is another tenant's.
    `others`: every other claim that touches one of the claim's units (`units.touched`), of any partner and in any
    status; for an edit, also those of the units it asks for.
    """

    partner: Partner | None = None
    customer: Customer | None = None
    subscriptions: Mapping[SubscriptionId, Subscription] = field(default_factory=dict)
    others: Mapping[ClaimId, ClaimState] = field(default_factory=dict)


NO_FACTS = Facts()
