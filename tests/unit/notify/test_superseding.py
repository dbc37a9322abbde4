"""Mail that was not handed over before its contact was replaced goes to the old address no more (R35, D20)."""

from __future__ import annotations

from typing import Any

import pytest

from cpor.domain import ids
from cpor.domain.vocabulary import Clock, CommandName
from cpor.runtime.topics import Topic
from schemas import consent
from schemas.base import check
from schemas.envelope import read_envelope
from schemas.mail import ATTEMPT, BOUNCED, DEFERRED, DELIVERED, SUPERSEDED, Mail, MailKind, Superseded
from services.notify.superseding import is_unwanted
from tests.unit.notify.samples import row
from tests.unit.notify.stage import REMINDER, Stage

HOUR_MS = 3_600_000
OTTO = {"name": "Otto Weber", "email": "otto@nordwind.example"}
ANNA = {"name": "Anna Weber", "email": "anna@nordwind.example"}
MINA = {"name": "Mina Sato", "title": "CFO", "email": "mina@contoso.example"}


def edit(stage: Stage, **contacts: Any) -> None:
    stage.partner("c", CommandName.EDIT, contacts)
    stage.tell()


def taken_back(stage: Stage) -> list[Superseded]:
    records = stage.broker.records(Topic.DELIVERIES)
    found = [each for each in records if read_envelope(each.headers).type == SUPERSEDED]
    entries = [check(Superseded, each.value or b"") for each in found]
    for record, entry in zip(found, entries, strict=True):
        told = read_envelope(record.headers)
        assert (told.id, told.causation) == (ids.derived_id(entry.mail_id, SUPERSEDED, entry.attempt), entry.mail_id)
    return entries


def asked() -> Stage:
    stage = Stage()
    stage.asked()
    stage.tell()
    return stage


@pytest.mark.rule("R35")
def test_a_deferred_mail_is_not_sent_again_to_a_contact_that_was_replaced() -> None:
    stage = asked()
    (mail,) = stage.mails()
    stage.delivery(DEFERRED, mail, attempt=1, next_at=stage.clock.now() + HOUR_MS)
    edit(stage, partner_contact=OTTO)
    stage.clock.tick(2 * HOUR_MS)
    stage.tell()
    assert stage.mails(Topic.NOTIFY_RESEND) == []
    (entry,) = taken_back(stage)
    assert (entry.mail_id, entry.attempt, entry.reason) == (mail.mail_id, 1, "contact_replaced")


@pytest.mark.rule("R33", "D15")
def test_what_the_partner_has_to_do_by_a_certain_day_its_new_contact_is_told_anew() -> None:
    """The same event, another recipient: another mail (contract §2)."""
    stage = asked()
    edit(stage, partner_contact=OTTO)
    old, new = stage.mails()
    assert (old.to, new.to, new.to_name) == (ANNA["email"], OTTO["email"], OTTO["name"])
    assert (old.kind, old.cause, old.at) == (new.kind, new.cause, new.at)
    assert (old.subject, old.mail_id != new.mail_id) == (new.subject, True)
    assert [each.mail_id for each in taken_back(stage)] == [old.mail_id]
    stage.audit_told()


def test_a_reminder_is_told_anew_and_a_comment_is_not() -> None:
    stage = asked()
    stage.deadline(REMINDER, Clock.PARTNER_ANSWER)
    stage.review("c", CommandName.REVIEW_COMMENT, text="A page is missing.")
    stage.tell()
    edit(stage, partner_contact=OTTO)
    assert len(taken_back(stage)) == 3
    anew = sorted(each.kind for each in stage.mails() if each.to == OTTO["email"])
    assert anew == [MailKind.DEADLINE_NEAR, MailKind.INFORMATION_REQUESTED]


@pytest.mark.parametrize("kind", [DELIVERED, BOUNCED])
def test_a_mail_that_arrived_or_bounced_before_is_not_told_anew(kind: str) -> None:
    stage = asked()
    stage.delivery(kind, stage.mails()[0])
    edit(stage, partner_contact=OTTO)
    assert (len(stage.mails()), taken_back(stage)) == (1, [])


def test_another_name_for_the_same_address_takes_nothing_back() -> None:
    stage = asked()
    edit(stage, partner_contact={**ANNA, "name": "Anna Weber-Ott"})
    assert (len(stage.mails()), taken_back(stage)) == (1, [])


def test_a_contact_that_comes_back_gets_the_one_mail_that_was_taken_back_from_it() -> None:
    """To write it once more would be a second mail under one id, and to send it as it was it is settled."""
    stage = asked()
    (first,) = stage.mails()
    edit(stage, partner_contact=OTTO)
    edit(stage, partner_contact=ANNA)
    (again,) = stage.mail_records(Topic.NOTIFY_RESEND)
    assert (read_envelope(again.headers).id, again.header(ATTEMPT)) == (first.mail_id, "2")
    assert [each.attempt for each in taken_back(stage)] == [0, 0]
    stage.delivery(DEFERRED, first, attempt=2, next_at=stage.clock.now() + HOUR_MS)
    edit(stage, partner_contact=OTTO)
    assert [(each.mail_id == first.mail_id, each.attempt) for each in taken_back(stage)][-1] == (True, 2)
    stage.audit_told()


@pytest.mark.rule("D20")
def test_a_customers_notice_is_taken_back_and_asked_for_anew_by_consent_alone() -> None:
    stage = Stage()
    stage.file()
    stage.consent_asks(notice=consent.Notice.SUBMITTED)
    stage.review("c", CommandName.REVIEW_START)
    stage.review("c", CommandName.REVIEW_REQUEST_INFORMATION, reasons=[{"code": "missing_products"}], comment="Which?")
    stage.tell()
    notice = next(each for each in stage.mails() if each.recipient == "customer")
    edit(stage, customer_contact=MINA)
    assert [each.mail_id for each in taken_back(stage)] == [notice.mail_id]
    assert [each.to for each in stage.mails() if each.recipient == "customer"] == [notice.to]
    stage.consent_asks(notice=consent.Notice.SUBMITTED)
    stage.tell()
    assert [each.to for each in stage.mails() if each.recipient == "customer"] == [notice.to, MINA["email"]]


def test_a_notice_that_was_taken_back_and_bounced_at_that_moment_is_no_task() -> None:
    stage = Stage()
    stage.asked()
    stage.consent_asks(notice=consent.Notice.SUBMITTED)
    stage.tell()
    notice = next(each for each in stage.mails() if each.recipient == "customer")
    edit(stage, customer_contact=MINA)
    stage.delivery(BOUNCED, notice)
    stage.tell()
    assert MailKind.OPERATOR_TASK.value not in stage.kinds()


def test_the_row_of_a_mail_that_was_taken_back_is_gone_and_with_it_the_address() -> None:
    stage = asked()
    edit(stage, partner_contact=OTTO)
    rows = {each.key: each.value for each in stage.broker.records(Topic.NOTIFY_OUTBOX)}
    old, new = stage.mails()
    assert rows[old.mail_id.encode()] is None
    assert rows[new.mail_id.encode()] is not None


@pytest.mark.parametrize(
    ("recipient", "to", "unwanted"),
    [
        ("partner", "anna.weber@nordwind.example", False),
        ("partner", "Anna.Weber@Nordwind.example", False),
        ("partner", "old@nordwind.example", True),
        ("customer", "old@contoso.example", True),
        ("partner_user", "old@nordwind.example", False),
        ("operations", "old@nordwind.example", False),
    ],
)
def test_mail_to_a_contact_follows_it_and_a_copy_follows_its_user(recipient: str, to: str, unwanted: bool) -> None:
    stage = asked()
    mail: Mail = stage.mails()[0].model_copy(update={"recipient": recipient, "to": to})
    assert is_unwanted(row(), mail) is unwanted
    assert not is_unwanted(row(partner=None, customer=None), mail)
