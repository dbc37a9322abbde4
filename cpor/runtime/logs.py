"""Structured logs: one JSON object a line on stderr, each with service and slot, the Kafka client's own among them."""

from __future__ import annotations

import logging
import sys

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger


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
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
