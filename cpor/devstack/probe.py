"""Asks a broker whether it is ready, without a Kafka client: only the runtime may have one."""

from __future__ import annotations

import socket
import struct

API_VERSIONS = 18
METADATA = 3
#: The oldest versions of both requests that every broker since 4.0 still answers, in the plain (not flexible)
#: encoding.
API_VERSIONS_VERSION = 0
METADATA_VERSION = 1
NO_TOPICS = struct.pack(">i", 0)


def answers(address: str, timeout: float = 2.0) -> bool:
    """Whether somebody listens at `host:port`."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout):
            return True
    except (OSError, ValueError):
        return False


def kafka_answers(bootstrap: str, timeout: float = 2.0) -> bool:
    """True when the broker knows its API and counts itself among the live ones: before, topics cannot be
    created.
    """
    host, _, port = bootstrap.split(",")[0].rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout) as connection:
            versions = ask(connection, API_VERSIONS, API_VERSIONS_VERSION, b"")
            live = ask(connection, METADATA, METADATA_VERSION, NO_TOPICS)
    except (OSError, ValueError, struct.error):
        return False
    (error,), (brokers,) = struct.unpack_from(">h", versions), struct.unpack_from(">i", live)
    return bool(error == 0 and brokers > 0)


def ask(connection: socket.socket, api: int, version: int, body: bytes) -> bytes:
    """The body of the answer; `ValueError` when the connection closes or the answer is another's."""
    client = b"cpor-probe"
    head = struct.pack(">hhih", api, version, api, len(client)) + client
    connection.sendall(struct.pack(">i", len(head) + len(body)) + head + body)
    (size,) = struct.unpack(">i", receive(connection, 4))
    answer = receive(connection, size)
    if struct.unpack_from(">i", answer)[0] != api:
        raise ValueError("an answer to another question")
    return answer[4:]


def receive(connection: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise ValueError("the broker closed the connection")
        data += more
    return bytes(data)
