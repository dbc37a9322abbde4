"""Ports on the loopback interface: chosen by the system, kept over restarts so that clients find the instance
again.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from cpor.devstack.files import write_atomic

LOOPBACK = "127.0.0.1"


def free_ports(count: int) -> list[int]:
    """`count` different ports that nobody listened on a moment ago; who uses one must be ready to lose the
    race for it.
    """
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind((LOOPBACK, 0))
        return [int(one.getsockname()[1]) for one in sockets]


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # as servers do: an old connection's TIME_WAIT is no holder
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def kept_ports(record: Path, names: Sequence[str], *, patience: float = 3.0) -> dict[str, int]:
    """The recorded ports where all of them are free within `patience` seconds, else new ones, recorded.

    Patience, because a client that keeps trying to reach a stopped instance can hold its port for a moment by
    connecting to itself.
    """
    ports = _recorded(record, names)
    deadline = time.monotonic() + patience
    while ports and not all(map(is_free, ports.values())):
        if time.monotonic() > deadline:
            ports = {}
        time.sleep(0.05)
    return ports or choose_ports(record, names)


def choose_ports(record: Path, names: Sequence[str]) -> dict[str, int]:
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    write_atomic(record, json.dumps(ports))
    return ports


def _recorded(record: Path, names: Sequence[str]) -> dict[str, int]:
    try:
        ports = json.loads(record.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return {name: int(ports[name]) for name in names} if set(ports) == set(names) else {}
