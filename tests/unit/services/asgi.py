"""One request to an ASGI application, without a server."""

from __future__ import annotations

import asyncio
import json
from typing import Any


class Answer:
    def __init__(self, messages: list[Any]) -> None:
        self.status: int = messages[0]["status"]
        self.headers = {name.decode(): value.decode() for name, value in messages[0]["headers"]}
        self.body: Any = json.loads(b"".join(message.get("body", b"") for message in messages[1:]))


def ask(
    app: Any,
    method: str,
    target: str,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    chunks: list[bytes] | None = None,
) -> Answer:
    """Its answer. `chunks` are the pieces in which the body comes."""
    path, _, query = target.partition("?")
    parts = chunks or [body]
    incoming = [
        {"type": "http.request", "body": part, "more_body": index < len(parts) - 1} for index, part in enumerate(parts)
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        return incoming.pop(0) if incoming else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8010),
    }
    asyncio.run(app(scope, receive, send))
    return Answer(sent)


def problem(answer: Answer, status: int, kind: str) -> Any:
    assert (answer.status, answer.body["type"], answer.body["status"]) == (status, kind, status), answer.body
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.body["error"] == answer.body["detail"]
    return answer.body
