"""The pipeline's clock: the system's, or a test clock that every worker sees.

The test clock is a piecewise linear map of wall time, kept in one file. From a piece's wall instant on, the
pipeline's time is `shown + (wall - since) * rate`. A broker's append time goes through the piece that was in force
when it was stamped, so a message keeps its time when the clock is moved later.
"""

from __future__ import annotations

import fcntl
import json
import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import ceil
from pathlib import Path
from typing import NamedTuple, Protocol


class Clock(Protocol):
    """Three questions; all answer in ms since the epoch."""

    def now(self) -> int:
        """The pipeline's time now."""

    def at(self, wall: int) -> int:
        """The pipeline's time at a wall-clock instant (a broker's append time)."""

    def wall(self, shown: int) -> int:
        """The inverse: the first wall-clock instant at which the pipeline's time is `shown` or later, as far as is
        known now."""


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


class SystemClock:
    """The machine's own clock."""

    def now(self) -> int:
        return wall_ms()

    def at(self, wall: int) -> int:
        return wall

    def wall(self, shown: int) -> int:
        return shown


class Piece(NamedTuple):
    """From wall instant `since` on the clock shows `shown` plus `rate` ms for each wall ms."""

    since: int
    shown: int
    rate: float = 1.0


def map_wall(pieces: Sequence[Piece], wall: int) -> int:
    """The shown time at a wall instant; instants before the first piece go through the first."""
    piece = pieces[max(0, bisect_right(pieces, wall, key=lambda p: p.since) - 1)]
    return piece.shown + int((wall - piece.since) * piece.rate)


def map_shown(pieces: Sequence[Piece], shown: int) -> int:
    """The first wall instant at which `shown` or a later time is shown; the last piece goes on for ever."""
    for number, piece in enumerate(pieces):
        wall = piece.since + ceil((shown - piece.shown) / piece.rate)
        if number and wall < piece.since:
            return piece.since
        if number + 1 == len(pieces) or wall < pieces[number + 1].since:
            return wall
    raise ValueError("a clock without pieces shows nothing")


class TestClock:
    """A clock in a file that every worker reads. Only ever moved forward; its file is replaced, never changed.

    A piece begins a little after it was written (`AHEAD_MS`), and the file is looked at again for every instant that
    is not older than the last look: so all who ask about an instant, however soon and in whatever process, go
    through the same piece.
    """

    __test__ = False  # a class of the product, not a test case

    AHEAD_MS = 100

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp: tuple[int, int] | None = None
        self._looked = -1
        self._pieces: tuple[Piece, ...] = ()

    def now(self) -> int:
        return self.at(wall_ms())

    def at(self, wall: int) -> int:
        if wall >= self._looked:
            self._look()
        return map_wall(self._pieces, wall)

    def wall(self, shown: int) -> int:
        self._look()
        return map_shown(self._pieces, shown)

    def _look(self) -> None:
        self._looked = wall_ms()
        found = self.path.stat()
        stamp = (found.st_mtime_ns, found.st_ino)
        if stamp != self._stamp:
            self._pieces = tuple(Piece(*piece) for piece in json.loads(self.path.read_text())["pieces"])
            self._stamp = stamp

    def set(self, shown: int) -> Piece:
        """Show `shown` from now on; returns once that is so. Raises ValueError where it would turn the clock back."""
        with self._alone():
            pieces = self._written()
            if not pieces:
                piece = Piece(wall_ms(), shown)
            elif shown < map_wall(pieces, wall_ms()):
                raise ValueError("a test clock only moves forward")
            else:
                since = max(wall_ms() + self.AHEAD_MS, pieces[-1].since + 1)
                piece = Piece(since, max(shown, map_wall(pieces, since)))
            self._write((*pieces, piece))
        while wall_ms() < piece.since:
            time.sleep(0.005)
        return piece

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Two who move the clock do so one after the other."""
        with self.path.with_suffix(".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _written(self) -> tuple[Piece, ...]:
        if not self.path.exists():
            return ()
        self._look()
        return self._pieces

    def _write(self, pieces: tuple[Piece, ...]) -> None:
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps({"pieces": pieces}))
        fresh.replace(self.path)


class ManualClock:
    """A clock moved by hand, for the in-memory pipeline; it ticks 1 ms with every `tick`."""

    def __init__(self, now: int = 1_709_200_800_000) -> None:
        self._now = now

    def now(self) -> int:
        return self._now

    def at(self, wall: int) -> int:
        return wall

    def wall(self, shown: int) -> int:
        return shown

    def tick(self, ms: int = 1) -> int:
        self._now += ms
        return self._now
