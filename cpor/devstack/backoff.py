"""When a worker that ended is started again: a table of exit codes, and pauses that grow with quick failures."""

from __future__ import annotations

from dataclasses import dataclass

#: A fatal or repeated failure, or our own bug: the worker goes on from its last commit (architecture §3).
FATAL = 70
#: The worker's watchdog saw no progress.
STUCK = 71
#: Another process holds this worker's slot: a quick restart would fence *that* one, and so on for ever.
FENCED = 72


@dataclass(frozen=True)
class BackOff:
    """Seconds, all of them. Tests shorten them."""

    #: before the 1st, 2nd, ... restart after quick failures; the last one holds for those that follow
    pauses: tuple[float, ...] = (0.2, 0.5, 1.0, 2.0, 5.0)
    #: after an exit as FENCED
    fenced: float = 60.0
    #: a run shorter than this is a quick failure; a longer one forgets the earlier ones
    quick: float = 10.0
    #: that many quick failures in a row make a worker `failing`: it is reported, and tried every `slow` seconds
    patience: int = 5
    slow: float = 30.0
    #: a worker that lived so long counts as running
    settle: float = 1.0


@dataclass(frozen=True)
class Restart:
    """What follows from an exit: wait so many seconds; `failing` asks for a person's attention."""

    pause: float
    quick_failures: int
    failing: bool


def after_exit(policy: BackOff, code: int, ran_for: float, quick_failures: int) -> Restart:
    """`quick_failures` is their number before this exit; no exit is final, a worker is always tried again."""
    failures = quick_failures + 1 if ran_for < policy.quick else 1
    failing = failures > policy.patience
    if code == FENCED:
        return Restart(policy.fenced, failures, failing)
    if failing:
        return Restart(policy.slow, failures, failing)
    return Restart(policy.pauses[min(failures, len(policy.pauses)) - 1], failures, failing)
