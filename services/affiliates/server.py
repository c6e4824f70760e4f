"""Wires the API and serves it; its entry is `services.affiliates.serve`. One process.

Listens once the database answers. SIGTERM and SIGINT: stop listening, finish the requests in flight, return 0.
"""

from __future__ import annotations

import contextlib

import structlog

from services.affiliates.adapters.outbox import Outbox
from services.affiliates.adapters.reading import Reading
from services.affiliates.api.app import build
from services.affiliates.settings import Settings
from services.messaging.link import answers
from services.process import logs
from services.process.depths import Depths
from services.process.metrics import registry
from services.process.serving import STOP_S, Server, config
from services.process.stop import Stop
from services.storage.reading import Bounded, DatabaseError
from services.web.measured import Measured

PORT = 8000
LOOK_S = 0.2

log = structlog.get_logger()


def main() -> int:
    settings = Settings()
    logs.configure("affiliates", settings.replica)
    stopping = Stop()
    stopping.listen(STOP_S)

    reading, outbox = Reading(settings.sqlalchemy_url, settings.conninfo), Outbox(settings.sqlalchemy_url)
    figures = registry("affiliates")
    application = build(outbox, reading, settings.commands, lambda: answers(settings.pulsar_url))
    bounded = Bounded()
    gauges = {
        "affiliates_outbox_messages": "Messages in the outbox, which wait for their publication.",
        "affiliates_cost_calculations_waiting": "Calculations that wait for the tracking service's answer.",
    }
    depths = Depths(figures, "affiliates_database_connected", gauges, lambda: bounded(reading.depths), DatabaseError)
    listening = config(Measured(application, figures, depths.refresh), settings.host, settings.port or PORT)
    server = Server(listening, stopping, contextlib.nullcontext)
    if _can_accept(reading, stopping) and not stopping.is_set():
        log.info("listening", host=settings.host, port=settings.port or PORT, topic=settings.commands)
        server.run()
    reading.close()
    outbox.close()
    log.info("stopped")
    return 0


def _can_accept(reading: Reading, stopping: Stop) -> bool:
    """Wait until commands can be accepted; False if told to stop before."""
    while not stopping.is_set():
        try:
            reading.check()
        except DatabaseError as error:
            log.warning("waiting for the database", error=(str(error).splitlines() or [type(error).__name__])[0])
        else:
            return True
        stopping.wait(LOOK_S)
    return False
