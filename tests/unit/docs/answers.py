"""What the code of a command can answer, found by reading the names its functions use."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from types import CodeType, FunctionType, ModuleType

from cpor.domain.vocabulary import Code


def answers_of(begin: object) -> set[Code]:
    """Every code that a function names, or one of the domain that it names, and so on."""
    seen: set[int] = set()
    waiting: list[object] = [begin]
    found: set[Code] = set()
    while waiting:
        each = waiting.pop()
        if isinstance(each, Code):
            found.add(each)
        elif id(each) not in seen:
            seen.add(id(each))
            waiting.extend(_named_by(each))
    return found


def _named_by(each: object) -> Iterator[object]:
    if isinstance(each, FunctionType):
        if each.__module__.startswith("cpor.domain"):
            yield from _named_in(each)
    elif isinstance(each, type):
        yield from vars(each).values() if each.__module__.startswith("cpor.domain.deciding") else ()
    elif isinstance(each, property):
        yield each.fget
    elif isinstance(each, tuple | list | frozenset):
        yield from each
    elif isinstance(each, dict):
        yield from each.values()
    elif dataclasses.is_dataclass(each) and not isinstance(each, type):
        yield from (getattr(each, field.name) for field in dataclasses.fields(each))


def _named_in(function: FunctionType) -> Iterator[object]:
    for code in _codes(function.__code__):
        known = [function.__globals__[name] for name in code.co_names if name in function.__globals__]
        yield from (each for each in known if not isinstance(each, ModuleType))
        places = [each for each in known if each is Code or isinstance(each, ModuleType)]
        yield from (vars(each)[name] for each in places for name in code.co_names if name in vars(each))


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _codes(each)
