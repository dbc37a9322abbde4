"""Where a command's time goes: samples of the worker's thread, summed up into classes that one can act on.

Sampled, because a tracing profiler charges every Python call: with a thousand small calls a command it would show where
calls are, not where time goes. Weights are CPU time: what the thread itself used since the last sample goes to the code
that was found running, what the process used beside it (the client's network threads, the store's) to `OTHER_THREADS`.
"""

from __future__ import annotations

import signal
import time
from collections import Counter
from types import CodeType, FrameType
from typing import Any, NamedTuple, Self

OTHER_THREADS = "the client's network threads"
REST = "rest"
INTERVAL_SECONDS = 0.002


class Row(NamedTuple):
    """Code belongs to `share` when its `file:function` contains one of `marks`."""

    share: str
    marks: tuple[str, ...]


#: The first row that fits counts; code that fits none (a codec, a lock) is charged to whoever called it.
CLASSES: tuple[Row, ...] = (
    Row("client: send", ("/kafka/producer/", "transport/kafka_write")),
    Row("client: poll", ("/kafka/consumer/", "/kafka/coordinator/", "transport/kafka_read")),
    Row(
        "JSON and pydantic",
        ("/pydantic/", "domain/wire", "/json/", "schemas/receipts", "schemas/inbox", "inbox.py:_object"),
    ),
    Row("JSON and pydantic", ("schemas/base", "schemas/partner_commands", "schemas/errors", "schemas/fields")),
    Row("ids and headers", ("domain/ids", "schemas/envelope", "domain/instants", "references.py:identity")),
    Row("store and overlay", ("runtime/store/", "runtime/task", "runtime/restore")),
    Row("decide and evolve", ("cpor/domain/",)),
    Row("the service's own rules", ("/services/",)),
    Row("the kernel's loop", ("cpor/runtime/",)),
)


class Sampler:
    """A context manager; the profile of what ran in it, in this (the main) thread."""

    def __init__(self) -> None:
        self.spent: Counter[str] = Counter()
        self.lines: Counter[str] = Counter()
        self._classes: dict[CodeType, str | None] = {}
        self._own = self._all = 0.0

    def __enter__(self) -> Self:
        self._own, self._all = time.thread_time(), time.process_time()
        self._before = signal.signal(signal.SIGPROF, self._sample)
        signal.setitimer(signal.ITIMER_PROF, INTERVAL_SECONDS, INTERVAL_SECONDS)
        return self

    def __exit__(self, *fault: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, self._before)

    def shares(self) -> dict[str, float]:
        """Percent of the CPU time by class, the largest first."""
        return _percent(self.spent, len(self.spent))

    def hottest(self, most: int = 25) -> dict[str, float]:
        """Percent by Python function, what it calls in C included."""
        return _percent(self.lines, most)

    def _sample(self, number: int, frame: FrameType | None) -> None:
        own, whole = time.thread_time(), time.process_time()
        spent, beside = own - self._own, (whole - self._all) - (own - self._own)
        self.spent[OTHER_THREADS] += max(0.0, beside)  # type: ignore[assignment]  # a Counter of seconds
        if frame is not None:
            self.spent[self._share(frame)] += spent  # type: ignore[assignment]
            self.lines[_name(frame.f_code)] += spent  # type: ignore[assignment]
        self._own, self._all = time.thread_time(), time.process_time()  # the sampler's own time is nobody's

    def _share(self, frame: FrameType) -> str:
        at: FrameType | None = frame
        while at is not None:
            share = self._class(at.f_code)
            if share is not None:
                return share
            at = at.f_back
        return REST

    def _class(self, code: CodeType) -> str | None:
        if code not in self._classes:
            self._classes[code] = class_of(f"{code.co_filename}:{code.co_name}")
        return self._classes[code]


def class_of(place: str) -> str | None:
    """The share of `file:function`; None for what belongs to its callers."""
    return next((row.share for row in CLASSES if any(mark in place for mark in row.marks)), None)


def _name(code: CodeType) -> str:
    parts = code.co_filename.split("/")
    return f"{'/'.join(parts[-3:])}:{code.co_qualname}"


def _percent(seconds: Counter[str], most: int) -> dict[str, float]:
    whole: Any = sum(seconds.values()) or 1.0
    return {name: round(100 * spent / whole, 1) for name, spent in seconds.most_common(most)}
