"""Wires the API and serves it; its entry is `services.tracking.serve`. One process.

Listens only once events can be accepted durably. SIGTERM and SIGINT: stop listening, finish the requests
in flight, close the producer, return 0. Whoever calls `main` must then end the process without joining
threads: one that reads from a frozen database would keep it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import structlog
import uvicorn

from services.tracking import logs
from services.tracking.adapters.link import BrokerAway
from services.tracking.adapters.publisher import Publisher, connect
from services.tracking.adapters.reading import Reading
from services.tracking.api.app import Application
from services.tracking.settings import Settings
from services.tracking.stop import Stop

PORT = 8010
GRACE_S = 20
# The whole stop; less than the 30 s after which the runtime kills.
STOP_S = 25.0

log = structlog.get_logger()


class Server(uvicorn.Server):
    """uvicorn's server, which leaves signals to us: its own handling ends the process with 143."""

    def __init__(self, config: uvicorn.Config, stopping: Stop) -> None:
        super().__init__(config)
        self._stopping = stopping

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def on_tick(self, counter: int) -> bool:
        """Whether to end. Looks at the flag itself, so that no signal is too early to be heard."""
        return self._stopping.is_set() or await super().on_tick(counter)


def main() -> int:
    settings = Settings()
    logs.configure("tracking", settings.replica)
    stopping = Stop()
    stopping.listen(STOP_S)

    publisher: Publisher | None = None
    while publisher is None:
        try:
            publisher = connect(settings.pulsar_url, settings.topic)
        except BrokerAway as error:
            log.warning("waiting for the broker", error=str(error))
        if stopping.wait(0 if publisher else 0.5):
            if publisher is not None:
                publisher.close()
            return 0
    reading = Reading(settings.sqlalchemy_url, settings.conninfo)
    server = Server(
        uvicorn.Config(
            Application(publisher, reading),
            host=settings.host,
            port=settings.port or PORT,
            loop="uvloop",
            http="httptools",
            ws="none",
            lifespan="off",
            backlog=4096,
            access_log=False,
            log_config=None,
            server_header=False,
            date_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=GRACE_S,
        ),
        stopping,
    )
    if not stopping.is_set():
        log.info("listening", host=settings.host, port=settings.port or PORT, topic=settings.topic)
        server.run()
    publisher.close()
    reading.close()
    log.info("stopped")
    return 0
