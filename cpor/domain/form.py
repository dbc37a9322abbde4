"""What a claim form must be, whatever is known of the customer (R6-R17, D2, D11, D13, D31).

These checks need the edition and the form alone, so intake and review both run them on every message that
carries a form. They find all faults, not the first. What needs facts stands in `facts.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields

from cpor.domain.model import ClaimForm, FormData, PartnerContact, Personal, Revenue, TechnicalContact
from cpor.domain.policy import Policy, RoleRow, SubscriptionRule, UnitKind
from cpor.domain.refusal import FieldError, shown
from cpor.domain.texts import check_domain, check_email, check_language, check_text, invalid, is_uuid
from cpor.domain.vocabulary import Code

Check = Callable[[Policy, FormData], Iterator[FieldError]]

#: R6: what every edition asks for.
_ALWAYS_REQUIRED = (
    "claim_name",
    "location_id",
    "tenant_id",
    "solution_area",
    "partner_role",
    "workloads",
    "customer_contact",
    "partner_contact",
)


_FORM_FIELDS = tuple(each.name for each in fields(ClaimForm))
_PERSONAL_FIELDS = tuple(each.name for each in fields(Personal))
_REVENUE_FIELDS = tuple(each.name for each in fields(Revenue))


def check_form(policy: Policy, form: FormData) -> tuple[FieldError, ...]:
    """Every fault of a whole form under an edition, in the order of the form; () is a form that can be a claim."""
    return tuple(error for check in CHECKS for error in check(policy, form))


def complete(policy: Policy, form: FormData) -> tuple[ClaimForm, Personal]:
    """A form that `check_form` found nothing against, as a claim carries it.

    Raises ValueError where the form was not checked.
    """
    area, role = form.solution_area, form.partner_role
    row = policy.role_row(area, role) if area and role else None
    if row is None or not (form.claim_name and form.location_id and form.tenant_id and form.workloads):
        raise ValueError("the form has faults: check it first")
    whole = ClaimForm(
        claim_name=form.claim_name,
        location_id=form.location_id,
        tenant_id=form.tenant_id,
        solution_area=row.area,
        partner_role=row.role,
        engagement=row.engagement,
        workloads=form.workloads,
        subscription_id=form.subscription_id,
        domain=form.domain,
        incentive_opt_out=bool(form.incentive_opt_out),
    )
    return whole, Personal(form.customer_contact, form.partner_contact, form.technical_contact, form.revenue)


def as_data(form: ClaimForm, personal: Personal) -> FormData:
    """A claim's form as if it had just come in: what an edit is laid over and then checked again."""
    both = {name: getattr(form, name) for name in _FORM_FIELDS}
    return FormData(**both, **{name: getattr(personal, name) for name in _PERSONAL_FIELDS})


def check_required(policy: Policy, form: FormData) -> Iterator[FieldError]:
    """R6, R16, D11; a claim is never half a form."""
    for name in (*_ALWAYS_REQUIRED, *_required_besides(policy, form)):
        if getattr(form, name) is None:
            yield invalid(name, "is required.")


def check_not_asked(policy: Policy, form: FormData) -> Iterator[FieldError]:
    """§1.3, R13, R15, D31: what this edition, area or role does not ask for is refused, not dropped."""
    row = _row(policy, form)
    area = form.solution_area
    if form.incentive_opt_out and area and area not in policy.form.incentive_opt_out_areas:
        yield FieldError("incentive_opt_out", Code.OPT_OUT_NOT_OFFERED, "is not offered for this claim (R13).")
    if form.technical_contact is not None and area and area not in policy.form.technical_contact_areas:
        yield invalid("technical_contact", "is not asked for this claim.")
    if form.subscription_id is not None and row and row.unit is not UnitKind.SUBSCRIPTION:
        yield invalid("subscription_id", "is named only by claims of Business Applications.")
    if form.revenue is not None and row and not row.revenue:
        detail = "belongs to Influenced Revenue claims only."
        yield FieldError("revenue", Code.REVENUE_NOT_OFFERED, detail)


def check_role(policy: Policy, form: FormData) -> Iterator[FieldError]:
    """R8: the role must be one of the area's."""
    if form.solution_area and form.partner_role and _row(policy, form) is None:
        detail = f"{shown(form.partner_role.value)} is no role of {form.solution_area.value}."
        yield FieldError("partner_role", Code.ROLE_NOT_IN_AREA, detail)


def check_engagement(policy: Policy, form: FormData) -> Iterator[FieldError]:
    """R2, D13, A20: an id or an alias, which must be of this area and role; co-op claims go elsewhere."""
    if form.engagement is None:
        return
    row = _row(policy, form)
    named = policy.rows_named(form.engagement)
    if not named and policy.is_coop(form.engagement):
        detail = "Claims for co-op programmes (CSP, Managed Reseller, Hosting, Surface) go by the co-op process."
        yield FieldError("engagement", Code.NOT_A_CPOR_ENGAGEMENT, detail)
    elif row is not None and row not in named:
        detail = f"{shown(form.engagement)} does not fit this area and role: {row.engagement.value} does."
        yield FieldError("engagement", Code.ENGAGEMENT_MISMATCH, detail)
    elif row is None and not named:
        yield FieldError("engagement", Code.ENGAGEMENT_MISMATCH, f"{shown(form.engagement)} is not known.")


def check_workloads(policy: Policy, form: FormData) -> Iterator[FieldError]:
    """R14, D2, A1: at least one, each once, each of the area."""
    if form.workloads is None:
        return
    yield from _check_number(policy, len(form.workloads))
    seen: set[str] = set()
    for index, code in enumerate(form.workloads):
        yield from _check_workload(policy, form, f"workloads[{index}]", code, repeated=code in seen)
        seen.add(code)


def check_names(policy: Policy, form: FormData) -> Iterator[FieldError]:
    """R6: the claim's name, and ids that are no facts but shapes."""
    limits = policy.texts
    if form.claim_name is not None:
        yield from check_text("claim_name", form.claim_name, limits.claim_name)
    if form.location_id is not None:
        yield from check_text("location_id", form.location_id, limits.name)
    if form.tenant_id is not None and not is_uuid(form.tenant_id):
        yield invalid("tenant_id", f"{shown(form.tenant_id)} is not a UUID in lower case.")
    if form.domain is not None:
        yield from check_domain("domain", form.domain, limits.domain)


def check_contacts(policy: Policy, form: FormData) -> Iterator[FieldError]:
    """R16: every field of every contact; the language is optional (contract §3)."""
    customer = form.customer_contact
    if customer is not None:
        yield from _check_contact(policy, "customer_contact", customer.name, customer.email)
        yield from check_text("customer_contact.title", customer.title, policy.texts.title)
        yield from _check_spoken(policy, "customer_contact", customer.language)
    for path, contact in (("partner_contact", form.partner_contact), ("technical_contact", form.technical_contact)):
        yield from _check_own_contact(policy, path, contact)


def check_revenue(policy: Policy, form: FormData) -> Iterator[FieldError]:
    """R7: all three names."""
    if form.revenue is None:
        return
    for name in _REVENUE_FIELDS:
        yield from check_text(f"revenue.{name}", getattr(form.revenue, name), policy.texts.name)


def check_acknowledgements(policy: Policy, given: tuple[str, ...]) -> Iterator[FieldError]:
    """R28, D31: of a submission; exactly the edition's list, in any order."""
    asked = policy.submission.acknowledgements
    if sorted(given) != sorted(asked):
        detail = f"Acknowledge exactly: {', '.join(asked)}." if asked else "This edition has no acknowledgements."
        yield FieldError("acknowledgements", Code.ACKNOWLEDGEMENTS_INCOMPLETE, detail)


#: In the order of the form (003's steps); each row names its source in its docstring.
CHECKS: tuple[Check, ...] = (
    check_required,
    check_names,
    check_role,
    check_engagement,
    check_not_asked,
    check_workloads,
    check_contacts,
    check_revenue,
)


def _required_besides(policy: Policy, form: FormData) -> Iterator[str]:
    row = _row(policy, form)
    if policy.form.domain_required:
        yield "domain"
    if form.solution_area in policy.form.technical_contact_areas:
        yield "technical_contact"
    if row and row.unit is UnitKind.SUBSCRIPTION and policy.form.subscription is SubscriptionRule.REQUIRED:
        yield "subscription_id"
    if row and row.revenue:
        yield "revenue"


def _row(policy: Policy, form: FormData) -> RoleRow | None:
    if form.solution_area is None or form.partner_role is None:
        return None
    return policy.role_row(form.solution_area, form.partner_role)


def _check_number(policy: Policy, number: int) -> Iterator[FieldError]:
    rule = policy.form
    if number < rule.min_workloads:
        yield invalid("workloads", f"must name at least {rule.min_workloads}.")
    if rule.max_workloads is not None and number > rule.max_workloads:
        yield invalid("workloads", f"must name at most {rule.max_workloads}.")


def _check_workload(policy: Policy, form: FormData, path: str, code: str, *, repeated: bool) -> Iterator[FieldError]:
    if repeated:
        yield invalid(path, f"{shown(code)} stands there twice.")
    elif form.solution_area and code not in policy.catalogue[form.solution_area]:
        detail = f"{shown(code)} is no workload or product of {form.solution_area.value}."
        yield FieldError(path, Code.WORKLOAD_NOT_IN_AREA, detail)


def _check_contact(policy: Policy, path: str, name: str, email: str) -> Iterator[FieldError]:
    yield from check_text(f"{path}.name", name, policy.texts.name)
    yield from check_email(f"{path}.email", email, policy.texts.email)


def _check_spoken(policy: Policy, path: str, language: str | None) -> Iterator[FieldError]:
    if language is not None:
        yield from check_language(f"{path}.language", language, policy.texts.language)


def _check_own_contact(
    policy: Policy, path: str, contact: PartnerContact | TechnicalContact | None
) -> Iterator[FieldError]:
    if contact is None:
        return
    yield from _check_contact(policy, path, contact.name, contact.email)
    yield from _check_spoken(policy, path, getattr(contact, "language", None))
