"""What downstream hears (contract §5): what the hand-off of an approval names."""

from __future__ import annotations

from cpor.domain.events import Approved
from cpor.domain.handoff import ApprovedClaim, HandoffType, handoffs
from cpor.domain.vocabulary import PartnerRole
from tests.unit.domain.claims import SUBSCRIPTION, World, sales_form, usage_form


def approved_message(world: World) -> ApprovedClaim:
    """What the only approval in this world sent."""
    (event,) = (each for each in world.log if isinstance(each, Approved))
    (message,) = handoffs(event, world.claim("c"))
    assert message.type == HandoffType.APPROVED
    assert isinstance(message.data, ApprovedClaim)
    return message.data


def test_the_hand_off_of_a_business_claim_names_its_subscription_and_all_its_products() -> None:
    world = World()
    claim = world.approved(form=sales_form(PartnerRole.USAGE_RECOGNITION))
    data = approved_message(world)
    assert (data.subscription_id, data.workloads) == (SUBSCRIPTION, ("sales",))
    assert (data.units, data.partner_role) == (claim.units, PartnerRole.USAGE_RECOGNITION)


def test_the_hand_off_of_workloads_names_no_subscription() -> None:
    world = World()
    world.approved(form=usage_form("teams", "intune"))
    data = approved_message(world)
    assert (data.subscription_id, data.workloads) == (None, ("teams", "intune"))
