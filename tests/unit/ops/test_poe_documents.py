"""A claim's documents on a reviewer's disk: what is listed, which are meant, and under which names they may lie there.

File names come from partners (contract §6, §7).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpor.domain import commands as cmd
from cpor.domain.ids import claim_id
from cpor.domain.model import Document
from cpor.domain.vocabulary import ClaimId, DocumentId, PartnerId, Status
from cpor.ops.errors import Refused
from cpor.ops.poe.documents import choose, listed
from cpor.ops.poe.names import attachment, local_name
from cpor.ops.poe.saving import Folder, Missing, Outcome, Saved
from tests.unit.domain.claims import World, document, in_status

# -- which documents there are -----------------------------------------------------------------------------------------


def several() -> World:
    """A draft of three documents: the first was amended a day later, the second removed after another."""
    world = in_status(Status.DRAFT)
    for number in (2, 3):
        world.must("c", document(number, filename=f"{number}.pdf"))
    world.pass_days(1).must(
        "c", cmd.AmendDocument(document_id=document(1).document_id, given=("description",), description="New")
    )
    world.pass_days(1).must("c", cmd.RemoveDocument(document_id=document(2).document_id))
    return world


def test_documents_are_listed_as_they_are_now_and_removed_ones_with_the_day_they_went() -> None:
    world = several()
    rows = listed(world.events[ClaimId(claim_id(PartnerId("P-1"), "c"))])
    assert [(each.document.filename, each.counts) for each in rows] == [
        ("poe.pdf", True),
        ("2.pdf", False),
        ("3.pdf", True),
    ]
    assert rows[0].document.description == "New"
    days = [
        [None if at is None else (at - row.attached_at) / 86_400_000 for at in (row.amended_at, row.removed_at)]
        for row in rows
    ]
    assert days == [[1, None], [None, 2], [None, None]]


def test_what_is_listed_as_counting_is_what_the_state_has() -> None:
    for world in (several(), in_status(Status.UNDER_REVIEW)):
        rows = listed(world.events[ClaimId(claim_id(PartnerId("P-1"), "c"))])
        assert tuple(each.document for each in rows if each.counts) == world.claim("c").documents


def test_documents_are_chosen_by_id_or_its_beginning_and_all_without_one() -> None:
    state = several().claim("c")
    first, third = state.documents
    assert choose(state, ()) == [first, third]
    assert choose(state, [third.document_id]) == [third]
    assert choose(state, [third.document_id[:8].upper(), first.document_id, first.document_id]) == [first, third]


@pytest.mark.parametrize("wanted", ["", "poe.pdf", document(2).document_id, document(1).document_id[:5]])
def test_a_document_that_is_not_there_or_was_removed_is_refused_with_where_to_look(wanted: str) -> None:
    with pytest.raises(Refused, match=r"document_unknown: .*`cpor poe list c`"):
        choose(several().claim("c"), [wanted])


# -- names -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "local"),
    [
        ("Poe Contoso.pdf", "Poe Contoso.pdf"),
        ("発注書 1.pdf", "発注書 1.pdf"),
        ("../../.ssh/authorized_keys", "authorized_keys"),
        ("C:\\Windows\\poe.docx", "poe.docx"),
        ("..", "document"),
        ("", "document"),
        (".bashrc", "bashrc"),
        (".pdf", "document.pdf"),
        ("CON.pdf", "_CON.pdf"),
        ("aux", "_aux"),
        ("com1 .tar.pdf", "_com1 .tar.pdf"),
        ("console.pdf", "console.pdf"),
        ("-rf.pdf", "_-rf.pdf"),
        ("~root.pdf", "_~root.pdf"),
        ("a\x00\x1b]0;b\x07.pdf", "a]0b.pdf"),
        ("fdp.\u202eexe.pdf", "fdp.exe.pdf"),
        ("e\u0301.pdf", "\u00e9.pdf"),
        ("a.pdf. . ", "a.pdf"),
        ("書" * 100 + ".pdf", "書" * 66 + ".pdf"),
    ],
)
def test_a_partners_file_name_becomes_a_plain_one_on_every_system(name: str, local: str) -> None:
    assert local_name(name) == local


@given(name=st.text())
def test_no_name_leaves_its_folder_hides_itself_or_is_too_long(name: str) -> None:
    local = local_name(name)
    assert Path(local).name == local
    assert local.isprintable()
    assert not local.startswith((".", "-", "~", " "))
    assert not local.endswith((".", " "))
    assert len(os.fsencode(local)) <= 206
    assert local_name(local) == local


@given(name=st.text())
def test_a_disposition_is_one_ascii_header_line_whatever_the_name(name: str) -> None:
    header = attachment(name)
    assert header.startswith("attachment; ")
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2


def test_a_disposition_carries_the_name_in_its_own_script() -> None:
    assert unquote(attachment("発注書 1.pdf").split("filename*=UTF-8''")[1]) == "発注書 1.pdf"


# -- files -------------------------------------------------------------------------------------------------------------


def proof(content: str, filename: str = "poe.pdf") -> Document:
    """A document whose content is its description."""
    data = content.encode()
    return Document(
        document_id=DocumentId(f"d-{content}"),
        object_key=f"accepted/x/{content}",
        filename=filename,
        content_type="application/pdf",
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        description=content,
        customer_signed_on=None,
        covers=(),
    )


def kept(document: Document) -> Iterator[bytes]:
    yield from (letter.encode() for letter in document.description)


def gone(document: Document) -> Iterator[bytes]:
    raise Missing


def saved(folder: Path, *documents: Document) -> list[Saved]:
    into = Folder(folder)
    return [into.save(each, kept) for each in documents]


def contents(folder: Path) -> dict[str, str]:
    return {each.name: each.read_text() for each in folder.iterdir()}


def test_documents_of_one_name_become_several_files_and_a_second_run_finds_them_there(tmp_path: Path) -> None:
    documents = [proof("a"), proof("b"), proof("c", "POE.pdf"), replace(proof("a"), document_id=DocumentId("again"))]
    first, second = saved(tmp_path / "new/folder", *documents), saved(tmp_path / "new/folder", *documents)
    assert contents(tmp_path / "new/folder") == {
        "poe.pdf": "a",
        "poe (2).pdf": "b",
        "POE (3).pdf": "c",
        "poe (4).pdf": "a",
    }
    assert {each.outcome for each in first} == {Outcome.SAVED}
    assert {each.outcome for each in second} == {Outcome.THERE}
    assert [each.path for each in first] == [each.path for each in second]


def test_no_file_that_lies_there_is_overwritten_or_followed(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "folder", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.write_text("a")
    (folder / "poe.pdf").write_text("mine")
    (folder / "poe (2).pdf").symlink_to(elsewhere)
    (folder / "poe (3).pdf").symlink_to(tmp_path / "nowhere")
    (folder / "poe (4).pdf").mkdir()
    os.mkfifo(folder / "poe (5).pdf")
    (only,) = saved(folder, proof("a"))
    assert (only.outcome, only.path) == (Outcome.SAVED, folder / "poe (6).pdf")
    assert ((folder / "poe.pdf").read_text(), elsewhere.read_text()) == ("mine", "a")
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("differs", [{"sha256": "0" * 64}, {"size": 2}, {"size": 4}])
def test_content_that_is_not_what_was_accepted_leaves_no_file(tmp_path: Path, differs: dict[str, object]) -> None:
    (only,) = saved(tmp_path, replace(proof("abc"), **differs))  # type: ignore[arg-type]
    assert (only.outcome, only.path) == (Outcome.ALTERED, None)
    assert contents(tmp_path) == {}


def test_a_missing_document_leaves_no_file_and_takes_no_name(tmp_path: Path) -> None:
    into = Folder(tmp_path)
    assert into.save(proof("a"), gone).outcome is Outcome.MISSING
    assert into.save(proof("b"), kept).path == tmp_path / "poe.pdf"
    assert contents(tmp_path) == {"poe.pdf": "b"}


def test_what_is_told_while_saving_adds_up_to_the_sizes(tmp_path: Path) -> None:
    told: list[int] = []
    for _ in range(2):
        Folder(tmp_path).save(proof("abc"), kept, told.append)
    assert told == [1, 1, 1, 3]
