"""Structured logs: one JSON object a line on stderr, each with service and slot, the Kafka client's own among them."""

from __future__ import annotations

import logging
import sys
import time

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

#: Kinds of messages that are remembered.
MOST_MESSAGES = 1_000


class Sparse(logging.Filter):
    """Lets a message through once in `seconds`, with how often it came in between.

    While its broker is away the Kafka client says so a hundred times a second.
    """

    def __init__(self, seconds: float = 10.0) -> None:
        super().__init__()
        self._seconds = seconds
        self._told: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        key, now = (record.name, str(record.msg)[:80]), time.monotonic()
        before, dropped = self._told.get(key, (-self._seconds, 0))
        if now - before < self._seconds and len(self._told) <= MOST_MESSAGES:
            self._told[key] = (before, dropped + 1)
            return False
        if len(self._told) > MOST_MESSAGES:
            self._told.clear()
        self._told[key] = (now, 0)
        if dropped:
            record.msg = f"{record.msg} (and {dropped} more like it)"
        return True


def configure(service: str, slot: str, level: int = logging.INFO) -> None:
    """Set up structlog for a worker; the warnings of libraries, on whatever thread, become lines of the same form."""

    def names(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        return {"service": service, "slot": slot, **event}

    ours: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        names,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    to_line: list[Processor] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=[*ours, *to_line],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    theirs = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*ours, structlog.stdlib.add_logger_name],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *to_line],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(theirs)
    handler.addFilter(Sparse())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
