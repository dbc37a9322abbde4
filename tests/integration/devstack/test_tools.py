"""The build's own tools: what a check leaves behind is ended, and an old Python gets a clear answer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.integration.devstack.world import ROOT, SLEEPER, kill, runs


def end_run(mark: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "tools" / "end_run.py"), mark]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_what_carries_the_mark_of_a_run_is_ended_reported_and_makes_the_run_fail() -> None:
    env = {**os.environ, "CPOR_RUN": "test-mark"}
    with subprocess.Popen(SLEEPER, env=env) as marked, subprocess.Popen(SLEEPER) as other:
        try:
            ended = end_run("test-mark")
            assert marked.wait(5) == -15
            assert (ended.returncode, f"left behind: {marked.pid}" in ended.stderr) == (1, True)
            assert runs(other.pid)
        finally:
            kill(other.pid)


def test_a_run_that_left_nothing_behind_passes() -> None:
    assert end_run("a mark that nobody carries").returncode == 0


def test_an_old_python_is_named_together_with_what_is_needed(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\ncase "$2" in *version_info\\ *) exit 1;; *) echo "old is Python 3.9";; esac\n')
    old.chmod(0o755)
    command = [str(ROOT / "tools" / "find_python.sh")]
    env = {**os.environ, "PYTHON": str(old)}
    answer = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=30)
    assert answer.returncode == 3
    assert "Python 3.11 or newer" in answer.stderr
    assert "seen: old is Python 3.9." in answer.stderr
