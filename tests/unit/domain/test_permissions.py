"""Who may do what is a table of roles and commands, and the directory says who has which role (D14)."""

from __future__ import annotations

import pytest

from cpor.domain.permissions import PERMISSIONS, covers, may, may_act, may_ever, may_see
from cpor.domain.refusal import Refusal
from cpor.domain.vocabulary import (
    PARTNER_COMMANDS,
    Code,
    CommandName,
    LocationId,
    PartnerStatus,
    Status,
    UserRole,
)
from tests.unit.domain.forms import LOCATION, partner, user

ADMIN, BILLING, GLOBAL, READER = UserRole
DRAFT_ONLY = (CommandName.CREATE, CommandName.FILE, CommandName.SUBMIT, CommandName.CANCEL)
ELSEWHERE = LocationId("4711002")


def code_of(refusal: Refusal | None) -> Code | None:
    return refusal.code if refusal else None


def test_every_partner_command_has_a_row_and_no_other_has() -> None:
    assert set(PERMISSIONS) == set(PARTNER_COMMANDS)
    assert all(row.source for row in PERMISSIONS.values())


@pytest.mark.parametrize("command", PARTNER_COMMANDS)
@pytest.mark.parametrize("status", [None, *Status])
def test_an_incentives_admin_may_do_everything(command: CommandName, status: Status | None) -> None:
    assert may(user(ADMIN), command, status) is None


@pytest.mark.parametrize("command", PARTNER_COMMANDS)
@pytest.mark.parametrize("status", [None, *Status])
def test_an_incentives_user_may_do_nothing_but_read(command: CommandName, status: Status | None) -> None:
    assert code_of(may(user(READER), command, status)) is Code.NOT_PERMITTED
    assert not may_ever(user(READER), command)
    assert may_see(user(READER), LOCATION)


@pytest.mark.parametrize("role", [BILLING, GLOBAL])
@pytest.mark.parametrize("command", PARTNER_COMMANDS)
def test_the_other_admins_may_do_nothing_on_a_draft(role: UserRole, command: CommandName) -> None:
    assert code_of(may(user(role), command, Status.DRAFT)) is Code.NOT_PERMITTED
    assert code_of(may(user(role), command, None)) is Code.NOT_PERMITTED


@pytest.mark.parametrize("role", [BILLING, GLOBAL])
@pytest.mark.parametrize("command", [name for name in PARTNER_COMMANDS if name not in DRAFT_ONLY])
def test_the_other_admins_may_do_everything_after_submission(role: UserRole, command: CommandName) -> None:
    assert may(user(role), command, Status.SUBMITTED) is None
    assert may_ever(user(role), command)


@pytest.mark.parametrize("role", [BILLING, GLOBAL])
@pytest.mark.parametrize("command", DRAFT_ONLY)
def test_only_an_incentives_admin_may_ever_create_file_submit_or_cancel(role: UserRole, command: CommandName) -> None:
    assert not may_ever(user(role), command)


@pytest.mark.parametrize("command", [name for name in CommandName if name not in PARTNER_COMMANDS])
def test_no_user_may_give_a_reviewers_an_operators_or_a_services_command(command: CommandName) -> None:
    assert code_of(may(user(ADMIN), command, Status.UNDER_REVIEW)) is Code.NOT_PERMITTED


@pytest.mark.rule("D14")
def test_a_user_with_locations_acts_only_on_claims_of_those() -> None:
    local = user(locations=(LOCATION,))
    assert may(local, CommandName.COMMENT, Status.SUBMITTED, [LOCATION]) is None
    assert code_of(may(local, CommandName.COMMENT, Status.SUBMITTED, [ELSEWHERE])) is Code.NOT_PERMITTED
    assert code_of(may(local, CommandName.EDIT, Status.DRAFT, [LOCATION, ELSEWHERE])) is Code.NOT_PERMITTED
    assert not may_see(local, ELSEWHERE)


def test_a_user_without_locations_has_them_all_and_one_with_an_empty_list_none() -> None:
    assert covers(user(), ELSEWHERE)
    assert not covers(user(locations=()), LOCATION)


@pytest.mark.rule("D14")
def test_the_partner_is_judged_before_the_user() -> None:
    suspended = partner(status=PartnerStatus.SUSPENDED)
    command, status = CommandName.COMMENT, Status.SUBMITTED
    assert code_of(may_act(None, "u-anna", command, status)) is Code.PARTNER_UNKNOWN
    assert code_of(may_act(suspended, "nobody", command, status)) is Code.PARTNER_SUSPENDED
    assert code_of(may_act(partner(), "nobody", command, status)) is Code.USER_UNKNOWN
    assert code_of(may_act(partner(), None, command, status)) is Code.USER_UNKNOWN
    assert may_act(partner(), "u-anna", command, status, [LOCATION]) is None


def test_no_refusal_echoes_more_than_64_characters() -> None:
    refusal = may_act(partner(), "x" * 500, CommandName.COMMENT, Status.SUBMITTED)
    assert refusal is not None
    assert "x" * 64 in refusal.detail
    assert "x" * 65 not in refusal.detail


@pytest.mark.parametrize(("status", "when"), [(None, "before"), (Status.DRAFT, "before"), (Status.SUBMITTED, "after")])
def test_a_refusal_says_whether_the_role_may_not_do_it_before_or_after_submission(
    status: Status | None, when: str
) -> None:
    refusal = may(user(READER), CommandName.EDIT, status)
    assert refusal is not None
    assert f"{when} submission" in refusal.detail
