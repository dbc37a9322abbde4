"""Which of a partner's users may do what, and where (R5, D14), in either edition."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from cpor.domain import commands as cmd
from cpor.domain.commands import CommandData
from cpor.domain.knowledge import Facts
from cpor.domain.permissions import may_see
from cpor.domain.reference import User
from cpor.domain.result import Refused
from cpor.domain.vocabulary import Code, CommandName, Edition, LocationId, Status, UserId, UserRole
from tests.unit.domain.claims import EXAMPLES, LOCATION, OTHER_LOCATION, World, document
from tests.unit.domain.rules.editions import BEGINS, IN_BOTH, codes, drafted, edit, filing, submission, usage

USERS: dict[UserId, UserRole] = {UserId(f"u-{role.value}"): role for role in UserRole}
MANAGERS = (UserRole.INCENTIVES_ADMIN, UserRole.BILLING_ADMIN, UserRole.GLOBAL_ADMIN)
HERE, THERE = UserId("u-here"), UserId("u-there")
BY_ROLE = pytest.mark.parametrize("role", UserRole)


@dataclass
class Staffed(World):
    """A world whose partner has a user of every role, and two admins bound to one location each."""

    def facts(self, by: str = "P-1") -> Facts:
        known = super().facts(by)
        assert known.partner is not None
        everywhere = [User(user, user, f"{user}@example.org", role) for user, role in USERS.items()]
        bound = [
            User(user, user, f"{user}@example.org", UserRole.INCENTIVES_ADMIN, locations=(place,))
            for user, place in ((HERE, LOCATION), (THERE, OTHER_LOCATION))
        ]
        users = (*known.partner.users, *everywhere, *bound)
        return replace(known, partner=replace(known.partner, users=users))


def staffed(edition: Edition) -> Staffed:
    return Staffed(BEGINS[edition])


def user(role: UserRole) -> UserId:
    return next(each for each, its in USERS.items() if its is role)


def may(world: World, who: UserId, data: CommandData, ref: str = "c") -> bool:
    """Whether the command is not refused for who gives it; other refusals say that it was looked at."""
    decision = world.give(ref, data, user_id=who)
    return not (isinstance(decision, Refused) and decision.code is Code.NOT_PERMITTED)


@IN_BOTH
@BY_ROLE
@pytest.mark.rule("R5", "D14", edition="both")
def test_only_an_incentives_admin_creates_files_submits_and_cancels(edition: Edition, role: UserRole) -> None:
    form, expected = usage(edition), role is UserRole.INCENTIVES_ADMIN
    assert may(staffed(edition), user(role), cmd.CreateClaim(form=form)) is expected
    assert may(staffed(edition), user(role), filing(edition, form)) is expected
    for data in (submission(edition), cmd.CancelClaim(), edit(claim_name="Another"), document(2)):
        world = staffed(edition)
        drafted(world, form)
        assert may(world, user(role), data) is expected


AFTER: dict[CommandName, tuple[CommandName, ...]] = {
    CommandName.COMMENT: (),
    CommandName.WITHDRAW: (),
    CommandName.EDIT: (CommandName.REVIEW_START, CommandName.REVIEW_REQUEST_INFORMATION),
    CommandName.POE_ATTACH: (CommandName.REVIEW_START, CommandName.REVIEW_REQUEST_INFORMATION),
    CommandName.RESUBMIT: (CommandName.REVIEW_START, CommandName.REVIEW_REQUEST_INFORMATION),
    CommandName.DISPUTE: (CommandName.REVIEW_START, CommandName.REVIEW_REJECT),
    CommandName.DISASSOCIATE: (CommandName.REVIEW_START, CommandName.REVIEW_APPROVE),
}


@IN_BOTH
@BY_ROLE
@pytest.mark.parametrize("name", AFTER, ids=lambda each: each.name)
@pytest.mark.rule("R5", "D14", edition="both")
def test_the_three_admins_manage_what_was_submitted_and_a_user_reads(
    edition: Edition, role: UserRole, name: CommandName
) -> None:
    world = staffed(edition)
    world.filed("c", form=usage(edition))
    for step in AFTER[name]:
        world.must("c", EXAMPLES[step])
    assert may(world, user(role), EXAMPLES[name]) is (role in MANAGERS)
    assert may_see(User(user(role), "", "", role), LOCATION)


@IN_BOTH
@pytest.mark.rule("D14", edition="both")
def test_a_user_with_locations_acts_on_claims_of_those_also_after_a_claim_has_moved(edition: Edition) -> None:
    world = staffed(edition)
    assert not may(world, THERE, cmd.CreateClaim(form=usage(edition)))
    world.filed("c", form=usage(edition))
    for step in AFTER[CommandName.EDIT]:
        world.must("c", EXAMPLES[step])
    comment = EXAMPLES[CommandName.COMMENT]
    assert (may(world, HERE, comment), may(world, THERE, comment)) == (True, False)
    moving = edit(location_id=LocationId(OTHER_LOCATION))
    assert (may(world, HERE, moving), may(world, THERE, moving)) == (False, False)
    world.must("c", moving, user_id=user(UserRole.GLOBAL_ADMIN))
    assert (may(world, HERE, comment), may(world, THERE, comment)) == (False, True)


@IN_BOTH
@pytest.mark.rule("D14", edition="both")
def test_the_directory_says_who_somebody_is(edition: Edition) -> None:
    world = staffed(edition)
    assert codes(world.give("c", cmd.CreateClaim(form=usage(edition)), user_id="somebody")) == {Code.USER_UNKNOWN}
    assert world.must("c", cmd.CreateClaim(form=usage(edition)), user_id=HERE).status == Status.DRAFT
