"""What is asked of a claim besides its form: facts of customer, subscription and location (D22, D11), and what the
partner's own other claims say (D27). The rules themselves are in `facts` and `units`.
"""

from __future__ import annotations

from dataclasses import replace

from cpor.domain.calendar import local_date
from cpor.domain.deciding.desk import Desk
from cpor.domain.directory import check_location, check_partner
from cpor.domain.facts import check_facts, resolved_subscription
from cpor.domain.model import ClaimState
from cpor.domain.policy import policy
from cpor.domain.reference import Partner
from cpor.domain.refusal import FieldError
from cpor.domain.units import own_claimed, rejected_digests, units_of
from cpor.domain.vocabulary import Code


def fact_errors(desk: Desk, claim: ClaimState) -> tuple[FieldError, ...]:
    """Every fact that speaks against the claim now: warnings on a draft (T1), errors from submission on (T3)."""
    known, partner = desk.facts, desk.facts.partner
    if (refusal := check_partner(partner)) or partner is None:
        return (FieldError("partner_id", refusal.code, refusal.detail),) if refusal else ()
    location = partner.location(claim.form.location_id)
    if location is None:
        return location_errors(partner, claim.form.location_id)
    found = check_facts(
        policy(claim.policy),
        claim.form,
        customer=known.customer,
        subscriptions=known.subscriptions,
        location=location,
        at=desk.context.received_at,
    )
    return tuple(_as_shown(claim, each) for each in found)


def _as_shown(claim: ClaimState, error: FieldError) -> FieldError:
    """D11: what was filled in is not told to the partner before the approval, in an answer either."""
    told = claim.form.subscription_id
    if told is None or not claim.subscription_filled_in or claim.approval is not None:
        return error
    return replace(error, detail=error.detail.replace(told, f"…{told[-4:]}"))


def location_errors(partner: Partner, location_id: str | None) -> tuple[FieldError, ...]:
    """D22: judged on every message that names one; a form without one is told so by its own check."""
    error = check_location(partner, location_id) if location_id is not None else None
    return (error,) if error else ()


def filled_in(desk: Desk, claim: ClaimState) -> ClaimState:
    """D11: the claim with the one subscription it can mean, where a P2020 form named none."""
    place = desk.facts.partner.location(claim.form.location_id) if desk.facts.partner else None
    today = local_date(desk.context.received_at, place.timezone if place else claim.origin.zone)
    found = resolved_subscription(policy(claim.policy), claim.form, desk.facts.subscriptions, today)
    if found == claim.form.subscription_id:
        return claim
    return replace(claim, form=replace(claim.form, subscription_id=found))


def own_errors(desk: Desk, claim: ClaimState) -> list[FieldError]:
    """D27."""
    units = units_of(claim.policy, claim.form)
    others = desk.others
    if own_claimed(claim, units, others):
        detail = "An open or approved claim of yours has this role and one of these units already."
        return [FieldError("workloads", Code.ALREADY_CLAIMED, detail)]
    old = rejected_digests(claim, units, others)
    if old is None or any(each.sha256 not in old for each in claim.documents):
        return []
    detail = "A rejected claim had the same documents; attach at least one that is new."
    return [FieldError("documents", Code.POE_NOT_UPDATED, detail)]
