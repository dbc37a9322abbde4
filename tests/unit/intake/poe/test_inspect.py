from __future__ import annotations

import dataclasses
import hashlib
import io
import zipfile

import pytest
from PIL import Image
from pypdf import PdfWriter

from cpor.devstack.samples import BadFile, bad_files
from cpor.domain.policy import policy
from cpor.domain.vocabulary import Code, Edition
from services.intake.poe.inspect import inspect
from services.intake.poe.limits import BY_MIME, P2023, Kind, Limits, limits_for
from services.intake.poe.sniff import COMPOUND_FILE, PASSWORD_STREAM
from services.intake.poe.verdict import MAX_ECHO, Accepted, ProblemCode
from tests.unit.intake.poe.documents import (
    DOCX,
    JPEG,
    PDF,
    PNG,
    codes,
    good,
    judge,
    pdf,
    pdf_with_pages,
    stream,
    word,
    zipped,
)

INSPECTED = [file for file in bad_files().values() if file.uploaded]


@pytest.mark.parametrize("mime", [PDF, DOCX, PNG, JPEG])
def test_a_good_document_of_each_allowed_type_is_accepted_with_its_facts(mime: str) -> None:
    document = good(mime)
    verdict = judge(document, mime)
    assert isinstance(verdict, Accepted)
    facts = verdict.facts
    assert (facts.mime, facts.size, facts.sha256) == (mime, len(document), hashlib.sha256(document).hexdigest())


@pytest.mark.parametrize("file", INSPECTED, ids=lambda file: file.kind)
@pytest.mark.rule("D21")
def test_each_bad_sample_is_refused_with_exactly_its_codes(file: BadFile) -> None:
    size, sha256 = file.declaration()
    verdict = inspect(
        file.content(), declared_type=file.content_type, declared_size=size, declared_sha256=sha256, limits=P2023
    )
    assert codes(verdict) == file.codes


def test_all_problems_are_told_at_once() -> None:
    tight = dataclasses.replace(P2023, max_bytes=60)
    small = inspect(b"MZ", declared_type=PDF, declared_size=3, declared_sha256="0", limits=tight)
    assert codes(small) == ("document_digest_mismatch", "document_type_not_allowed")
    huge = inspect(bytes(61), declared_type="x", declared_size=3, declared_sha256="0", limits=tight)
    assert codes(huge) == ("document_too_large", "document_digest_mismatch", "document_type_not_allowed")


def test_the_digest_may_be_declared_in_capitals() -> None:
    document = good(PNG)
    digest = hashlib.sha256(document).hexdigest().upper()
    verdict = inspect(document, declared_type=PNG, declared_size=len(document), declared_sha256=digest, limits=P2023)
    assert isinstance(verdict, Accepted)


@pytest.mark.parametrize("mime", [PDF, DOCX, PNG, JPEG])
def test_a_document_cut_at_any_of_twenty_places_is_refused(mime: str) -> None:
    document = good(mime)
    for share in range(20):
        assert codes(judge(document[: len(document) * share // 20], mime)), f"cut at {share}/20"


@pytest.mark.parametrize("declared", [PDF, DOCX, PNG, JPEG])
@pytest.mark.parametrize("actual", [PDF, DOCX, PNG, JPEG])
def test_a_document_declared_as_another_allowed_type_is_refused_as_wrong_type(declared: str, actual: str) -> None:
    expected = () if declared == actual else ("document_type_not_allowed",)
    assert codes(judge(good(actual), declared)) == expected


def test_a_type_that_the_policy_leaves_out_is_refused() -> None:
    only_pdf = limits_for([PDF], max_bytes=P2023.max_bytes, max_documents=3)
    assert codes(judge(good(PNG), PNG, only_pdf)) == ("document_type_not_allowed",)
    assert codes(judge(good(PDF), PDF, only_pdf)) == ()


def _encrypted(user: str, owner: str, algorithm: str) -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    writer.encrypt(user, owner, algorithm=algorithm)
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("algorithm", ["RC4-40", "RC4-128", "AES-128", "AES-256"])
@pytest.mark.parametrize("user", ["", "secret"])
@pytest.mark.rule("D21")
def test_a_pdf_under_any_encryption_is_called_encrypted_also_if_it_opens_without_a_password(
    user: str, algorithm: str
) -> None:
    assert codes(judge(_encrypted(user, "owner", algorithm), PDF)) == ("document_encrypted",)


def _flagged_as_encrypted() -> bytes:
    document = bytearray(word(b"<a/>"))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = document.find(mark)
        while at >= 0:
            document[at + offset] |= 1
            at = document.find(mark, at + 1)
    return bytes(document)


ENCRYPTED_WORD = {
    "a password set in Word": COMPOUND_FILE + bytes(512) + PASSWORD_STREAM + bytes(512),
    "encrypted ZIP entries": _flagged_as_encrypted(),
}


@pytest.mark.parametrize("document", ENCRYPTED_WORD.values(), ids=ENCRYPTED_WORD)
def test_a_word_document_under_a_password_is_called_encrypted(document: bytes) -> None:
    assert codes(judge(document, DOCX)) == ("document_encrypted",)


NOT_WORD = {
    "old Word": COMPOUND_FILE + bytes(1024),
    "spreadsheet": word(b"<a/>", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"),
    "macros": word(b"<a/>", "application/vnd.ms-word.document.macroEnabled.main+xml"),
    "plain ZIP": zipped({"a.txt": b"a"}),
}


@pytest.mark.parametrize("document", NOT_WORD.values(), ids=NOT_WORD)
def test_what_is_no_plain_word_document_is_refused_as_wrong_type(document: bytes) -> None:
    assert codes(judge(document, DOCX)) == ("document_type_not_allowed",)


def _two_parts_over_each_other() -> bytes:
    """The second directory entry points at the first one's bytes."""
    document = bytearray(zipped({"[Content_Types].xml": b"<Types/>", "a.xml": b"<a/>"}, zipfile.ZIP_STORED))
    first = document.find(b"PK\x01\x02")
    second = document.find(b"PK\x01\x02", first + 1)
    document[second + 42 : second + 46] = bytes(4)
    return bytes(document)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def _two_parts_of_one_name() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("[Content_Types].xml".replace("T", "t"), "<Types/>")
    return buffer.getvalue().replace(b"[Content_types].xml", b"[Content_Types].xml")


DAMAGED_WORD: dict[str, bytes] = {
    "no text part": word(b"<a/>", part="word/other.xml"),
    "broken XML": word(b"<a><b></a>"),
    "a DTD": word(b'<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>'),
    "an outer entity": word(b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>'),
    "deep nesting": word(b"<a>" * 300 + b"</a>" * 300),
    "overlapping parts": _two_parts_over_each_other(),
    "parts of one name": _two_parts_of_one_name(),
    "too many parts": zipped({f"p{number}": b"" for number in range(2_001)}),
    "a ratio beyond reason": word(b"<a>" + b" " * (11 * 1024 * 1024) + b"</a>"),
    "an unusual packing": zipped({"[Content_Types].xml": b"<Types/>"}, zipfile.ZIP_BZIP2),
    "an endless list of parts": zipped({"[Content_Types].xml": b"<Types>" + b"<a/>" * 300_000 + b"</Types>"}),
}


@pytest.mark.parametrize("document", DAMAGED_WORD.values(), ids=DAMAGED_WORD)
def test_a_damaged_or_hostile_word_document_is_unreadable(document: bytes) -> None:
    assert codes(judge(document, DOCX)) == ("document_unreadable",)


def test_a_word_document_that_unpacks_to_more_than_allowed_is_unreadable_before_it_is_unpacked() -> None:
    tight = dataclasses.replace(P2023, max_inflated_bytes=1_000)
    assert codes(judge(good(DOCX), DOCX, tight)) == ("document_unreadable",)


PAGE = b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R >>"
TREE = b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>"
#: An array in an array in an array …
NESTED = b"[" * 5_000 + b"]" * 5_000

DAMAGED_PDF: dict[str, bytes] = {
    "only a mark": b"%PDF-1.7\n%%EOF",
    "no pages": pdf_with_pages(b"<< /Type /Pages /Count 0 /Kids [] >>"),
    "a circle of pages": pdf_with_pages(b"<< /Type /Pages /Count 1 /Kids [2 0 R] >>"),
    "one page many times": pdf_with_pages(b"<< /Type /Pages /Kids [3 0 R 3 0 R] >>", o3=PAGE, o4=stream(b"")),
    "no list of pages": pdf({1: b"<< /Type /Catalog >>"}),
    "pages that are none": pdf_with_pages(TREE, o3=b"<< /Type /Font >>"),
    "kids that are no list": pdf_with_pages(b"<< /Type /Pages /Kids 7 >>"),
    "a page without its content": pdf_with_pages(TREE, o3=PAGE),
    "content that is no stream": pdf_with_pages(TREE, o3=PAGE, o4=b"(text)"),
    "content that does not unpack": pdf_with_pages(
        TREE, o3=PAGE, o4=b"<< /Filter /FlateDecode /Length 9 >>\nstream\nnot zlib!\nendstream"
    ),
    "nesting without end": pdf_with_pages(TREE, o3=b"<< /Type /Page /Contents " + NESTED + b" >>"),
    "a table that leads to itself": pdf({1: b"<< /Type /Catalog /Pages 1 0 R >>"}, b"/Root 1 0 R /Prev 9"),
    "a reference to itself": pdf({1: b"1 0 R"}),
    "rubbish behind the mark": b"%PDF-1.4\n" + bytes(range(256)) * 8 + b"%%EOF",
}


@pytest.mark.parametrize("document", DAMAGED_PDF.values(), ids=DAMAGED_PDF)
def test_a_damaged_or_hostile_pdf_is_unreadable(document: bytes) -> None:
    assert codes(judge(document, PDF)) == ("document_unreadable",)


def test_a_pdf_with_more_pages_than_allowed_is_unreadable() -> None:
    writer = PdfWriter()
    for _ in range(4):
        writer.add_blank_page(200, 200)
    buffer = io.BytesIO()
    writer.write(buffer)
    assert codes(judge(buffer.getvalue(), PDF, dataclasses.replace(P2023, max_pages=4))) == ()
    assert codes(judge(buffer.getvalue(), PDF, dataclasses.replace(P2023, max_pages=3))) == ("document_unreadable",)


def test_a_pdf_whose_page_unpacks_to_more_than_allowed_is_unreadable() -> None:
    bomb = pdf_with_pages(TREE, o3=PAGE, o4=stream(bytes(4_000_000)))
    assert codes(judge(bomb, PDF)) == ()
    assert codes(judge(bomb, PDF, dataclasses.replace(P2023, max_inflated_bytes=3_000_000))) == ("document_unreadable",)


def test_a_pdf_of_several_pages_is_counted() -> None:
    writer = PdfWriter()
    for _ in range(7):
        writer.add_blank_page(200, 200)
    buffer = io.BytesIO()
    writer.write(buffer)
    verdict = judge(buffer.getvalue(), PDF)
    assert isinstance(verdict, Accepted)
    assert verdict.facts.pages == 7


def test_an_image_of_more_pixels_than_allowed_is_unreadable_before_it_is_decoded() -> None:
    tight = dataclasses.replace(P2023, max_pixels=1_000)
    assert codes(judge(good(JPEG), JPEG, tight)) == ("document_unreadable",)


def test_a_photograph_in_print_colours_is_accepted() -> None:
    buffer = io.BytesIO()
    Image.new("CMYK", (40, 40)).save(buffer, "JPEG")
    assert codes(judge(buffer.getvalue(), JPEG)) == ()


def test_a_detail_echoes_at_most_64_characters_of_input() -> None:
    verdict = judge(b"x", "text/" + "y" * 500 + "\r\n")
    detail = verdict.problems[0].detail  # type: ignore[union-attr]
    quoted = detail.split('"')[1]
    assert len(quoted) == MAX_ECHO
    assert quoted.endswith("…")


def test_control_characters_of_input_never_reach_a_detail() -> None:
    verdict = judge(b"x", "text/\x1b[31m\n\u202e")
    assert verdict.problems[0].detail.isprintable()  # type: ignore[union-attr]


@pytest.mark.parametrize("code", ProblemCode)
def test_each_document_code_is_one_of_the_contracts(code: ProblemCode) -> None:
    assert Code(code.value)


@pytest.mark.parametrize("edition", Edition)
def test_the_default_limits_are_those_of_both_editions(edition: Edition) -> None:
    rule = policy(edition).documents
    assert limits_for(rule.types, rule.max_bytes, rule.max_per_claim) == P2023
    assert (P2023.max_bytes, P2023.max_documents) == (25 * 1024 * 1024, 20)
    assert {BY_MIME[mime].kind for mime in (PDF, DOCX, PNG, JPEG)} == set(P2023.kinds) == set(Kind)


def test_limits_survive_their_way_to_the_inspecting_process() -> None:
    assert Limits.from_json(P2023.to_json()) == P2023


def test_an_edition_that_names_an_unreadable_type_is_a_mistake_told_at_start() -> None:
    with pytest.raises(KeyError):
        limits_for(["text/plain"], 1, 1)
