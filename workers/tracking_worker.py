"""Wires the tracking worker, which counts what comes in on commands.tracking; its entry is `workers.tracking`.

SIGTERM and SIGINT: finish and commit the batch in hand, acknowledge it, close, return 0.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Sequence
from types import FrameType

import psycopg
import structlog

from services.tracking import logs
from services.tracking.adapters.broker import Commands, Letters
from services.tracking.adapters.counting import Counter
from services.tracking.adapters.decoding import Message, decode, reject
from services.tracking.adapters.link import BrokerAway, client
from services.tracking.adapters.relay import relay
from services.tracking.handlers import Store, count
from services.tracking.settings import Settings
from workers.health import serve
from workers.loop import Loop

PORT = 9010
RELAY_PERIOD_S = 0.5
# A loop that hasn't come round for this long is stuck: a database that neither answers nor hangs up.
STUCK_S = 20.0
# A stop that takes longer gives up: what isn't acknowledged is redelivered, so nothing is lost.
STOP_S = 25.0

log = structlog.get_logger()


class Handler:
    """Decodes a batch and has it counted."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __call__(self, messages: Sequence[Message]) -> int:
        outcomes = [decode(message) for message in messages]
        redelivered = sum(1 for message in messages if message.redelivery_count() > 0)
        return count(self._store, outcomes, redelivered, lambda index, reason: reject(messages[index], reason))


class Relay(threading.Thread):
    """Publishes dead letters while the worker runs."""

    def __init__(self, settings: Settings, stopping: threading.Event) -> None:
        super().__init__(name="relay", daemon=True)
        self._settings = settings
        self._stopping = stopping
        self._letters: Letters | None = None

    def run(self) -> None:
        connection = client(self._settings.pulsar_url)
        wait = RELAY_PERIOD_S

        def letters() -> Letters:
            self._letters = self._letters or Letters(connection, self._settings.dead_letter_topic)
            return self._letters

        while not self._stopping.wait(wait):
            try:
                published = relay(self._settings.conninfo, letters)
            except (psycopg.Error, BrokerAway) as error:
                log.warning("dead letters wait", error=str(error).splitlines()[0])
                wait = 1.0
                continue
            if published:
                log.info("dead letters published", count=published)
            wait = 0.0 if published else RELAY_PERIOD_S
        connection.close()


def main() -> int:
    settings = Settings()
    logs.configure("tracking-worker", settings.replica)
    stopping = threading.Event()
    loop: Loop | None = None

    def stop(number: int, _frame: FrameType | None) -> None:
        stopping.set()
        if loop is not None:
            loop.stop()
        watchdog = threading.Timer(STOP_S, os._exit, (0,))
        watchdog.daemon = True
        watchdog.start()
        log.info("stopping", signal=signal.Signals(number).name)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)

    commands = _subscribe(settings, stopping)
    if commands is None:
        return 0
    store = Counter(settings.conninfo, settings.replica)
    loop = Loop(commands, Handler(store), (psycopg.Error,))

    def trouble() -> str | None:
        if not commands.is_connected():
            return "no connection to the broker"
        return "the loop is stuck" if time.monotonic() - loop.beat > STUCK_S else None

    health = serve(settings.host, settings.port or PORT, trouble)
    relaying = Relay(settings, stopping)
    relaying.start()
    log.info("started", topic=settings.topic, subscription=settings.subscription_name)
    if stopping.is_set():
        loop.stop()
    loop.run()
    commands.close()
    relaying.join(3.0)
    store.close()
    health.shutdown()
    log.info("stopped")
    return 0


def _subscribe(settings: Settings, stopping: threading.Event) -> Commands | None:
    while not stopping.is_set():
        try:
            return Commands(settings.pulsar_url, settings.topic, settings.subscription_name, settings.replica)
        except BrokerAway as error:
            log.warning("waiting for the broker", error=str(error))
            stopping.wait(0.5)
    return None
