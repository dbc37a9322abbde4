"""A claim's first steps: creating it as a draft, and editing its form (T1, T2, T4, D1, D6)."""

from __future__ import annotations

from dataclasses import replace

from cpor.domain.calendar import business_calendar
from cpor.domain.commands import CreateClaim, EditClaim
from cpor.domain.deciding.checks import fact_errors, location_errors, own_errors
from cpor.domain.deciding.competing import flag_competition
from cpor.domain.deciding.desk import Desk
from cpor.domain.events import Drafted, Edited, FieldChange
from cpor.domain.evolve import PERSONAL_FIELDS
from cpor.domain.form import as_data, check_form, complete
from cpor.domain.model import ClaimForm, ConsentStage, FormData, Personal
from cpor.domain.policy import Policy, edition_on, policy
from cpor.domain.reference import Location, Partner
from cpor.domain.refusal import FieldError
from cpor.domain.result import Refused, refused_for
from cpor.domain.vocabulary import Clock, Code, Status


def create(desk: Desk, data: CreateClaim) -> Refused | None:
    """T1, R17: facts about customer and subscription only warn, a draft may wait for them (D22)."""
    partner = known_partner(desk)
    errors = begin_errors(desk, partner, data.form)
    if errors:
        return refused_for(errors)
    desk.begin(begun(desk, partner, data.form))
    desk.warnings = fact_errors(desk, desk.claim)
    return None


def begin_errors(desk: Desk, partner: Partner, form: FormData) -> list[FieldError]:
    rules = edition_of(desk, partner, form)
    return [*location_errors(partner, form.location_id), *check_form(rules, form)]


def edition_of(desk: Desk, partner: Partner, form: FormData) -> Policy:
    """D1: by the receive time, in the zone of the location (of the partner where that is unknown)."""
    place = partner.location(form.location_id) or partner
    return policy(edition_on(desk.context.received_at, place.timezone))


def begun(desk: Desk, partner: Partner, data: FormData) -> Drafted:
    """The first event of a draft; needs a form without errors."""
    rules = edition_of(desk, partner, data)
    form, personal = complete(rules, data)
    place = located(partner, form)
    calendar = business_calendar(place.country, place.region, place.timezone)
    context = desk.context
    return Drafted(
        claim_id=context.claim_id,
        sequence=1,
        at=context.now,
        actor=context.actor,
        policy=rules.edition,
        status=Status.DRAFT,
        claim_ref=context.claim_ref or "",
        partner_id=partner.partner_id,
        form=form,
        personal=personal,
        zone=place.timezone,
        calendar=calendar.name,
        source=context.origin,
        received_at=context.received_at,
    )


def located(partner: Partner, form: ClaimForm) -> Location:
    place = partner.location(form.location_id)
    assert place is not None, "the location was checked"
    return place


def edit(desk: Desk, data: EditClaim) -> Refused | None:
    """T2, T4, D6. A field that is given as it already stands is no edit."""
    claim = desk.claim
    old = as_data(claim.form, claim.personal)
    changed = tuple(name for name in data.given if _differs(desk, name, old, data.form))
    errors = _barred(desk, data.form, changed)
    wanted = tuple(name for name in changed if name not in {each.field for each in errors})
    new = replace(old, **{name: getattr(data.form, name) for name in wanted})
    if wanted:
        errors += [*_moved(desk, new, wanted), *check_form(desk.policy, new), *_added(desk, new, wanted)]
    if errors:
        return refused_for(errors)
    if changed:
        _record_edit(desk, old, new, changed)
    if claim.status == Status.SUBMITTED:
        flag_competition(desk)
    desk.warnings = fact_errors(desk, desk.claim)
    return None


def _differs(desk: Desk, name: str, old: FormData, new: FormData) -> bool:
    """The engagement follows from area and role: left out, or under another of its names, it is the same (A20). So is
    a subscription that was filled in for a partner which still names none (D11).
    """
    given, rules = getattr(new, name), desk.policy
    if name == "subscription_id" and given is None:
        return old.subscription_id is not None and not desk.claim.subscription_filled_in
    if name != "engagement" or old.solution_area is None or old.partner_role is None:
        return bool(given != getattr(old, name))
    return given is not None and rules.role_row(old.solution_area, old.partner_role) not in rules.rows_named(given)


def editable(desk: Desk) -> tuple[str, ...]:
    """D6, D20: in approved, only while the consent is suspended."""
    claim, rules = desk.claim, desk.policy
    if claim.status == Status.APPROVED and claim.consent.stage == ConsentStage.SUSPENDED:
        return rules.editing.while_consent_suspended
    return rules.editable(claim.status)


def _record_edit(desk: Desk, old: FormData, new: FormData, changed: tuple[str, ...]) -> None:
    """A contact corrected while the consent is suspended asks for a new notice, which restarts the wait (D20)."""
    claim = desk.claim
    _, personal = complete(desk.policy, new)
    again = claim.status == Status.APPROVED
    desk.record(
        Edited,
        changes=tuple(_change(name, old, new) for name in changed),
        personal=_brought(personal, changed),
        customer_notice=again,
        clocks_started=(desk.time().start(Clock.CONSENT_WAIT, desk.context.now),) if again else (),
    )


def _change(name: str, old: FormData, new: FormData) -> FieldChange:
    if name in PERSONAL_FIELDS:
        return FieldChange(name)
    return FieldChange(name, getattr(old, name), getattr(new, name))


def _brought(personal: Personal, changed: tuple[str, ...]) -> Personal | None:
    people = {name: getattr(personal, name) for name in changed if name in PERSONAL_FIELDS}
    return Personal(**people) if people else None


def _moved(desk: Desk, form: FormData, changed: tuple[str, ...]) -> tuple[FieldError, ...]:
    if "location_id" not in changed:
        return ()
    return location_errors(known_partner(desk), form.location_id)


def _added(desk: Desk, form: FormData, changed: tuple[str, ...]) -> list[FieldError]:
    """T4 (P2020): no resubmission follows, so that what a submission asks of the partner's own claims is asked here."""
    claim = desk.claim
    if claim.status != Status.SUBMITTED or "workloads" not in changed or not form.workloads:
        return []
    return own_errors(desk, replace(claim, form=replace(claim.form, workloads=form.workloads)))


def _barred(desk: Desk, given: FormData, changed: tuple[str, ...]) -> list[FieldError]:
    """What cannot be changed at all: fields that are fixed in this status (D6), and the last workload (R34)."""
    allowed = editable(desk)
    fixed = [_not_editable(name, desk.claim.status) for name in changed if name not in allowed]
    if "workloads" not in changed or "workloads" not in allowed or given.workloads:
        return fixed
    detail = "The last workload cannot be removed; withdraw or cancel instead."
    return [*fixed, FieldError("workloads", Code.LAST_WORKLOAD, detail)]


def _not_editable(name: str, status: Status) -> FieldError:
    return FieldError(name, Code.EDIT_NOT_ALLOWED, f"cannot be changed while the claim is {status.value}.")


def known_partner(desk: Desk) -> Partner:
    """The partner of a command that passed the permission check."""
    assert desk.facts.partner is not None, "the permission was checked"
    return desk.facts.partner
