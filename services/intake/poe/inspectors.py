"""A few sandbox processes that inspect documents for many threads."""

from __future__ import annotations

import os
import queue
import signal
import socket
import subprocess
import sys

from services.intake.poe.errors import InspectorUnavailable
from services.intake.poe.limits import Limits
from services.intake.poe.sandbox import decode, receive_json, send_json
from services.intake.poe.verdict import Inspection, Problem, ProblemCode, Refused

#: How the document ended the process that read it → what the partner is told. Any other end is a fault of
#: ours.
FATAL_TO_READER: dict[int, str] = {
    signal.SIGPROF: "The file takes too long to read; save it anew or scan it.",
    signal.SIGXCPU: "The file takes too long to read; save it anew or scan it.",
    signal.SIGSEGV: "The file cannot be read: it is damaged.",
    signal.SIGBUS: "The file cannot be read: it is damaged.",
    signal.SIGABRT: "The file cannot be read: it is damaged.",
    signal.SIGILL: "The file cannot be read: it is damaged.",
    signal.SIGFPE: "The file cannot be read: it is damaged.",
}
#: A process may retire or be killed between two documents; a third failure in a row is no accident.
ATTEMPTS = 3


class Sandbox:
    """One inspecting process, started anew whenever it is gone. Used by one thread at a time."""

    def __init__(self, limits: Limits, wall_seconds: float) -> None:
        self._limits = limits
        self._wall_seconds = wall_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._peer: socket.socket | None = None

    def start(self) -> socket.socket:
        """The socket to a running process; returns before that has loaded its parsers."""
        if self._peer is not None:
            return self._peer
        ours, theirs = socket.socketpair()
        ours.settimeout(self._wall_seconds)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "services.intake.poe.sandbox"],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                # Nothing of our environment: the process that reads strangers' files knows no secret.
                env=_bare_environment(),
            )
        self._peer = ours
        return ours

    def inspect(self, content: bytes, *, declared_type: str, declared_size: int, declared_sha256: str) -> Inspection:
        """The verdict; a document that kills its reader is refused. Raises `InspectorUnavailable`."""
        request = {
            "type": declared_type,
            "size": declared_size,
            "sha256": declared_sha256,
            "length": len(content),
            "limits": self._limits.to_json(),
        }
        for _ in range(ATTEMPTS):
            verdict = self._ask(request, content)
            if verdict is not None:
                return verdict
        raise InspectorUnavailable("the inspecting process ended three times without an answer")

    def _ask(self, request: dict[str, object], content: bytes) -> Inspection | None:
        """None when the process ended for a reason that is not the document's."""
        try:
            peer = self.start()
            send_json(peer, request)
            peer.sendall(content)
            reply = receive_json(peer)
        except TimeoutError as error:
            self.stop()
            raise InspectorUnavailable("the inspecting process does not answer") from error
        except OSError:
            reply = None
        return decode(reply) if reply is not None else _blame(self.stop())

    def stop(self) -> int:
        """Ends the process, if it still runs; its exit code."""
        if self._peer is not None:
            self._peer.close()
            self._peer = None
        process, self._process = self._process, None
        return _end(process) if process is not None else 0


def _bare_environment() -> dict[str, str]:
    """Where the code is, and nothing else."""
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "PYTHONHOME") if name in os.environ}
    return {**kept, "PYTHONPATH": os.pathsep.join(sys.path)}


def _end(process: subprocess.Popen[bytes]) -> int:
    """The process sees its socket closed and leaves by itself, unless it is stuck."""
    try:
        return process.wait(timeout=1)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _blame(exit_code: int) -> Refused | None:
    detail = FATAL_TO_READER.get(-exit_code)
    return Refused((Problem(ProblemCode.UNREADABLE, detail),)) if detail is not None else None


class InspectorPool:
    """`processes` sandboxes shared by any number of threads; `inspect` waits for a free one."""

    def __init__(self, limits: Limits, processes: int = 2, wall_seconds: float = 60.0) -> None:
        """`wall_seconds` bounds one inspection on a machine that hardly runs; it never decides a verdict."""
        self._all = [Sandbox(limits, wall_seconds) for _ in range(processes)]
        self._free: queue.LifoQueue[Sandbox] = queue.LifoQueue()
        for sandbox in self._all:
            self._free.put(sandbox)

    def start(self) -> None:
        """Starts the processes ahead of the first document."""
        for sandbox in self._all:
            sandbox.start()

    def inspect(self, content: bytes, *, declared_type: str, declared_size: int, declared_sha256: str) -> Inspection:
        """As `inspect.inspect`, in a process that may be lost. Raises `InspectorUnavailable`."""
        sandbox = self._free.get()
        try:
            return sandbox.inspect(
                content,
                declared_type=declared_type,
                declared_size=declared_size,
                declared_sha256=declared_sha256,
            )
        finally:
            self._free.put(sandbox)

    def close(self) -> None:
        """Ends the processes. No inspection may be under way."""
        for sandbox in self._all:
            sandbox.stop()
