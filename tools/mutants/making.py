"""Mutants of a module of the domain: mutmut's operators, one change at a time, each the source of one function.

What is not mutated, by rule: what is no function's body (tables, classes of data), and the wording of texts for people
(a literal with a space in it), of which tests look at the code only.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import libcst as cst
from mutmut.mutation.file_mutation import Mutation, create_mutations, deep_replace

from tools.mutants.book import path_of

#: Of classes and functions; each stands in one line.
DECORATOR = re.compile(r"^ *@.*\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one function. `function` is `name` or `Class.name`, `was` and `becomes` are the changed lines."""

    module: str
    function: str
    was: str
    becomes: str
    source: str


def mutants_of(module: str) -> list[Mutant]:
    """In the order of the file, each once."""
    path = path_of(module)
    plain = without_decorators(path.read_text("utf-8"))
    tree, mutations, _, _ = create_mutations(str(path), plain)
    names = dict(functions(tree))
    texts = inside_texts(tree)
    made = (
        mutant(module, names[each.contained_by_top_level_function], each)
        for each in mutations
        if each.contained_by_top_level_function in names and not only_wording(each, texts)
    )
    return list(dict.fromkeys(each for each in made if each.was != each.becomes))


def without_decorators(text: str) -> str:
    """mutmut passes over what is decorated; the tests run the mutant inside its decorators."""
    return DECORATOR.sub("", text)


def noted(module: str, line: str) -> list[Mutant]:
    """Each function of a module with `line` as its first; `{}` in it is the function."""
    plain = cst.parse_module(without_decorators(path_of(module).read_text("utf-8")))
    return [
        Mutant(module, name, "", "", cst.Module([with_first(node, line.format(f"{module}:{name}"))]).code)
        for node, name in functions(plain)
    ]


def with_first(node: cst.CSTNode, line: str) -> cst.FunctionDef:
    function = cst.ensure_type(node, cst.FunctionDef)
    body = cst.ensure_type(function.body, cst.IndentedBlock)
    return function.with_changes(body=body.with_changes(body=[cst.parse_statement(line), *body.body]))


def functions(tree: cst.Module) -> Iterator[tuple[cst.CSTNode, str]]:
    for each in tree.body:
        if isinstance(each, cst.FunctionDef):
            yield each, each.name.value
        elif isinstance(each, cst.ClassDef):
            methods = (inner for inner in each.body.body if isinstance(inner, cst.FunctionDef))
            yield from ((method, f"{each.name.value}.{method.name.value}") for method in methods)


def mutant(module: str, function: str, mutation: Mutation) -> Mutant:
    before: Any = mutation.contained_by_top_level_function
    after: Any = deep_replace(before, mutation.original_node, mutation.mutated_node)
    old, new = (cst.Module([each.with_changes(leading_lines=[])]).code for each in (before, after))
    was, becomes = changed_lines(old, new)
    return Mutant(module, function, was, becomes, new)


def changed_lines(old: str, new: str) -> tuple[str, str]:
    lines = list(difflib.ndiff(old.splitlines(), new.splitlines()))
    return tuple(" ".join(line[2:].strip() for line in lines if line.startswith(sign)) for sign in ("- ", "+ "))  # type: ignore[return-value]


def is_text(node: cst.CSTNode | None) -> bool:
    """A sentence for people. Ids, codes and names have no space."""
    match node:
        case cst.SimpleString():
            return " " in node.value
        case cst.FormattedString():
            return any(" " in part.value for part in node.parts if isinstance(part, cst.FormattedStringText))
        case cst.ConcatenatedString():
            return is_text(node.left) or is_text(node.right)
    return False


def inside_texts(tree: cst.CSTNode) -> frozenset[int]:
    """The identities of all nodes in texts for people, these included."""
    return frozenset(id(inner) for text in walk(tree) if is_text(text) for inner in walk(text))


def walk(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    yield node
    for child in node.children:
        yield from walk(child)


def only_wording(mutation: Mutation, texts: frozenset[int]) -> bool:
    old, new = mutation.original_node, mutation.mutated_node
    if id(old) in texts:
        return True
    if isinstance(old, cst.Assign | cst.AnnAssign):
        return is_text(old.value)
    if isinstance(old, cst.Call) and isinstance(new, cst.Call) and len(old.args) == len(new.args):
        return any(a.value is not b.value and is_text(a.value) for a, b in zip(old.args, new.args, strict=True))
    return False
