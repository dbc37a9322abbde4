"""What must be true of the customer, the subscription and the location of a claim (D22, R9, R18, R19, D11).

On a draft what is found here is a warning; at submission, resubmission and approval it is an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from cpor.domain.calendar import add_days, local_date
from cpor.domain.directory import check_enrolled
from cpor.domain.model import ClaimForm
from cpor.domain.policy import Policy, RoleRow, SubscriptionRule, UnitKind
from cpor.domain.reference import Customer, Location, Subscription
from cpor.domain.refusal import FieldError, shown
from cpor.domain.texts import invalid, is_uuid
from cpor.domain.vocabulary import Channel, Code, Instant, SubscriptionId, SubscriptionState

Subscriptions = Mapping[SubscriptionId, Subscription]


def check_facts(
    policy: Policy,
    form: ClaimForm,
    *,
    customer: Customer | None,
    subscriptions: Subscriptions,
    location: Location,
    at: Instant,
) -> tuple[FieldError, ...]:
    """Every fact that speaks against the claim at `at` (R9, R18, R19).

    `subscriptions` are those known of the form's tenant, and the named one if it is known at all.
    """
    found = [*_check_tenant(form, customer), *_check_subscription(policy, form, subscriptions, location, at)]
    enrolled = check_enrolled(location)
    return tuple(found if enrolled is None else [*found, enrolled])


def resolved_subscription(
    policy: Policy, form: ClaimForm, subscriptions: Subscriptions, today: date
) -> SubscriptionId | None:
    """D11: the subscription a claim stands on: the named one, or under P2020 the only one there is."""
    if form.subscription_id is not None or not _may_be_filled_in(policy, form):
        return form.subscription_id
    candidates = candidate_subscriptions(form, subscriptions, today)
    return candidates[0].subscription_id if len(candidates) == 1 else None


def candidate_subscriptions(form: ClaimForm, subscriptions: Subscriptions, today: date) -> tuple[Subscription, ...]:
    """The tenant's subscriptions to a claimed product, by id (D11): those that go on, or all where every one is over,
    so that this is what the partner is told (D22).
    """
    of_tenant = (one for one in subscriptions.values() if one.tenant_id == form.tenant_id)
    sold = sorted((one for one in of_tenant if any(product in form.workloads for product in one.products)), key=_id)
    return tuple(one for one in sold if not has_ended(one, today)) or tuple(sold)


def _check_tenant(form: ClaimForm, customer: Customer | None) -> Iterator[FieldError]:
    """R19: the tenant must be known, and the domain, where one is given, be one of its."""
    if customer is None:
        yield FieldError("tenant_id", Code.TENANT_UNKNOWN, f"{shown(form.tenant_id)} is no known customer.")
    elif form.domain is not None and not _owns(customer, form.domain):
        detail = f"{shown(form.domain)} is no domain of this tenant."
        yield FieldError("domain", Code.TENANT_DOMAIN_MISMATCH, detail)


def _check_subscription(
    policy: Policy, form: ClaimForm, subscriptions: Subscriptions, location: Location, at: Instant
) -> Iterator[FieldError]:
    row = policy.role_row(form.solution_area, form.partner_role)
    if row is None or row.unit is not UnitKind.SUBSCRIPTION:
        return
    today = local_date(at, location.timezone)
    resolved = resolved_subscription(policy, form, subscriptions, today)
    if resolved is None:
        yield from _check_unnamed(row, candidate_subscriptions(form, subscriptions, today))
    elif (one := subscriptions.get(resolved)) is None:
        yield _unknown(policy, resolved)
    elif one.tenant_id != form.tenant_id:
        # Nothing more is told: it would be another customer's business.
        yield _fault(Code.SUBSCRIPTION_OTHER_TENANT, "The subscription belongs to another tenant.")
    else:
        yield from _check_known(policy, row, form, one, at, location.timezone)


def _check_unnamed(row: RoleRow, candidates: tuple[Subscription, ...]) -> Iterator[FieldError]:
    """D11, D22: without a name, P2020 asks for one where several fit, and for a channel that counts."""
    if candidates:
        yield invalid("subscription_id", "is required: the tenant has several for what is claimed.")
    if not any(one.channel in row.channels for one in candidates):
        yield _channel_fault("No subscription of this tenant to a claimed product was")


def _check_known(
    policy: Policy, row: RoleRow, form: ClaimForm, one: Subscription, at: Instant, zone: str
) -> Iterator[FieldError]:
    """R18: a distinct code for each fault."""
    yield from _check_products(form, one)
    if one.channel is Channel.CSP:
        yield _fault(Code.SUBSCRIPTION_CSP, "A subscription bought from a CSP partner cannot be claimed.")
    if one.channel not in row.channels:
        yield _channel_fault("The subscription was not")
    yield from _check_state(policy, one, at, zone)


def _check_products(form: ClaimForm, one: Subscription) -> Iterator[FieldError]:
    missing = sorted(set(form.workloads) - set(one.products))
    if missing:
        detail = f"The subscription does not include {shown(', '.join(missing))}."
        yield _fault(Code.SUBSCRIPTION_OTHER_PRODUCT, detail)


def _check_state(policy: Policy, one: Subscription, at: Instant, zone: str) -> Iterator[FieldError]:
    today = local_date(at, zone)
    if has_ended(one, today):
        yield _fault(Code.SUBSCRIPTION_INACTIVE, "The subscription has ended.")
    elif one.state is SubscriptionState.PROVISIONING or (one.provisioned_at or 0) > at:
        again = _try_again(policy, one, today, zone).isoformat()
        detail = f"The subscription is not provisioned yet; try again on {again}."
        yield _fault(Code.SUBSCRIPTION_NOT_PROVISIONED, detail)


def has_ended(one: Subscription, today: date) -> bool:
    """R18: a state that was not updated is no excuse: the dates are judged too, but for grace, which follows it."""
    passed = one.ends_on is not None and one.ends_on < today and one.state is not SubscriptionState.GRACE
    return one.state is SubscriptionState.ENDED or passed


def over_since(imported: date | None, one: Subscription | None, today: date) -> date | None:
    """The last day of an association that is over (T19, D16, D23); None while it lasts.

    `imported`: the last day of an imported association. Today, where a subscription has ended and nobody says when.
    """
    if imported is not None and imported < today:
        return imported
    if one is None or not has_ended(one, today):
        return None
    return today if one.ends_on is None else min(one.ends_on, today)


def last_day(imported: date | None, one: Subscription | None) -> date | None:
    """The day after which time alone ends an association as things stand (T19, D23); None where only news can."""
    ends = one.ends_on if one is not None and one.state is not SubscriptionState.GRACE else None
    return min((each for each in (imported, ends) if each is not None), default=None)


def _try_again(policy: Policy, one: Subscription, today: date, zone: str) -> date:
    """When provisioning should be over: seven days after it began, or tomorrow if these are past."""
    lag = policy.facts.provisioning_lag_days
    begun = today if one.provisioned_at is None else local_date(one.provisioned_at, zone)
    return max(add_days(begun, lag), add_days(today, 1))


def _unknown(policy: Policy, subscription_id: SubscriptionId) -> FieldError:
    if not is_uuid(subscription_id):
        detail = f"{shown(subscription_id)} is not a subscription id (a UUID in lower case)."
        return _fault(Code.NOT_A_SUBSCRIPTION_ID, detail)
    lag = policy.facts.provisioning_lag_days
    detail = f"{shown(subscription_id)} is not known of this tenant; a new one takes up to {lag} days to appear."
    return _fault(Code.SUBSCRIPTION_UNKNOWN, detail)


def _channel_fault(beginning: str) -> FieldError:
    return _fault(Code.CHANNEL_NOT_ELIGIBLE, f"{beginning} bought by Volume Licensing or Web-Direct.")


def _fault(code: Code, detail: str) -> FieldError:
    return FieldError("subscription_id", code, detail)


def _may_be_filled_in(policy: Policy, form: ClaimForm) -> bool:
    row = policy.role_row(form.solution_area, form.partner_role)
    lenient = policy.form.subscription is SubscriptionRule.WHEN_AMBIGUOUS
    return lenient and row is not None and row.unit is UnitKind.SUBSCRIPTION


def _owns(customer: Customer, domain: str) -> bool:
    return domain.casefold() in (known.casefold() for known in customer.domains)


def _id(one: Subscription) -> str:
    return one.subscription_id
