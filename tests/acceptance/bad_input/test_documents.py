"""Documents that cannot be accepted, and days that nobody believes, are refused with their codes (D21)."""

from __future__ import annotations

from typing import Any

import pytest

from cpor.devstack.samples import bad_files
from cpor.domain.vocabulary import CommandName as C
from cpor.ops.partner_client import declared, upload
from tests.acceptance.bad_input.statuses import Editions
from tests.acceptance.bad_input.world import SIGNED, Claim, World
from tests.chaos.material import document_bytes

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]


@pytest.mark.parametrize("kind", sorted(bad_files()))
def test_a_document_that_cannot_be_accepted_is_refused_with_its_code(world: World, claims: Editions, kind: str) -> None:
    file = bad_files()[kind]
    receipt = world.claim().file(documents=[world.upload(file)])
    assert receipt.outcome == "rejected"
    assert receipt.code == file.codes[0]
    assert tuple(each["code"] for each in receipt.value["errors"]) == file.codes


def test_a_claim_goes_through_as_a_whole_or_not_at_all(world: World, claims: Editions) -> None:
    claim = world.claim()
    good, bad = claim.filing()["documents"][0], world.upload(bad_files()["truncated"])
    assert claim.file(documents=[good, bad]).code == "document_unreadable"
    assert claim.say(C.COMMENT, text="Is anybody there?").code == "claim_unknown"


def test_a_document_that_was_reserved_and_never_sent_is_missing_until_it_is(world: World, claims: Editions) -> None:
    claim = world.drafted()
    facts = declared("poe.pdf", "application/pdf", document_bytes())
    reserved = claim.say(C.POE_RESERVE, **facts)
    attach = {"document_id": reserved.value["document_id"], "description": "Signed", "covers": ["teams"]}
    assert claim.say(C.POE_ATTACH, **attach).code == "document_missing"
    assert upload(reserved.value["upload"], "poe.pdf", "application/pdf", b"Something else") >= 400
    assert upload(reserved.value["upload"], "poe.pdf", "application/pdf", document_bytes()) < 300
    assert claim.say(C.POE_ATTACH, **attach).code == "accepted"


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"size": 0}, "document_empty"),
        ({"size": 25 * 1024 * 1024 + 1}, "document_too_large"),
        ({"size": 2**53}, "invalid_fields"),
        ({"size": -1}, "invalid_fields"),
        ({"content_type": "text/html"}, "document_type_not_allowed"),
        ({"sha256": "abc"}, "invalid_fields"),
        ({"filename": "../../etc/passwd"}, "invalid_fields"),
        ({"filename": "a\r\nb.pdf"}, "invalid_fields"),
    ],
    ids=str,
)
def test_no_upload_is_signed_for_a_file_that_could_not_be_accepted(
    world: World, draft: Claim, facts: dict[str, Any], code: str
) -> None:
    receipt = draft.say(C.POE_RESERVE, **{**declared("poe.pdf", "application/pdf", document_bytes()), **facts})
    assert receipt.code == code
    assert receipt.value.get("upload") is None


@pytest.mark.parametrize(
    ("day", "code"),
    [
        ("9999-12-31", "invalid_fields"),
        ("2023-10-20", "invalid_fields"),
        ("2023-02-30", "invalid_fields"),
        ("0000-00-00", "invalid_fields"),
        ("+292278994-08-17", "invalid_fields"),
        ("yesterday", "invalid_fields"),
        ("2023-09-15T00:00:00Z", "invalid_fields"),
        (1e300, "invalid_fields"),
        (-1, "invalid_fields"),
        ("0001-01-01", "invalid_fields"),
        ("2009-02-28", "accepted"),
        (SIGNED, "accepted"),
        (None, "accepted"),
    ],
    ids=str,
)
def test_a_day_of_signature_is_a_day_that_has_been(world: World, claims: Editions, day: Any, code: str) -> None:
    claim = world.claim()
    document = {**claim.filing()["documents"][0], "customer_signed_on": day}
    assert claim.file(documents=[document]).code == code


def test_afterwards_the_workers_still_run_and_every_record_has_exactly_one_receipt(world: World) -> None:
    world.assert_sound()
