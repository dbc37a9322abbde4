from __future__ import annotations

import pytest

from services.intake.poe.keys import accepted_key, incoming_key, is_partners_own


def test_keys_are_those_of_the_contract() -> None:
    assert incoming_key("P-1", "d-1") == "incoming/P-1/d-1"
    assert accepted_key("c-1", "ab12") == "accepted/c-1/ab12"


@pytest.mark.parametrize(
    "name", ["d-1", "2026/03/poe.pdf", "発注書.pdf", "100%.pdf", "a b+c.pdf", "%41.pdf", "...", "a..b"]
)
def test_a_partner_may_name_its_files_as_it_likes(name: str) -> None:
    assert is_partners_own(f"incoming/P-1/{name}", "P-1")


@pytest.mark.parametrize(
    "key",
    [
        "",
        "incoming/P-1",
        "incoming/P-1/",
        "incoming/P-2/d-1",
        "incoming/P-10/d-1",
        "incoming/p-1/d-1",
        "/incoming/P-1/d-1",
        "accepted/c-1/ab12",
        "templates/poe.docx",
        "incoming/P-1/../P-2/d-1",
        "incoming/P-1/a/../../P-2/d-1",
        "incoming/P-1/./d-1",
        "incoming/P-1//d-1",
        "incoming/P-1/d-1/",
        "incoming/P-1/..",
        "incoming/P-1/%2e%2e/P-2/d-1",
        "incoming/P-1/%252e%252e/P-2/d-1",
        "incoming/P-1/..%2fP-2%2fd-1",
        "incoming/P-1/%2E%2E%5CP-2/d-1",
        "incoming/P-1/..\\P-2\\d-1",
        "incoming/P-1/\uff0e\uff0e/P-2/d-1",
        "incoming/P-1/\uff0e\uff0e\uff0fP-2/d-1",
        "incoming/P-1/d\x00-1",
        "incoming/P-1/d%00-1",
        "incoming/P-1/d\r\n-1",
        "incoming/P-1/\ud800",
        "incoming/P-1/" + "é" * 600,
    ],
)
def test_no_trick_leads_a_partner_out_of_its_own_folder(key: str) -> None:
    assert not is_partners_own(key, "P-1")
