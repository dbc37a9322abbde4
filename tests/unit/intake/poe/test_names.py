from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.poe.limits import FILE_TYPES, FileType
from services.intake.poe.names import safe_filename

PDF, DOCX, PNG, JPEG = FILE_TYPES


@pytest.mark.parametrize(
    ("name", "row", "safe"),
    [
        ("Poe Contoso.pdf", PDF, "Poe Contoso.pdf"),
        ("発注書.PDF", PDF, "発注書.pdf"),
        ("scan.jpeg", JPEG, "scan.jpeg"),
        ("scan", JPEG, "scan.jpg"),
        ("../../etc/passwd", PDF, "passwd.pdf"),
        ("C:\\temp\\poe.docx", DOCX, "poe.docx"),
        ("setup.exe", PDF, "setup.exe.pdf"),
        ("a\r\nSet-Cookie: x.pdf", PDF, "aSet-Cookie x.pdf"),
        ('a";b.png', PNG, "ab.png"),
        ("fdp.\u202eexe.pdf", PDF, "fdp.exe.pdf"),
        (".pdf", PDF, "document.pdf"),
        ("", PNG, "document.png"),
        ("x" * 300 + ".pdf", PDF, "x" * 100 + ".pdf"),
    ],
)
def test_a_file_name_is_made_harmless_and_keeps_what_a_person_knows_it_by(name: str, row: FileType, safe: str) -> None:
    assert safe_filename(name, row) == safe


@given(name=st.text(), row=st.sampled_from(FILE_TYPES))
def test_any_name_becomes_one_plain_file_name_of_its_type(name: str, row: FileType) -> None:
    safe = safe_filename(name, row)
    assert safe.endswith(row.extensions)
    assert safe.isprintable()
    assert len(safe) <= 105
    assert not set(safe) & set('/\\"\r\n:')
    assert not safe.startswith(".")
