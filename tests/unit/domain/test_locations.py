"""D14: a user with locations acts only on claims of those, also after a claim has moved."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from cpor.domain import commands as cmd
from cpor.domain.knowledge import Facts
from cpor.domain.model import FormData
from cpor.domain.reference import User
from cpor.domain.result import Accepted, Decision, Refused
from cpor.domain.vocabulary import Code, CommandName, LocationId, UserId, UserRole
from tests.unit.domain.claims import EXAMPLES, LOCATION, OTHER_LOCATION, World, usage_form

HERE, THERE = UserId("u-here"), UserId("u-there")


@dataclass
class Bound(World):
    """A world in which two admins are each bound to one of the partner's locations."""

    def facts(self, by: str = "P-1") -> Facts:
        known = super().facts(by)
        assert known.partner is not None
        admin = UserRole.INCENTIVES_ADMIN
        bound = tuple(
            User(user, user, f"{user}@example.org", admin, locations=(place,))
            for user, place in ((HERE, LOCATION), (THERE, OTHER_LOCATION))
        )
        return replace(known, partner=replace(known.partner, users=(*known.partner.users, *bound)))


def moving(to: LocationId) -> cmd.EditClaim:
    return cmd.EditClaim(form=FormData(location_id=to), given=("location_id",))


def is_not_permitted(decision: Decision) -> bool:
    assert isinstance(decision, Accepted | Refused)
    return isinstance(decision, Refused) and decision.code == Code.NOT_PERMITTED


@pytest.fixture
def world() -> Bound:
    made = Bound()
    made.asked()
    return made


def test_who_is_bound_elsewhere_may_do_nothing_with_a_claim(world: Bound) -> None:
    for name in (CommandName.COMMENT, CommandName.RESUBMIT, CommandName.WITHDRAW, CommandName.POE_ATTACH):
        assert is_not_permitted(world.give("c", EXAMPLES[name], user_id=THERE))
    assert not is_not_permitted(world.give("c", EXAMPLES[CommandName.COMMENT], user_id=HERE))


def test_nobody_begins_a_claim_elsewhere_or_moves_one_to_or_from_there(world: Bound) -> None:
    create = cmd.CreateClaim(form=usage_form(location_id=OTHER_LOCATION))
    assert is_not_permitted(world.give("new", create, user_id=HERE))
    assert is_not_permitted(world.give("c", moving(OTHER_LOCATION), user_id=HERE))
    assert is_not_permitted(world.give("c", moving(OTHER_LOCATION), user_id=THERE))


def test_a_claim_that_was_moved_is_that_of_its_new_locations_users(world: Bound) -> None:
    world.must("c", moving(OTHER_LOCATION))
    assert is_not_permitted(world.give("c", EXAMPLES[CommandName.RESUBMIT], user_id=HERE))
    assert not is_not_permitted(world.give("c", EXAMPLES[CommandName.RESUBMIT], user_id=THERE))
