from __future__ import annotations

import threading
from concurrent.futures import Future, wait

import pytest

from services.intake.poe.fair import ByteBudget, FairPool


def test_one_key_with_many_slow_tasks_does_not_hold_up_another() -> None:
    pool: FairPool[str] = FairPool(threads=4, per_key=3, name="test")
    hold = threading.Event()
    slow = [pool.submit("slow", lambda: str(hold.wait(30))) for _ in range(50)]
    quick = [pool.submit("quick", lambda: "done") for _ in range(5)]
    try:
        assert [future.result(timeout=20) for future in quick] == ["done"] * 5
        assert not any(future.done() for future in slow)
    finally:
        hold.set()
        pool.close()


def test_every_task_is_run_once_also_beyond_its_keys_limit() -> None:
    pool: FairPool[int] = FairPool(threads=4, per_key=1, name="test")
    futures = [pool.submit(f"k{number % 3}", lambda number=number: number) for number in range(200)]  # type: ignore[misc]
    assert [future.result(timeout=20) for future in futures] == list(range(200))
    pool.close()


def test_never_more_than_the_limit_of_one_key_run_at_once() -> None:
    pool: FairPool[int] = FairPool(threads=8, per_key=2, name="test")
    lock, running, peaks = threading.Lock(), [0], [0]

    def task() -> int:
        with lock:
            running[0] += 1
            peaks[0] = max(peaks[0], running[0])
        threading.Event().wait(0.002)
        with lock:
            running[0] -= 1
        return 0

    wait([pool.submit("one", task) for _ in range(60)], timeout=20)
    pool.close()
    assert peaks[0] <= 2


def test_a_failing_task_fails_its_own_future_only() -> None:
    pool: FairPool[int] = FairPool(threads=1, per_key=1, name="test")
    failing: Future[int] = pool.submit("k", lambda: 1 // 0)
    fine = pool.submit("k", lambda: 7)
    with pytest.raises(ZeroDivisionError):
        failing.result(timeout=20)
    assert fine.result(timeout=20) == 7
    pool.close()


def test_closing_cancels_what_waits_and_ends_what_runs() -> None:
    pool: FairPool[str] = FairPool(threads=1, per_key=1, name="test")
    started, hold = threading.Event(), threading.Event()

    def task() -> str:
        started.set()
        hold.wait(30)
        return "done"

    running, waiting = pool.submit("k", task), pool.submit("k", task)
    started.wait(20)
    threading.Timer(0.05, hold.set).start()
    pool.close()
    assert running.result(timeout=0) == "done"
    assert waiting.cancelled()


def test_bytes_are_taken_only_while_there_are_enough() -> None:
    budget = ByteBudget(100)
    budget.take(70)
    taken = threading.Event()

    def take() -> None:
        budget.take(40)
        taken.set()

    threading.Thread(target=take, daemon=True).start()
    assert not taken.wait(0.05)
    budget.give_back(70)
    assert taken.wait(20)


def test_one_piece_larger_than_the_whole_budget_gets_all_of_it_and_no_more() -> None:
    budget = ByteBudget(100)
    assert budget.take(1_000) == 100
