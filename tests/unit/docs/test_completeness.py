"""Whether the documents name everything there is."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator

import pytest

from cpor.domain.vocabulary import Code
from cpor.runtime.topics import FIXED_TOPICS
from schemas.registry import MESSAGES
from tests.unit.docs.pages import ROOT, name_of, text_of, tracked
from tools.doc_tables import stale

VARIABLE = re.compile(r"[\"'](CPOR_[A-Z0-9_]*[A-Z0-9])[\"']")
REQUIREMENT = re.compile(r"[A-Za-z0-9._-]+")
RULE = re.compile(r"(?<![\w./:-])([RTDA]\d{1,2}[abc]?|P\d{1,2})(?![\w:-])")
SECTION = re.compile(r"\b(contract|architecture|domain) §(\d(?:\.\d)?)")
PAGES = {"contract": "docs/messages.md", "architecture": "docs/architecture.md", "domain": "docs/rules.md"}
CODE = ("cpor/", "services/", "schemas/")


def page(name: str) -> str:
    return text_of(ROOT / name)


def not_in(text: str, names: Iterable[str]) -> list[str]:
    return sorted(name for name in set(names) if f"`{name}`" not in text)


def cited(pattern: re.Pattern[str]) -> Iterator[tuple[str, re.Match[str]]]:
    """Every place in the code that cites something, with its file."""
    for path in tracked():
        if path.suffix in (".py", ".toml") and name_of(path).startswith(CODE):
            yield from ((name_of(path), found) for found in pattern.finditer(text_of(path)))


def test_the_messages_page_explains_every_code_that_anybody_can_meet() -> None:
    assert not_in(page("docs/messages.md"), Code) == []


def test_the_messages_page_names_every_type_and_every_topic() -> None:
    names = [*(spec.ce_type for spec in MESSAGES.values()), *(spec.name for spec in FIXED_TOPICS)]
    assert not_in(page("docs/messages.md"), names) == []


def test_the_configuration_page_names_every_variable_the_code_reads() -> None:
    assert not_in(page("docs/configuration.md"), (found[1] for _, found in cited(VARIABLE))) == []


def test_every_dependency_stands_with_its_reason_in_the_dependencies_page() -> None:
    project = tomllib.loads(page("pyproject.toml"))["project"]
    wanted = [
        *project["dependencies"],
        *(each for extra in project["optional-dependencies"].values() for each in extra),
    ]
    names = [found[0] for each in wanted if (found := REQUIREMENT.match(each)) is not None]
    assert not_in(page("docs/dependencies.md"), names) == []


def test_no_package_stands_in_the_dependencies_page_that_is_not_depended_on() -> None:
    named = re.findall(r"`([a-z0-9-]+)`", re.sub(r"^(?!\|).*\n", "", page("docs/dependencies.md"), flags=re.MULTILINE))
    assert [name for name in named if f'"{name}' not in page("pyproject.toml") and name not in ("docker",)] == []


def test_the_tables_and_pictures_made_from_the_code_are_those_of_this_code() -> None:
    assert [name_of(path) for path in stale()] == [], "run `python -m tools.doc_tables` and commit the result"


def test_every_rule_the_code_cites_can_be_looked_up_in_the_project() -> None:
    known = set(RULE.findall(page("docs/rules.md"))) | set(re.findall(r"\bP\d{1,2}\b", page("docs/kafka.md")))
    assert sorted({f"{found[1]} ({file})" for file, found in cited(RULE) if found[1] not in known}) == []


def test_every_section_the_code_cites_exists_under_its_number() -> None:
    assert sorted({f"{found[0]} ({file})" for file, found in cited(SECTION) if not has_section(*found.groups())}) == []


def has_section(document: str, number: str) -> bool:
    """As a heading, or, of the glossary's sections, as named in the text."""
    text = page(PAGES[document])
    return re.search(rf"^#+ {re.escape(number)}\.? ", text, re.MULTILINE) is not None or f"(§{number})" in text


@pytest.mark.parametrize("number", ["0", "7.7"])
def test_a_section_that_is_not_there_is_found(number: str) -> None:
    assert not has_section("domain", number)
