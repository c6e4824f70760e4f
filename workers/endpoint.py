"""A worker over HTTP. GET /health answers 200 while it can work, else 503 with the reason; GET /metrics in any case.

Must not hold up the worker: everything runs in daemon threads.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

IDLE_S = 5.0


def serve(host: str, port: int, trouble: Callable[[], str | None], registry: CollectorRegistry) -> ThreadingHTTPServer:
    """Listen from a daemon thread. `trouble` says what is wrong, None for nothing."""

    def health() -> tuple[int, str, bytes]:
        wrong = trouble()
        return 503 if wrong else 200, "application/json", json.dumps({"status": wrong or "ok"}).encode()

    def metrics() -> tuple[int, str, bytes]:
        return 200, CONTENT_TYPE_LATEST, generate_latest(registry)

    def unknown() -> tuple[int, str, bytes]:
        return 404, "application/json", b'{"error": "Not found"}'

    pages = {"/health": health, "/metrics": metrics}

    class Handler(BaseHTTPRequestHandler):
        timeout = IDLE_S  # a caller that says nothing is let go

        def do_GET(self) -> None:
            status, media_type, body = pages.get(self.path.partition("?")[0], unknown)()
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer((host, port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="endpoint", daemon=True).start()
    return server
