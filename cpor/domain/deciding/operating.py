"""What no partner, customer or reviewer asks for: time-outs, parking, results, imports (T9, T19, D23, D29)."""

from __future__ import annotations

from typing import Any

from cpor.domain import ids
from cpor.domain.calendar import business_calendar, local_date
from cpor.domain.commands import (
    EndSubscription,
    ExpireDeadline,
    ImportLegacy,
    ParkClaim,
    RecordEarning,
    RecordEligibility,
    UnparkClaim,
)
from cpor.domain.deciding.competing import end_association
from cpor.domain.deciding.desk import Desk
from cpor.domain.deciding.ending import reject
from cpor.domain.directory import check_location, check_partner
from cpor.domain.events import IncentiveResult, LegacyImported, Parked, Unparked
from cpor.domain.facts import over_since
from cpor.domain.model import ClaimForm, ClaimState, Reason
from cpor.domain.policy import Policy, edition_on, policy
from cpor.domain.reference import Location
from cpor.domain.result import Held, Ignored, Refused, refused, refused_for
from cpor.domain.units import incumbents, own_held, units_of
from cpor.domain.vocabulary import (
    ActorKind,
    AssociationEndReason,
    Clock,
    Code,
    Engagement,
    IncentiveResultKind,
    RejectionReason,
    SolutionArea,
    Status,
)


def expire(desk: Desk, data: ExpireDeadline) -> Ignored | Held | None:
    """T9: only the partner's clock acts, and only the very one that was started (domain §2.3)."""
    claim = desk.claim
    clock = claim.clock(data.clock)
    if clock is None or clock.started_by != data.started_by or data.clock != Clock.PARTNER_ANSWER:
        return Ignored(f"the clock {data.clock} of event {data.started_by} does not run, or never acts")
    if desk.context.now < clock.due:
        return Ignored("the clock has not run out")
    if claim.parked:
        return Held("a message of the claim lies among the dead letters")
    reject(desk, (Reason(RejectionReason.NO_PARTNER_RESPONSE),), None)
    return None


def park(desk: Desk, data: ParkClaim) -> Ignored | None:
    if data.letter_id in desk.claim.letters:
        return Ignored("the claim is parked for this letter already")
    desk.record(Parked, letter_id=data.letter_id)
    return None


def unpark(desk: Desk, data: UnparkClaim) -> Ignored | None:
    """The claim stays parked while another of its letters is not dealt with (architecture §3)."""
    settled = [each for each in desk.claim.letters if each in data.letters]
    if not settled:
        return Ignored("the claim is not parked for this letter")
    for letter in settled:
        desk.record(Unparked, letter_id=letter)
    return None


def eligibility(desk: Desk, data: RecordEligibility) -> Ignored | None:
    """D29, R49."""
    return _result(desk, kind=IncentiveResultKind.ELIGIBILITY, outcome=data.outcome, reason=data.reason)


def earning(desk: Desk, data: RecordEarning) -> Ignored | None:
    """D29, R49."""
    return _result(
        desk,
        kind=IncentiveResultKind.EARNING,
        engagement=data.engagement,
        partner_role=data.partner_role,
        subscription_id=data.subscription_id,
        amount=data.amount,
        currency=data.currency,
        period=data.period,
    )


def _result(desk: Desk, **told: Any) -> Ignored | None:
    """Who sends a message again, not knowing whether it came, has paid nothing again."""
    message = desk.context.message_id
    if message is not None and message in desk.claim.results:
        return Ignored("the result was told before")
    desk.record(IncentiveResult, message_id=message, **told)
    return None


def end_subscription(desk: Desk, data: EndSubscription) -> Ignored | None:
    """T19, D16, D23: the claim stays approved. Workloads have no subscription that could end.

    What time says is judged by the facts of today; an operator's word stands for itself.
    """
    claim = desk.claim
    if claim.form.subscription_id is None or not claim.units:
        return Ignored("the claim holds no subscription")
    if desk.context.actor.kind is ActorKind.SYSTEM and _lasts(desk, claim):
        return Ignored("the association lasts: its subscription was renewed")
    end_association(desk, claim, claim.units, AssociationEndReason.SUBSCRIPTION_ENDED, data.ends_on)
    return None


def _lasts(desk: Desk, claim: ClaimState) -> bool:
    named = claim.form.subscription_id
    known = None if named is None else desk.facts.subscriptions.get(named)
    return over_since(claim.origin.ends_on, known, local_date(desk.context.now, claim.origin.zone)) is None


def import_legacy(desk: Desk, data: ImportLegacy) -> Refused | None:
    """D23: an association from before, without PoE, mail or hand-off."""
    partner = desk.facts.partner
    if refusal := check_partner(partner):
        return refused(refusal)
    place = partner.location(data.location_id) if partner else None
    if place is None or partner is None:
        error = partner and check_location(partner, data.location_id)
        return refused_for((error,)) if error else Refused(Code.PARTNER_UNKNOWN, "The partner is not known.")
    rules = policy(edition_on(desk.context.received_at, place.timezone))
    engagement = rules.engagement_of(SolutionArea.BUSINESS_APPLICATIONS, data.partner_role)
    if engagement is None:
        return Refused(Code.ROLE_NOT_IN_AREA, "Legacy associations are of Business Applications.")
    return _import(desk, data, rules, place, engagement)


def _import(desk: Desk, data: ImportLegacy, rules: Policy, place: Location, engagement: Engagement) -> Refused | None:
    form = _legacy_form(desk, data, engagement)
    units = units_of(rules.edition, form)
    reference = desk.context.claim_ref or ids.legacy_reference(data.tenant_id, data.subscription_id, data.partner_role)
    if desk.context.claim_id != ids.claim_id(data.partner_id, reference):
        return Refused(Code.INVALID_FIELDS, "claim_id does not follow from the partner and the claim reference.")
    subscription = desk.facts.subscriptions.get(data.subscription_id)
    if subscription is not None and subscription.tenant_id != data.tenant_id:
        return Refused(Code.SUBSCRIPTION_OTHER_TENANT, "The subscription belongs to another tenant.")
    if incumbents(data.partner_id, units, desk.others):
        return Refused(Code.ALREADY_CLAIMED, "Another partner holds this subscription.")
    if own_held(data.partner_id, data.partner_role, units, desk.others):
        return Refused(Code.ALREADY_CLAIMED, "The partner holds this subscription in this role already.")
    calendar = business_calendar(place.country, place.region, place.timezone)
    context = desk.context
    desk.begin(
        LegacyImported(
            claim_id=context.claim_id,
            sequence=1,
            at=context.now,
            actor=context.actor,
            policy=rules.edition,
            status=Status.APPROVED,
            claim_ref=reference,
            partner_id=data.partner_id,
            form=form,
            units=units,
            zone=place.timezone,
            calendar=calendar.name,
            source=context.origin,
            ends_on=data.ends_on or (subscription.ends_on if subscription else None),
        )
    )
    return None


def _legacy_form(desk: Desk, data: ImportLegacy, engagement: Engagement) -> ClaimForm:
    subscription = desk.facts.subscriptions.get(data.subscription_id)
    return ClaimForm(
        claim_name=f"Legacy association {data.subscription_id}",
        location_id=data.location_id,
        tenant_id=data.tenant_id,
        solution_area=SolutionArea.BUSINESS_APPLICATIONS,
        partner_role=data.partner_role,
        engagement=engagement,
        workloads=subscription.products if subscription else (),
        subscription_id=data.subscription_id,
    )
