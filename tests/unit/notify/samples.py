"""One draft or more of every mail, made by the rules themselves from hand-written claims and events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

from cpor.domain import directory, ids
from cpor.domain import events as ev
from cpor.domain.deciding.competing import COMPETITION_COMMENT
from cpor.domain.model import Actor, ClaimForm, CustomerContact, PartnerContact, Reason, RunningClock
from cpor.domain.vocabulary import (
    ActorKind,
    AssociationEndReason,
    ClaimId,
    Clock,
    Edition,
    Engagement,
    Incentive,
    LocationId,
    PartnerId,
    PartnerRole,
    SolutionArea,
    Status,
    SubscriptionId,
    SuspensionReason,
    TenantId,
    UnitId,
    UserId,
    WithdrawReason,
    parse_instant,
)
from schemas import consent, deadlines
from schemas.mail import Bounced, MailKind, Recipient
from services.notify.claim import ClaimRow
from services.notify.drafts import Draft, Settings, Told
from services.notify.mails import (
    mails_of_bounce,
    mails_of_consent,
    mails_of_ending,
    mails_of_event,
    mails_of_held,
    mails_of_miss,
    mails_of_reminder,
)

AT = parse_instant("2024-03-04T08:00:00Z")
DUE = parse_instant("2024-03-22T23:00:00Z")
TENANT = TenantId("3f0e1d7a-5b1c-4c7e-9a51-0d7d1a2b3c4d")
CLAIM = ids.claim_id(PartnerId("P-1001"), "2024-teams-17")
CAUSE = ids.name_id("sample/cause")
PAGE = Settings(4, "https://consent.example/answer", "operations@cpor.example")
NO_PAGE = Settings(4)
REVIEWER = Actor(ActorKind.REVIEWER, "r-17")
PARTNER = Actor(ActorKind.PARTNER, "u-anna")
SYSTEM = Actor(ActorKind.SYSTEM, "review")
COMMENT = (
    "The statement of work names Teams only.\n"
    "Please add a page that describes the Intune roll-out, with the customer's signature."
)


BUDGETS = {Clock.CONSENT_WAIT: "7d", Clock.DISPUTE_WINDOW: "30d"}


def row(**changes: Any) -> ClaimRow:
    form = ClaimForm(
        "Teams and Intune roll-out", LocationId("4711001"), TENANT, SolutionArea.MODERN_WORK_SECURITY,
        PartnerRole.USE_OR_CONSUME, Engagement.MODERN_WORK_SECURITY_USAGE, ("teams", "intune"),
    )  # fmt: skip
    made = ClaimRow(
        CLAIM, "2024-teams-17", PartnerId("P-1001"), Edition.P2023, Status.UNDER_REVIEW, 4, form, "Europe/Berlin",
        CustomerContact("Kana Ito", "CIO", "kana.ito@contoso.example"),
        PartnerContact("Anna Weber", "anna.weber@nordwind.example"),
    )  # fmt: skip
    return replace(made, **changes)


def sold(**changes: Any) -> ClaimRow:
    """A Business Applications claim."""
    form = replace(
        row().form, solution_area=SolutionArea.BUSINESS_APPLICATIONS, partner_role=PartnerRole.INFLUENCED_REVENUE,
        engagement=Engagement.BUSINESS_APPLICATIONS_REVENUE, workloads=("sales",),
        subscription_id=SubscriptionId("7c9e6679-7425-40de-944b-e07fc1f90ae7"),
    )  # fmt: skip
    return row(form=form, **changes)


def running(clock: Clock) -> tuple[RunningClock, ...]:
    return (RunningClock(clock, 4, AT, BUDGETS.get(clock, "14bd"), "DE-BY/holidays-0.108", DUE),)


PARTNER_ENTRY = directory.read_partner(
    b"""{"kind": "partner", "partner_id": "P-1001", "name": "Nordwind GmbH", "status": "active", "country": "DE",
    "region": "BY", "timezone": "America/New_York", "language": "en", "locations": [], "users": [
    {"user_id": "u-anna", "name": "Anna", "email": "anna@nordwind.example", "role": "incentives_admin"},
    {"user_id": "u-bea", "name": "Bea", "email": "bea@nordwind.example", "role": "incentives_admin",
     "locations": ["4711002"]},
    {"user_id": "u-cora", "name": "Cora", "email": "cora@nordwind.example", "role": "billing_admin",
     "copy_on_mail": true},
    {"user_id": "u-uwe", "name": "Uwe", "email": "uwe@nordwind.example", "role": "incentives_user"}]}"""
)
CUSTOMER_ENTRY = directory.read_customer(
    b'{"kind": "customer", "tenant_id": "%b", "name": "Contoso K.K.", "timezone": "Asia/Tokyo"}' % TENANT.encode()
)


def told(claim: ClaimRow, settings: Settings = PAGE, before: Status | None = None) -> Told:
    earlier = None if before is None else replace(claim, status=before)
    return Told(claim, earlier, PARTNER_ENTRY, CUSTOMER_ENTRY, settings)


def of_event(
    kind: type[Any], claim: ClaimRow, before: Status | None = None, **own: Any
) -> Iterator[tuple[Told, Draft]]:
    about = told(claim, before=before)
    base = {"claim_id": CLAIM, "sequence": claim.sequence, "at": AT, "actor": REVIEWER, "policy": claim.policy}
    event = kind(**{**base, "status": claim.status, **own})
    yield from ((about, draft) for draft in mails_of_event(about, event))


def notice(which: consent.Notice, claim: ClaimRow, settings: Settings = PAGE) -> Iterator[tuple[Told, Draft]]:
    about = told(claim, settings)
    approval = claim.approval if which == consent.Notice.APPROVED else None
    asked = consent.Requested(claim_id=CLAIM, approval=approval, at=AT, notice=which, token="k7Fq-29aX")
    yield from ((about, draft) for draft in mails_of_consent(about, asked, CAUSE))


def of_clock(model: Any, mails: Any, clock: Clock) -> Iterator[tuple[Told, Draft]]:
    about = told(row(clocks=running(clock)))
    event = model(claim_id=CLAIM, clock=clock, started_by=4, due=DUE, fired_at=AT, rung=0)
    yield from ((about, draft) for draft in mails(about, event, CAUSE))


class Sample(NamedTuple):
    name: str
    told: Told
    draft: Draft


def samples() -> list[Sample]:
    """Named by their kind; several of one kind where its template has branches."""
    found = [pair for make in (_asked, _approved, _rejected, _ended, _noticed, _timed, _to_do) for pair in make()]
    seen: dict[MailKind, int] = {}
    named = []
    for about, draft in found:
        seen[draft.kind] = seen.get(draft.kind, 0) + 1
        named.append(Sample(f"{draft.kind.value}-{seen[draft.kind]}", about, draft))
    return named


def _asked() -> Iterator[tuple[Told, Draft]]:
    asked = row(status=Status.PARTNER_ACTION_REQUIRED, clocks=running(Clock.PARTNER_ANSWER))
    reasons = (Reason("missing_products", ("intune",)), Reason("missing_or_old_dates"))
    own: Any = {"reasons": reasons, "comment": COMMENT}
    yield from of_event(ev.InformationRequested, asked, **own, remove_workloads=("intune",))
    yield from of_event(ev.InformationRequested, asked, **own)
    yield from of_event(ev.Commented, asked, text=COMMENT)
    yield from of_event(ev.Commented, row(), text=COMMENT, actor=SYSTEM)
    rivals: Any = {"competes_with": (ClaimId(CAUSE),), "units": (f"{TENANT}/workload/teams",)}
    yield from of_event(ev.CompetitionFlagged, row(), **rivals, comment=COMPETITION_COMMENT, actor=SYSTEM)


def _approved() -> Iterator[tuple[Told, Draft]]:
    approved = row(status=Status.APPROVED, approval=4, clocks=running(Clock.CONSENT_WAIT))
    own = {"units": (UnitId(f"{TENANT}/workload/teams"),), "incentive": Incentive.ASSESS}
    yield from of_event(ev.Approved, approved, Status.UNDER_REVIEW, **own, comment="Well documented.")
    ours = {**own, "incentive": Incentive.NONE}
    yield from of_event(ev.Approved, sold(status=Status.APPROVED, approval=4), Status.DISPUTED, **ours)
    imported = sold(status=Status.APPROVED, approval=4, legacy=True)
    yield from of_event(ev.Approved, imported, Status.DISPUTED, **ours)
    yield from of_event(ev.ConsentCompleted, approved, approval=4, actor=SYSTEM)
    yield from of_event(ev.ConsentCompleted, imported, approval=4, actor=SYSTEM)
    for reason in (SuspensionReason.NOTICE_BOUNCED, SuspensionReason.NOT_DELIVERED):
        yield from of_event(ev.ConsentSuspended, approved, approval=4, reason=reason, actor=SYSTEM)


def _rejected() -> Iterator[tuple[Told, Draft]]:
    open_window = row(status=Status.REJECTED, clocks=running(Clock.DISPUTE_WINDOW), disputable=True)
    closed = row(status=Status.REJECTED)
    thin = (Reason("insufficient_poe", ("intune",)),)
    declined = (Reason("customer_declined"),)
    yield from of_event(ev.Rejected, open_window, reasons=thin, comment=COMMENT, disputable=True)
    released = (UnitId(f"{TENANT}/workload/teams"),)
    yield from of_event(ev.Rejected, closed, Status.APPROVED, reasons=declined, units_released=released, actor=SYSTEM)
    again = (*thin, Reason("dispute_unsuccessful"))
    earlier = replace(open_window, policy=Edition.P2020)
    yield from of_event(ev.Rejected, earlier, Status.DISPUTED, reasons=again, disputable=True)
    own: Any = {"reasons": (Reason("partner_request"),), "withdraw_reason": WithdrawReason.WRONG_ROLE, "actor": PARTNER}
    yield from of_event(ev.Rejected, closed, **own, comment=None)
    final = row(status=Status.REJECTED_FINAL)
    yield from of_event(ev.RejectedFinal, final, Status.DISPUTED, reasons=again, comment=COMMENT)
    yield from of_event(ev.RejectedFinal, final, Status.DISPUTED, reasons=(*thin, *declined))
    gone: Any = {"reasons": (Reason("disassociated"),), "comment": "We no longer look after them.", "actor": PARTNER}
    yield from of_event(ev.RejectedFinal, final, Status.APPROVED, **gone)


def _ended() -> Iterator[tuple[Told, Draft]]:
    held = row(status=Status.APPROVED, approval=4, units=(UnitId(f"{TENANT}/workload/intune"),))
    units = (UnitId(f"{TENANT}/workload/teams"),)
    lost: Any = {"approval": 4, "units": units, "actor": SYSTEM}
    yield from of_event(ev.AssociationEnded, held, **lost, reason=AssociationEndReason.DISPLACED)
    subscription: Any = {**lost, "units": (UnitId(f"{TENANT}/subscription/7c9e6679-7425-40de-944b-e07fc1f90ae7"),)}
    last = date(2024, 3, 31)
    sold_out = sold(status=Status.APPROVED, approval=4)
    yield from of_event(
        ev.AssociationEnded, sold_out, **subscription, reason=AssociationEndReason.SUBSCRIPTION_ENDED, ends_on=last
    )
    for claim in (sold_out, sold(status=Status.APPROVED, approval=1, legacy=True, partner=None)):
        about = told(claim)
        yield from ((about, draft) for draft in mails_of_ending(about, last, AT))


def _noticed() -> Iterator[tuple[Told, Draft]]:
    approved = {"status": Status.APPROVED, "approval": 4, "clocks": running(Clock.CONSENT_WAIT)}
    yield from notice(consent.Notice.SUBMITTED, row(status=Status.SUBMITTED))
    yield from notice(consent.Notice.APPROVED, row(**approved))
    yield from notice(consent.Notice.APPROVED, sold(policy=Edition.P2020, **approved), NO_PAGE)
    yield from notice(consent.Notice.SUBMITTED, row(status=Status.SUBMITTED), NO_PAGE)


def _to_do() -> Iterator[tuple[Told, Draft]]:
    """What operators have to see to (D20), and a copy (D28)."""
    about = told(row(status=Status.SUBMITTED))
    held = consent.Held(claim_id=CLAIM, at=AT)
    yield from ((about, draft) for draft in mails_of_held(about, held, CAUSE))
    back = Bounced(
        mail_id=CAUSE, claim_id=CLAIM, kind=MailKind.CUSTOMER_REQUESTED, recipient=Recipient.CUSTOMER, cause=CAUSE,
        notice=consent.Notice.SUBMITTED, attempt=1, at=AT, reply="550 no such user",
    )  # fmt: skip
    yield from ((about, draft) for draft in mails_of_bounce(about, back, CAUSE))
    copied = replace(about, row=replace(about.row, submitted_by=UserId("u-cora")))
    for draft in mails_of_ending(copied, date(2024, 3, 31), AT):
        yield copied, draft


def _timed() -> Iterator[tuple[Told, Draft]]:
    yield from of_clock(deadlines.Reminder, mails_of_reminder, Clock.PARTNER_ANSWER)
    yield from of_clock(deadlines.Reminder, mails_of_reminder, Clock.DISPUTE_WINDOW)
    yield from of_clock(deadlines.Missed, mails_of_miss, Clock.DISPUTE_WINDOW)
    yield from of_clock(deadlines.Missed, mails_of_miss, Clock.REVIEW_START)
