"""Documents on their way through intake and a real object store: reserved, uploaded, attached; filed; refused."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from cpor.devstack.samples import BadFile, bad_files
from cpor.domain.vocabulary import CommandName
from cpor.runtime.record import Output, Record
from services.intake.poe.check import DocumentChecker
from services.intake.poe.limits import P2023
from services.intake.poe.store import PoeStore
from services.intake.worker import Intake
from tests.integration.intake.s3 import post_form, sha256, unique
from tests.integration.intake.test_poe_checker import CONTENT, PDF
from tests.unit.intake.harness import PARTNER, Committed, Desk, N, P, admitted, codes, filing

pytestmark = pytest.mark.integration

OFFSETS = itertools.count(1_000, 1_000)


class RealDesk(Desk):
    """The desk of the unit tests with the real store behind it."""

    def __init__(self, store: PoeStore, checker: DocumentChecker) -> None:
        super().__init__()
        self.store = store
        self.intake = Intake(checker, store, P2023, N, P)
        self.ref = unique("CLM").encode()
        # Ids of documents are derived from offsets, and the tests share one bucket.
        self.offset = next(OFFSETS)

    def ask(self, ce_type: CommandName, body: Any) -> Output:
        """One message of its own, after waiting for what it needs."""
        return self.send(ce_type, {"user": "u-anna", **body}, key=self.ref, ce_id=unique("m"))

    def send_all(self, records: list[Record]) -> list[Output]:
        self.intake.prepare(records, Committed(dict(self.context.rows))).wait(60)
        return super().send_all(records)

    def declared(self, content: bytes, mime: str = PDF) -> dict[str, Any]:
        return {"filename": "PoE.pdf", "content_type": mime, "size": len(content), "sha256": sha256(content)}

    def uploaded(self, content: bytes) -> dict[str, Any]:
        """A file put by the bulk path, as a message names it."""
        key = f"incoming/{PARTNER}/{unique('f')}"
        self.store.put(key, content, PDF)
        return {"object_key": key, "description": "Statement of work", "covers": ["teams"], **self.declared(content)}


@pytest.fixture
def desk(store: PoeStore, checker: DocumentChecker) -> RealDesk:
    desk = RealDesk(store, checker)
    admitted(desk.ask(CommandName.CREATE, filing()))
    return desk


def test_a_document_goes_from_the_reservation_to_the_accepted_copy(desk: RealDesk) -> None:
    asked = admitted(desk.ask(CommandName.POE_RESERVE, desk.declared(CONTENT)))
    assert post_form(asked["upload"], CONTENT) == 204
    said = {"document_id": asked["document_id"], "description": "Statement of work", "covers": ["teams"]}
    document = admitted(desk.ask(CommandName.POE_ATTACH, said))["document"]
    assert desk.store.fetch(document["object_key"], len(CONTENT)).content == CONTENT
    assert document["object_key"].startswith(f"accepted/{asked['claim_id']}/")


def test_a_document_that_was_reserved_and_never_uploaded_is_missing(desk: RealDesk) -> None:
    asked = admitted(desk.ask(CommandName.POE_RESERVE, desk.declared(CONTENT)))
    output = desk.ask(CommandName.POE_ATTACH, {"document_id": asked["document_id"], "description": "x"})
    assert codes(output) == [("document_id", "document_missing")]


@pytest.mark.parametrize("bad", bad_files().values(), ids=lambda bad: bad.kind)
def test_a_claim_filed_with_a_bad_file_beside_a_good_one_is_refused_with_the_bad_ones_codes(
    desk: RealDesk, bad: BadFile
) -> None:
    good = desk.uploaded(CONTENT)
    size, digest = bad.declaration()
    wrong = {**good, "object_key": f"incoming/{PARTNER}/{unique('f')}", "content_type": bad.content_type}
    if bad.uploaded:
        desk.store.put(wrong["object_key"], bad.content(), bad.content_type)
    output = desk.ask(CommandName.FILE, filing(good, {**wrong, "size": size, "sha256": digest}))
    assert codes(output) == [("documents[1]", code) for code in bad.codes]


def test_a_claim_filed_with_good_files_carries_their_accepted_copies(desk: RealDesk) -> None:
    value = admitted(desk.ask(CommandName.FILE, filing(desk.uploaded(CONTENT), desk.uploaded(CONTENT))))
    keys = [each["object_key"] for each in value["documents"]]
    assert keys == [f"accepted/{value['claim_id']}/{sha256(CONTENT)}"] * 2


def test_a_filed_document_of_another_partner_is_missing(desk: RealDesk) -> None:
    key = f"incoming/P-2/{unique('f')}"
    desk.store.put(key, CONTENT, PDF)
    document = {**desk.uploaded(CONTENT), "object_key": key}
    assert codes(desk.ask(CommandName.FILE, filing(document))) == [("documents[0]", "document_missing")]
