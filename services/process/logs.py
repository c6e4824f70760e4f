"""Logs as JSON lines on standard output, with the correlation ids that are bound."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import structlog


def configure(service: str, replica: str) -> None:
    """Set structlog up for this process. Fields of every line: time, level, event, service, replica."""

    def name(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        # Not a context variable: those don't reach other threads.
        return {"service": service, "replica": replica, **event}

    structlog.configure(
        processors=[
            name,
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger("info"),
        logger_factory=structlog.PrintLoggerFactory(),
        cache_logger_on_first_use=True,
    )
