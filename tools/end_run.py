"""Ends the processes that a check left behind: those that carry its mark in their environment, never by name.

Exit code 1 when there were any, for that is a defect of the project.
"""

from __future__ import annotations

import sys
import time
from contextlib import suppress

import psutil

GRACE_SECONDS = 10.0


def main(mark: str) -> int:
    waiting_for_us = {process.pid for process in [psutil.Process(), *psutil.Process().parents()]}
    left = [
        process for process in psutil.process_iter() if carries(process, mark) and process.pid not in waiting_for_us
    ]
    for process in left:
        end(process)
    return 1 if left else 0


def carries(process: psutil.Process, mark: str) -> bool:
    with suppress(psutil.Error, OSError):
        return process.environ().get("CPOR_RUN") == mark
    return False


def end(process: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):
        sys.stderr.write(f"cpor: left behind: {process.pid} {' '.join(process.cmdline())[:120]}\n")
        process.terminate()
        deadline = time.monotonic() + GRACE_SECONDS
        while process.status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
            time.sleep(0.05)
        process.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
