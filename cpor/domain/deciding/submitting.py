"""Submission and resubmission: everything is judged at once, by the same checks (T3, T10, D15, D22, D27, R28)."""

from __future__ import annotations

from dataclasses import replace

from cpor.domain.clocks import Timekeeper, calendar_of
from cpor.domain.commands import FileClaim, ResubmitClaim, SubmitClaim
from cpor.domain.deciding.checks import fact_errors, filled_in, own_errors
from cpor.domain.deciding.competing import flag_competition
from cpor.domain.deciding.desk import Desk
from cpor.domain.deciding.dialogue import full_refusal, optional_text_errors
from cpor.domain.deciding.document_checks import DocumentRules, check_present
from cpor.domain.deciding.documents import document_of, signing_zones
from cpor.domain.deciding.drafting import begin_errors, begun, edition_of, known_partner
from cpor.domain.events import Drafted, Filed, Resubmitted, Submitted
from cpor.domain.evolve import evolve
from cpor.domain.form import as_data, check_acknowledgements, check_form
from cpor.domain.model import ClaimState
from cpor.domain.policy import Notice, Policy, policy
from cpor.domain.reference import Partner
from cpor.domain.refusal import FieldError
from cpor.domain.result import Refused, refused_for
from cpor.domain.vocabulary import Clock, Code, Status, SubscriptionId

#: D15: a change of one of these gives the customer a new notice.
TOLD_TO_CUSTOMER = ("workloads", "location_id", "customer_contact")


def submit(desk: Desk, data: SubmitClaim) -> Refused | None:
    """T3."""
    whole = filled_in(desk, desk.claim)
    errors = [
        *check_acknowledgements(desk.policy, data.acknowledgements),
        *_claim_errors(desk, whole),
    ]
    if errors:
        return refused_for(errors)
    desk.enter(
        Status.SUBMITTED,
        Submitted,
        acknowledgements=data.acknowledgements,
        received_at=desk.context.received_at,
        customer_notice=Notice.SUBMITTED in desk.policy.submission.customer_notices,
        subscription_id=_new_subscription(desk, whole),
    )
    flag_competition(desk)
    return None


def file(desk: Desk, data: FileClaim) -> Refused | None:
    """T1 to T3 in one message, all or nothing (contract §3)."""
    partner = known_partner(desk)
    rules = edition_of(desk, partner, data.form)
    formal = begin_errors(desk, partner, data.form)
    errors = [*formal, *_file_errors(desk, rules, partner, data)]
    if formal:
        return refused_for(errors)
    filed = _filed(rules, begun(desk, partner, data.form), data)
    bare = evolve(None, filed)
    whole = filled_in(desk, bare)
    errors += _claim_errors(desk, whole)
    if whole is not bare:
        filed = replace(filed, subscription_id=whole.form.subscription_id)
    if errors:
        return refused_for(errors)
    desk.begin(filed)
    flag_competition(desk)
    return None


def _file_errors(desk: Desk, rules: Policy, partner: Partner, data: FileClaim) -> list[FieldError]:
    zone = (partner.location(data.form.location_id) or partner).timezone
    zones = signing_zones(desk, zone)
    judged = DocumentRules(rules, data.form.solution_area, desk.context.received_at, zones)
    return [
        *judged.attach_errors((), data.documents, "documents"),
        *check_acknowledgements(rules, data.acknowledgements),
        *optional_text_errors(rules.comments, data.comment, "comment"),
    ]


def _filed(rules: Policy, drafted: Drafted, data: FileClaim) -> Filed:
    clocks = Timekeeper(rules, calendar_of(drafted.calendar, drafted.zone)).first_submission(drafted.at)
    return Filed(
        claim_id=drafted.claim_id,
        sequence=1,
        at=drafted.at,
        actor=drafted.actor,
        policy=drafted.policy,
        status=Status.SUBMITTED,
        clocks_started=clocks,
        claim_ref=drafted.claim_ref,
        partner_id=drafted.partner_id,
        form=drafted.form,
        personal=drafted.personal,
        zone=drafted.zone,
        calendar=drafted.calendar,
        source=drafted.source,
        received_at=drafted.received_at,
        documents=tuple(document_of(each, 1) for each in data.documents),
        acknowledgements=data.acknowledgements,
        comment=data.comment,
        customer_notice=Notice.SUBMITTED in rules.submission.customer_notices,
    )


def resubmit(desk: Desk, data: ResubmitClaim) -> Refused | None:
    """T10, D15: in time by when it was received (D19)."""
    claim = desk.claim
    clock = claim.clock(Clock.PARTNER_ANSWER)
    if clock is not None and desk.context.received_at >= clock.due:
        return Refused(Code.WINDOW_CLOSED, "The time to answer the request is over.")
    if not claim.provided and not data.comment:
        detail = "Edit the claim, add a document or write a comment before resubmitting."
        return Refused(Code.NOTHING_PROVIDED, detail)
    if data.comment and (refusal := full_refusal(desk)):
        return refusal
    whole = filled_in(desk, claim)
    errors = [
        *optional_text_errors(desk.policy.comments, data.comment, "comment"),
        *_claim_errors(desk, whole),
    ]
    if errors:
        return refused_for(errors)
    _resubmit(desk, data, whole)
    return None


def _resubmit(desk: Desk, data: ResubmitClaim, whole: ClaimState) -> None:
    changed = any(each in TOLD_TO_CUSTOMER for each in desk.claim.provided.fields)
    desk.enter(
        Status.SUBMITTED,
        Resubmitted,
        received_at=desk.context.received_at,
        comment=data.comment,
        customer_notice=changed and Notice.SUBMITTED in desk.policy.submission.customer_notices,
        subscription_id=_new_subscription(desk, whole),
    )
    flag_competition(desk)


def _new_subscription(desk: Desk, whole: ClaimState) -> SubscriptionId | None:
    """D11: what the event fills in, if anything."""
    found = whole.form.subscription_id
    return found if found != desk.claim.form.subscription_id else None


def _claim_errors(desk: Desk, claim: ClaimState) -> list[FieldError]:
    """What a claim must be to stand before a reviewer, whichever way it comes there."""
    return [
        *check_form(policy(claim.policy), as_data(claim.form, claim.personal)),
        *fact_errors(desk, claim),
        *check_present(len(claim.documents)),
        *own_errors(desk, claim),
    ]
