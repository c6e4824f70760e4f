"""Serves an application over HTTP until told to stop, in one process."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn

from services.process import whole_answers
from services.process.stop import Stop

GRACE_S = 20
# The whole stop; less than the 30 s after which the runtime kills.
STOP_S = 25.0


class Server(uvicorn.Server):
    """uvicorn's server, which leaves signals to us: its own handling ends the process with 143.

    `beside` goes on in the same event loop from before the first request until after the last.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        stopping: Stop,
        beside: Callable[[], contextlib.AbstractAsyncContextManager[object]],
    ) -> None:
        super().__init__(config)
        self._stopping = stopping
        self._beside = beside

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        async with self._beside():
            await super().serve(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def on_tick(self, counter: int) -> bool:
        """Whether to end. Looks at the flag itself, so that no signal is too early to be heard."""
        return self._stopping.is_set() or await super().on_tick(counter)


def config(application: Any, host: str, port: int) -> uvicorn.Config:
    """uvicorn's, for an ASGI application behind a proxy or alone."""
    return uvicorn.Config(
        application,
        host=host,
        port=port,
        loop="uvloop",
        http=whole_answers.Protocol,
        ws="none",
        lifespan="off",
        backlog=4096,
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=GRACE_S,
    )
