"""What a document must be, and under which field its faults are told (D21, R26)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from cpor.domain import commands as cmd
from cpor.domain.result import Accepted, Decision, Refused
from cpor.domain.vocabulary import Code, Edition, Status
from tests.unit.domain.claims import World, document, in_status, usage_form
from tests.unit.domain.rules.editions import filing, rules_of

MEBIBYTE = 2**20
FAULTS: list[tuple[dict[str, Any], str, Code]] = [
    ({"filename": "two\nlines.pdf"}, "filename", Code.INVALID_FIELDS),
    ({"filename": "x" * 256}, "filename", Code.INVALID_FIELDS),
    ({"content_type": "text/html"}, "content_type", Code.DOCUMENT_TYPE_NOT_ALLOWED),
    ({"size": 0}, "size", Code.DOCUMENT_EMPTY),
    ({"size": 25 * MEBIBYTE + 1}, "size", Code.DOCUMENT_TOO_LARGE),
    ({"sha256": "A" * 64}, "sha256", Code.INVALID_FIELDS),
    ({"sha256": "a" * 63}, "sha256", Code.INVALID_FIELDS),
    ({"description": "A bell \a rings"}, "description", Code.INVALID_FIELDS),
    ({"customer_signed_on": date(2031, 1, 1)}, "customer_signed_on", Code.INVALID_FIELDS),
    ({"covers": ("teams", "toasters")}, "covers[1]", Code.WORKLOAD_NOT_IN_AREA),
]


def fields(decision: Decision) -> list[tuple[str, Code]]:
    assert isinstance(decision, Refused), decision
    return [(each.field, each.code) for each in decision.errors]


@pytest.mark.rule("D21")
@pytest.mark.parametrize(("changes", "field", "code"), FAULTS, ids=lambda each: str(each)[:40])
def test_each_fault_of_a_document_is_told_under_its_field(changes: dict[str, Any], field: str, code: Code) -> None:
    attached = in_status(Status.DRAFT).give("c", replace(document(2), **changes))
    assert fields(attached) == [(field, code)]
    filed = filing(Edition.P2023, usage_form(), document(1), replace(document(2), **changes))
    assert fields(World().give("c", filed)) == [(f"documents[1].{field}", code)]


@pytest.mark.rule("D21")
@pytest.mark.parametrize(
    "changes",
    [
        {"filename": "x" * 255},
        {"size": 1},
        {"size": 25 * MEBIBYTE},
        {"description": "First line\nsecond line"},
        {"description": ""},
        {"covers": ()},
    ],
    ids=lambda each: str(each)[:40],
)
def test_what_is_just_within_bounds_is_taken(changes: dict[str, Any]) -> None:
    assert isinstance(in_status(Status.DRAFT).give("c", replace(document(2), **changes)), Accepted)


def test_a_document_is_attached_once() -> None:
    assert fields(in_status(Status.DRAFT).give("c", document(1))) == [("document_id", Code.INVALID_FIELDS)]
    twice = filing(Edition.P2023, usage_form(), document(1), document(1))
    assert fields(World().give("c", twice)) == [("documents[1].document_id", Code.INVALID_FIELDS)]


def test_a_file_that_is_announced_is_judged_like_one_that_is_attached() -> None:
    reserve = cmd.ReserveDocument(filename="a\nb", content_type="text/html", size=0, sha256="no")
    assert [field for field, _ in fields(in_status(Status.DRAFT).give("c", reserve))] == [
        "filename",
        "content_type",
        "size",
        "sha256",
    ]


def test_a_filed_claim_holds_as_many_documents_as_any_other() -> None:
    limit = rules_of(Edition.P2023).documents.max_per_claim
    whole = [document(number) for number in range(1, limit + 2)]
    assert isinstance(World().give("c", filing(Edition.P2023, usage_form(), *whole[:-1])), Accepted)
    assert fields(World().give("c", filing(Edition.P2023, usage_form(), *whole))) == [
        ("documents", Code.TOO_MANY_DOCUMENTS)
    ]


def test_a_fault_of_an_amendment_is_told_under_its_field() -> None:
    data = cmd.AmendDocument(
        document_id=document(1).document_id,
        given=("customer_signed_on", "covers"),
        customer_signed_on=date(2031, 1, 1),
        covers=("toasters",),
    )
    assert fields(in_status(Status.DRAFT).give("c", data)) == [
        ("customer_signed_on", Code.INVALID_FIELDS),
        ("covers[0]", Code.WORKLOAD_NOT_IN_AREA),
    ]
