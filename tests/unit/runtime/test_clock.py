"""The test clock: the same answer for the same instant, whoever asks and whenever."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cpor.runtime.clock import Piece, TestClock, map_wall, wall_ms

DAY = 86_400_000
START = 1_700_000_000_000

MOVER = """
import sys
from pathlib import Path
from cpor.runtime.clock import TestClock
clock = TestClock(Path(sys.argv[1]))
for _ in range(5):
    clock.set(clock.now() + 86_400_000)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    TestClock(tmp_path / "clock.json").set(START)
    return tmp_path / "clock.json"


def test_an_instant_goes_through_the_piece_that_was_in_force_then() -> None:
    pieces = [Piece(1_000, 50_000), Piece(2_000, 90_000), Piece(3_000, 95_000, 0.5)]
    assert [map_wall(pieces, wall) for wall in (900, 1_000, 1_999, 2_000, 2_500, 3_100)] == [
        49_900,
        50_000,
        50_999,
        90_000,
        90_500,
        95_050,
    ]


def test_what_was_stamped_before_a_move_keeps_its_time(path: Path) -> None:
    clock = TestClock(path)
    stamped = wall_ms()
    told = clock.at(stamped)
    clock.set(clock.now() + 3 * DAY)
    assert clock.at(stamped) == TestClock(path).at(stamped) == told
    assert clock.now() >= told + 3 * DAY


def test_the_clock_is_never_turned_back(path: Path) -> None:
    clock = TestClock(path)
    with pytest.raises(ValueError, match="only moves forward"):
        clock.set(clock.now() - 1_000)
    clock.set(clock.now() + 1)
    assert clock.now() >= START


def test_every_instant_has_one_time_for_all_who_ask_while_the_clock_is_moved(path: Path) -> None:
    """A worker that asks at once, and one that asks much later, must judge a record by the same time."""
    asked: list[tuple[int, int]] = []
    over = threading.Event()

    def worker() -> None:
        clock = TestClock(path)
        while not over.is_set():
            wall = wall_ms()
            asked.append((wall, clock.at(wall)))

    thread = threading.Thread(target=worker)
    thread.start()
    mover = TestClock(path)
    for _ in range(4):
        mover.set(mover.now() + DAY)
    over.set()
    thread.join()
    later = TestClock(path)
    assert [(wall, told) for wall, told in asked if later.at(wall) != told] == []
    assert later.now() > START + 4 * DAY


def test_two_processes_that_move_the_clock_at_once_lose_no_move(path: Path) -> None:
    movers = [subprocess.Popen([sys.executable, "-c", MOVER, str(path)]) for _ in range(2)]
    assert [mover.wait(60) for mover in movers] == [0, 0]
    pieces = [Piece(*piece) for piece in json.loads(path.read_text())["pieces"]]
    assert len(pieces) == 11
    assert pieces == sorted(pieces)
    assert [piece.shown for piece in pieces] == sorted(piece.shown for piece in pieces)


def test_a_move_shows_as_soon_as_it_is_made(path: Path) -> None:
    reader, mover = TestClock(path), TestClock(path)
    wanted = reader.now() + DAY
    mover.set(wanted)
    assert reader.now() >= wanted
