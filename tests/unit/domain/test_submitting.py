"""What the events of a submission say, and what is asked of its words and proofs (T1 to T3, T10, D19, D21)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from cpor.domain import commands as cmd
from cpor.domain.decide import decide
from cpor.domain.events import Filed
from cpor.domain.knowledge import Facts
from cpor.domain.result import Accepted, Refused
from cpor.domain.vocabulary import Code, CommandName, Edition, Status, parse_instant
from tests.unit.domain.claims import (
    ACKNOWLEDGED,
    CUSTOMER,
    EXAMPLES,
    LOCATION,
    World,
    document,
    in_status,
    partner,
    usage_form,
)
from tests.unit.domain.rules.editions import IN_BOTH, drafted, filing, is_2020, submission, usage, world_of

UNWRITABLE = "A bell \a rings"


def last(world: World) -> Any:
    return world.log[-1]


def fields(decision: object) -> list[tuple[str, Code]]:
    assert isinstance(decision, Refused), decision
    return [(each.field, each.code) for each in decision.errors]


@IN_BOTH
@pytest.mark.rule("D19", edition="both")
def test_a_submission_says_when_its_message_was_received(edition: Edition) -> None:
    world = world_of(edition)
    drafted(world, usage(edition))
    received = world.now
    world.pass_days(1)
    world.must("c", submission(edition), received_at=received)
    assert (last(world).received_at, last(world).at) == (received, world.now)


def test_a_resubmission_says_when_its_message_was_received() -> None:
    world = World()
    world.asked()
    received = world.now
    world.pass_days(1)
    world.must("c", EXAMPLES[CommandName.RESUBMIT], received_at=received)
    assert (last(world).received_at, last(world).at) == (received, world.now)


@pytest.mark.parametrize(
    ("status", "data"),
    [
        (None, cmd.FileClaim(form=usage_form(), documents=(document(1),), acknowledgements=ACKNOWLEDGED)),
        (Status.PARTNER_ACTION_REQUIRED, cmd.ResubmitClaim()),
    ],
)
def test_the_comment_of_a_submission_is_a_text(status: Status | None, data: Any) -> None:
    world = World() if status is None else in_status(status)
    assert fields(world.give("c", replace(data, comment=UNWRITABLE))) == [("comment", Code.INVALID_FIELDS)]


@IN_BOTH
@pytest.mark.rule("D3", edition="both")
def test_a_filed_claim_says_whether_the_customer_is_told_and_that_it_brought_its_documents(edition: Edition) -> None:
    world = world_of(edition)
    claim = world.must("c", filing(edition, usage(edition)))
    assert isinstance(last(world), Filed)
    assert last(world).customer_notice is not is_2020(edition)
    assert [each.attached_by for each in claim.documents] == [1]


def test_a_filed_document_covers_what_the_area_has() -> None:
    data = filing(Edition.P2023, usage_form(), document(1, "teams", "intune", "toasters"))
    assert fields(World().give("c", data)) == [("documents[0].covers[2]", Code.WORKLOAD_NOT_IN_AREA)]


@pytest.mark.rule("D21")
def test_a_signature_on_a_filed_claim_may_be_of_today_where_the_claim_is() -> None:
    """When it is the 3rd in Berlin and Tokyo, on Kiritimati the 4th has begun."""
    now = parse_instant("2024-03-03T12:00:00Z")
    here = partner("P-1")
    there = replace(
        here,
        locations=tuple(
            replace(each, timezone="Pacific/Kiritimati", country="KI", region=None) for each in here.locations
        ),
    )
    signed = replace(document(1), customer_signed_on=date(2024, 3, 4))
    command = World(now).command("c", filing(Edition.P2023, usage_form(location_id=LOCATION), signed))
    assert isinstance(decide(None, command, Facts(there, CUSTOMER, {}, {})), Accepted)
    assert fields(decide(None, command, Facts(here, CUSTOMER, {}, {}))) == [
        ("documents[0].customer_signed_on", Code.INVALID_FIELDS)
    ]
