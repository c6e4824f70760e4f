"""Wires the API and serves it; its entry is `services.tracking.serve`. One process.

Listens only once events can be accepted durably: by the broker, or by the outbox while the broker is away. SIGTERM
and SIGINT: stop listening, finish the requests in flight, close the producer, return 0. Whoever calls `main` must
then end the process without joining threads: one that reads from a frozen database would keep it.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import structlog

from services.process import logs
from services.process.depths import Depths
from services.process.metrics import registry
from services.process.serving import STOP_S, Server, config
from services.process.stop import Stop
from services.storage.reading import Bounded, DatabaseError
from services.tracking.accepting import Accepting
from services.tracking.adapters.outbox import Outbox
from services.tracking.adapters.outbox_relay import OutboxRelay
from services.tracking.adapters.publisher import Publisher, make_publisher
from services.tracking.adapters.reading import Reading
from services.tracking.api import batch, ingest
from services.tracking.api.app import Application
from services.tracking.domain.recent import Recent
from services.tracking.settings import Settings
from services.tracking.watched import DATABASE, DEPTHS, WatchedAccepting, WatchedOutbox, connected_gauge
from services.web.measured import Measured

PORT = 8010
LOOK_S = 0.1

log = structlog.get_logger()


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
    connected_gauge(figures, publisher.is_connected)
    depths = Depths(figures, DATABASE, DEPTHS, lambda: bounded(reading.depths), DatabaseError)

    @contextlib.asynccontextmanager
    async def beside() -> AsyncIterator[None]:
        async with relay:
            yield
        await outbox.close()

    server = Server(
        config(
            Measured(application, figures, depths.refresh, (ingest.PATH, batch.PATH)),
            settings.host,
            settings.port or PORT,
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
