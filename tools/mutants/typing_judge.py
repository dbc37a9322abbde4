"""What mypy says to mutants: one run, with all of them beside the functions they come from."""

from __future__ import annotations

import ast
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from tools.mutants.book import ROOT, path_of
from tools.mutants.making import Mutant


def refused_by_types(mutants: Mapping[str, Sequence[Mutant]]) -> frozenset[Mutant]:
    """Those that `make lint` would not let pass, of these modules. Raises RuntimeError where mypy itself fails."""
    sources = {path_of(module): beside(path_of(module).read_text("utf-8"), own) for module, own in mutants.items()}
    wrong = lines_refused(sources)
    return frozenset(
        each
        for module, own in mutants.items()
        for each in refused_of(own, sources[path_of(module)], wrong[path_of(module)])
    )


def refused_of(mutants: Sequence[Mutant], source: str, wrong: Collection[int]) -> Iterator[Mutant]:
    spans = {
        node.name: range(node.lineno, (node.end_lineno or 0) + 1)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef)
    }
    for number, each in enumerate(mutants):
        if any(line in spans[name_of(each, number)] for line in wrong):
            yield each


def lines_refused(sources: Mapping[Path, str]) -> Mapping[Path, set[int]]:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "mypy", "--no-error-summary", "--no-pretty", "--no-warn-unreachable"]
        for number, (path, source) in enumerate(sources.items()):
            shadow = Path(folder, f"{number}.py")
            shadow.write_text(source, "utf-8")
            command += ["--shadow-file", str(path), str(shadow)]
        files = [str(each) for each in sources]
        done = subprocess.run(
            [*command, "--cache-dir", ".mutants/mypy", *files], cwd=ROOT, capture_output=True, text=True, check=False
        )
    if done.returncode not in (0, 1):
        raise RuntimeError(f"mypy failed on mutants: {done.stdout[-500:]}{done.stderr[-500:]}")
    wrong: dict[Path, set[int]] = {each: set() for each in sources}
    for line in done.stdout.splitlines():
        if ": error:" in line:
            file, place, _ = line.split(":", 2)
            wrong.get(ROOT / file, set()).add(int(place))
    return wrong


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
