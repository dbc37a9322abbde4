"""Notify under the kernel: one update an event, each mail once, whatever happens between."""

from __future__ import annotations

import json
import re

import pytest

from cpor.domain import ids, wire
from cpor.domain.vocabulary import (
    ActorKind,
    Clock,
    CommandName,
    EventName,
    PartnerId,
    Status,
)
from cpor.runtime.record import Output
from cpor.runtime.topics import Topic
from schemas import consent
from schemas.envelope import read_envelope
from schemas.mail import ATTEMPT, BOUNCED, DEFERRED, DELIVERED
from services.notify.claim import after
from services.notify.updates import update_of
from tests.contract.schemas.examples import example
from tests.unit.notify.samples import row
from tests.unit.notify.stage import HERE, MISSED, REMINDER, REVIEW_REJECT, SETTINGS, Stage
from tests.unit.review.pipeline import TENANT, sales_form

#: What of an event the partner may not read (D30): contacts, who reviews, other claims, what happens inside.
SECRET = re.compile(
    r"@|Kana|Ito\b|Weber|Sato|\"id\"|reviewer-|r-\d|letter|object_key|accepted/|cpor\.partners|sha256|personal|competes|displaces"
)


@pytest.mark.parametrize("name", EventName)
@pytest.mark.rule("D30")
def test_an_update_tells_nothing_that_the_partner_may_not_see(name: EventName) -> None:
    event = wire.decode_event(name, example(name.ce_type).bytes)
    told = update_of(row(claim_ref="ref"), event).model_dump_json(exclude_none=True)
    assert not SECRET.search(told.replace(event.claim_id, "").replace("cpor.claim", "")), told
    for other in (*getattr(event, "competes_with", ()), *getattr(event, "displaces", ())):
        assert other not in told
    assert event.actor.kind == ActorKind.PARTNER or f'"{event.actor.id}"' not in told.replace('"review"', "")


@pytest.mark.parametrize("name", EventName)
def test_whatever_happens_to_a_claim_is_told_with_its_status_and_side(name: EventName) -> None:
    event = wire.decode_event(name, example(name.ce_type).bytes)
    told = update_of(row(), event)
    assert (told.event, told.status, told.sequence, told.actor_kind) == (
        name, event.status, event.sequence, event.actor.kind,
    )  # fmt: skip


def test_the_fold_of_the_updates_is_the_claim() -> None:
    stage = Stage()
    stage.rejected()
    stage.tell()
    last, state = stage.updates()[-1], stage.claim()
    assert (last.status, [each.code for each in last.reasons]) == (Status.REJECTED, ["insufficient_poe"])
    assert [(each.clock, each.due) for each in last.due] == [(each.clock, each.due) for each in state.due()]
    window = state.clock(Clock.DISPUTE_WINDOW)
    assert window is not None
    assert (last.disputable, last.dispute_until) == (True, window.due)
    stage.audit_told()


@pytest.mark.rule("R30", "D30")
def test_the_newest_update_names_the_reasons_that_stand_whatever_came_after_the_decision() -> None:
    stage = Stage()
    stage.asked()
    stage.partner("c", CommandName.COMMENT, {"text": "Which ones?"})
    stage.partner("c", CommandName.RESUBMIT)
    stage.review("c", CommandName.REVIEW_START)
    stage.review("c", REVIEW_REJECT, reasons=[{"code": "insufficient_poe"}], comment="Too thin")
    stage.partner("c", CommandName.COMMENT, {"text": "Why?"})
    stage.partner("c", CommandName.DISPUTE, {"justification": "Look again."})
    stage.review("c", CommandName.REVIEW_APPROVE)
    stage.tell()
    told = {(each.event, each.sequence): [reason.code for reason in each.reasons] for each in stage.updates()}
    standing: list[str] = []
    for event in stage.events("c"):
        clears = event.NAME in (EventName.RESUBMITTED, EventName.APPROVED)
        standing = [] if clears else [each.code for each in getattr(event, "reasons", ())] or standing
        assert told[event.NAME, event.sequence] == standing, event.NAME
    assert {name for name, _ in told} >= {EventName.COMMENTED, EventName.DISPUTED, EventName.RESUBMITTED}


def test_what_notify_remembers_is_what_the_events_add_up_to() -> None:
    stage = Stage()
    stage.asked()
    stage.partner("c", CommandName.EDIT, {"workloads": ["teams"]})
    stage.partner("c", CommandName.RESUBMIT)
    stage.review("c", CommandName.REVIEW_START)
    stage.review("c", CommandName.REVIEW_APPROVE)
    remembered, state = None, stage.claim()
    for event in stage.events("c"):
        remembered = after(remembered, event)
    assert remembered is not None
    for name in (
        "claim_id", "claim_ref", "partner_id", "policy", "status", "sequence", "form", "clocks", "units", "reasons",
    ):  # fmt: skip
        assert getattr(remembered, name) == getattr(state, name), name
    assert remembered.customer == state.personal.customer_contact
    assert remembered.partner == state.personal.partner_contact


@pytest.mark.rule("D17", "D30")
def test_a_competing_claim_is_told_to_both_sides_without_a_name() -> None:
    stage = Stage()
    stage.approved("c")
    stage.file("d", by="P-2", number=2)
    stage.tell()
    stage.audit_told()
    competing = [mail for mail in stage.mails() if mail.kind == "competing"]
    assert len(competing) == 2
    told = json.dumps([json.loads(each.model_dump_json()) for each in stage.updates("P-2")])
    assert ids.claim_id(PartnerId("P-1"), "c") not in told
    assert "P-1" not in told


def test_a_reviewers_comment_is_mailed_and_the_partners_own_is_not() -> None:
    stage = Stage()
    stage.file()
    stage.partner("c", CommandName.COMMENT, {"text": "How long will it take?"})
    stage.review("c", CommandName.REVIEW_COMMENT, text="Next week.")
    stage.tell()
    assert stage.kinds() == ["commented"]
    assert "Next week." in stage.mails()[0].text


def test_the_customer_gets_the_notice_with_the_link_when_consent_asks() -> None:
    stage = Stage()
    stage.approved()
    cause = stage.consent_asks()
    stage.tell()
    stage.audit_told()
    notice = next(mail for mail in stage.mails() if mail.recipient == "customer")
    assert (notice.kind, notice.to, notice.cause) == ("customer_approved", "kana@contoso.example", cause)
    assert (notice.notice, notice.approval) == (consent.Notice.APPROVED, stage.claim().sequence)
    assert "https://consent.example/answer?token=tok%2F1" in notice.text


def test_a_notice_waits_for_the_claim_it_is_about() -> None:
    """Topics have no order among them: a corrected address must be read before the notice that goes there."""
    stage = Stage()
    stage.approved()
    events = stage.event_records()
    late = Stage()
    state = stage.claim()
    value = {"claim_id": state.claim_id, "at": late.now(), "notice": "approved", "token": "t", "approval": 3}
    late.said(Topic.CONSENT_EVENTS, consent.REQUESTED, value, ids.event_id(state.claim_id, state.sequence))
    late.tell()
    assert late.mails() == []
    for record in events:
        late.broker.append(Output(record.topic, HERE, record.key, record.value, list(record.headers)))
    late.tell_until(lambda: "customer_approved" in late.kinds())
    late_kinds = late.kinds()
    assert sorted(late_kinds) == ["approved", "customer_approved"]


def test_reminders_go_to_the_partner_and_missed_deadlines_of_the_reviewers_to_operations() -> None:
    stage = Stage()
    stage.file()
    stage.deadline(MISSED, Clock.REVIEW_START)
    stage.review("c", CommandName.REVIEW_START)
    stage.deadline(MISSED, Clock.REVIEW_DECISION)
    stage.review("c", REVIEW_REJECT, reasons=[{"code": "insufficient_poe"}], comment="Thin")
    stage.deadline(REMINDER, Clock.DISPUTE_WINDOW)
    stage.deadline(MISSED, Clock.DISPUTE_WINDOW)
    stage.tell()
    stage.audit_told()
    told = {(mail.kind.value, mail.to) for mail in stage.mails()}
    assert ("deadline_missed", SETTINGS.operations) in told
    assert {("deadline_near", "anna@nordwind.example"), ("window_closed", "anna@nordwind.example")} <= told
    assert stage.kinds().count("deadline_missed") == 2


# -- on their way -----------------------------------------------------------------------------------------------------


def deferred_stage() -> Stage:
    stage = Stage()
    stage.asked()
    stage.tell()
    stage.delivery(DEFERRED, stage.mails()[0], next_at=stage.clock.now() + 60_000)
    stage.tell()
    return stage


def test_a_deferred_mail_is_sent_again_when_it_is_time_with_the_same_id() -> None:
    stage = deferred_stage()
    assert stage.mails(Topic.NOTIFY_RESEND) == []
    stage.clock.tick(61_000)
    stage.tell()
    assert stage.mails(Topic.NOTIFY_RESEND) == stage.mails()
    again = stage.mail_records(Topic.NOTIFY_RESEND)[0]
    assert (again.header(ATTEMPT), again.key) == ("2", TENANT.encode())
    assert read_envelope(again.headers).id == stage.mails()[0].mail_id
    stage.tell()
    assert len(stage.mails(Topic.NOTIFY_RESEND)) == 1


@pytest.mark.parametrize("kind", [DELIVERED, BOUNCED])
def test_a_mail_that_arrived_or_bounced_is_not_sent_again_and_not_kept(kind: str) -> None:
    stage = deferred_stage()
    mail = stage.mails()[0]
    stage.delivery(kind, mail, attempt=1)
    stage.delivery(DEFERRED, mail, attempt=1, next_at=stage.clock.now())
    stage.tell()
    stage.clock.tick(120_000)
    stage.tell()
    assert stage.mails(Topic.NOTIFY_RESEND) == []
    assert stage.broker.records(Topic.NOTIFY_OUTBOX)[-1].value is None


# -- faults -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rounds", [1, 2, 3])
def test_a_worker_that_is_killed_and_loses_its_store_tells_everything_once(rounds: int) -> None:
    stage = Stage()
    stage.asked()
    stage.approved("d", by="P-2", form=sales_form(), number=3)
    stage.consent_asks("d", by="P-2")
    for _ in range(rounds):
        stage.notify.step()
        stage.notify.close()
        stage.notify_engines = type(stage.notify_engines)()
        stage.notify = stage.fresh_notify()
    stage.tell()
    stage.audit_told()
    assert sorted(stage.kinds()) == ["approved", "customer_approved", "information_requested"]


def test_an_unreadable_event_parks_its_claim_and_no_other() -> None:
    stage = Stage()
    stage.file("c")
    stage.review("c", CommandName.REVIEW_START)
    stage.file("d", by="P-2", number=2)
    first, *others = stage.event_records()
    broken = Stage()
    values = [first.value, b"{", *(each.value for each in others)]
    for record, value in zip([first, first, *others], values, strict=True):
        broken.broker.append(Output(record.topic, HERE, record.key, value, list(record.headers)))
    broken.tell()
    assert [each.event for each in broken.updates("P-1")] == ["filed"]
    assert broken.updates("P-2")[0].event == "filed"
    reasons = [letter.header("dlq_reason") for letter in broken.letters()]
    assert reasons[0] == "unreadable_event"
    assert set(reasons[1:]) == {"parked_behind"}


def test_a_record_in_another_tenants_partition_is_a_dead_letter() -> None:
    stage = Stage()
    stage.file()
    record = stage.event_records()[0]
    stage.broker.append(Output(record.topic, (HERE + 1) % 4, record.key, record.value, list(record.headers)))
    stage.tell()
    assert [letter.header("dlq_reason") for letter in stage.letters()] == ["wrong_partition"]
    stage.audit_told()
