"""The process in which documents are read: no credentials, bounded memory, bounded processor time per
document.

A parser can be led into hours of work or gigabytes by a few bytes, and Python cannot stop a thread. So the
operating system does: past its time the process dies of SIGPROF, by its own timer, also when nobody is left
to kill it; when its parent is gone the socket on standard input ends, and so does it.

Protocol, one request and one reply at a time: 4 bytes length, JSON; a request's JSON is followed by
`length` bytes of content.
"""

from __future__ import annotations

import json
import resource
import signal
import socket
import struct
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from services.intake.poe.inspect import inspect
from services.intake.poe.limits import Kind, Limits
from services.intake.poe.verdict import Accepted, Facts, Inspection, Problem, ProblemCode, Refused

#: Past it (in KiB) a fresh process is cheaper than the memory that this one keeps.
RETIRE_ABOVE_KIB = 400 * 1024
LENGTH = struct.Struct(">I")


def main() -> None:
    """Serves inspections over the socket on standard input until it is closed."""
    # Ctrl-C reaches the whole process group; this process ends with its parent's socket.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(fileno=0) as peer:
        while resident_kib() < RETIRE_ABOVE_KIB:
            request = receive_json(peer)
            if request is None:
                return
            content = receive(peer, request["length"])
            if content is None:
                return
            send_json(peer, encode(_inspect(content, request)))


def resident_kib() -> int:
    """What this process holds now. Not `ru_maxrss`: a process that is started inherits the peak of the one that
    started it, so that under a large worker every fresh process would retire before its first document.
    """
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:  # no Linux
        return 0
    return pages * resource.getpagesize() // 1024


def _inspect(content: bytes, request: Mapping[str, Any]) -> Inspection:
    limits = Limits.from_json(request["limits"])
    resource.setrlimit(resource.RLIMIT_AS, (limits.max_memory_bytes, resource.RLIM_INFINITY))
    signal.setitimer(signal.ITIMER_PROF, limits.max_cpu_seconds)
    try:
        return inspect(
            content,
            declared_type=request["type"],
            declared_size=request["size"],
            declared_sha256=request["sha256"],
            limits=limits,
        )
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def encode(inspection: Inspection) -> dict[str, Any]:
    """A verdict as JSON; `decode` is its inverse."""
    if isinstance(inspection, Accepted):
        return {"accepted": asdict(inspection.facts)}
    return {"refused": [[problem.code, problem.detail] for problem in inspection.problems]}


def decode(plain: Mapping[str, Any]) -> Inspection:
    if "accepted" in plain:
        facts = plain["accepted"]
        return Accepted(Facts(**{**facts, "kind": Kind(facts["kind"])}))
    return Refused(tuple(Problem(ProblemCode(code), detail) for code, detail in plain["refused"]))


def send_json(peer: socket.socket, plain: Mapping[str, Any]) -> None:
    body = json.dumps(plain).encode()
    peer.sendall(LENGTH.pack(len(body)) + body)


def receive_json(peer: socket.socket) -> Any:
    """None when the other side is gone."""
    length = receive(peer, LENGTH.size)
    body = receive(peer, LENGTH.unpack(length)[0]) if length is not None else None
    return json.loads(body) if body is not None else None


def receive(peer: socket.socket, length: int) -> bytes | None:
    """Exactly `length` bytes, or None when the other side is gone."""
    buffer = bytearray(length)
    view = memoryview(buffer)
    filled = 0
    while filled < length:
        count = peer.recv_into(view[filled:])
        if count == 0:
            return None
        filled += count
    return bytes(buffer)


if __name__ == "__main__":
    main()
