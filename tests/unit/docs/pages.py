"""The project's files as the tests of its documents see them."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
NOT_OURS = {".git", ".venv", ".venv-bench", ".cpor", "build", "dist", "target"}


@cache
def tracked() -> tuple[Path, ...]:
    """What belongs to the project; in a copy without git, whatever lies in no folder of tools."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0:
        found = (ROOT / name for name in listed.stdout.split("\0") if name)
    else:
        found = (path for path in ROOT.rglob("*") if not NOT_OURS & set(path.relative_to(ROOT).parts))
    return tuple(sorted(path for path in found if path.is_file()))


def documents() -> list[Path]:
    """README, CONTRIBUTING, CHANGELOG and everything under docs/."""
    return [path for path in tracked() if path.suffix == ".md"]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def text_of(path: Path) -> str:
    return path.read_text("utf-8", errors="replace")


def without_fences(text: str) -> str:
    return FENCE.sub("", text)


def fenced(text: str, language: str) -> list[str]:
    """The lines of every fenced block of a language, comments and empty lines left out."""
    lines = [line.strip() for kind, body in FENCE.findall(text) if kind == language for line in body.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]
