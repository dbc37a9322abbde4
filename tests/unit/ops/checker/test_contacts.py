"""The checker on mail that follows the newest contact, and on mail that a partner's user does without."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cpor.domain.vocabulary import CommandName
from cpor.ops.checker import FindingCode as F
from cpor.ops.checker import PipelineLog, balances, check, summary
from cpor.runtime.topics import Topic
from schemas.mail import SUPERSEDED, MailKind
from tests.unit.ops.checker.five import PUT_OFF, Five
from tests.unit.ops.checker.planting import drop, of
from tests.unit.review.pipeline import directory_entry, usage_form


def codes(log: PipelineLog) -> set[F]:
    return {each.code for each in check(log)}


OTTO = {"name": "Otto Weber", "email": "otto@nordwind.example"}


def replaced() -> Five:
    """What a partner is asked for was put off when its contact was replaced."""
    five = Five()
    five.asked("c", usage_form(partner_contact={"name": "Busy", "email": PUT_OFF}))
    five.say("c", CommandName.EDIT, {"partner_contact": OTTO})
    five.days(2)
    return five


@pytest.mark.rule("R35")
def test_a_mail_that_was_taken_back_and_told_anew_is_no_fault_and_the_books_balance() -> None:
    log = replaced().log()
    assert [str(each) for each in check(log)] == []
    books = balances(log)
    assert [row for row in books.rows() if not row.holds] == []
    assert (books.superseded, summary(log).mails_by_outcome["superseded"]) == (1, 1)
    assert PUT_OFF not in {each.to for each in log.sink or ()}


def test_the_mail_to_the_new_contact_may_not_be_anybodys() -> None:
    log = replaced().log()
    mails = [each for each in log.mails if OTTO["email"].encode() in (each.value or b"")]
    assert mails
    wrong = tuple(
        each._replace(value=(each.value or b"").replace(OTTO["email"].encode(), b"eve@nordwind.example"))
        for each in log.mails
    )
    assert F.MAIL_TO_ANOTHER in codes(replace(log, mails=wrong))


def test_a_mail_that_was_taken_back_though_its_contact_stayed_is_found() -> None:
    five = Five()
    five.asked("c", usage_form(partner_contact={"name": "Busy", "email": PUT_OFF}))
    log, other = five.log(), replaced().log()
    taken_back = [each for each in other.deliveries if of(SUPERSEDED)(each)]
    assert len(taken_back) == 1
    last = max(each.offset for each in log.deliveries)
    forged = replace(log, deliveries=(*log.deliveries, taken_back[0]._replace(offset=last + 1)))
    assert F.DELIVERY_WRONG in codes(forged)


def wishing(mail: str) -> Five:
    five = Five()
    entry = directory_entry("P-1")
    entry["users"][0] |= {"email": OTTO["email"], "mail": mail}
    five.append(Topic.PARTNERS, 0, "P-1", entry)
    five.file("c", usage_form(partner_contact=OTTO))
    five.approve("c")
    five.review("c", CommandName.REVIEW_COMMENT, text="Thank you.")
    return five


@pytest.mark.parametrize("mail", ["all", "mandatory"])
def test_a_mail_that_a_user_does_without_is_not_missed(mail: str) -> None:
    log = wishing(mail).log()
    assert [str(each) for each in check(log)] == []
    assert [row for row in balances(log).rows() if not row.holds] == []
    told = {each.kind for each in balances(log).mails}
    assert (MailKind.APPROVED in told, MailKind.COMMENTED in told) == (mail == "all", True)


def test_a_mail_that_cannot_be_switched_off_is_missed_whatever_a_user_wants() -> None:
    log = drop(wishing("mandatory").log(), "mails", of(kind="commented", recipient="partner"))
    assert F.MAIL_MISSING in codes(log)
