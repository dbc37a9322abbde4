"""`cpor earnings list`: what the incentive systems decided about a partner's claims (R49, D29)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import Annotated, Any

import typer

from cpor.domain.events import IncentiveResult
from cpor.domain.policy import policy
from cpor.domain.vocabulary import EventName, IncentiveResultKind, instant_text
from cpor.domain.wire import decode_event
from cpor.ops import screen
from cpor.ops.book import Claim, Viewer, find_partner, read_claims, user_of
from cpor.ops.instance import DEFAULT_DATA, AsJson, DataDir, Instance, find_instance
from cpor.ops.reading import read_whole
from cpor.runtime.record import Record
from cpor.runtime.topics import Topic
from schemas import envelope

earnings = typer.Typer(name="earnings", no_args_is_help=True, help="What claims were found eligible for, and earned.")

HEADS = ("!told (UTC)", "!claim", "customer", "!subscription", "engagement", "!period", "result", "#amount")


@dataclass(frozen=True, slots=True)
class Result:
    """One result as the partner may see it.

    `at` is RFC 3339. `outcome` and `reason` are those of an eligibility result; `amount`, decimal digits as text,
    `currency` and `period` those of an earning, as they were sent.
    """

    at: str
    kind: str
    claim_id: str
    claim_ref: str
    customer_name: str | None
    tenant_id: str
    subscription_id: str | None
    engagement: str
    engagement_name: str
    partner_role: str
    outcome: str | None = None
    reason: str | None = None
    period: str | None = None
    amount: str | None = None
    currency: str | None = None


@earnings.command("list")
def list_earnings(
    partner: Annotated[str, typer.Option("--partner", metavar="P", help="Partner id.")],
    user: Annotated[str | None, typer.Option("--user", metavar="U", help="Only what this user may see.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Customer's tenant id.")] = None,
    subscription: Annotated[str | None, typer.Option(help="Subscription id.")] = None,
    data: DataDir = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """List eligibility results and earnings of a partner's claims, in the order in which they were told."""
    instance = find_instance(data)
    seen = claims_of(instance, partner, user)
    records = read_whole(instance.transport, [Topic.CLAIM_EVENTS]) if seen else ()
    show([each for each in results_of(seen, records) if fits(each, tenant, subscription)], as_json=as_json)


def show(found: Sequence[Result], *, as_json: bool) -> None:
    """A table with the sums below it, or JSON with every field."""
    if as_json:
        screen.print_json([asdict(each) for each in found])
        return
    if found:
        screen.out().print(screen.table(None, HEADS, map(_row, found)))
    screen.note("; ".join([screen.counted(len(found), "result"), *totals(found)]))


def claims_of(instance: Instance, partner: str, user: str | None) -> list[Claim]:
    """The partner's claims as it sees them. Raises Refused `partner_unknown`, `user_unknown`."""
    known = find_partner(instance, partner)
    viewer = Viewer(known.partner_id, user_of(known, user)) if user is not None else Viewer()
    seen = read_claims(instance, viewer)
    return [replace(each, inside=False) for each in seen if each.state.partner_id == known.partner_id]


def results_of(claims: Iterable[Claim], records: Iterable[Record]) -> Iterator[Result]:
    """The results among claim events, of these claims only, oldest first."""
    known: Mapping[str | None, Claim] = {each.claim_id: each for each in claims}
    wanted = EventName.INCENTIVE_RESULT.ce_type
    mine = [each for each in records if each.header(envelope.TYPE) == wanted and each.header(envelope.SUBJECT) in known]
    for record in sorted(mine, key=lambda each: (each.appended_at, each.partition, each.offset)):
        event = decode_event(EventName.INCENTIVE_RESULT, record.value or b"")
        assert isinstance(event, IncentiveResult), "its type said so"
        yield result_of(known[event.claim_id], event)


def result_of(claim: Claim, event: IncentiveResult) -> Result:
    """An earning names engagement, role and subscription itself; where it leaves one out, they are the claim's."""
    form = claim.state.form
    row = policy(claim.state.policy).role_row(form.solution_area, form.partner_role)
    assert row is not None, "the form was checked"
    engagement = event.engagement or form.engagement.value
    return Result(
        at=instant_text(event.at),
        kind=event.kind.value,
        claim_id=claim.claim_id,
        claim_ref=claim.state.claim_ref,
        customer_name=claim.customer_name,
        tenant_id=form.tenant_id,
        subscription_id=event.subscription_id or claim.subscription,
        engagement=engagement,
        engagement_name=row.engagement_label if engagement == row.engagement else engagement,
        partner_role=event.partner_role or form.partner_role.value,
        outcome=event.outcome.value if event.outcome else None,
        reason=event.reason,
        period=event.period,
        amount=event.amount,
        currency=event.currency,
    )


def fits(result: Result, tenant: str | None, subscription: str | None) -> bool:
    """Whether it is about this tenant and this subscription, where they were given; in letters of any case."""
    given = ((tenant, result.tenant_id), (subscription, result.subscription_id))
    return all(wanted is None or wanted.lower() == told for wanted, told in given)


def totals(results: Iterable[Result]) -> list[str]:
    """`120.50 EUR`, a sum for each currency; what was taken back counts against it."""
    sums: dict[str, Decimal] = {}
    for each in results:
        if each.amount is not None and each.currency is not None:
            sums[each.currency] = sums.get(each.currency, Decimal()) + Decimal(each.amount)
    return [f"{amount:,} {currency}" for currency, amount in sorted(sums.items())]


def _row(result: Result) -> list[Any]:
    said = result.outcome if result.kind == IncentiveResultKind.ELIGIBILITY else "earned"
    what = f"{said}: {result.reason}" if result.reason else said
    amount = f"{Decimal(result.amount):,} {result.currency}" if result.amount else None
    subscription = result.subscription_id
    return [
        screen.moment_text(result.at),
        result.claim_ref,
        result.customer_name,
        subscription and f"…{subscription[-4:]}",
        result.engagement_name,
        result.period,
        what,
        amount,
    ]
