"""`python -m tools.trace`: how many tests protect each rule; exit code 1 where one has none in an edition it is of.

With `--quiet` the table is left out.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tools.rulebook import EDITIONS, Proof, faults, proofs, rules


def main() -> int:
    found = proofs()
    wrong = faults(found)
    if "--quiet" not in sys.argv[1:]:
        count(found)
    print("\n".join(wrong or ["every rule has a test in every edition that has it"]))
    return 1 if wrong else 0


def count(found: Sequence[Proof]) -> None:
    for rule in rules().values():
        counts = "  ".join(
            f"{edition} {sum(each.rule == rule.number and each.holds_for(edition) for each in found):3}"
            if edition in rule.editions
            else f"{edition}   –"
            for edition in EDITIONS
        )
        print(f"{rule.number:5} {counts}  {rule.says[:75]}")
    print(f"\n{len(rules())} rules, {len({(each.file, each.test) for each in found})} tests that name them")


if __name__ == "__main__":
    sys.exit(main())
