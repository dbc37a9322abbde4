"""Mails to others than the partner's contact: tasks of operators, and copies to who submitted."""

from __future__ import annotations

from typing import Any

import pytest

from cpor.domain.vocabulary import CommandName, Status
from cpor.runtime.topics import Topic
from schemas import consent
from schemas.mail import BOUNCED, DELIVERED, MailKind
from services.notify.drafts import Settings
from tests.unit.notify.stage import SETTINGS, Stage
from tests.unit.review.pipeline import N, directory_entry

# -- what operators have to see to (D20) ------------------------------------------------------------------------------


def tasks(stage: Stage) -> list[tuple[str, str]]:
    """Address and subject of every task that was mailed."""
    return [(mail.to, mail.subject) for mail in stage.mails() if mail.kind == MailKind.OPERATOR_TASK]


@pytest.mark.rule("D20")
def test_a_bounced_first_notice_is_a_task_and_nothing_else() -> None:
    stage = Stage()
    stage.file()
    stage.consent_asks(notice=consent.Notice.SUBMITTED)
    stage.tell()
    (notice,) = stage.mails()
    for attempt in (1, 1, 2):  # delivery happens at least once
        stage.delivery(BOUNCED, notice, attempt)
    stage.tell()
    assert tasks(stage) == [(SETTINGS.operations, "To do: the customer's first notice bounced, claim c")]
    assert stage.claim().status == Status.SUBMITTED
    stage.audit_told()


@pytest.mark.rule("D20")
def test_a_first_notice_that_comes_back_after_its_delivery_is_a_task_too_and_one() -> None:
    stage = Stage()
    stage.file()
    stage.consent_asks(notice=consent.Notice.SUBMITTED)
    stage.tell()
    (notice,) = stage.mails()
    for kind in (DELIVERED, BOUNCED, DELIVERED, BOUNCED):
        stage.delivery(kind, notice)
        stage.tell()
    assert tasks(stage) == [(SETTINGS.operations, "To do: the customer's first notice bounced, claim c")]
    stage.audit_told()


def test_other_mails_that_bounce_are_no_task_of_their_own() -> None:
    stage = Stage()
    stage.approved()
    stage.consent_asks()
    stage.tell()
    for mail in stage.mails():
        stage.delivery(BOUNCED, mail)
    stage.tell()
    assert tasks(stage) == []


@pytest.mark.parametrize(
    ("reason", "subject"),
    [
        ("notice_bounced", ["To do: the customer's notice bounced, claim c"]),
        ("not_delivered", ["To do: the customer's notice has not arrived, claim c"]),
        ("answer_held", []),
    ],
)
def test_a_wait_that_is_suspended_is_a_task_unless_that_was_told_before(reason: str, subject: list[str]) -> None:
    stage = Stage()
    stage.approved()
    outcome: Any = {"outcome": "suspended", "approval": stage.claim().sequence, "reason": reason}
    stage.inside("c", CommandName.CONSENT_OUTCOME, **outcome)
    stage.tell()
    assert [told for _, told in tasks(stage)] == subject
    stage.audit_told()


@pytest.mark.parametrize("approved", [False, True])
def test_an_answer_that_is_held_is_a_task_whenever_it_comes(approved: bool) -> None:
    stage = Stage()
    _ = stage.approved() if approved else stage.file()
    stage.consent_holds()
    stage.tell()
    ((to, subject),) = tasks(stage)
    assert (to, subject) == (SETTINGS.operations, "To do: an answer of the customer has to be checked, claim c")
    stage.audit_told()


def test_where_operations_have_no_address_there_are_no_such_mails() -> None:
    class Alone(Stage):
        settings = Settings(N)

    stage = Alone()
    stage.file()
    stage.consent_holds()
    stage.tell()
    assert stage.mails() == []


# -- copies (D28) -----------------------------------------------------------------------------------------------------


def commented(status: str = "active", **changes: object) -> Stage:
    """A claim that u-anna filed, who wants copies to an address of her own; `changes` to her entry before a comment."""
    stage = Stage()
    stage.file()
    entry = directory_entry("P-1")
    anna = entry["users"][0] | {"email": "a.weber@nordwind.example", "copy_on_mail": True} | changes
    stage.load(Topic.PARTNERS, "P-1", entry | {"users": [anna], "status": status}, partition=0)
    stage.review("c", CommandName.REVIEW_COMMENT, text="Next week.")
    stage.tell()
    return stage


@pytest.mark.rule("D28")
def test_who_submitted_gets_a_copy_by_preference_under_an_id_of_its_own() -> None:
    stage = commented()
    first, copy = stage.mails()
    assert [(each.recipient, each.to) for each in (first, copy)] == [
        ("partner", "anna@nordwind.example"),
        ("partner_user", "a.weber@nordwind.example"),
    ]
    assert (first.kind, first.cause) == (copy.kind, copy.cause)
    assert "This is a copy" in copy.text
    assert "This is a copy" in copy.html
    assert "This is a copy" not in first.text + first.html
    stage.audit_told()


@pytest.mark.parametrize(
    "changes",
    [
        {"copy_on_mail": False},
        {"email": "Anna@Nordwind.example"},
        {"locations": ["4711002"]},
        {"user_id": "u-someone-else"},
        {"status": "suspended"},
    ],
    ids=["not asked for", "the contact itself", "of another location", "no longer in the directory", "suspended"],
)
@pytest.mark.rule("D28")
def test_no_copy_goes_to_who_did_not_ask_has_it_already_or_may_not_see_the_claim(changes: dict[str, str]) -> None:
    assert [each.recipient for each in commented(**changes).mails()] == ["partner"]
