"""A claim in the reader's words: what `claim.html` tells."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from cpor.domain.calendar import local_date, local_moment
from cpor.domain.policy import policy
from cpor.domain.units import covered_workloads
from cpor.domain.vocabulary import Instant, PartnerRole
from cpor.words import Speech
from services.consent.page.knowledge import Known
from services.consent.page.standing import Standing

_MINUTE = 60_000


@dataclass(frozen=True, slots=True)
class Until:
    """D28: the last whole local day in the clock's zone, and the exact end with its offset there."""

    day: date
    zone: str
    exact: datetime


@dataclass(frozen=True, slots=True)
class Shown:
    """`answered`: when the newest answer came, in the claim's zone."""

    partner: str
    products: tuple[str, ...]
    role: str
    tenant: str
    heard: str
    answer: str | None
    answered: datetime | None
    phase: str
    declining: bool
    may_decline: bool
    may_agree: bool
    too_late: bool
    limited: bool
    no_checked: bool
    until: Until | None
    official: datetime | None
    zone: str


def shown(known: Known, where: Standing, speech: Speech) -> Shown:
    claim, zone = known.claim, known.claim.origin.zone
    official = claim.approval.completed_at if claim.approval is not None else None
    return Shown(
        partner=known.partner,
        products=_products(known, speech),
        role=role_in_words(claim.form.partner_role, speech),
        tenant=claim.form.tenant_id,
        heard=where.heard.value,
        answer=where.answer.value if where.answer is not None else None,
        answered=None if where.answered_at is None else local(where.answered_at, zone),
        phase=where.phase.value,
        declining=where.declining,
        may_decline=where.may_decline,
        may_agree=where.may_agree,
        too_late=where.too_late,
        limited=where.limited,
        no_checked=where.no_checked,
        until=None if where.until is None else until(where.until, zone),
        official=None if official is None else local(official, zone),
        zone=zone,
    )


def _products(known: Known, speech: Speech) -> tuple[str, ...]:
    """Of an association what is left of it after a displacement (D17)."""
    form, rules = known.claim.form, policy(known.claim.policy)
    codes = covered_workloads(form.tenant_id, form.workloads, known.claim.units)
    return tuple(speech.say("product", rules.item_name(form.solution_area, code)) for code in codes)


def role_in_words(role: PartnerRole, speech: Speech) -> str:
    """R10, from the customer's side."""
    if role == PartnerRole.BUILD_INTENT_ADVISOR:
        return speech.say("page", "advised your organisation before the purchase")
    if role == PartnerRole.INFLUENCED_REVENUE:
        return speech.say("page", "influenced what your organisation chose")
    return speech.say("page", "helps your organisation to introduce and use the products")


def until(due: int, zone: str) -> Until:
    """`due` in ms is the first instant that is too late (D18)."""
    return Until(local_date(Instant(due - 1), zone), zone, local(due, zone))


def local(at: int, zone: str) -> datetime:
    """On the whole minute."""
    return local_moment(Instant(at - at % _MINUTE), zone)
