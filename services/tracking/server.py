"""Wires the API and serves it; its entry is `services.tracking.serve`. One process.

Listens only once events can be accepted durably: by the broker, or by the outbox while the broker is away. SIGTERM
and SIGINT: stop listening, finish the requests in flight, close the producer, return 0. Whoever calls `main` must
then end the process without joining threads: one that reads from a frozen database would keep it.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator

import structlog
import uvicorn

from services.tracking import logs
from services.tracking.accepting import Accepting
from services.tracking.adapters.outbox import Outbox
from services.tracking.adapters.outbox_relay import OutboxRelay
from services.tracking.adapters.publisher import Publisher, make_publisher
from services.tracking.adapters.reading import Bounded, DatabaseError, Reading
from services.tracking.api.app import Application
from services.tracking.api.measured import Measured
from services.tracking.domain.recent import Recent
from services.tracking.metrics import registry
from services.tracking.settings import Settings
from services.tracking.stop import Stop
from services.tracking.watched import Depths, WatchedAccepting, WatchedOutbox

PORT = 8010
GRACE_S = 20
# The whole stop; less than the 30 s after which the runtime kills.
STOP_S = 25.0
LOOK_S = 0.1

log = structlog.get_logger()


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


def main() -> int:
    settings = Settings()
    logs.configure("tracking", settings.replica)
    stopping = Stop()
    stopping.listen(STOP_S)

    publisher = make_publisher(settings.pulsar_url, settings.topic)
    reading = Reading(settings.sqlalchemy_url, settings.conninfo)
    figures = registry("tracking")
    outbox = Outbox(settings.conninfo, settings.replica, settings.outbox_max_rows)
    relay = OutboxRelay(settings.conninfo, settings.replica, publisher)

    accepting = WatchedAccepting(Accepting(publisher, WatchedOutbox(outbox, figures), Recent()), figures)
    application = Application(accepting, publisher, reading, settings.outbox_max_rows)
    bounded = Bounded()
    depths = Depths(figures, publisher.is_connected, lambda: bounded(reading.depths), DatabaseError)

    @contextlib.asynccontextmanager
    async def beside() -> AsyncIterator[None]:
        async with relay:
            yield
        await outbox.close()

    server = Server(
        uvicorn.Config(
            Measured(application, figures, depths.refresh),
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
        beside,
    )
    if _can_accept(publisher, reading, stopping) and not stopping.is_set():
        log.info("listening", host=settings.host, port=settings.port or PORT, topic=settings.topic)
        server.run()
    publisher.close()
    reading.close()
    log.info("stopped")
    return 0


def _can_accept(publisher: Publisher, reading: Reading, stopping: Stop) -> bool:
    """Wait until events can be accepted, by the broker or by the outbox; False if told to stop before."""
    tried = publisher.keep()
    while not stopping.wait(LOOK_S if tried.is_set() else 0.01):
        if publisher.is_connected():
            return True
        if tried.is_set():
            try:
                reading.outbox_rows()
            except DatabaseError as error:
                log.warning("waiting for the broker or the database", error=str(error) or type(error).__name__)
            else:
                return True
    return False
