"""Faults of consent, deadlines, notify and delivery, planted into the log of `five.lives`."""

from __future__ import annotations

from dataclasses import replace

from cpor.domain import ids
from cpor.domain.vocabulary import ClaimId, CommandName, EventName, PartnerId, instant_text, parse_instant
from cpor.ops.checker import Arrival, FindingCode, PipelineLog
from cpor.runtime.record import Record
from cpor.runtime.topics import updates_topic
from schemas import consent, deadlines
from schemas.mail import DELIVERED, MAIL, MailKind
from schemas.updates import UPDATE
from tests.unit.ops.checker.five import GOES_ON
from tests.unit.ops.checker.planted import ELSEWHERE, NOBODY, Plant
from tests.unit.ops.checker.planting import (
    Choose,
    change,
    double,
    drop,
    drop_all,
    key,
    later,
    move,
    of,
    retold,
    rewrite,
    rewritten,
    the_last,
    value_of,
    with_headers,
)
from tests.unit.review.pipeline import DAY_MS

F = FindingCode
E = EventName
K = MailKind


def named(ref: str, by: str = "P-1") -> ClaimId:
    return ids.claim_id(PartnerId(by), ref)


SILENT, BUSY, UNKNOWN, AGREED = (named(each) for each in ("silent", "busy", "unknown", "agreed"))
DECLINED, SLEEPS, ANSWERS, WAITS = (named(each) for each in ("declined", "sleeps", "answers", "waits"))
STANDS, QUEUE, FIRST, RIVAL = named("stands"), named("queue"), named("first"), named("rival", "P-2")


def ended_by_time() -> Choose:
    """What deadlines told review of the subscription that ran out."""
    return of(CommandName.OPS_END_SUBSCRIPTION, claim_id=named("runs_out"))


def mail(kind: MailKind, claim: str) -> Choose:
    return of(MAIL, kind=kind.value, claim_id=claim)


def official(log: PipelineLog) -> dict[str, object]:
    return value_of(the_last(log, "events", of(E.CONSENT_COMPLETED.ce_type, claim_id=BUSY)))


def sooner(text: str, days: float) -> str:
    return instant_text(parse_instant(text) - int(days * DAY_MS))


def a_no_in_time(log: PipelineLog) -> PipelineLog:
    """Review is told of a no before the wait of the claim ended, and hands it off all the same."""
    told = the_last(log, "inbox", of(CommandName.CONSENT_OUTCOME, claim_id=SILENT, outcome="declined"))
    given = value_of(the_last(log, "events", of(E.APPROVED.ce_type, claim_id=SILENT)))
    return retold(log, "inbox", lambda each: each is told, cpor_received_at=given["at"])


def completed_on_the_sixth_day(log: PipelineLog) -> PipelineLog:
    at = sooner(str(official(log)["at"]), 2)
    return rewrite(log, "events", of(E.CONSENT_COMPLETED.ce_type, claim_id=BUSY), at=at)


def an_approval_without_a_wait(log: PipelineLog) -> PipelineLog:
    return rewrite(log, "events", of(E.APPROVED.ce_type, claim_id=WAITS), clocks_started=[])


def a_second_suspension(log: PipelineLog) -> PipelineLog:
    """The last event of the claim once more, under the next sequence."""
    first = the_last(log, "events", of(E.CONSENT_SUSPENDED.ce_type, claim_id=STANDS))
    number = value_of(first)["sequence"] + 1
    again = rewritten(later(log, first), sequence=number)
    told = with_headers(again, ce_id=ids.event_id(STANDS, number), ce_sequence=str(number))
    return replace(log, events=(*log.events, told))


def later_days(log: PipelineLog, days: int) -> PipelineLog:
    """Something else was written so much later: time has passed."""
    record = max(log.states, key=lambda each: each.appended_at)
    told = record._replace(appended_at=record.appended_at + days * DAY_MS)
    return change(log, "states", lambda each: each is record, lambda _: [told])


def heard_twice(log: PipelineLog) -> PipelineLog:
    said = the_last(log, "consent", of(consent.AGREED, claim_id=AGREED))
    origin = the_last(log, "responses", of(claim_id=AGREED)).origin
    again = with_headers(later(log, said), ce_type=consent.DECLINED, ce_id=ids.derived_id(origin, consent.DECLINED))
    return replace(log, consent=(*log.consent, again))


def an_answer_behind_the_expiry(log: PipelineLog) -> PipelineLog:
    """A resubmission of the claim that was received a day before the clock ended and admitted after it did."""
    expired = the_last(log, "inbox", of(CommandName.DEADLINE_EXPIRED, claim_id=SLEEPS))
    model = the_last(log, "inbox", of(CommandName.RESUBMIT, claim_id=ANSWERS))
    late = rewritten(later(log, model), claim_id=SLEEPS, claim_ref="sleeps")
    received = sooner(value_of(expired)["due"], 1)
    return replace(log, inbox=(*log.inbox, with_headers(late, cpor_received_at=received)))


def in_another_mailbox(log: PipelineLog) -> PipelineLog:
    first, *others = log.sink or ()
    return replace(log, sink=(Arrival(first.mail_id, "stranger@contoso.example"), *others))


def an_unknown_mail_arrives(log: PipelineLog) -> PipelineLog:
    return replace(log, sink=(*(log.sink or ()), Arrival(NOBODY, "kana@contoso.example")))


def nothing_arrives(log: PipelineLog) -> PipelineLog:
    return replace(log, sink=(log.sink or ())[1:])


def same_mail_under_another_id(log: PipelineLog) -> PipelineLog:
    """To a second address of the same person."""
    first = the_last(log, "mails", mail(K.OFFICIAL, BUSY))
    to = "anna.weber@nordwind.example"
    name = ids.mail_id(value_of(first)["cause"], K.OFFICIAL, to)
    again = with_headers(rewritten(later(log, first), to=to, mail_id=name), ce_id=name)
    return replace(log, mails=(*log.mails, again))


def swapped_updates(log: PipelineLog) -> PipelineLog:
    """Two neighbours of one claim change places."""
    mine = [each for each in log.updates if value_of(each)["claim_id"] == BUSY]
    first, second = mine[0], mine[1]
    others = tuple(each for each in log.updates if each not in (first, second))
    swapped = (first._replace(offset=second.offset), second._replace(offset=first.offset))
    return replace(log, updates=(*others, *swapped))


def update_saying(text: str) -> Plant:
    changes = [{"field": "note", "before": None, "after": text}]
    return lambda log: rewrite(log, "updates", of(UPDATE, claim_id=SILENT), changes=changes)


def reminder(claim: str) -> Choose:
    return of(deadlines.REMINDER, claim_id=claim)


def fired(log: PipelineLog, choose: Choose, days: float) -> PipelineLog:
    at = value_of(the_last(log, "deadlines", choose))["fired_at"]
    return rewrite(log, "deadlines", choose, fired_at=sooner(at, days))


def reminded_after_the_answer(log: PipelineLog) -> PipelineLog:
    """The reminder of the claim that never answered is about the one that answered at once."""
    asked = value_of(the_last(log, "events", of(E.INFORMATION_REQUESTED.ce_type, claim_id=ANSWERS)))
    told = the_last(log, "deadlines", of(deadlines.REMINDER, claim_id=SLEEPS, rung=1))
    clock = next(each for each in asked["clocks_started"] if each["clock"] == "partner_answer")
    about = rewritten(later(log, told), claim_id=ANSWERS, started_by=asked["sequence"], due=clock["due"])
    return replace(log, deadlines=(*log.deadlines, with_headers(about, ce_id=NOBODY, ce_subject=ANSWERS)))


def expired_and_nothing_came_of_it(log: PipelineLog) -> PipelineLog:
    """The claim stays where it was: its last event is not there."""
    return drop(log, "events", of(E.REJECTED.ce_type, claim_id=SLEEPS))


def a_letter(log: PipelineLog) -> PipelineLog:
    """A mail that nobody could read."""
    told = {
        "dlq_id": NOBODY,
        "dlq_service": "notify-delivery",
        "dlq_reason": "unreadable_mail",
        "dlq_detail": "",
        "dlq_topic": "cpor.notify.mail",
        "dlq_partition": "0",
        "dlq_offset": "0",
        "dlq_received_at": "0",
    }
    headers = tuple((name, text.encode()) for name, text in told.items())
    return replace(log, dead_letters=(Record("cpor.dead-letters", 0, 0, 0, b"x", b"x", headers),))


PLANTED: dict[str, tuple[Plant, set[FindingCode]]] = {
    "a record was given up": (a_letter, {F.DEAD_LETTER}),
    # -- approvals
    "an approval starts no wait": (an_approval_without_a_wait, {F.APPROVAL_LOST, F.STATE_WRONG, F.UPDATE_WRONG}),
    "consent is complete on the sixth day": (
        completed_on_the_sixth_day,
        {F.ASSOCIATION_WRONG, F.COMPLETED_TOO_EARLY, F.CONSENT_WRONG, F.HANDOFF_WRONG, F.STATE_WRONG, F.UPDATE_WRONG},
    ),
    "a claim is handed off though the customer had said no": (a_no_in_time, {F.COMPLETED_THOUGH_DECLINED}),
    "a wait is suspended twice": (
        a_second_suspension,
        {F.CONSENT_MISSING, F.DECIDED_TWICE, F.MAIL_MISSING, F.STATE_WRONG, F.UPDATE_MISSING, F.WAIT_ENDED_TWICE},
    ),
    "a wait that ended long ago is forgotten": (
        lambda log: later_days(log, 9),
        {F.MAIL_UNDELIVERED, F.TIMER_MISSING, F.WAIT_OVERDUE},
    ),
    "silence is taken for consent and nobody was told": (
        lambda log: drop_all(log, "deliveries", of(DELIVERED, claim_id=BUSY, kind="customer_approved")),
        {F.COMPLETED_UNTOLD, F.MAIL_UNDELIVERED},
    ),
    # -- updates
    "an update is missing": (lambda log: drop(log, "updates", of(claim_id=SILENT)), {F.UPDATE_MISSING}),
    "an update is doubled": (lambda log: double(log, "updates", of(claim_id=SILENT)), {F.UPDATE_DOUBLED}),
    "an update is of no event": (
        lambda log: rewrite(log, "updates", of(claim_id=SILENT), sequence=99),
        {F.UPDATE_WITHOUT_EVENT, F.UPDATE_MISSING},
    ),
    "an update goes to another partner": (
        lambda log: move(log, "updates", of(claim_id=RIVAL), topic=updates_topic("P-1"), offset=9_999),
        {F.UPDATE_MISPLACED},
    ),
    "an update lies under another reference": (
        lambda log: move(log, "updates", of(claim_id=SILENT), key=b"violent"),
        {F.UPDATE_MISPLACED},
    ),
    "updates change places": (swapped_updates, {F.UPDATE_OUT_OF_ORDER}),
    "an update says another status": (
        lambda log: rewrite(log, "updates", of(claim_id=SILENT), status="approved"),
        {F.UPDATE_WRONG},
    ),
    "an update has an id of its own": (
        lambda log: retold(log, "updates", of(claim_id=SILENT), ce_id=NOBODY),
        {F.WRONG_ID},
    ),
    "an update names the customer's contact": (update_saying("Kana Ito"), {F.UPDATE_TELLS_TOO_MUCH}),
    "an update tells the customer's address": (
        update_saying("Ask kana@contoso.example."),
        {F.UPDATE_TELLS_TOO_MUCH},
    ),
    "an update names the reviewer": (update_saying("by r-1"), {F.UPDATE_TELLS_TOO_MUCH}),
    "an update names another partner": (update_saying("Lost to Partner P-2"), {F.UPDATE_TELLS_TOO_MUCH}),
    "an update names another partner's claim": (update_saying(RIVAL), {F.UPDATE_TELLS_TOO_MUCH}),
    # -- consent
    "a notice is not asked for": (
        lambda log: drop(log, "consent", of(consent.REQUESTED, claim_id=WAITS)),
        {F.CONSENT_MISSING, F.MAIL_WITHOUT_EVENT},
    ),
    "a notice is asked for twice": (
        lambda log: double(log, "consent", of(consent.REQUESTED, claim_id=WAITS)),
        {F.CONSENT_DOUBLED},
    ),
    "a notice is asked for by nobody": (
        lambda log: retold(log, "consent", of(consent.COMPLETED, claim_id=BUSY), ce_id=NOBODY),
        {F.CONSENT_WITHOUT_CAUSE, F.CONSENT_MISSING},
    ),
    "consent tells another reason": (
        lambda log: rewrite(log, "consent", of(consent.SUSPENDED, claim_id=STANDS), reason="answer_held"),
        {F.CONSENT_WRONG},
    ),
    "an answer is not heard": (
        lambda log: drop(log, "consent", of(consent.IGNORED, claim_id=named("nobody"))),
        {F.ANSWER_UNHEARD},
    ),
    "an answer is heard twice": (heard_twice, {F.ANSWER_HEARD_TWICE}),
    "a no does not reach review": (
        lambda log: drop(log, "inbox", of(CommandName.CONSENT_OUTCOME, claim_id=DECLINED)),
        {F.ANSWER_WITHOUT_EFFECT, F.EVENT_WITHOUT_CAUSE},
    ),
    "a no changes nothing": (
        lambda log: drop(log, "events", of(E.REJECTED.ce_type, claim_id=SILENT)),
        {
            F.ANSWER_WITHOUT_EFFECT,
            F.ASSOCIATION_MISSING,
            F.HANDOFF_WITHOUT_EVENT,
            F.MAIL_WITHOUT_EVENT,
            F.STATE_WRONG,
            F.UPDATE_WITHOUT_EVENT,
        },
    ),
    "the end of a wait is told twice": (
        lambda log: double(log, "inbox", of(CommandName.CONSENT_OUTCOME, claim_id=BUSY, outcome="completed")),
        {F.INBOX_DOUBLED},
    ),
    # -- clocks
    "a reminder is told twice": (lambda log: double(log, "deadlines", reminder(SLEEPS)), {F.TIMER_DOUBLED}),
    "a time-out is told twice": (
        lambda log: double(log, "inbox", of(CommandName.DEADLINE_EXPIRED)),
        {F.TIMER_DOUBLED},
    ),
    "a reminder is of no clock": (
        lambda log: rewrite(log, "deadlines", reminder(SLEEPS), started_by=1),
        {F.TIMER_WITHOUT_CLOCK},
    ),
    "a reminder comes too early": (lambda log: fired(log, reminder(SLEEPS), 1.5), {F.TIMER_TOO_EARLY}),
    "a missed clock is told before its end": (
        lambda log: fired(log, of(deadlines.MISSED), 1),
        {F.TIMER_TOO_EARLY},
    ),
    "a partner is reminded after it has answered": (reminded_after_the_answer, {F.MAIL_MISSING, F.TIMER_AFTER_STOP}),
    "nobody is told of a missed clock": (
        lambda log: drop(log, "deadlines", of(deadlines.MISSED, claim_id=ANSWERS)),
        {F.MAIL_WITHOUT_EVENT, F.TIMER_MISSING},
    ),
    "a time-out changes nothing": (
        expired_and_nothing_came_of_it,
        {F.MAIL_WITHOUT_EVENT, F.STATE_WRONG, F.TIMEOUT_WITHOUT_EFFECT, F.TIMER_WITHOUT_CLOCK, F.UPDATE_WITHOUT_EVENT},
    ),
    "an answer comes in time and is lost to the clock": (an_answer_behind_the_expiry, {F.ANSWER_LOST, F.INBOX_DOUBLED}),
    # -- subscriptions that are over
    "a subscription is over, and nothing comes of it": (
        lambda log: rewrite(log, "subscriptions", key(GOES_ON), ends_on="2024-03-31"),
        {F.END_MISSING},
    ),
    "a subscription is said to have ended, and nothing comes of it": (
        lambda log: rewrite(log, "subscriptions", key(GOES_ON), state="ended"),
        {F.END_MISSING},
    ),
    "an end is told twice": (lambda log: double(log, "inbox", ended_by_time()), {F.END_DOUBLED}),
    "an end is told before its day is over": (
        lambda log: rewrite(log, "inbox", ended_by_time(), ends_on="2024-04-02"),
        {F.END_WRONG},
    ),
    "an end names an event that gave nothing": (
        lambda log: retold(log, "inbox", ended_by_time(), ce_causationid=ids.event_id(named("runs_out"), 1)),
        {F.END_WRONG},
    ),
    # -- mails
    "a mail is missing": (
        lambda log: drop(log, "mails", mail(K.OFFICIAL, BUSY)),
        {F.MAIL_MISSING, F.DELIVERY_WITHOUT_MAIL, F.SINK_WITHOUT_MAIL},
    ),
    "a mail is written twice": (lambda log: double(log, "mails", mail(K.OFFICIAL, BUSY)), {F.MAIL_DOUBLED}),
    "a mail is written twice under two ids": (
        same_mail_under_another_id,
        {F.MAIL_DOUBLED, F.MAIL_TO_ANOTHER, F.MAIL_UNDELIVERED},
    ),
    "a mail is of no event": (
        lambda log: rewrite(log, "mails", mail(K.OFFICIAL, BUSY), cause=NOBODY),
        {F.DELIVERY_WRONG, F.MAIL_MISSING, F.MAIL_WITHOUT_EVENT, F.WRONG_ID},
    ),
    "a mail is of another kind": (
        lambda log: rewrite(log, "mails", mail(K.OFFICIAL, BUSY), kind="approved"),
        {F.DELIVERY_WRONG, F.MAIL_MISSING, F.MAIL_WITHOUT_EVENT, F.WRONG_ID},
    ),
    "a mail goes to a stranger": (
        lambda log: rewrite(log, "mails", mail(K.OFFICIAL, BUSY), to="stranger@contoso.example"),
        {F.MAIL_TO_ANOTHER, F.WRONG_ID},
    ),
    "a mail to operations goes to the partner": (
        lambda log: rewrite(log, "mails", mail(K.DEADLINE_MISSED, ANSWERS), recipient="partner"),
        {F.DELIVERY_WRONG, F.MAIL_MISSING, F.MAIL_TO_ANOTHER},
    ),
    "a mail has an id of its own": (
        lambda log: retold(log, "mails", mail(K.OFFICIAL, BUSY), ce_id=NOBODY),
        {F.WRONG_ID},
    ),
    "a mail before an end tells of no end": (
        lambda log: rewrite(log, "mails", of(MAIL, kind="reassociate"), cause=NOBODY),
        {F.DELIVERY_WRONG, F.MAIL_WITHOUT_EVENT, F.WRONG_ID},
    ),
    # -- deliveries
    "nothing is told of a mail's delivery": (
        lambda log: drop_all(log, "deliveries", of(claim_id=BUSY, kind="official")),
        {F.MAIL_UNDELIVERED},
    ),
    "a deferred mail is forgotten": (lambda log: later_days(log, 1), {F.MAIL_UNDELIVERED}),
    "a delivery is of no mail": (
        lambda log: rewrite(log, "deliveries", of(claim_id=BUSY, kind="official"), mail_id=NOBODY),
        {F.DELIVERY_WITHOUT_MAIL, F.MAIL_UNDELIVERED},
    ),
    "a delivery says something else": (
        lambda log: rewrite(log, "deliveries", of(claim_id=BUSY, kind="official"), recipient="customer"),
        {F.DELIVERY_WRONG},
    ),
    "a delivery has an id of its own": (
        lambda log: retold(log, "deliveries", of(claim_id=BUSY, kind="official"), ce_id=NOBODY),
        {F.WRONG_ID},
    ),
    "a mail was never received": (nothing_arrives, {F.NOT_IN_SINK}),
    "a mail is received that nobody wrote": (an_unknown_mail_arrives, {F.SINK_WITHOUT_MAIL}),
    "a mail is received by another": (in_another_mailbox, {F.MAIL_TO_ANOTHER}),
    "a mail lies in another tenant's partition": (
        lambda log: move(log, "mails", mail(K.OFFICIAL, BUSY), partition=ELSEWHERE),
        {F.WRONG_PARTITION},
    ),
}
