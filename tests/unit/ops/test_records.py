"""What is wrong with a file of reference records is told all at once, with its place and code (contract §8)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cpor.ops.errors import Refused, WrongUse
from cpor.ops.records import read_partners, read_reference

PARTNER: dict[str, Any] = {
    "kind": "partner",
    "partner_id": "P-1",
    "name": "Isar",
    "status": "active",
    "country": "DE",
    "region": "BY",
    "timezone": "Europe/Berlin",
    "language": "de",
    "locations": [
        {
            "location_id": "1",
            "name": "M",
            "country": "DE",
            "region": "BY",
            "timezone": "Europe/Berlin",
            "enrolled": True,
        }
    ],
    "users": [{"user_id": "u", "name": "U", "email": "u@isar.example", "role": "billing_admin", "locations": ["1"]}],
}
CUSTOMER = {"kind": "customer", "tenant_id": "3f0e1d7a-5b1c-4c7e-9a51-0d7d1a2b3c4d", "name": "Contoso"}


def partner_file(folder: Path, value: object) -> Path:
    path = folder / "partner.json"
    path.write_text(json.dumps(value))
    return path


def reference_file(folder: Path, *lines: object) -> Path:
    path = folder / "reference.ndjson"
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return path


def faults(refused: pytest.ExceptionInfo[Refused]) -> list[str]:
    return str(refused.value).splitlines()[1:]


def test_a_partner_file_holds_one_partner_or_a_list_of_them(tmp_path: Path) -> None:
    assert [each.partner_id for each in read_partners(partner_file(tmp_path, PARTNER))] == ["P-1"]
    two = [PARTNER, {**PARTNER, "partner_id": "P-2"}]
    assert [each.partner_id for each in read_partners(partner_file(tmp_path, two))] == ["P-1", "P-2"]


def test_every_wrong_field_of_a_partner_is_told_at_once(tmp_path: Path) -> None:
    wrong = {**PARTNER, "status": "activ", "country": "de", "users": [{**PARTNER["users"][0], "email": "nobody"}]}
    with pytest.raises(Refused) as refused:
        read_partners(partner_file(tmp_path, wrong))
    told = faults(refused)
    assert len(told) == 3
    assert all("invalid_fields" in line for line in told)
    assert [field for field in ("status", "country", "users[0].email") if any(field in line for line in told)] == [
        "status",
        "country",
        "users[0].email",
    ]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"timezone": "Europe/Berlinn"}, "Europe/Berlinn is no time zone"),
        ({"country": "XX", "region": None}, "partner: XX is no country whose public holidays are known"),
        (
            {"locations": [{**PARTNER["locations"][0], "region": "ZZ"}]},
            "location 1: ZZ is no region of DE.* BB, BE, BW",
        ),
        ({"locations": PARTNER["locations"] * 2}, "location 1 is named twice"),
        ({"users": PARTNER["users"] * 2}, "user u is named twice"),
        ({"users": [{**PARTNER["users"][0], "locations": ["9"]}]}, "9 is no location of this partner"),
    ],
)
def test_a_partner_that_contradicts_itself_is_refused(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused, match=said):
        read_partners(partner_file(tmp_path, {**PARTNER, **change}))


def test_a_partner_named_twice_in_one_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="partner P-1 is named twice"):
        read_partners(partner_file(tmp_path, [PARTNER, PARTNER]))


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000])
def test_a_partner_file_that_is_not_json_is_refused_with_its_code(tmp_path: Path, text: str) -> None:
    path = tmp_path / "partner.json"
    path.write_text(text)
    with pytest.raises(Refused, match="malformed_json"):
        read_partners(path)


@pytest.mark.parametrize("name", ["missing.json", "."])
def test_a_file_that_cannot_be_read_is_a_wrong_use(tmp_path: Path, name: str) -> None:
    with pytest.raises(WrongUse, match="cannot be read"):
        read_partners(tmp_path / name)


def test_every_bad_line_is_told_with_its_number_and_code(tmp_path: Path) -> None:
    path = reference_file(
        tmp_path, CUSTOMER, "", "nope", {**CUSTOMER, "tenant_id": "x"}, {"kind": "partner"}, {"kind": ["customer"]}, "7"
    )
    with pytest.raises(Refused) as refused:
        read_reference(path)
    assert "5 of 6 lines have faults" in str(refused.value)
    assert [line.split(": ")[:2] for line in faults(refused)] == [
        ["line 3", "malformed_json"],
        ["line 4", "invalid_fields"],
        ["line 5", "invalid_fields"],
        ["line 6", "invalid_fields"],
        ["line 7", "invalid_fields"],
    ]


def test_a_partner_among_reference_records_is_shown_its_own_command(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cpor partners add"):
        read_reference(reference_file(tmp_path, PARTNER))


def test_good_lines_come_back_in_their_order_and_blank_ones_count_for_nothing(tmp_path: Path) -> None:
    subscription = {
        "kind": "subscription",
        "subscription_id": "s-1",
        "tenant_id": CUSTOMER["tenant_id"],
        "products": ["sales"],
        "channel": "web_direct",
        "state": "active",
    }
    read = read_reference(reference_file(tmp_path, CUSTOMER, " ", subscription))
    assert [each.kind for each in read] == ["customer", "subscription"]


def test_hundreds_of_bad_lines_are_counted_rather_than_all_printed(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="and 250 more"):
        read_reference(reference_file(tmp_path, *(["nope"] * 300)))
