"""What the events of a displacement say (D17)."""

from __future__ import annotations

from cpor.domain import commands as cmd
from cpor.domain.events import AssociationEnded
from cpor.domain.vocabulary import AssociationEndReason
from tests.unit.domain.claims import World, usage_form


def test_a_displaced_association_is_ended_by_the_name_of_its_approval() -> None:
    world = World()
    incumbent = world.approved("a", "P-2", usage_form("teams", "intune"), doc=2)
    world.under_review("c", "P-1", usage_form("teams"))
    world.must("c", cmd.ApproveClaim(displaces=(incumbent.claim_id,)))
    (ended,) = (each for each in world.log if isinstance(each, AssociationEnded))
    assert incumbent.approval is not None
    assert (ended.claim_id, ended.approval) == (incumbent.claim_id, incumbent.approval.sequence)
    assert (ended.units, ended.reason) == (incumbent.units[:1], AssociationEndReason.DISPLACED)
