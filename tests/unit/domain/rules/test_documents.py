"""Proofs of execution and their limits, in either edition (D21)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from cpor.domain import commands as cmd
from cpor.domain.events import DocumentRemoved
from cpor.domain.result import Accepted
from cpor.domain.vocabulary import Code, CommandName, Edition, Status
from tests.unit.domain.claims import EXAMPLES, document
from tests.unit.domain.rules.editions import IN_BOTH, codes, named, standing

MIB = 2**20
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
#: The Wednesday after the world's Monday.
TO_COME = {Edition.P2020: date(2023, 3, 8), Edition.P2023: date(2024, 3, 6)}


def reserve(**changes: Any) -> cmd.ReserveDocument:
    told = {"filename": "a.pdf", "content_type": "application/pdf", "size": 9, "sha256": "a" * 64}
    return cmd.ReserveDocument(**{**told, **changes})


@IN_BOTH
@pytest.mark.parametrize("kind", ["application/pdf", WORD, "image/png", "image/jpeg"])
@pytest.mark.rule("D21", edition="both")
def test_pdf_word_png_and_jpeg_are_taken_up_to_25_mib(edition: Edition, kind: str) -> None:
    world = standing(edition, Status.DRAFT)
    for data in (reserve(content_type=kind, size=25 * MIB), document(2, content_type=kind, size=25 * MIB)):
        assert isinstance(world.give("c", data), Accepted)


@IN_BOTH
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"size": 25 * MIB + 1}, Code.DOCUMENT_TOO_LARGE),
        ({"size": 0}, Code.DOCUMENT_EMPTY),
        ({"content_type": "text/html"}, Code.DOCUMENT_TYPE_NOT_ALLOWED),
        ({"sha256": "A" * 64}, Code.INVALID_FIELDS),
    ],
)
@pytest.mark.rule("D21", edition="both")
def test_each_fault_of_a_file_has_its_own_code(edition: Edition, changes: dict[str, Any], code: Code) -> None:
    world = standing(edition, Status.DRAFT)
    assert codes(world.give("c", reserve(**changes))) == {code}
    assert codes(world.give("c", document(2, **changes))) == {code}
    assert len(world.claim("c").documents) == 1


@IN_BOTH
@pytest.mark.rule("D21", edition="both")
def test_a_claim_holds_twenty_documents_and_a_removed_one_makes_room(edition: Edition) -> None:
    world = standing(edition, Status.DRAFT)
    for number in range(2, 21):
        world.must("c", document(number))
    assert codes(world.give("c", document(21))) == {Code.TOO_MANY_DOCUMENTS}
    assert codes(world.give("c", reserve())) == {Code.TOO_MANY_DOCUMENTS}
    world.must("c", EXAMPLES[CommandName.POE_REMOVE])
    assert isinstance(world.log[-1], DocumentRemoved)
    assert len(world.must("c", document(21)).documents) == 20


@IN_BOTH
@pytest.mark.rule("D21", edition="both")
def test_a_signature_may_be_undated_or_old_but_not_of_a_day_to_come(edition: Edition) -> None:
    world = standing(edition, Status.DRAFT)
    for number, day in ((2, None), (3, date(2001, 1, 1))):
        world.must("c", document(number, customer_signed_on=day))
    future = document(4, customer_signed_on=TO_COME[edition])
    assert named(world.give("c", future)) == {("customer_signed_on", Code.INVALID_FIELDS)}


@IN_BOTH
@pytest.mark.parametrize("name", [CommandName.POE_AMEND, CommandName.POE_REMOVE])
@pytest.mark.rule("D21", edition="both")
def test_a_draft_may_change_and_lose_documents_and_an_answer_only_since_2023(
    edition: Edition, name: CommandName
) -> None:
    assert isinstance(standing(edition, Status.DRAFT).give("c", EXAMPLES[name]), Accepted)
    asked = standing(edition, Status.PARTNER_ACTION_REQUIRED).give("c", EXAMPLES[name])
    assert isinstance(asked, Accepted) is (edition is Edition.P2023)
