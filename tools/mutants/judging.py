"""Runs tests against mutants: pytest collects once; then each mutant gets a forked process, its function's new code,
and the tests that reach that function, until one fails.
"""

from __future__ import annotations

import functools
import gc
import importlib
import inspect
import os
import resource
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from types import FunctionType
from typing import Any

import hypothesis
import pytest

from tools.mutants.making import Mutant

#: Seconds of CPU, and bytes of memory: more of either is a loop that never ends.
CPU_LIMIT = 40
MEMORY_LIMIT = 6 * 2**30

#: Modules whose cached functions take milliseconds: they keep what they know for all tests of a file.
COSTLY = ("cpor.domain.policy", "cpor.domain.calendar")

#: A test: its id, its seconds of CPU, and the functions it calls.
Reach = tuple[str, float, list[str]]


#: The exit code of a child that could not begin.
UNTRIED = 3


class Untried(Exception):
    """The code of a mutant could not be put in its place: nobody knows what the tests would say."""


class Verdict(StrEnum):
    KILLED = "killed"
    TIMED_OUT = "timed out"
    SURVIVED = "survived"
    #: No test calls the function: it runs only while modules are imported, or not at all.
    UNREACHED = "unreached"
    #: mypy refuses it.
    REFUSED = "refused"


def collected(paths: Sequence[str], work: Callable[[pytest.Session], None]) -> int:
    """Collects the tests below `paths` and does `work` with them instead of running them; pytest's exit code."""
    quiet = ["-q", "-s", "-p", "no:cacheprovider", "--durations=0", "--no-header"]
    hypothesis.settings.register_profile(
        "mutants", database=None, derandomize=True, deadline=None, suppress_health_check=list(hypothesis.HealthCheck)
    )
    hypothesis.settings.load_profile("mutants")
    return int(pytest.main([*quiet, *paths], plugins=[Loop(work)]))


class Loop:
    def __init__(self, work: Callable[[pytest.Session], None]) -> None:
        self.work = work

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise pytest.UsageError("the tests cannot be collected")
        forget(all_of_them=True)
        gc.freeze()
        self.work(session)
        return True


def function_of(module: str, function: str) -> FunctionType:
    """The plain function inside its decorators."""
    found: Any = importlib.import_module(f"cpor.domain.{module}")
    for name in function.split("."):
        found = inspect.getattr_static(found, name)
    for inner in ("fget", "func", "__func__", "__wrapped__"):
        found = getattr(found, inner, None) or found
    assert isinstance(found, FunctionType), f"{module}.{function} is {found!r}"
    return found


def swap(mutant: Mutant) -> None:
    """Gives the function the mutant's code and defaults, for all who hold it."""
    target = function_of(mutant.module, mutant.function)
    owner, _, name = mutant.function.rpartition(".")
    body = "\n".join(f"    {line}" for line in mutant.source.splitlines())
    text = f"from __future__ import annotations\nclass {owner or 'Own'}:\n{body}\n"
    if not owner:
        text = f"from __future__ import annotations\n{mutant.source}"
    space: dict[str, Any] = dict(target.__globals__)
    exec(compile(text, target.__code__.co_filename, "exec"), space)
    new = space[name] if not owner else inspect.getattr_static(space[owner], name)
    plain = getattr(new, "__func__", new)
    target.__code__ = plain.__code__
    target.__defaults__, target.__kwdefaults__ = plain.__defaults__, plain.__kwdefaults__


@functools.cache
def caches() -> list[Any]:
    """All cached functions of the domain."""
    found = (each for each in gc.get_objects() if isinstance(each, functools._lru_cache_wrapper))
    return [each for each in found if str(each.__module__).startswith("cpor.domain")]


def forget(*, all_of_them: bool) -> None:
    """What was answered before a mutant came, or for another test, must not be answered again."""
    for each in caches():
        if all_of_them or each.__module__ not in COSTLY:
            each.cache_clear()


def passes(session: pytest.Session, item: pytest.Item) -> bool:
    failed = session.testsfailed
    item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
    return session.testsfailed == failed


def reach(session: pytest.Session, items: Sequence[pytest.Item], seen: set[str]) -> Iterator[Reach]:
    """Each test's id, its seconds of CPU and what it added to `seen`.

    Raises RuntimeError for a test that fails without a mutant.
    """
    forget(all_of_them=True)
    for item in items:
        forget(all_of_them=False)
        seen.clear()
        begun = time.process_time()
        if not passes(session, item):
            raise RuntimeError(f"fails without any mutant: {item.nodeid}")
        yield item.nodeid, round(time.process_time() - begun, 3), sorted(seen)


def in_child(work: Callable[[], bool], *, silent: bool = True) -> bool | None:
    """What `work` says in a forked process of its own; None where that took too much.

    Raises Untried where `work` does.
    """
    child = os.fork()
    if child == 0:
        code = 2
        try:
            if silent:
                shut_in()
            code = 0 if work() else 1
        except Untried:
            code = UNTRIED
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return None if os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL) else False
    if os.WEXITSTATUS(status) == UNTRIED:
        raise Untried
    return os.WEXITSTATUS(status) == 0


def shut_in() -> None:
    """Nothing to see, and an end to everything."""
    sink = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(sink, stream)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_LIMIT, CPU_LIMIT + 5))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))


def judged(session: pytest.Session, mutant: Mutant, items: Sequence[pytest.Item]) -> Verdict:
    """Survived where all tests pass."""
    if not items:
        return Verdict.UNREACHED

    def all_pass() -> bool:
        try:
            swap(mutant)
        except Exception as fault:
            raise Untried from fault
        return all(passes(session, item) for item in items)

    survived = in_child(all_pass)
    if survived is None:
        return Verdict.TIMED_OUT
    return Verdict.SURVIVED if survived else Verdict.KILLED
