"""Which test reaches which function: found by one run of the tests, kept for each test file until something changes."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

import pytest

from tools.mutants.book import DOMAIN, ROOT, modules
from tools.mutants.judging import COSTLY, Reach, function_of, in_child, reach, swap
from tools.mutants.making import noted

KEPT = ROOT / ".mutants" / "reach"

#: Seconds of CPU from which a test comes after all others.
SLOW = 0.2

#: Tests for one mutant: a function of the domain is called by up to two thousand, much alike.
MOST = 400


def tests_of_functions(session: pytest.Session) -> Mapping[str, list[pytest.Item]]:
    """For each `module:function` the tests to run, in order, `MOST` at most."""
    items = {item.nodeid: item for item in session.items}
    found: dict[str, list[Reach]] = defaultdict(list)
    for each in known(session):
        for function in each[2]:
            found[function].append(each)
    return {function: [items[name] for name in chosen(function, own)] for function, own in found.items()}


def chosen(function: str, tests: Sequence[Reach]) -> list[str]:
    """The test file of the module's name; then of every test one case, and again, slow ones last."""
    own_file = f"/test_{function.partition(':')[0].rpartition('.')[2]}.py::"
    keyed = []
    for test, cases in groupby(sorted(each[:2] for each in tests), key=lambda each: each[0].partition("[")[0]):
        keyed += [(own_file not in test, each[1] > SLOW, turn, each[0]) for turn, each in enumerate(cases)]
    return [name for *_, name in sorted(keyed)][:MOST]


def file_of(test: str) -> str:
    return test.partition("::")[0]


def known(session: pytest.Session) -> list[Reach]:
    """What is kept, and what a run of the rest finds. Raises RuntimeError where tests fail without a mutant."""
    common = fingerprint()
    files = {
        kept_for(file, common): list(own) for file, own in groupby(session.items, key=lambda each: file_of(each.nodeid))
    }
    missing = {kept: items for kept, items in files.items() if not kept.exists()}
    if missing and in_child(lambda: find(session, missing), silent=False) is not True:
        raise RuntimeError("tests fail without any mutant, see above")
    return [each for kept in files for each in by_file(json.loads(kept.read_text("utf-8")))]


def kept_for(file: str, common: bytes) -> Path:
    return KEPT / f"{hashlib.sha256(common + (ROOT / file).read_bytes()).hexdigest()[:24]}.json"


def find(session: pytest.Session, missing: Mapping[Path, Sequence[pytest.Item]]) -> bool:
    seen: set[str] = set()
    for each in (each for module in modules() for each in noted(module, "_mutants_seen.add('{}')")):
        function_of(each.module, each.function).__globals__["_mutants_seen"] = seen
        swap(each)
    KEPT.mkdir(parents=True, exist_ok=True)
    for kept, items in missing.items():
        kept.write_text(json.dumps(list(reach(session, items, seen))), "utf-8")
    return True


def by_file(tests: Sequence[Reach]) -> list[Reach]:
    """What one test of a file made a costly cache learn, all tests of the file rest on."""
    loaded = tuple(f"{each.removeprefix('cpor.domain.')}:" for each in COSTLY)
    common = {function for *_, called in tests for function in called if function.startswith(loaded)}
    return [(test, seconds, sorted(common.union(called))) for test, seconds, called in tests]


def fingerprint() -> bytes:
    """Of all that a test reaches besides its own file: the domain, and what tests share."""
    shared = [*DOMAIN.rglob("*.py"), *DOMAIN.rglob("*.toml")]
    shared += [each for each in (ROOT / "tests" / "unit").rglob("*.py") if not each.name.startswith("test_")]
    return hashlib.sha256(b"\0".join(each.read_bytes() for each in sorted(shared))).digest()
