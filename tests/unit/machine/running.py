"""Running the machine: one batch of examples under one seed."""

from __future__ import annotations

import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as seeded
from hypothesis.stateful import run_state_machine_as_test

import cpor.runtime.worker
from tests.unit.machine.machine import TALLY, Machine

STEPS = 25
#: Hypothesis's own checks are about data that is slow to make; here it is the worlds.
CHECKS = list(HealthCheck)


@dataclass(frozen=True)
class Batch:
    """What came of a batch; `failure` holds the shortest script that fails, "" where none did."""

    seed: int
    tally: Counter[str]
    seconds: float
    failure: str


def without_pauses(put: Callable[[Any, str, Any], None] = setattr) -> None:
    """What is held back for a moment must not miss all of a life that is over in one."""
    put(cpor.runtime.worker, "RETRY_SECONDS", 0.0)


def run(examples: int, seed: int | None, *, steps: int = STEPS) -> None:
    """Raises what the first failing example raised, shrunk. Without a seed the examples are always the same."""
    profile = settings(
        max_examples=examples,
        stateful_step_count=steps,
        derandomize=seed is None,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=CHECKS,
        report_multiple_bugs=False,
        print_blob=False,
    )
    machine = type("Machine", (Machine,), {}) if seed is None else seeded(seed)(type("Machine", (Machine,), {}))
    run_state_machine_as_test(machine, settings=profile)


def batch(seed: int, examples: int, steps: int = STEPS) -> Batch:
    """The same in a process of its own."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    without_pauses()
    TALLY.clear()
    began, failure = time.process_time(), ""
    try:
        run(examples, seed, steps=steps)
    except Exception as fault:
        told = "\n".join(getattr(fault, "__notes__", []))
        failure = f"{''.join(traceback.format_exception_only(fault))[:4_000]}\n{told}"
    return Batch(seed, Counter(TALLY), time.process_time() - began, failure)
