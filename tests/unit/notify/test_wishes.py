"""Which mails a partner's user gets, and in which language (domain §5 rows 31 and 32): what is mandatory, always."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from cpor.domain import directory
from cpor.domain.model import PartnerContact
from cpor.domain.vocabulary import CommandName, MailWanted
from cpor.runtime.topics import Topic
from schemas.base import check
from schemas.mail import CLASSES, MailKind, Recipient
from schemas.reference import Partner
from services.notify.drafts import Address
from tests.unit.notify.samples import PARTNER_ENTRY, row, samples, told
from tests.unit.notify.stage import Stage
from tests.unit.review.pipeline import directory_entry

#: Whoever asks for something, says until when, or takes something away.
MUST = {
    MailKind.INFORMATION_REQUESTED, MailKind.COMMENTED, MailKind.COMPETING, MailKind.REJECTED, MailKind.REJECTED_FINAL,
    MailKind.NOTICE_UNDELIVERED, MailKind.ASSOCIATION_ENDED, MailKind.REASSOCIATE, MailKind.DEADLINE_NEAR,
}  # fmt: skip


def stage(**changes: Any) -> Stage:
    """`changes` to the entry of the user who is the claims' contact."""
    made = Stage()
    entry = directory_entry("P-1")
    anna = entry["users"][0] | {"email": "Anna@nordwind.example"} | changes
    made.load(Topic.PARTNERS, "P-1", entry | {"users": [anna, *entry["users"][1:]]}, partition=0)
    return made


def test_every_mail_has_a_class_and_names_its_source() -> None:
    assert CLASSES.keys() == set(MailKind)
    assert all(each.source for each in CLASSES.values())
    assert {kind for kind in MUST if CLASSES[kind].mandatory} == MUST


def test_mail_to_customers_and_to_operations_cannot_be_switched_off() -> None:
    others = {each.draft.kind for each in samples() if each.draft.to.recipient in ("customer", "operations")}
    assert all(CLASSES[kind].mandatory for kind in others)


def test_a_mail_that_names_a_last_day_cannot_be_switched_off_by_a_partner() -> None:
    """But where nothing has to be done until then: the customer's seven days."""
    named = {each.draft.kind for each in samples() if each.draft.facts.get("deadline") is not None}
    assert {kind for kind in named if not CLASSES[kind].mandatory} <= {MailKind.WINDOW_CLOSED}


@pytest.mark.parametrize("kind", MailKind)
def test_who_wants_only_what_is_mandatory_gets_that_and_no_more(kind: MailKind) -> None:
    few = Address(Recipient.PARTNER, "a@b.example", "A", None, None, MailWanted.MANDATORY)
    assert few.wants(kind) is CLASSES[kind].mandatory
    assert few._replace(wanted=MailWanted.ALL).wants(kind)


@pytest.mark.parametrize(("mail", "kinds"), [("all", ["approved", "commented"]), ("mandatory", ["commented"])])
def test_a_contact_who_is_a_user_gets_what_the_user_wants(mail: str, kinds: list[str]) -> None:
    made = stage(mail=mail)
    made.approved()
    made.review("c", CommandName.REVIEW_COMMENT, text="Thank you.")
    made.tell()
    assert sorted(made.kinds()) == kinds
    made.audit_told()


def test_another_contact_gets_all_whatever_the_users_want() -> None:
    made = stage(mail="mandatory", email="another@nordwind.example")
    made.approved()
    made.tell()
    assert made.kinds() == ["approved"]


def test_a_copy_is_judged_by_what_its_own_user_wants() -> None:
    made = stage(mail="mandatory", email="another@nordwind.example", copy_on_mail=True)
    made.approved()
    made.review("c", CommandName.REVIEW_COMMENT, text="Thank you.")
    made.tell()
    assert sorted((each.kind.value, each.recipient.value) for each in made.mails()) == [
        ("approved", "partner"), ("commented", "partner"), ("commented", "partner_user"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("contact", "user", "partner", "language"),
    [("ja", "de", "en", "ja"), (None, "de", "en", "de"), (None, None, "de", "de"), (None, None, None, None)],
)
def test_a_contact_without_a_language_gets_that_of_the_user_then_that_of_the_partner(
    contact: str | None, user: str | None, partner: str | None, language: str | None
) -> None:
    first, *others = PARTNER_ENTRY.users
    users = (replace(first, email="Anna.Weber@nordwind.example", language=user), *others)
    row_to = row(partner=PartnerContact("Anna Weber", "anna.weber@nordwind.example", contact))
    about = replace(told(row_to), partner=replace(PARTNER_ENTRY, users=users, language=partner))
    assert [each.language for each in about.to_partner()] == [language]


@pytest.mark.parametrize("value", ["none", "", None, 1])
def test_an_entry_that_wishes_what_there_is_not_is_refused(value: object) -> None:
    entry = directory_entry("P-1")
    entry["users"][0]["mail"] = value
    with pytest.raises(ValueError, match="mail"):
        directory.read_partner(json.dumps(entry))
    with pytest.raises(ValueError, match="mail"):
        check(Partner, json.dumps(entry).encode())


def test_an_entry_that_says_nothing_wants_all() -> None:
    partner = directory.read_partner(json.dumps(directory_entry("P-1")))
    assert {each.mail for each in partner.users} == {MailWanted.ALL}
