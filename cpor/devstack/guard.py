"""Runs a command that must not outlive its parent, even when the parent is killed with SIGKILL.

Run as a file, with `<pid of the parent> <command> ...`; it imports nothing of the project, so that it starts
in a few hundredths of a second. On Linux it asks the kernel for SIGKILL at the parent's death and becomes the
command. Elsewhere it stays, watches both, and ends the command's process group, which is its own.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from contextlib import suppress

#: linux/prctl.h; the setting survives execve, but is bound to the *thread* that forked us (see
#: `process.spawn`)
PR_SET_PDEATHSIG = 1
WATCH_SECONDS = 0.25


def main(parent: int, command: list[str]) -> None:
    if os.uname().sysname == "Linux":
        die_with_parent()
        leave_if_orphaned(parent)
        os.execvp(command[0], command)
    watch(parent, os.spawnvp(os.P_NOWAIT, command[0], command))


def die_with_parent() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")


def leave_if_orphaned(parent: int) -> None:
    """The parent may have died before `prctl` took effect: then no signal will ever come."""
    if os.getppid() != parent:
        sys.exit(1)


def watch(parent: int, child: int) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # sent to the whole group: the command decides when it is done
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            leave_as(os.waitstatus_to_exitcode(status))
        if os.getppid() != parent:
            os.killpg(os.getpgrp(), signal.SIGKILL)
        time.sleep(WATCH_SECONDS)


def leave_as(code: int) -> None:
    """End as the command did: with its exit code, or by the same signal."""
    if code < 0:
        with suppress(OSError):  # SIGKILL has no handler to reset
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    sys.exit(code)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
