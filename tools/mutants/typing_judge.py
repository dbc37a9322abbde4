"""What mypy says to mutants: one run for a module, with all of them beside the functions they come from."""

from __future__ import annotations

import ast
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tools.mutants.book import ROOT, path_of
from tools.mutants.making import Mutant


def refused_by_types(module: str, mutants: Sequence[Mutant]) -> frozenset[Mutant]:
    """Those that `make lint` would not let pass. Raises RuntimeError where mypy itself fails."""
    path = path_of(module)
    source = beside(path.read_text("utf-8"), mutants)
    wrong = lines_refused(path, source)
    spans = {
        node.name: range(node.lineno, (node.end_lineno or 0) + 1)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef)
    }
    return frozenset(each for number, each in enumerate(mutants) if not wrong.isdisjoint(spans[name_of(each, number)]))


def lines_refused(path: Path, source: str) -> frozenset[int]:
    with tempfile.NamedTemporaryFile("w", suffix=".py", encoding="utf-8") as shadow:
        shadow.write(source)
        shadow.flush()
        command = [sys.executable, "-m", "mypy", "--no-error-summary", "--no-pretty", "--no-warn-unreachable"]
        done = subprocess.run(
            [*command, "--cache-dir", ".mutants/mypy", "--shadow-file", str(path), shadow.name, str(path)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode not in (0, 1):
        raise RuntimeError(f"mypy failed on the mutants of {path.name}: {done.stdout[-500:]}{done.stderr[-500:]}")
    found = (line.split(":", 2) for line in done.stdout.splitlines() if ": error:" in line)
    return frozenset(int(line) for file, line, _ in found if file.endswith(path.name))


def name_of(mutant: Mutant, number: int) -> str:
    return f"{mutant.function.rpartition('.')[2]}__mutant_{number}"


def beside(text: str, mutants: Sequence[Mutant]) -> str:
    """The module with each mutant, under a name of its own and in the same decorators, after its function."""
    lines = text.splitlines()
    after: dict[int, list[str]] = {}
    for function, node in defined(ast.parse(text)):
        own = [(number, each) for number, each in enumerate(mutants) if each.function == function]
        decorators = lines[min([node.lineno, *(each.lineno for each in node.decorator_list)]) - 1 : node.lineno - 1]
        after[node.end_lineno or 0] = [
            line for number, each in own for line in (*decorators, *renamed(each, number, " " * node.col_offset))
        ]
    return "\n".join(line for number, own in enumerate(lines, 1) for line in (own, *after.get(number, ()))) + "\n"


def renamed(mutant: Mutant, number: int, indent: str) -> list[str]:
    name = mutant.function.rpartition(".")[2]
    text = mutant.source.replace(f"def {name}(", f"def {name_of(mutant, number)}(", 1)
    return [f"{indent}{line}" for line in text.splitlines()]


def defined(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    for each in tree.body:
        if isinstance(each, ast.FunctionDef):
            yield each.name, each
        elif isinstance(each, ast.ClassDef):
            yield from (
                (f"{each.name}.{inner.name}", inner) for inner in each.body if isinstance(inner, ast.FunctionDef)
            )
