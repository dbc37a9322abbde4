"""Records that the client takes for corrupt, and the broker does not: header names that are no UTF-8.

Other clients send any bytes, and a broker keeps them. kafka-python stops at such a record each time it is read, so that
one partner's record would keep intake from all partners.
"""

from __future__ import annotations

from typing import Any

from kafka.record.default_records import DefaultRecordBatch, decode_varint

_read_strictly = DefaultRecordBatch._read_msg


def accept_any_header_name() -> None:
    """From now on the client reads every byte of a header name that is not ASCII as `?`, where the name is no UTF-8."""
    DefaultRecordBatch._read_msg = _read_leniently


def _read_leniently(batch: Any) -> Any:
    try:
        return _read_strictly(batch)
    except UnicodeDecodeError:
        _respell(batch._buffer, batch._pos)
        return _read_strictly(batch)


def _respell(buffer: bytearray, pos: int) -> None:
    """The names of the record at `pos`, in their place and as long as they were."""
    for _ in ("length", "attributes", "time", "offset"):
        _, pos = decode_varint(buffer, pos)
    for _ in ("key", "value"):
        pos = _behind(buffer, pos)
    count, pos = decode_varint(buffer, pos)
    for _ in range(count):
        length, pos = decode_varint(buffer, pos)
        name = buffer[pos : pos + length]
        if not _is_utf8(name):
            buffer[pos : pos + length] = bytes(byte if byte < 0x80 else ord("?") for byte in name)
        pos = _behind(buffer, pos + length)


def _behind(buffer: bytearray, pos: int) -> int:
    """Where the field that begins at `pos` ends; it may be absent."""
    length, pos = decode_varint(buffer, pos)
    return int(pos) + max(0, int(length))


def _is_utf8(name: bytearray) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True
