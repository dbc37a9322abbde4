"""`python -m tests.unit.machine`: the long run of the state machine, over several processes and seeds."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import secrets
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed

from tests.unit.machine.running import STEPS, Batch, batch

#: Examples under one seed: short enough that a failing seed is soon found again.
BATCH = 250
#: What is told of the worlds beside examples and steps.
TOLD = ("records", "deaths", "filed", "approved", "eligible", "rejected", "mail", "rung", "end")


def main() -> int:
    """Exit code 1 where an invariant was broken."""
    wanted = _arguments()
    seeds = [wanted.seed + n for n in range(-(-wanted.examples // BATCH))]
    sizes = [min(BATCH, wanted.examples - n * BATCH) for n in range(len(seeds))]
    print(f"seeds {seeds[0]} to {seeds[-1]}, {wanted.examples} examples, {wanted.steps} steps each", flush=True)
    total: Counter[str] = Counter()
    failed: list[Batch] = []
    with ProcessPoolExecutor(wanted.processes, multiprocessing.get_context("spawn")) as pool:
        work = [pool.submit(batch, *each, wanted.steps) for each in zip(seeds, sizes, strict=True)]
        for done in as_completed(work):
            found = done.result()
            total += found.tally
            failed += [found] if found.failure else []
            _tell(found)
    print(_line("all", total, sum(1 for _ in failed)))
    return 1 if failed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.unit.machine", description=__doc__)
    parser.add_argument("--examples", type=int, default=int(os.environ.get("CPOR_PROPERTY_EXAMPLES", "20000")))
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32), help="of the first batch")
    parser.add_argument("--steps", type=int, default=STEPS, help="of an example, at most")
    return parser.parse_args()


def _tell(found: Batch) -> None:
    line = _line(f"seed {found.seed}", found.tally, int(bool(found.failure)))
    print(f"{line}, {found.seconds:.0f} s", flush=True)
    if found.failure:
        print(found.failure, flush=True)


def _line(name: str, tally: Counter[str], failures: int) -> str:
    told = ", ".join(f"{tally[each]} {each}" for each in TOLD)
    return f"{name}: {failures} failed, {tally['examples']} examples, {tally['steps']} steps ({told})"


if __name__ == "__main__":
    sys.exit(main())
