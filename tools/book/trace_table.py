"""docs/traceability.md: each rule with the tests that protect it, by edition."""

from __future__ import annotations

from collections.abc import Iterable

from tools.book.markdown import NONE, table
from tools.rulebook import EDITIONS, Proof, Rule, proofs, rules


def traceability() -> str:
    found = proofs()
    head = ("rule", *(f"tests in {edition}" for edition in EDITIONS))
    every = rules().values()
    return table(head, [(each.number, *(_proven(each, edition, found) for edition in EDITIONS)) for each in every])


def _proven(rule: Rule, edition: str, found: Iterable[Proof]) -> str:
    if edition not in rule.editions:
        return NONE
    mine = [each for each in found if each.rule == rule.number and each.holds_for(edition)]
    return "<br>".join(f"[{_sentence(each)}](../{each.file})" for each in mine)


def _sentence(proof: Proof) -> str:
    return proof.test.removeprefix("test_").replace("_", " ")
