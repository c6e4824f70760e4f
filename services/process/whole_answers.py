"""An answer leaves in one piece: its status and headers wait for its body.

uvicorn writes them one after the other. A process that is killed in between has told its caller that the event is
accepted, and breaks off: a proxy has passed the beginning on, and can't ask another replica any more.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_ANSWER = b"HTTP/1.1 "
_INTERIM = b"HTTP/1.1 1"  # 100 Continue: nothing follows until the caller has sent its body


class Protocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1, each answer in one write; what follows the first piece of a longer body isn't held."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._held = _Held(transport)
        super().connection_made(cast(asyncio.Transport, self._held))

    def on_response_complete(self) -> None:
        self._held.let_go()  # an answer without a body
        super().on_response_complete()


class _Held:
    """The transport, which keeps an answer's beginning until the next write."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if not self._head and data.startswith(_ANSWER) and not data.startswith(_INTERIM):
            self._head = data
            return
        head, self._head = self._head, b""
        self._transport.write(head + data)

    def let_go(self) -> None:
        if self._head:
            self.write(b"")

    def close(self) -> None:
        self.let_go()
        self._transport.close()
