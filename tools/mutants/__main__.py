"""`python -m tools.mutants [module ...]`: small faults put into the domain, one at a time; the tests must see each.

A module is named from `cpor.domain` on: `evolve`, `deciding.ending`; none named means all. Exit code 1 where a mutant
survives that `tests/mutants/accepted.toml` does not have, or where a row of it has become untrue.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import pytest

from tools.mutants.book import Accepted, accepted, keep_score, modules
from tools.mutants.judging import Verdict, collected, judged
from tools.mutants.making import Mutant, mutants_of
from tools.mutants.reaching import tests_of_functions
from tools.mutants.typing_judge import refused_by_types

#: The domain's own tests, without the one that starts other processes, which no mutant reaches.
TESTS = (
    "tests/unit/domain",
    "--deselect=tests/unit/domain/test_properties.py::test_the_same_history_gives_the_same_bytes_under_any_hash_seed",
)

SURVIVORS = (Verdict.SURVIVED, Verdict.UNREACHED)

Verdicts = Mapping[Mutant, Verdict]
Tests = Mapping[str, Sequence[pytest.Item]]


def main(arguments: Sequence[str]) -> int:
    wrong: list[str] = []

    def work(session: pytest.Session) -> None:
        tests = tests_of_functions(session)
        say("")
        mutants = {module: mutants_of(module) for module in arguments or modules()}
        refused = refused_by_types(mutants)
        for module, own in mutants.items():
            wrong.extend(run(session, module, own, refused, tests))

    code = collected(TESTS, work)
    say(f"{len(wrong)} to look at" if wrong else "no mutant survives that is not accepted")
    return code or bool(wrong)


def run(
    session: pytest.Session, module: str, mutants: Sequence[Mutant], refused: Collection[Mutant], tests: Tests
) -> list[str]:
    begun = time.monotonic()
    verdicts = {
        each: Verdict.REFUSED if each in refused else judged(session, each, tests.get(f"{module}:{each.function}", ()))
        for each in mutants
    }
    found = faults(module, verdicts)
    keep_score(module, list(verdicts.values()))
    counts = ", ".join(f"{count} {verdict}" for verdict, count in sorted(Counter(verdicts.values()).items()))
    say("\n".join([*found, f"{module}: {len(mutants)} mutants: {counts}; {time.monotonic() - begun:.0f} s"]))
    return found


def faults(module: str, verdicts: Verdicts) -> list[str]:
    rows = [each for each in accepted() if each.module == module]
    survivors = [(each, verdict) for each, verdict in verdicts.items() if verdict in SURVIVORS]
    new = [told(each, verdict) for each, verdict in survivors if not any(covers(row, each) for row in rows)]
    untrue = [row for row in rows if not any(covers(row, each) for each, _ in survivors)]
    return new + [f"nothing survives for the row {row.module} {row.function}: {row.was}" for row in untrue]


def covers(row: Accepted, mutant: Mutant) -> bool:
    return row.covers(mutant.module, mutant.function, mutant.was, mutant.becomes)


def told(mutant: Mutant, verdict: Verdict) -> str:
    """The mutant as a row of the list would name it."""
    return f"{verdict}: {mutant.module} {mutant.function}\n  was     = {mutant.was!r}\n  becomes = {mutant.becomes!r}"


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
