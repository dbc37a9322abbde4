"""When a worker is started again."""

from __future__ import annotations

import pytest

from cpor.devstack.backoff import FATAL, FENCED, STUCK, BackOff, after_exit

POLICY = BackOff()


@pytest.mark.parametrize("code", [FATAL, STUCK, 1, 0, -9])
def test_a_first_failure_is_followed_by_a_quick_restart(code: int) -> None:
    assert after_exit(POLICY, code, ran_for=100.0, quick_failures=0).pause == POLICY.pauses[0]


def test_pauses_grow_with_each_quick_failure_and_then_stay() -> None:
    pauses = [after_exit(POLICY, 70, 0.5, failures).pause for failures in range(POLICY.patience)]
    assert pauses == list(POLICY.pauses)


def test_a_long_run_forgets_the_failures_before_it() -> None:
    assert after_exit(POLICY, FATAL, POLICY.quick, quick_failures=4).quick_failures == 1


def test_a_worker_fenced_by_another_holder_of_its_slot_is_left_alone_for_a_minute() -> None:
    assert after_exit(POLICY, FENCED, ran_for=1_000.0, quick_failures=0).pause == 60.0


def test_a_worker_that_keeps_failing_is_reported_and_still_tried_slowly() -> None:
    restart = after_exit(POLICY, FATAL, 0.1, POLICY.patience)
    assert (restart.failing, restart.pause) == (True, POLICY.slow)
