"""The same log gives the same events, receipts, rows and hand-offs, however its processing is cut up and broken off."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from cpor.ops.checker import summary
from tests.chaos.memory import FAULT_POINTS, Schedule, control, played

pytestmark = pytest.mark.chaos

ROOT = Path(__file__).resolve().parents[2]
STORIES = st.integers(min_value=1, max_value=4)
SCHEDULES = st.builds(
    Schedule,
    seed=st.integers(min_value=0, max_value=2**32 - 1),
    records=st.lists(st.sampled_from((1, 2, 3, 5, 8, 40, 3_000)), min_size=1, max_size=4).map(tuple),
    crashes=st.lists(st.tuples(st.sampled_from(FAULT_POINTS), st.integers(1, 60)), max_size=8).map(tuple),
    emptied=st.lists(st.booleans(), min_size=1, max_size=3).map(tuple),
    members=st.integers(min_value=1, max_value=3),
    expiry=st.sampled_from((0, 0, 25, 200)),
)


def test_the_stories_say_enough_to_be_worth_comparing() -> None:
    told = [summary(control(seed).log) for seed in range(1, 5)]
    codes = {code for each in told for code in each.receipts_by_code}
    statuses = {status for each in told for status in each.claims_by_status}
    assert {"accepted", "duplicate", "conflicting_message", "illegal_transition", "malformed_json"} <= codes
    assert {"draft", "cancelled", "approved", "rejected", "rejected_final"} <= statuses
    assert all(each.approvals and each.units_held for each in told)
    assert any(each.eligible for each in told)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
@given(number=STORIES, schedule=SCHEDULES)
def test_poll_sizes_interleavings_deaths_and_lost_sessions_change_nothing(number: int, schedule: Schedule) -> None:
    found = played(number, schedule)
    event(f"{min(found.deaths, 4)} deaths")
    assert found.outcome.differences(control(number).outcome) == []


@pytest.mark.parametrize("emptied", [False, True], ids=["with its store", "with an empty store"])
@pytest.mark.parametrize("point", FAULT_POINTS)
def test_a_worker_that_dies_again_and_again_at_one_point_changes_nothing(point: str, emptied: bool) -> None:
    spread = 17 if point == "send" else 3  # a round sends more than once
    deaths = tuple((point, 1 + 7 * n % spread) for n in range(12))
    found = played(1, Schedule(seed=7, records=(3,), crashes=deaths, emptied=(emptied,)))
    assert found.deaths == 12
    assert found.outcome.differences(control(1).outcome) == []


@pytest.mark.parametrize("hash_seed", ["0", "1", "4242"])
def test_the_hash_seed_of_the_process_changes_nothing(hash_seed: str) -> None:
    program = "from tests.chaos.memory import control; print(control(2).outcome.fingerprint())"
    env = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=env, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == control(2).outcome.fingerprint()
