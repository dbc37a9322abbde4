"""`cpor.incentives.results`: what the incentive systems decided; intake forwards it to the inbox (contract §5, D29)."""

from __future__ import annotations

from pydantic import Field

from cpor.domain.vocabulary import EligibilityOutcome
from schemas.base import Message
from schemas.fields import Currency, Decimal, SubscriptionIdText, UuidText


class EligibilityResult(Message):
    """`cpor.eligibility.result.v1`."""

    claim_id: UuidText
    outcome: EligibilityOutcome
    reason: str | None = Field(default=None, max_length=1000)


class Earning(Message):
    """`cpor.earning.v1`."""

    claim_id: UuidText
    engagement: str = Field(max_length=200)
    partner_role: str = Field(max_length=200)
    tenant_id: UuidText
    subscription_id: SubscriptionIdText | None = None
    amount: Decimal
    """As text: money is no binary fraction."""
    currency: Currency
    period: str = Field(max_length=40)
    """As the incentive system names it, such as `2024-03`."""
