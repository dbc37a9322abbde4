"""Reference records as workers read them: what a feed wrote wrongly must not stop everybody's claims."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog

log = structlog.get_logger("cpor.references")


def readable(kind: str, read: Callable[[bytes], Any]) -> Callable[[bytes], Any | None]:
    """`read` for a table: a record that it raises ValueError for counts as absent, and is told of in the log."""

    def decode(value: bytes) -> Any | None:
        try:
            return read(value)
        except ValueError as fault:
            log.error("unreadable reference record: it counts as absent", kind=kind, cause=type(fault).__name__)
            return None

    return decode
