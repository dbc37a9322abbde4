"""The health check of a container: healthy means that rounds end."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from cpor.runtime import health
from cpor.runtime.clock import wall_ms
from cpor.runtime.health import STALE_MS, Health


def checked(data: Path, *options: str, **environment: str) -> str | int | None:
    """How the check ends: None is exit code 0, a sentence is exit code 1."""
    with pytest.raises(SystemExit) as ended:
        health.main(["--data", str(data), *options], environment)
    return ended.value.code


def told(data: Path, slot: str = "0") -> Health:
    home = data / "review" / slot
    home.mkdir(parents=True)
    return Health("review", slot, home / "health.json", every=0)


@pytest.mark.parametrize("state", ["running", "idle"])
def test_a_worker_that_makes_rounds_is_healthy(tmp_path: Path, state: str) -> None:
    told(tmp_path).waits(state)
    assert checked(tmp_path, "--service", "review") is None


@pytest.mark.parametrize("state", ["starting", "joining", "restoring"])
def test_a_worker_on_its_way_to_its_first_round_is_not_healthy_yet(tmp_path: Path, state: str) -> None:
    told(tmp_path).waits(state)
    assert checked(tmp_path, "--service", "review") == f"review is {state}"


def test_a_worker_that_stopped_is_not_healthy_and_says_why(tmp_path: Path) -> None:
    told(tmp_path).ended("stopped", "a bug")
    assert checked(tmp_path, "--service", "review") == "review is stopped: a bug"


def test_a_worker_that_hangs_is_not_healthy_whatever_it_said_last(tmp_path: Path) -> None:
    worker = told(tmp_path)
    worker.idle()
    assert worker.path is not None
    last = json.loads(worker.path.read_text())
    worker.path.write_text(json.dumps(last | {"at": wall_ms() - STALE_MS - 1}))
    assert checked(tmp_path, "--service", "review") == "review was last heard of 30 s ago, idle"


def test_a_worker_that_never_told_of_itself_is_not_healthy(tmp_path: Path) -> None:
    assert checked(tmp_path, "--service", "review") == "review has not told of itself yet"


def test_the_environment_of_the_container_names_the_worker(tmp_path: Path) -> None:
    told(tmp_path, "b").idle()
    assert checked(tmp_path, CPOR_SERVICE="review", CPOR_SLOT="b") is None
    assert checked(tmp_path, CPOR_SERVICE="review") == "review has not told of itself yet"


def test_a_check_of_nobody_is_a_usage_error(tmp_path: Path) -> None:
    assert checked(tmp_path) == 2


def test_a_word_that_is_written_says_what_was_measured_for_it_and_none_is_measured_for_nobody(tmp_path: Path) -> None:
    """Who moves a test clock goes by it: a fresh word about old timers would let time go on too early."""
    worker = told(tmp_path)
    assert worker.path is not None
    for due in (1, 2):
        worker.idle(partial(setattr, worker, "next_timer", due))
        assert json.loads(worker.path.read_text())["next_timer"] == due
    seldom = Health("review", "0", every=3_600)
    measured: list[str] = []
    seldom.idle(lambda: measured.append("idle"))
    seldom.committed([], 0, 0, measure=lambda: measured.append("committed"))
    assert measured == ["idle"]
