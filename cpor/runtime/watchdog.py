"""Ends the process when its loop stands still: the client's commit and flush wait without limit (P2)."""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
import time
from collections.abc import Callable

from cpor.runtime.errors import ExitCode


def end_process() -> None:
    """Say where every thread stands, then end at once: nothing may be left to run on."""
    faulthandler.dump_traceback(file=sys.stderr)
    os._exit(ExitCode.STALLED)


class Watchdog:
    """Call `alive` at least every `seconds`, or `bite` is called."""

    def __init__(self, seconds: float, bite: Callable[[], None] = end_process) -> None:
        self._seconds = seconds
        self._bite = bite
        self._seen = time.monotonic()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def alive(self) -> None:
        self._seen = time.monotonic()

    def stop(self) -> None:
        self._stopped.set()

    def _watch(self) -> None:
        while not self._stopped.wait(min(1.0, self._seconds / 4)):
            if time.monotonic() - self._seen > self._seconds:
                self._bite()
                return
