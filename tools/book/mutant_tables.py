"""docs/mutation.md: the score of each module of the domain, and the mutants that survive and may."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from tools.book.markdown import NONE, table
from tools.mutants.book import WHOLE, Accepted, accepted, modules, scores

SEEN = ("killed", "timed out", "refused")
NOT_SEEN = ("survived", "unreached")


def mutant_scores() -> str:
    """One row a module, those that were never run among them."""
    kept = scores()
    head = ("module", "mutants", "killed by tests", "endless", "refused by types", "survived", "seen")
    rows = [_row(each, kept.get(each)) for each in modules()]
    total: Counter[str] = Counter()
    for each in kept.values():
        total.update(each)
    return table(head, [*rows, _row("**all that were run**", total)])


def _row(module: str, counts: Mapping[str, int] | None) -> tuple[str, ...]:
    if counts is None:
        return (module, "not run yet", *(NONE,) * 5)
    survived = sum(counts.get(each, 0) for each in NOT_SEEN)
    mutants = sum(counts.values())
    share = f"{100 * (mutants - survived) / mutants:.1f} %" if mutants else NONE
    return (module, str(mutants), *(str(counts.get(each, 0)) for each in SEEN), str(survived), share)


def mutants_accepted() -> str:
    head = ("function", "line", "becomes", "why it may survive")
    return table(head, [(f"{each.module}: {each.function}", *_change(each), each.reason) for each in accepted()])


def _change(row: Accepted) -> tuple[str, str]:
    if row.was == WHOLE:
        return "all of it", NONE
    return _code(row.was), _code(row.becomes)


def _code(text: str) -> str:
    """In a cell of a table."""
    return f"`{text.replace('|', chr(92) + '|')}`" if text else NONE
