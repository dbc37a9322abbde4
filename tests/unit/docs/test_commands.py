"""Commands that the documents tell people to type."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from itertools import dropwhile
from pathlib import Path
from typing import Any

import pytest
import typer.main

from cpor.ops.main import cli
from tests.unit.docs.pages import ROOT, documents, fenced, name_of, text_of, without_fences

SERVICE = re.compile(r"^  ([a-z-]+):", re.MULTILINE)
TARGET = re.compile(r"^([a-z]+):", re.MULTILINE)
INLINE = re.compile(r"`((?:cpor|make|docker compose) [^`]*)`")
PYTHONS = ("python", ".venv/bin/python", ".venv-bench/bin/python")
#: A word of a path of commands; what begins otherwise is an argument.
WORD = re.compile(r"[a-z][a-z-]*")


@pytest.mark.parametrize("page", documents(), ids=name_of)
def test_every_command_a_page_tells_to_type_exists(page: Path) -> None:
    text = text_of(page)
    told = [*fenced(text, "sh"), *INLINE.findall(without_fences(text))]
    assert [fault for line in told for fault in faults(line)] == []


def faults(line: str) -> Iterator[str]:
    """What is wrong with a command line, as far as can be said without running it."""
    words = list(dropwhile(lambda word: "=" in word, shlex.split(line.replace("…", "..."))))
    if words[0] == "make":
        yield from faults_of_make(words[1:])
    elif words[0] in ("cpor", ".venv/bin/cpor"):
        yield from faults_of_cpor(words[1:])
    elif words[0] in PYTHONS:
        yield from faults_of_python(words[1:])
    elif words[:2] == ["docker", "compose"]:
        yield from faults_of_compose(words[2:])
    elif not (ROOT / words[0]).is_file():
        yield f"no test knows how to check: {line}"


def faults_of_make(words: list[str]) -> Iterator[str]:
    targets = set(TARGET.findall(text_of(ROOT / "Makefile")))
    yield from (f"make has no target {word}" for word in words if "=" not in word and word not in targets)
    paths = (path for word in words if word.startswith("PYTEST_ARGS=") for path in word[12:].split() if "/" in path)
    yield from (f"no such tests: {path}" for path in paths if not (ROOT / path).exists())


def faults_of_cpor(words: list[str]) -> Iterator[str]:
    command: Any = typer.main.get_command(cli)
    for at, word in enumerate(words):
        if not hasattr(command, "commands"):
            options = [o for p in command.params for o in (*p.opts, *p.secondary_opts)]
            yield from (f"cpor {command.name} has no option {o}" for o in words[at:] if is_unknown(o, options))
            return
        if not WORD.fullmatch(word):
            return
        found = command.commands.get(word)
        if found is None:
            yield f"cpor has no command {' '.join(words[: at + 1])}"
            return
        command = found


def is_unknown(word: str, options: list[str]) -> bool:
    return word.startswith("--") and word not in (*options, "--help")


def faults_of_python(words: list[str]) -> Iterator[str]:
    place = f"{words[1].replace('.', '/')}.py" if words[0] == "-m" else words[0]
    if not (ROOT / place).is_file() and not (ROOT / place.removesuffix(".py") / "__main__.py").is_file():
        yield f"no such script or module: {words}"


def faults_of_compose(words: list[str]) -> Iterator[str]:
    """A command of ours in its container; `docker compose` itself is tried by `tests/integration/containers`."""
    services = SERVICE.findall(text_of(ROOT / "docker-compose.yml").partition("\nservices:\n")[2])
    if words[0] in ("up", "down"):
        return
    named = [at for at, word in enumerate(words) if word in services]
    if words[0] not in ("run", "logs") or not named:
        yield f"docker-compose.yml has no service for: {' '.join(words)}"
    elif words[0] == "run" and words[named[0]] == "cpor":
        yield from faults_of_cpor(words[named[0] + 1 :])


@pytest.mark.parametrize(
    "line",
    [
        "make nothing",
        'make test PYTEST_ARGS="tests/nowhere"',
        "cpor nothing",
        "cpor clock rewind",
        "cpor up --nothing",
        ".venv/bin/python -m schemas.nothing",
        "docker compose run --rm nothing",
        "docker compose run --rm cpor nothing",
        "curl somewhere",
    ],
)
def test_a_command_that_does_not_exist_is_found(line: str) -> None:
    assert list(faults(line))
