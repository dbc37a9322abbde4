"""The checker on notices that come back after their delivery, in the wait and after it (D20)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cpor.domain.vocabulary import Instant
from cpor.ops.checker import FindingCode as F
from cpor.ops.checker import balances, check
from cpor.runtime.topics import Topic
from schemas.base import read
from schemas.mail import Mail, MailKind
from services.notify.delivery import told
from services.notify.smtp import Outcome, Result
from tests.unit.ops.checker.five import Five
from tests.unit.ops.checker.planting import value_of
from tests.unit.review.pipeline import usage_form

BACK = Outcome(Result.BOUNCED, "came back: 5.1.1 no such mailbox")


def come_back(five: Five, kind: MailKind) -> None:
    """All notices of a kind that were delivered."""
    for record in five.broker.records(Topic.MAIL):
        mail = read(Mail, record.value or b"")
        if mail.kind == kind:
            five.broker.append(told(record, mail, 1, BACK, Instant(five.clock.now())))
    five.run()


def returned() -> Five:
    """The first notice of two claims comes back; the notice of the one's approval in the wait, the other's after it."""
    five = Five()
    five.file("early", usage_form("exchange"))
    five.file("late", usage_form("sharepoint"), digest="b")
    come_back(five, MailKind.CUSTOMER_REQUESTED)
    five.approve("late")
    five.days(9)
    come_back(five, MailKind.CUSTOMER_APPROVED)
    five.approve("early")
    five.days(1)
    come_back(five, MailKind.CUSTOMER_APPROVED)
    five.days(9)
    return five


@pytest.mark.rule("D20")
def test_notices_that_come_back_whenever_they_do_are_no_fault_and_the_books_balance() -> None:
    five = returned()
    assert (five.claim("late").consent.stage, five.claim("early").consent.stage) == ("completed", "suspended")
    log = five.log()
    assert [str(each) for each in check(log)] == []
    assert [row for row in balances(log).rows() if not row.holds] == []
    tasks = [each for each in log.mails if value_of(each)["kind"] == MailKind.OPERATOR_TASK]
    assert len(tasks) == 4


def test_a_notice_that_comes_back_and_of_which_no_operator_hears_is_found() -> None:
    log = returned().log()
    for task in (each for each in log.mails if value_of(each)["kind"] == MailKind.OPERATOR_TASK):
        less = replace(log, mails=tuple(each for each in log.mails if each is not task))
        assert F.MAIL_MISSING in {each.code for each in check(less)}
