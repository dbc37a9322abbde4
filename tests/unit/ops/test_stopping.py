"""How a running command is asked to stop."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

PROGRAM = """
import signal, sys, time
for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # whatever the tests themselves were started with
    signal.signal(each, signal.SIG_DFL)
signal.signal(signal.Signals(int(sys.argv[1])), signal.SIG_IGN)
from cpor.ops.running import stoppable
try:
    with stoppable():
        print("runs", flush=True)
        time.sleep(float(sys.argv[2]))
    print("went on", flush=True)
except KeyboardInterrupt:
    print("stopped in order", flush=True)
"""


def said_after(ignored: signal.Signals, sent: signal.Signals, seconds: float) -> str:
    """The last word of a command that began with one signal ignored and was sent one; it runs for `seconds`."""
    command = [sys.executable, "-c", PROGRAM, str(int(ignored)), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "runs\n"
        process.send_signal(sent)
        return process.communicate(timeout=60)[0].strip()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_command_that_a_shell_put_into_the_background_stops_in_order(sent: signal.Signals) -> None:
    assert said_after(signal.SIGINT, sent, 60) == "stopped in order"


def test_a_command_under_nohup_outlives_its_terminal() -> None:
    assert said_after(signal.SIGHUP, signal.SIGHUP, 0.5) == "went on"
