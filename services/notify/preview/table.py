"""Which mails there are to look at: each kind in every variant that reads differently, made by the rules that send."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

from cpor.domain import events as ev
from cpor.domain import ids
from cpor.domain.deciding.competing import COMPETITION_COMMENT
from cpor.domain.model import Actor, Reason
from cpor.domain.vocabulary import (
    ActorKind,
    AssociationEndReason,
    ClaimId,
    Clock,
    Edition,
    Incentive,
    InformationReason,
    RejectionReason,
    Status,
    SuspensionReason,
    UserId,
    WithdrawReason,
)
from schemas import consent, deadlines
from schemas.mail import Bounced, MailKind, Recipient
from services.notify.claim import ClaimRow
from services.notify.drafts import Draft, Told
from services.notify.mails import (
    Task,
    mails_of_bounce,
    mails_of_consent,
    mails_of_ending,
    mails_of_event,
    mails_of_held,
    mails_of_miss,
    mails_of_reminder,
)
from services.notify.preview.world import AT, CLAIM, DUE, SUBSCRIPTION, TENANT, World

Letter = tuple[Told, Draft]
Letters = Iterator[Letter]

CAUSE = ids.name_id("preview")
TOKEN = "k7Fq-29aX.4Wm0rZ8uQ1v"
LAST_DAY = date(2024, 3, 31)
TEAMS = ids.workload_unit(TENANT, "teams")
EXCHANGE = ids.workload_unit(TENANT, "exchange")
SOLD = ids.subscription_unit(TENANT, SUBSCRIPTION)
REVIEWER = Actor(ActorKind.REVIEWER, "r-17")
PARTNER_USER = Actor(ActorKind.PARTNER, "u-copy")
SYSTEM = Actor(ActorKind.SYSTEM, "review")
OPERATOR = Actor(ActorKind.OPERATOR, "o-3")
CUSTOMER = Actor(ActorKind.CUSTOMER, "customer")
THIN = Reason(RejectionReason.INSUFFICIENT_POE, ("teams",))
DECLINED = Reason(RejectionReason.CUSTOMER_DECLINED)
LOST = Reason(RejectionReason.DISPUTE_UNSUCCESSFUL)
BOTH = (Edition.P2020, Edition.P2023)


class Preview(NamedTuple):
    """A variant of a mail. `make` yields its letters, the first of which is shown."""

    kind: MailKind
    variant: str
    make: Callable[[World], Letters]
    #: More than one where they read differently.
    editions: tuple[Edition, ...] = (Edition.P2023,)

    @property
    def name(self) -> str:
        return f"{self.kind.value}-{self.variant}" if self.variant else self.kind.value

    def letter(self, world: World) -> Letter:
        """Raises LookupError where the rules make no mail of this kind."""
        found = next((each for each in self.make(world) if each[1].kind == self.kind), None)
        if found is None:
            raise LookupError(f"no {self.name} for {world}")
        told, draft = found
        return told, replace(draft, to=draft.to._replace(language=world.language))


def _of_event(told: Told, kind: type[Any], actor: Actor = REVIEWER, **own: Any) -> Letters:
    row = told.row
    event = kind(claim_id=CLAIM, sequence=row.sequence, at=AT, actor=actor, policy=row.policy, status=row.status, **own)
    yield from _with(told, mails_of_event(told, event))


def _with(told: Told, drafts: Iterable[Draft]) -> Letters:
    yield from ((told, draft) for draft in drafts)


# -- customer ---------------------------------------------------------------------------------------------------------


def _requested(world: World) -> Letters:
    yield from _notice(world, consent.Notice.SUBMITTED, world.row(Status.SUBMITTED))


def _to_decline(world: World) -> Letters:
    row = world.row(Status.APPROVED, Clock.CONSENT_WAIT, approval=4)
    yield from _notice(world, consent.Notice.APPROVED, row)


def _notice(world: World, notice: consent.Notice, row: ClaimRow) -> Letters:
    told = world.told(row)
    asked = consent.Requested(claim_id=CLAIM, approval=row.approval, at=AT, notice=notice, token=TOKEN)
    yield from _with(told, mails_of_consent(told, asked, CAUSE))


# -- partner: review --------------------------------------------------------------------------------------------------


def _asked(world: World) -> Letters:
    told = world.told(world.row(Status.PARTNER_ACTION_REQUIRED, Clock.PARTNER_ANSWER))
    all_of_them = tuple(Reason(each, ("teams", "intune") if i % 2 else ()) for i, each in enumerate(InformationReason))
    reasons = all_of_them if world.full else all_of_them[:1]
    out = ("intune", "yammer") if world.full else ()
    yield from _of_event(told, ev.InformationRequested, reasons=reasons, comment=world.comment, remove_workloads=out)


def _commented(actor: Actor) -> Callable[[World], Letters]:
    def make(world: World) -> Letters:
        asked = world.row(Status.PARTNER_ACTION_REQUIRED, Clock.PARTNER_ANSWER)
        told = world.told(asked if world.full else world.row(Status.UNDER_REVIEW))
        yield from _of_event(told, ev.Commented, actor, text=world.comment)

    return make


def _competing(world: World) -> Letters:
    told = world.told(world.row(Status.UNDER_REVIEW))
    rivals: Any = {"competes_with": (ClaimId(CAUSE),), "units": (TEAMS,)}
    yield from _of_event(told, ev.CompetitionFlagged, SYSTEM, comment=COMPETITION_COMMENT, **rivals)


def _approved(world: World, before: Status = Status.UNDER_REVIEW, **changes: Any) -> Letters:
    clocks = (Clock.CONSENT_WAIT,) if world.full else ()
    told = world.told(world.row(Status.APPROVED, *clocks, approval=4, **changes), before)
    own: Any = {"units": (TEAMS,), "incentive": Incentive.ASSESS, "comment": world.comment_or_none}
    yield from _of_event(told, ev.Approved, **own)


def _recognised(world: World) -> Letters:
    told = world.told(world.sold(Status.APPROVED, Clock.CONSENT_WAIT, approval=4), Status.UNDER_REVIEW)
    own: Any = {"units": (SOLD,), "incentive": Incentive.NONE, "comment": world.comment_or_none}
    yield from _of_event(told, ev.Approved, **own)


def _approved_again(world: World) -> Letters:
    """D23: an imported association that was displaced and wins it back; nobody is asked."""
    told = world.told(world.sold(Status.APPROVED, approval=4, legacy=True), Status.DISPUTED)
    own: Any = {"units": (SOLD,), "incentive": Incentive.NONE, "comment": world.comment_or_none}
    yield from _of_event(told, ev.Approved, **own)


def _copied(world: World) -> Letters:
    """D28; of partners who are in the directory."""
    full = replace(world, size=type(world.size).FULL)
    for told, draft in _approved(full, submitted_by=UserId("u-copy")):
        if draft.to.recipient == Recipient.PARTNER_USER:
            yield told, draft


def _official(legacy: bool) -> Callable[[World], Letters]:
    def make(world: World) -> Letters:
        told = world.told(world.row(Status.APPROVED, approval=4, legacy=legacy))
        yield from _of_event(told, ev.ConsentCompleted, SYSTEM, approval=4)

    return make


def _undelivered(reason: SuspensionReason) -> Callable[[World], Letters]:
    def make(world: World) -> Letters:
        told = world.told(world.row(Status.APPROVED, approval=4))
        yield from _of_event(told, ev.ConsentSuspended, SYSTEM, approval=4, reason=reason)

    return make


# -- partner: rejections ----------------------------------------------------------------------------------------------


def _rejected(world: World, before: Status = Status.UNDER_REVIEW, *more: Reason) -> Letters:
    told = world.told(world.row(Status.REJECTED, Clock.DISPUTE_WINDOW, disputable=True), before)
    own: Any = {"reasons": (THIN, *more), "comment": world.comment_or_none}
    yield from _of_event(told, ev.Rejected, disputable=True, **own)


def _unanswered(world: World) -> Letters:
    told = world.told(world.row(Status.REJECTED), Status.PARTNER_ACTION_REQUIRED)
    yield from _of_event(told, ev.Rejected, SYSTEM, reasons=(Reason(RejectionReason.NO_PARTNER_RESPONSE),))


def _customer_declined(world: World) -> Letters:
    told = world.told(world.row(Status.REJECTED), Status.APPROVED)
    yield from _of_event(told, ev.Rejected, CUSTOMER, reasons=(DECLINED,), units_released=(TEAMS,))


def _withdrawn(world: World) -> Letters:
    told = world.told(world.row(Status.REJECTED))
    own: Any = {"reasons": (Reason(RejectionReason.PARTNER_REQUEST),), "withdraw_reason": WithdrawReason.WRONG_ROLE}
    yield from _of_event(told, ev.Rejected, PARTNER_USER, comment=world.comment_or_none, **own)


def _final(*reasons: Reason) -> Callable[[World], Letters]:
    def make(world: World) -> Letters:
        told = world.told(world.row(Status.REJECTED_FINAL), Status.DISPUTED)
        yield from _of_event(told, ev.RejectedFinal, reasons=reasons, comment=world.comment_or_none)

    return make


def _disassociated(world: World) -> Letters:
    told = world.told(world.row(Status.REJECTED_FINAL), Status.APPROVED)
    reasons = (Reason(RejectionReason.DISASSOCIATED),)
    yield from _of_event(told, ev.RejectedFinal, PARTNER_USER, reasons=reasons, comment=world.comment)


# -- partner: ends and clocks -----------------------------------------------------------------------------------------


def _displaced(left: bool) -> Callable[[World], Letters]:
    def make(world: World) -> Letters:
        told = world.told(world.row(Status.APPROVED, approval=4, units=(EXCHANGE,) if left else ()))
        own = {"approval": 4, "units": (TEAMS,), "reason": AssociationEndReason.DISPLACED}
        yield from _of_event(told, ev.AssociationEnded, SYSTEM, **own)

    return make


def _subscription_ended(world: World) -> Letters:
    told = world.told(world.sold(Status.APPROVED, approval=4))
    own = {"approval": 4, "units": (SOLD,), "reason": AssociationEndReason.SUBSCRIPTION_ENDED}
    yield from _of_event(told, ev.AssociationEnded, SYSTEM, ends_on=LAST_DAY if world.full else None, **own)


def _ending(legacy: bool) -> Callable[[World], Letters]:
    def make(world: World) -> Letters:
        told = world.told(world.sold(Status.APPROVED, approval=4, legacy=legacy))
        yield from _with(told, mails_of_ending(told, LAST_DAY, AT))

    return make


def _near(clock: Clock) -> Callable[[World], Letters]:
    def make(world: World) -> Letters:
        told = world.told(world.row(Status.PARTNER_ACTION_REQUIRED, clock))
        event = deadlines.Reminder(claim_id=CLAIM, clock=clock, started_by=4, due=DUE, fired_at=AT, rung=0)
        yield from _with(told, mails_of_reminder(told, event, CAUSE))

    return make


def _missed(clock: Clock) -> Callable[[World], Letters]:
    def make(world: World) -> Letters:
        told = world.told(world.row(Status.SUBMITTED, clock))
        event = deadlines.Missed(claim_id=CLAIM, clock=clock, started_by=4, due=DUE, fired_at=AT, rung=9)
        yield from _with(told, mails_of_miss(told, event, CAUSE))

    return make


# -- operations -------------------------------------------------------------------------------------------------------


def _held(world: World) -> Letters:
    told = world.told(world.row(Status.SUBMITTED))
    yield from _with(told, mails_of_held(told, consent.Held(claim_id=CLAIM, at=AT), CAUSE))


def _first_bounced(world: World) -> Letters:
    told = world.told(world.row(Status.SUBMITTED))
    yield from _with(told, mails_of_bounce(told, _back(MailKind.CUSTOMER_REQUESTED, consent.Notice.SUBMITTED), CAUSE))


def _late_bounce(world: World) -> Letters:
    told = world.told(world.row(Status.APPROVED, approval=3, notices=((3, CAUSE),), passed=((3, 4),), bounced=(CAUSE,)))
    back = _back(MailKind.CUSTOMER_APPROVED, consent.Notice.APPROVED, approval=3)
    yield from _with(told, mails_of_bounce(told, back, CAUSE))


def _back(kind: MailKind, notice: consent.Notice, approval: int | None = None) -> Bounced:
    return Bounced(
        mail_id=CAUSE, claim_id=CLAIM, kind=kind, recipient=Recipient.CUSTOMER, cause=CAUSE, notice=notice,
        approval=approval, attempt=1, at=AT, reply="550 no such user",
    )  # fmt: skip


#: Every kind of mail stands here at least once (a test looks).
PREVIEWS: tuple[Preview, ...] = (
    Preview(MailKind.CUSTOMER_REQUESTED, "", _requested),
    Preview(MailKind.CUSTOMER_APPROVED, "", _to_decline, BOTH),
    Preview(MailKind.INFORMATION_REQUESTED, "", _asked, BOTH),
    Preview(MailKind.COMMENTED, "by-reviewer", _commented(REVIEWER)),
    Preview(MailKind.COMMENTED, "by-system", _commented(SYSTEM)),
    Preview(MailKind.COMMENTED, "by-operator", _commented(OPERATOR)),
    Preview(MailKind.COMMENTED, "by-customer", _commented(CUSTOMER)),
    Preview(MailKind.COMPETING, "", _competing),
    Preview(MailKind.APPROVED, "assessed", _approved, BOTH),
    Preview(MailKind.APPROVED, "recognition", _recognised),
    Preview(MailKind.APPROVED, "after-dispute", lambda world: _approved(world, Status.DISPUTED)),
    Preview(MailKind.APPROVED, "legacy", _approved_again),
    Preview(MailKind.APPROVED, "copy", _copied),
    Preview(MailKind.OFFICIAL, "", _official(legacy=False)),
    Preview(MailKind.OFFICIAL, "legacy", _official(legacy=True)),
    Preview(MailKind.NOTICE_UNDELIVERED, "bounced", _undelivered(SuspensionReason.NOTICE_BOUNCED)),
    Preview(MailKind.NOTICE_UNDELIVERED, "no-sign", _undelivered(SuspensionReason.NOT_DELIVERED)),
    Preview(MailKind.REJECTED, "disputable", _rejected, BOTH),
    Preview(MailKind.REJECTED, "after-dispute", lambda w: _rejected(w, Status.DISPUTED, LOST), (Edition.P2020,)),
    Preview(MailKind.REJECTED, "unanswered", _unanswered),
    Preview(MailKind.REJECTED, "declined", _customer_declined),
    Preview(MailKind.REJECTED_FINAL, "after-dispute", _final(THIN, LOST)),
    Preview(MailKind.REJECTED_FINAL, "declined", _final(THIN, DECLINED)),
    Preview(MailKind.WITHDRAWN, "", _withdrawn, BOTH),
    Preview(MailKind.DISASSOCIATED, "", _disassociated),
    Preview(MailKind.ASSOCIATION_ENDED, "part", _displaced(left=True)),
    Preview(MailKind.ASSOCIATION_ENDED, "whole", _displaced(left=False)),
    Preview(MailKind.ASSOCIATION_ENDED, "subscription", _subscription_ended),
    Preview(MailKind.REASSOCIATE, "subscription", _ending(legacy=False)),
    Preview(MailKind.REASSOCIATE, "legacy", _ending(legacy=True)),
    *(
        Preview(MailKind.DEADLINE_NEAR, each.value, _near(each))
        for each in (Clock.PARTNER_ANSWER, Clock.DISPUTE_WINDOW)
    ),
    Preview(MailKind.WINDOW_CLOSED, "", _missed(Clock.DISPUTE_WINDOW)),
    *(
        Preview(MailKind.DEADLINE_MISSED, each.value, _missed(each))
        for each in (Clock.REVIEW_START, Clock.REVIEW_DECISION, Clock.DISPUTE_ANSWER)
    ),
    Preview(MailKind.DEADLINE_MISSED, Clock.OVERALL_DECISION.value, _missed(Clock.OVERALL_DECISION), (Edition.P2020,)),
    Preview(MailKind.OPERATOR_TASK, Task.FIRST_NOTICE_BOUNCED.value, _first_bounced),
    Preview(MailKind.OPERATOR_TASK, Task.NOTICE_BOUNCED.value, _undelivered(SuspensionReason.NOTICE_BOUNCED)),
    Preview(MailKind.OPERATOR_TASK, Task.LATE_BOUNCE.value, _late_bounce),
    Preview(MailKind.OPERATOR_TASK, Task.NOT_DELIVERED.value, _undelivered(SuspensionReason.NOT_DELIVERED)),
    Preview(MailKind.OPERATOR_TASK, Task.ANSWER_HELD.value, _held),
)
