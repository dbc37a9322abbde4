"""The page for partners says what the code does, and needs nothing but itself."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from cpor.domain import commands
from cpor.domain.decide import HANDLERS
from cpor.domain.vocabulary import PARTNER_COMMANDS, Code, CommandName
from tests.unit.docs.answers import answers_of
from tools import partner_page
from tools.partner_words import ALWAYS, ANSWERS, COMMANDS, INSIDE

TEXT = partner_page.PAGE.read_text("utf-8")


def test_the_page_is_up_to_date() -> None:
    assert partner_page.main(["--check"]) == 0, "run python -m tools.partner_page"


def test_every_command_and_every_code_that_a_partner_can_meet_is_explained() -> None:
    assert COMMANDS.keys() == {*PARTNER_COMMANDS}
    assert ANSWERS.keys() == {*Code} - INSIDE
    told = {code for each in COMMANDS.values() for code in each.codes} | {*ALWAYS}
    assert told == ANSWERS.keys()


# --- what the code of a command can answer ---------------------------------------------------------------------------


K, C = Code, CommandName
#: One class checks whatever comes with a document; these commands bring only part of it.
NOT_BROUGHT = {
    C.POE_RESERVE: {K.WORKLOAD_NOT_IN_AREA},
    C.POE_AMEND: {K.DOCUMENT_EMPTY, K.DOCUMENT_TOO_LARGE, K.DOCUMENT_TYPE_NOT_ALLOWED, K.TOO_MANY_DOCUMENTS},
}
#: Answered before a command gets to its handler, by intake or by the transition table.
BEFORE = {K.CLAIM_UNKNOWN, K.CLAIM_EXISTS, K.REFERENCE_BOUND, K.ILLEGAL_TRANSITION, K.DOCUMENT_UNKNOWN} | {
    code for code in Code if code.name.startswith("DOCUMENT_")
}


@pytest.mark.parametrize("name", PARTNER_COMMANDS)
def test_each_code_that_review_can_answer_a_command_with_stands_with_it_and_no_other(name: CommandName) -> None:
    can = answers_of(HANDLERS[commands.COMMAND_TYPES[name]]) - NOT_BROUGHT.get(name, set())
    told = {*COMMANDS[name].codes}
    assert can - told - {*ALWAYS} == set()
    assert told - can - BEFORE == set()


def test_the_codes_that_a_handler_names_are_found_through_tables_and_other_modules() -> None:
    found = answers_of(HANDLERS[commands.SubmitClaim])
    assert {Code.POE_MISSING, Code.SUBSCRIPTION_CSP, Code.ALREADY_CLAIMED} <= found
    assert answers_of(HANDLERS[commands.CancelClaim]) == set()


# --- the page as a browser sees it -----------------------------------------------------------------------------------

ALONE = {"meta", "wbr", "br"}


class Page(HTMLParser):
    """Raises AssertionError where elements do not close as they opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.feed(TEXT)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.tags.add(tag)
        self.ids += [told["id"] or ""] if "id" in told else []
        self.links += [told[name] or "" for name in ("href", "src", "action") if name in told]
        if tag not in ALONE:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_well_formed_and_its_links_lead_somewhere_on_it() -> None:
    page = Page()
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert [link for link in page.links if not link.startswith("#") or link[1:] not in page.ids] == []


def test_the_page_needs_no_script_and_nothing_from_elsewhere() -> None:
    assert Page().tags & {"script", "link", "img", "iframe", "object"} == set()
    assert re.search(r"@import|url\(|\son\w+=", TEXT) is None
    assert "prefers-color-scheme: dark" in TEXT


def test_no_number_of_a_rule_is_left_on_the_page() -> None:
    assert re.findall(r"\b[DRT]\d{1,2}\b", TEXT) == []
    assert "<!-- " not in TEXT
