"""The rules in words (docs/rules.toml) and the tests that name them: docs/rules.md and traceability.md come from here.

A test names the rules it protects with a marker: `@pytest.mark.rule("R13", "D31", edition="P2023")`. `edition` is
`P2020`, `P2023` or `both`; left out it is P2023, the edition in which the tests' worlds begin.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EDITIONS = ("P2023", "P2020")
BOTH = "both"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its number, one line of words, the only edition that has it, and what of it is not built yet."""

    number: str
    says: str
    only: str | None = None
    waits: str | None = None

    @property
    def editions(self) -> tuple[str, ...]:
        return (self.only,) if self.only else EDITIONS


@dataclass(frozen=True, slots=True)
class Proof:
    """A test that names a rule. `file` is relative to the project."""

    rule: str
    edition: str
    file: str
    test: str

    def holds_for(self, edition: str) -> bool:
        return self.edition in (edition, BOTH)


class BadMarker(ValueError):
    """A marker that cannot be read: it must be one call with strings in it."""


@cache
def rules() -> Mapping[str, Rule]:
    """All rules by number, in the order of the file."""
    plain = tomllib.loads((ROOT / "docs" / "rules.toml").read_text("utf-8"))
    return {number: Rule(number, **row) for number, row in plain.items()}


def of_kind(letter: str) -> list[Rule]:
    """The rules whose number begins with `letter`: R, T or D."""
    return [rule for rule in rules().values() if rule.number.startswith(letter)]


@cache
def proofs(tests: Path = ROOT / "tests") -> tuple[Proof, ...]:
    """Every (test, rule) that markers in `tests` name, by file and place. Raises BadMarker."""
    files = sorted(tests.rglob("test_*.py"))
    return tuple(proof for path in files for proof in _in_file(path, path.relative_to(tests.parent).as_posix()))


def _in_file(path: Path, file: str) -> Iterator[Proof]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            for marker in filter(_is_marker, node.decorator_list):
                yield from _of_marker(marker, file, node.name)


def _is_marker(node: ast.expr) -> bool:
    return ast.unparse(node).startswith("pytest.mark.rule")


def _of_marker(node: ast.expr, file: str, test: str) -> Iterator[Proof]:
    try:
        assert isinstance(node, ast.Call)
        edition = next((ast.literal_eval(each.value) for each in node.keywords), EDITIONS[0])
        numbers = [ast.literal_eval(each) for each in node.args]
    except (AssertionError, ValueError):
        raise BadMarker(f"{file}, {test}: {ast.unparse(node)}") from None
    return (Proof(number, edition, file, test) for number in numbers)


def faults(found: Iterable[Proof]) -> list[str]:
    """What is wrong: rules without a test in an edition that has them, and markers that name what does not exist."""
    known, shown = rules(), list(found)
    strange = [f"{each.file}, {each.test}: no rule {each.rule}" for each in shown if each.rule not in known]
    strange += [
        f"{each.file}, {each.test}: no edition {each.edition}"
        for each in shown
        if each.edition not in (*EDITIONS, BOTH)
    ]
    missing = [
        f"{rule.number} has no test in {edition}: {rule.says}"
        for rule in known.values()
        for edition in rule.editions
        if not any(each.rule == rule.number and each.holds_for(edition) for each in shown)
    ]
    return strange + missing
