from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from docx import Document
from pypdf import PdfReader

from cpor.devstack.samples import (
    PoeContent,
    PublicSector,
    bad_files,
    poe_docx,
    poe_pdf,
    realistic_content,
    scan_jpeg,
    scan_png,
)
from cpor.devstack.samples.content import WORK
from cpor.devstack.samples.text import legible
from cpor.domain.vocabulary import PartnerRole

MAKERS = [poe_pdf, poe_docx, scan_png, scan_jpeg]
NAMES = [
    "株式会社さくら物流",
    "台北雲端科技股份有限公司",
    "ООО «Ромашка»",
    "Αθήνα ΑΕ",
    "شركة النور",
    "Łódź – “Æther” €",
    "🙂\ud800\x00",
    "",
    "X" * 300,
]
TENANT = "3f2b8a52-6a5e-4d0b-9d43-5c1d8c2a7e10"


def content(seed: str = "samples", country: str = "DE", customer_name: str = "Contoso GmbH") -> PoeContent:
    return realistic_content(
        seed=seed,
        partner_name="Fabrikam Beratung",
        partner_location_id="4711001",
        customer_name=customer_name,
        domain="contoso.example",
        tenant_id=TENANT,
        country=country,
        partner_role="use_or_consume",
        workloads=("teams_phone", "azure_ad_premium"),
        signed_on=date(2026, 3, 2),
        issued_on=date(2026, 3, 4),
    )


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def test_a_sample_pdf_has_the_templates_four_sections_and_the_claims_data() -> None:
    text = text_of(poe_pdf(content()))
    for expected in (
        "Partner and customer",
        "Customer acknowledgement",
        "Activities and evidence",
        "Usage claims",
        "Fabrikam Beratung",
        "Contoso GmbH",
        "contoso.example",
        TENANT,
        "02 March 2026",
        "Teams Phone",
        "Azure AD Premium",
    ):
        assert expected in text


def test_the_public_sector_disclosure_is_made_in_the_united_states_and_puerto_rico_only() -> None:
    assert content(country="DE").public_sector is None
    assert isinstance(content(country="US").public_sector, PublicSector)
    assert "Public sector" in text_of(poe_pdf(content(country="PR")))
    assert "Public sector" not in text_of(poe_pdf(content(country="DE")))


def test_an_unsigned_sample_shows_neither_signer_nor_date_of_signature() -> None:
    signed = content()
    text = text_of(poe_pdf(replace(signed, signed_on=None)))
    assert signed.signer_name not in text
    assert "02 March 2026" not in text


@pytest.mark.parametrize("role", PartnerRole)
def test_each_partner_role_has_work_of_its_own_to_show(role: PartnerRole) -> None:
    activity_type, works = WORK[role]
    assert activity_type
    assert len(works) >= 3


def test_the_work_shown_was_done_before_the_signature_and_in_order() -> None:
    for number in range(50):
        rows = content(seed=str(number)).activities
        ends = [row.ended_on for row in rows]
        assert ends == sorted(ends)
        assert ends[-1] < date(2026, 3, 2)
        assert all(row.started_on < row.ended_on for row in rows)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("name", NAMES)
def test_a_name_in_any_script_makes_a_document(make: Callable[[PoeContent], bytes], name: str) -> None:
    assert make(replace(content(), customer_name=name, partner_name=name, signer_name=name))


def test_names_beyond_the_fonts_letters_are_transliterated_in_pdf_and_kept_in_word() -> None:
    assert legible("Łódź – “Æther” €") == "Lódz – “Æther” €"
    named = content(customer_name="台北雲端 Cloud")
    assert "TaiBeiYunDuan Cloud" in text_of(poe_pdf(named))
    cells = [cell.text for cell in Document(io.BytesIO(poe_docx(named))).tables[0].columns[1].cells]
    assert "台北雲端 Cloud" in cells


@pytest.mark.parametrize("make", MAKERS)
def test_different_documents_have_different_digests(make: Callable[[PoeContent], bytes]) -> None:
    assert make(content("one")) != make(content("two"))


PRINT_DIGESTS = """
import hashlib
from tests.unit.devstack.test_samples import digests
print(digests())
"""


def digests() -> str:
    made = [make(content()) for make in MAKERS] + [file.content() for file in bad_files().values()]
    return " ".join(hashlib.sha256(document).hexdigest() for document in made)


def test_samples_are_the_same_bytes_in_every_process_and_at_every_time() -> None:
    seeded = {"PYTHONHASHSEED": "7", "PYTHONPATH": ":".join(sys.path), "TZ": "Asia/Tokyo"}
    other = subprocess.run(
        [sys.executable, "-c", PRINT_DIGESTS], env=seeded, capture_output=True, text=True, check=True
    )
    assert other.stdout.split() == digests().split()


def test_two_hundred_pdfs_take_less_than_ten_seconds_of_one_core() -> None:
    started = time.process_time()
    for number in range(40):
        poe_pdf(content(str(number)))
    assert time.process_time() - started < 10 * 40 / 200


def test_there_is_a_bad_file_of_each_kind_and_listing_them_makes_none() -> None:
    files = bad_files()
    assert {
        "missing",
        "empty",
        "too_large",
        "truncated",
        "encrypted",
        "program",
        "renamed_zip",
        "digest_mismatch",
        "corrupt_docx",
        "zip_bomb",
        "image_bomb",
    } <= set(files)
    assert all(len(file.codes) == 1 for file in files.values())
