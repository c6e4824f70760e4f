"""Around the application: counts and times requests, answers GET /metrics, binds the correlation id for the logs.

Must change no request and no answer.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest

from services.process.metrics import LATENCY_S
from services.web.requests import Receive, Scope, Send, answer, correlation_of

PATH = "/metrics"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

Refresh = Callable[[], Awaitable[None]]


class Measured:
    """The application, measured. `refresh` brings up to date what is read only when somebody asks."""

    def __init__(
        self,
        application: Callable[[Scope, Receive, Send], Awaitable[None]],
        registry: CollectorRegistry,
        refresh: Refresh,
        unrouted: Collection[str] = (),
    ) -> None:
        """`unrouted` are the paths of routes that FastAPI does not see."""
        self._unrouted = frozenset(unrouted)
        self._application = application
        self._registry = registry
        self._refresh = refresh
        self._requests = Counter(
            "http_requests_total", "Requests, by route and answer.", ["method", "route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "http_request_duration_seconds",
            "From a request's headers to the end of its answer.",
            ["method", "route"],
            buckets=LATENCY_S,
            registry=registry,
        )
        # Looking labels up costs more than counting.
        self._children: dict[tuple[str, str, str], tuple[Any, Any]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        if scope["path"] == PATH and scope["method"] in ("GET", "HEAD"):
            await self._refresh()
            await answer(send, 200, CONTENT_TYPE_LATEST.encode(), generate_latest(self._registry))
            return
        status = "none"  # nobody was there any more to be answered

        async def watched(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        structlog.contextvars.bind_contextvars(correlation_id=correlation_of(dict(scope["headers"])))
        begun = time.perf_counter()
        try:
            await self._application(scope, receive, watched)
        finally:
            counted, seconds = self._of(scope, status)
            counted.inc()
            seconds.observe(time.perf_counter() - begun)
            structlog.contextvars.unbind_contextvars("correlation_id")

    def _of(self, scope: Scope, status: str) -> tuple[Any, Any]:
        route = scope["path"] if scope["path"] in self._unrouted else getattr(scope.get("route"), "path", "other")
        method = scope["method"] if scope["method"] in METHODS else "other"
        found = self._children.get((method, route, status))
        if found is None:
            found = self._requests.labels(method, route, status), self._seconds.labels(method, route)
            self._children[method, route, status] = found
        return found
