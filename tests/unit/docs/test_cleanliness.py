"""What must not stand in the project's files: places of one machine, and where packages come from."""

from __future__ import annotations

import re

import pytest

from tests.unit.docs.pages import name_of, text_of, tracked

#: Names in an address that say nothing about anybody's network: standards, this machine, names reserved for examples.
HARMLESS = re.compile(
    r"(127\.0\.0\.1|0\.0\.0\.0|localhost|\{|(www\.)?(w3\.org|json-schema\.org|schemas\.openxmlformats\.org)|(store|mail)[:/]"
    r"|([\w-]+\.)*example\b|…|<|\[|$|\")"
)
ADDRESS = re.compile(r"\b(?:https?|s3|oci|docker|git|ssh)://([^\s`')]*)")
#: `/mnt/shared/config` is a folder of the image of Kafka.
PLACE = re.compile(r"(?<![\w.…-])/(?!mnt/shared/config\b)(work|root|home|Users|mnt|opt)/[\w.-]+")
OPTION = re.compile(r"^\s*(--index-url|--extra-index-url|--find-links|-i|-f)\b", re.MULTILINE)
BINARY = {".png", ".jpg", ".jpeg", ".pdf", ".docx", ".ico"}


def faults(text: str) -> list[str]:
    addresses = [found[0] for found in ADDRESS.finditer(text) if not HARMLESS.match(found[1])]
    return [*addresses, *(found[0] for found in PLACE.finditer(text))]


def test_no_file_of_the_project_names_a_registry_or_a_place_of_one_machine() -> None:
    texts = {name_of(path): text_of(path) for path in tracked() if path.suffix not in BINARY}
    assert {name: found for name, text in texts.items() if (found := faults(text))} == {}


def test_the_lock_files_hold_names_versions_and_hashes_only() -> None:
    locks = [path for path in tracked() if path.suffix == ".lock"]
    assert locks
    assert [name_of(path) for path in locks if OPTION.search(text_of(path)) or "://" in text_of(path)] == []


@pytest.mark.parametrize(
    "parts", [("https", "://registry.invalid/simple"), ("/home", "/anna"), ("oci", "://host.local")]
)
def test_an_address_or_a_place_is_found(parts: tuple[str, str]) -> None:
    assert faults(f"see {''.join(parts)} for more")
