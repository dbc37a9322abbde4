"""Links between the documents."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.unit.docs.pages import ROOT, documents, name_of, text_of, tracked, without_fences

LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)


@pytest.mark.parametrize("page", documents(), ids=name_of)
def test_every_relative_link_of_a_page_leads_to_a_file_and_to_a_heading_that_exist(page: Path) -> None:
    assert [link for link in LINK.findall(without_fences(text_of(page))) if not resolves(page, link)] == []


def resolves(page: Path, link: str) -> bool:
    if "://" in link or link.startswith("mailto:"):
        return True
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    return target.exists() and (not anchor or anchor in anchors(text_of(target)))


def anchors(text: str) -> set[str]:
    """As hosting sites make them of headings: lower case, spaces as hyphens, no other signs."""
    titles = (title.lower().replace("`", "") for title in HEADING.findall(without_fences(text)))
    return {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in titles}


def test_a_link_to_a_missing_file_or_heading_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One `two`, three\n")
    wanted = {"#one-two-three": True, "#four": False, "page.md": True, "other.md": False, "page.md#one": False}
    assert {link: resolves(page, link) for link in wanted} == wanted


@pytest.mark.parametrize("index", [ROOT / "docs" / "README.md", ROOT / "docs" / "adr" / "README.md"], ids=name_of)
def test_an_index_leads_to_every_page_of_its_folder(index: Path) -> None:
    """A folder with an index of its own stands for its pages."""
    linked = {(index.parent / link).resolve() for link in LINK.findall(text_of(index))}
    pages = {each for each in tracked() if each.is_relative_to(index.parent) and each.suffix in (".md", ".html")}
    indexed = {each.parent for each in pages if each.name == "README.md"} - {index.parent}
    assert sorted(name_of(each) for each in pages - linked - {index} if each.parent not in indexed) == []
