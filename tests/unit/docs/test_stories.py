"""The worked examples name the rules that their tests name."""

from __future__ import annotations

import ast

import pytest

from tests.acceptance.stories import p2020, p2023
from tests.acceptance.stories.telling import Book
from tools.rulebook import ROOT, proofs


@pytest.mark.parametrize("book", [p2020.BOOK, p2023.BOOK], ids=lambda book: book.edition)
def test_each_story_is_a_test_that_names_the_rules_it_says_it_shows(book: Book) -> None:
    file = f"tests/acceptance/test_stories_{book.edition.lower()}.py"
    named = {tale.name: set(tale.rules.split(", ")) for tale in book.tales}
    assert len(named) == len(book.tales) >= 10
    assert {tale: rules_of(file, test, book.edition) for tale, test in shown_by(file).items()} == named


def shown_by(file: str) -> dict[str, str]:
    """Story → its test: the one that says `told.assert_told(p2020.story)`."""
    found = {}
    for node in ast.walk(ast.parse((ROOT / file).read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            for call in (each for each in ast.walk(node) if isinstance(each, ast.Call)):
                if isinstance(call.func, ast.Attribute) and call.func.attr == "assert_told":
                    found[ast.unparse(call.args[0]).partition(".")[2]] = node.name
    return found


def rules_of(file: str, test: str, edition: str) -> set[str]:
    return {each.rule for each in proofs() if (each.file, each.test, each.edition) == (file, test, edition)}
