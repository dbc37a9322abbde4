"""What the events of documents say (D21, R25, R26)."""

from __future__ import annotations

from datetime import date
from typing import Any

from cpor.domain import commands as cmd
from cpor.domain.events import DocumentAmended, DocumentAttached
from cpor.domain.result import Accepted, Refused
from cpor.domain.vocabulary import Code, CommandName, Status
from tests.unit.domain.claims import EXAMPLES, World, document, in_status

FIRST = document(1).document_id


def last(world: World) -> Any:
    return world.log[-1]


def test_the_twentieth_document_can_be_reserved_and_no_more() -> None:
    world = in_status(Status.DRAFT)
    for number in range(2, 20):
        world.must("c", document(number))
    assert isinstance(world.give("c", EXAMPLES[CommandName.POE_RESERVE]), Accepted)
    world.must("c", document(20))
    assert isinstance(world.give("c", EXAMPLES[CommandName.POE_RESERVE]), Refused)


def test_a_document_keeps_the_version_of_its_object_and_the_event_that_attached_it() -> None:
    world = in_status(Status.DRAFT)
    claim = world.must("c", document(2, version="v-7"))
    assert isinstance(last(world), DocumentAttached)
    assert (last(world).document.version, last(world).document.attached_by) == ("v-7", last(world).sequence)
    assert claim.documents[-1] == last(world).document


def test_a_document_covers_what_the_area_of_the_claim_has() -> None:
    no = in_status(Status.DRAFT).give("c", document(2, "teams", "toasters"))
    assert isinstance(no, Refused)
    assert [(each.field, each.code) for each in no.errors] == [("covers[1]", Code.WORKLOAD_NOT_IN_AREA)]


def test_an_amendment_says_what_was_there_before_and_leaves_out_what_stayed() -> None:
    world = in_status(Status.DRAFT)
    given = ("description", "customer_signed_on", "covers")
    world.must(
        "c",
        cmd.AmendDocument(
            document_id=FIRST,
            given=given,
            description="New",
            customer_signed_on=date(2023, 2, 1),
            covers=("teams", "intune"),
        ),
    )
    assert isinstance(last(world), DocumentAmended)
    assert [(each.field, each.before, each.after) for each in last(world).changes] == [
        ("description", "Signed statement of work", "New"),
        ("customer_signed_on", "2023-01-15", "2023-02-01"),
    ]


def test_an_amendment_that_changes_nothing_leaves_no_event() -> None:
    world = in_status(Status.DRAFT)
    before = len(world.log)
    same = cmd.AmendDocument(document_id=FIRST, given=("description",), description="Signed statement of work")
    assert isinstance(world.give("c", same), Accepted)
    assert len(world.log) == before
