"""What is kept of the mutants in `tests/mutants`: the score of each module, and the survivors that are accepted."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
DOMAIN = ROOT / "cpor" / "domain"
FOLDER = ROOT / "tests" / "mutants"
SCORES = FOLDER / "scores.json"
ACCEPTED = FOLDER / "accepted.toml"

#: Stands for every mutant of a function.
WHOLE = "*"


@dataclass(frozen=True, slots=True)
class Accepted:
    """A mutant that may survive, and why; `was` and `becomes` are the changed lines."""

    module: str
    function: str
    was: str
    becomes: str
    reason: str

    def covers(self, module: str, function: str, was: str, becomes: str) -> bool:
        """Whether this is about that mutant."""
        here = (self.module, self.function) == (module, function)
        return here and (self.was == WHOLE or (self.was, self.becomes) == (was, becomes))


def modules() -> list[str]:
    """Of all files of the domain, as one names them here: `evolve`, `deciding.ending`."""
    files = (path.relative_to(DOMAIN).with_suffix("") for path in DOMAIN.rglob("*.py") if path.name != "__init__.py")
    return sorted(".".join(each.parts) for each in files)


def path_of(module: str) -> Path:
    return DOMAIN.joinpath(*module.split(".")).with_suffix(".py")


def accepted() -> list[Accepted]:
    """All rows of the list. Raises TypeError for a row with a field too few or too many."""
    return [Accepted(**{"becomes": WHOLE, **row}) for row in tomllib.loads(ACCEPTED.read_text("utf-8"))["mutant"]]


def scores() -> dict[str, dict[str, int]]:
    """How many mutants of each module had which verdict, when it was last run."""
    kept: dict[str, dict[str, int]] = json.loads(SCORES.read_text("utf-8"))
    return kept


def keep_score(module: str, verdicts: Sequence[str]) -> None:
    kept: Mapping[str, Any] = {**scores(), module: dict(sorted(Counter(verdicts).items()))}
    SCORES.write_text(json.dumps(dict(sorted(kept.items())), indent=1) + "\n", "utf-8")
