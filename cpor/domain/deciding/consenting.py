"""What the customer said, or did not say (T11, T11b, T12, D4, D9, D20)."""

from __future__ import annotations

from dataclasses import replace

from cpor.domain.commands import RecordConsent, ResendNotice
from cpor.domain.deciding.desk import Desk
from cpor.domain.deciding.ending import reject, reject_finally
from cpor.domain.deciding.reviewing import customer_declined
from cpor.domain.events import ConsentAnswered, ConsentCompleted, ConsentSuspended, Edited, FieldChange, Rejected
from cpor.domain.form import as_data, check_form
from cpor.domain.model import ClaimState, ClockStart, ConsentStage, Personal, Reason
from cpor.domain.policy import EarlyDecline
from cpor.domain.refusal import FieldError
from cpor.domain.result import Ignored, Refused
from cpor.domain.vocabulary import (
    Clock,
    Code,
    ConsentOutcome,
    Instant,
    RejectionReason,
    Status,
    SuspensionReason,
)

DECLINED = Reason(RejectionReason.CUSTOMER_DECLINED)


def record(desk: Desk, data: RecordConsent) -> Ignored | None:
    """One outcome of the consent service. Whatever names an older approval is ignored (contract §5)."""
    claim = desk.claim
    newest = claim.approval.sequence if claim.approval else None
    if data.approval is not None and data.approval != newest:
        return Ignored(f"approval {data.approval} is not the claim's newest")
    if data.outcome == ConsentOutcome.DECLINED:
        return _declined(desk, data)
    if data.outcome == ConsentOutcome.AGREED:
        return _agreed(desk)
    if claim.status != Status.APPROVED or newest is None or data.approval is None:
        return Ignored(f"a claim that is {claim.status} has no wait")
    if data.started_by is not None and data.started_by != _wait(claim):
        return Ignored(f"the wait of event {data.started_by} does not run")
    if data.outcome == ConsentOutcome.SUSPENDED:
        return _suspended(desk, data.reason or SuspensionReason.NOT_DELIVERED, newest)
    return _completed(desk, newest)


def _wait(claim: ClaimState) -> int | None:
    """The event that started the wait that runs: a new notice makes it another (D20)."""
    wait = claim.clock(Clock.CONSENT_WAIT)
    return None if wait is None else wait.started_by


def _declined(desk: Desk, data: RecordConsent) -> Ignored | None:
    claim = desk.claim
    if claim.has_reason(RejectionReason.CUSTOMER_DECLINED) or claim.status == Status.REJECTED_FINAL:
        return Ignored("the claim is over, or the customer has declined before")
    if claim.status == Status.APPROVED:
        return _declined_approval(desk, data)
    if desk.policy.consent.early_decline == EarlyDecline.APPLIED:
        _declined_early(desk)
        return None
    if claim.consent.declined_early:
        return Ignored("the customer has declined before")
    desk.record(ConsentAnswered, answer=ConsentOutcome.DECLINED)
    return None


def _declined_approval(desk: Desk, data: RecordConsent) -> Ignored | None:
    """T11, D4: P2020's seven days are those of the wait, and restart with it (D20).

    What consent found in time is so: a yes may have ended a suspension without the customer having seen it yet (D19).
    """
    claim = desk.claim
    limited = desk.policy.consent.decline_days is not None and not data.in_time
    running = claim.consent.stage != ConsentStage.SUSPENDED and claim.consent.due is not None
    if limited and running and desk.context.received_at >= (claim.consent.due or 0):
        return Ignored("the days to decline were over when the answer was received")
    customer_declined(desk)
    return None


def _declined_early(desk: Desk) -> None:
    """T11b, D9: an early no is never lost."""
    claim = desk.claim
    if claim.status == Status.DISPUTED:
        reject_finally(desk, (*claim.reasons, DECLINED), None, None)
    elif claim.status == Status.REJECTED:
        stopped = tuple(each.clock for each in claim.clocks)
        desk.record(Rejected, reasons=(*claim.reasons, DECLINED), clocks_stopped=stopped)
    else:
        reject(desk, (DECLINED,), None)


def _agreed(desk: Desk) -> Ignored | None:
    """Shown in History; ends a suspension with the wait's own end, neither shorter nor longer (contract §5)."""
    claim = desk.claim
    if claim.status == Status.REJECTED_FINAL:
        return Ignored("the claim is over")
    resumed: tuple[ClockStart, ...] = ()
    if claim.status == Status.APPROVED and claim.consent.stage == ConsentStage.SUSPENDED:
        resumed = (_resumed(desk, claim),)
    approval = claim.approval.sequence if claim.approval else None
    desk.record(ConsentAnswered, answer=ConsentOutcome.AGREED, approval=approval, clocks_started=resumed)
    return None


def _resumed(desk: Desk, claim: ClaimState) -> ClockStart:
    """A wait that has run out ends right after this instant: a no that came with it was in time while it stood."""
    now = desk.context.now
    fresh = desk.time().start(Clock.CONSENT_WAIT, now)
    due = fresh.due if claim.consent.due is None else max(claim.consent.due, Instant(now + 1))
    return replace(fresh, due=due)


def _suspended(desk: Desk, reason: SuspensionReason, approval: int) -> Ignored | None:
    if desk.claim.consent.stage != ConsentStage.WAITING:
        return Ignored("no wait runs")
    desk.record(ConsentSuspended, approval=approval, reason=reason, clocks_stopped=(Clock.CONSENT_WAIT,))
    return None


def _completed(desk: Desk, approval: int) -> Ignored | None:
    """T12. A wait that was suspended or restarted meanwhile has not passed."""
    consent = desk.claim.consent
    if consent.stage != ConsentStage.WAITING or consent.due is None or desk.context.now < consent.due:
        return Ignored("the wait has not passed")
    desk.record(ConsentCompleted, approval=approval, clocks_stopped=(Clock.CONSENT_WAIT,))
    return None


def resend_notice(desk: Desk, data: ResendNotice) -> Refused | None:
    """D20: a new notice, perhaps to a corrected contact, restarts the wait."""
    claim = desk.claim
    if claim.consent.stage not in (ConsentStage.WAITING, ConsentStage.SUSPENDED):
        return Refused(Code.ILLEGAL_TRANSITION, "No consent is awaited: there is no notice to send again.")
    contact = data.customer_contact
    if contact is not None:
        form = replace(as_data(claim.form, claim.personal), customer_contact=contact)
        if errors := check_form(desk.policy, form):
            return _unusable(errors)
    desk.record(
        Edited,
        changes=(FieldChange("customer_contact"),) if contact else (),
        personal=Personal(customer_contact=contact) if contact else None,
        customer_notice=True,
        clocks_started=(desk.time().start(Clock.CONSENT_WAIT, desk.context.now),),
    )
    return None


def _unusable(errors: tuple[FieldError, ...]) -> Refused:
    """Names the fields alone: this refusal is an event, where contact data stands in `personal` only (contract §5)."""
    fields = ", ".join(dict.fromkeys(each.field for each in errors))
    return Refused(errors[0].code, f"Not as they should be: {fields}.", errors)
