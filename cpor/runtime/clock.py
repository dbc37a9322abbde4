"""The pipeline's clock: the system's, or a test clock that every worker sees.

The test clock is a piecewise linear map of wall time, kept in one file. From a piece's wall instant on, the
pipeline's time is `shown + (wall - since) * rate`. A broker's append time goes through the piece that was in force
when it was stamped, so a message keeps its time when the clock is moved later.
"""

from __future__ import annotations

import json
import time
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol


class Clock(Protocol):
    """Two questions; both answer in ms since the epoch."""

    def now(self) -> int:
        """The pipeline's time now."""

    def at(self, wall: int) -> int:
        """The pipeline's time at a wall-clock instant (a broker's append time)."""


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


class SystemClock:
    """The machine's own clock."""

    def now(self) -> int:
        return wall_ms()

    def at(self, wall: int) -> int:
        return wall


class Piece(NamedTuple):
    """From wall instant `since` on the clock shows `shown` plus `rate` ms for each wall ms."""

    since: int
    shown: int
    rate: float = 1.0


def map_wall(pieces: Sequence[Piece], wall: int) -> int:
    """The shown time at a wall instant; instants before the first piece go through the first."""
    piece = pieces[max(0, bisect_right(pieces, wall, key=lambda p: p.since) - 1)]
    return piece.shown + int((wall - piece.since) * piece.rate)


class TestClock:
    """A clock in a file; re-read when it changed, looked at most every 10 ms. Only ever moved forward."""

    __test__ = False  # a class of the product, not a test case

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp: tuple[int, int] | None = None
        self._looked = 0.0
        self._pieces: tuple[Piece, ...] = ()

    def pieces(self) -> tuple[Piece, ...]:
        looked = time.monotonic()
        if self._pieces and looked - self._looked < 0.01:
            return self._pieces
        self._looked = looked
        found = self.path.stat()
        stamp = (found.st_mtime_ns, found.st_ino)
        if stamp != self._stamp:
            self._pieces = tuple(Piece(*piece) for piece in json.loads(self.path.read_text())["pieces"])
            self._stamp = stamp
        return self._pieces

    def now(self) -> int:
        return map_wall(self.pieces(), wall_ms())

    def at(self, wall: int) -> int:
        return map_wall(self.pieces(), wall)

    def set(self, shown: int) -> Piece:
        """From now on show `shown`; raises ValueError where that would turn the clock back."""
        wall = wall_ms()
        pieces = self.pieces() if self.path.exists() else ()
        if pieces and shown < map_wall(pieces, wall):
            raise ValueError("a test clock only moves forward")
        piece = Piece(wall, shown)
        self._write((*pieces, piece))
        return piece

    def _write(self, pieces: tuple[Piece, ...]) -> None:
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps({"pieces": pieces}))
        fresh.replace(self.path)
        self._pieces = ()
        self._stamp = None


class ManualClock:
    """A clock moved by hand, for the in-memory pipeline; it ticks 1 ms with every `tick`."""

    def __init__(self, now: int = 1_709_200_800_000) -> None:
        self._now = now

    def now(self) -> int:
        return self._now

    def at(self, wall: int) -> int:
        return wall

    def tick(self, ms: int = 1) -> int:
        self._now += ms
        return self._now
