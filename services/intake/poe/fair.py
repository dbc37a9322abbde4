"""A thread pool that no single key can fill: one partner's slow documents must not hold up the others'."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

T = TypeVar("T")


class FairPool(Generic[T]):
    """Runs tasks in turn over their keys, at most `per_key` of one key at a time, in order within a key."""

    def __init__(self, threads: int, per_key: int, name: str) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._per_key = per_key
        self._lock = threading.Lock()
        #: In the order in which keys get their turn.
        self._waiting: OrderedDict[str, deque[tuple[Future[T], Callable[[], T]]]] = OrderedDict()
        self._running: dict[str, int] = {}

    def submit(self, key: str, task: Callable[[], T]) -> Future[T]:
        future: Future[T] = Future()
        with self._lock:
            self._waiting.setdefault(key, deque()).append((future, task))
        self._executor.submit(self._run_next)
        return future

    def close(self) -> None:
        """Ends what runs, cancels what waits."""
        with self._lock:
            waiting = [future for queue in self._waiting.values() for future, _ in queue]
            self._waiting.clear()
        for future in waiting:
            future.cancel()
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _run_next(self) -> None:
        taken = self._take()
        while taken is not None:
            key, future, task = taken
            _settle(future, task)
            self._leave(key)
            # A wake-up that found its key at the limit is gone, so whoever finishes looks again.
            taken = self._take()

    def _take(self) -> tuple[str, Future[T], Callable[[], T]] | None:
        with self._lock:
            key = next((key for key in self._waiting if self._running.get(key, 0) < self._per_key), None)
            if key is None:
                return None
            future, task = self._waiting[key].popleft()
            self._running[key] = self._running.get(key, 0) + 1
            self._waiting.move_to_end(key)
            if not self._waiting[key]:
                del self._waiting[key]
            return key, future, task

    def _leave(self, key: str) -> None:
        with self._lock:
            self._running[key] -= 1
            if not self._running[key]:
                del self._running[key]


def _settle(future: Future[T], task: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = task()
    except BaseException as error:
        future.set_exception(error)
    else:
        future.set_result(result)


class ByteBudget:
    """How many bytes may be held at once; takers wait for their share."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._free = total
        self._changed = threading.Condition()

    def take(self, size: int) -> int:
        """Waits until `size` bytes (or all of the budget, if that is less) are free; what was taken."""
        share = min(size, self._total)
        with self._changed:
            self._changed.wait_for(lambda: self._free >= share)
            self._free -= share
        return share

    def give_back(self, share: int) -> None:
        with self._changed:
            self._free += share
            self._changed.notify_all()
