"""A worker's health over HTTP: GET /health answers 200 while it can work, else 503 with the reason."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def serve(host: str, port: int, trouble: Callable[[], str | None]) -> ThreadingHTTPServer:
    """Listen from a daemon thread. `trouble` says what is wrong, None for nothing."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wrong = trouble()
            known = self.path == "/health"
            status = 404 if not known else 503 if wrong else 200
            body = json.dumps({"status": wrong or "ok"} if known else {"error": "Not found"}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer((host, port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    return server
