"""How old a customer's signature on a proof of execution may be (R26, D21)."""

from __future__ import annotations

from datetime import date

from cpor.domain.calendar import add_months
from cpor.domain.policy import Policy


def is_old_signature(policy: Policy, signed_on: date, submitted_on: date) -> bool:
    """X-poe: older than twelve months on the day of submission; shown to reviewers, never refused (D21)."""
    return add_months(signed_on, policy.documents.max_signature_age_months) < submitted_on
