"""Wires the tracking worker, which counts what comes in on commands.tracking; its entry is `workers.tracking`.

SIGTERM and SIGINT: finish and commit the batch in hand, acknowledge it, close, return 0.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg
import pulsar
import structlog

from services.errors import Refuses
from services.messaging.broker import Commands, Letters
from services.messaging.link import BrokerAway, client
from services.messaging.messages import Message, published
from services.messaging.producers import Producers
from services.process import logs
from services.process.metrics import registry
from services.process.stop import Stop
from services.storage.database import connect
from services.tracking.adapters import info_relay
from services.tracking.adapters.counting import Counter
from services.tracking.adapters.decoding import decode, reject
from services.tracking.adapters.relay import relay
from services.tracking.domain.interaction import Interaction
from services.tracking.domain.outcomes import InfoRequest, Outcome, Rejected
from services.tracking.handlers import Counted, Store, count
from services.tracking.settings import Settings
from workers.ahead import Ahead, Ready
from workers.endpoint import serve
from workers.health import trouble
from workers.loop import STOP_S, Loop
from workers.metrics import Measured, Metrics
from workers.subscribing import patiently

PORT = 9010
RELAY_PERIOD_S = 0.5
RELAY_RETRY_S = 1.0
# Of the dead letters of one batch; and of an id, in characters.
LINES_A_BATCH, MOST_ID = 20, 128

# What is wrong where the relay has ended.
WITHOUT_RELAY = "no dead letters are published"

log = structlog.get_logger()


class Handler:
    """Has a batch counted, as it was decoded, and tells of it."""

    def __init__(self, store: Store, metrics: Metrics) -> None:
        self._store = store
        self._metrics = metrics

    def __call__(self, messages: Ready) -> Counted:
        outcomes: Sequence[Outcome] = messages.made
        with self._metrics.seconds.time(), self._metrics.failed.count_exceptions():
            redelivered = sum(1 for message in messages if message.redelivery_count() > 0)
            counted = count(self._store, outcomes, redelivered, lambda index, why: reject(messages[index], why))
        now = datetime.now(UTC)
        event = next((outcome for outcome in outcomes if isinstance(outcome, Interaction)), None)
        self._metrics.batch(
            Measured(
                len(messages),
                counted.ok,
                counted.errors,
                redelivered,
                (now - published(messages[0])).total_seconds(),
                None if event is None else (now - event.timestamp).total_seconds(),
            )
        )
        tell(counted.letters)
        for outcome in outcomes if counted.requests else ():
            if isinstance(outcome, InfoRequest):
                log.info("interactions info built", saga_id=outcome.saga_id, correlation_id=outcome.correlation_id)
        return counted


def decoded(messages: Sequence[Message]) -> list[Outcome]:
    """What each message turned out to be."""
    return [decode(message) for message in messages]


def tell(letters: Sequence[Rejected]) -> None:
    """One line a dead letter, with the ids that its sender gave it; of a flood, the first ones."""
    for letter in letters[:LINES_A_BATCH]:
        ids = {name: letter.properties.get(name, "")[:MOST_ID] or None for name in ("correlationId", "commandId")}
        log.warning(
            "dead letter",
            id=letter.id,
            generation=letter.generation,
            reason=letter.reason,
            correlation_id=ids["correlationId"],
            interaction_id=ids["commandId"],
        )
    if len(letters) > LINES_A_BATCH:
        log.warning("more dead letters in this batch", count=len(letters) - LINES_A_BATCH)


class Relay(threading.Thread):
    """Publishes dead letters, and answers to requests, while the worker runs."""

    def __init__(self, settings: Settings, stopping: Stop, metrics: Metrics) -> None:
        super().__init__(name="relay", daemon=True)
        # What its last turn met, which is less than a second ago.
        self.database_answers = False
        self._metrics = metrics
        self._settings = settings
        self._stopping = stopping
        self._connection: pulsar.Client | None = None
        self._letters: Letters | None = None
        self._producers = Producers(settings.pulsar_url)

    def run(self) -> None:
        wait = RELAY_PERIOD_S
        while not self._stopping.wait(wait):
            wait = self.turn()
        self._drop()
        self._producers.close()
        if self._connection is not None:
            try:
                self._connection.close()
            except pulsar.PulsarException as error:
                log.warning("not closed in order", error=_line(error))

    def turn(self) -> float:
        """Publish what is pending; return how long to wait before the next turn. Raises nothing."""
        try:
            # A new connection each time: one to a frozen database would keep the thread, and tell nobody.
            with connect(self._settings.conninfo, "alpes-relay") as database:
                # Each for itself: a topic in trouble holds up no other.
                turns = (
                    self._turn("answers", lambda: self._answer(database)),
                    self._turn("dead letters", lambda: self._publish(database)),
                )
        except psycopg.Error as error:
            self.database_answers = False
            log.warning("dead letters and answers wait", error=_line(error))
            return RELAY_RETRY_S
        self.database_answers = True
        if None in turns:
            return RELAY_RETRY_S
        return 0.0 if any(turns) else RELAY_PERIOD_S

    def _turn(self, what: str, publish: Callable[[], int]) -> int | None:
        """How many were published, None after an error, which is told. Raises psycopg.Error."""
        try:
            return publish()
        except psycopg.Error:
            raise
        except BrokerAway as error:
            log.warning("waiting for the broker", what=what, error=_line(error))
        except Exception:
            # The thread's boundary: without it nothing is published any more, and nobody hears of it.
            log.exception("not published", what=what)
        # The producer may be dead for good: the next turn makes another.
        self._drop()
        return None

    def _publish(self, database: psycopg.Connection[Any]) -> int:
        published = relay(database, self._open)
        if published:
            self._metrics.letters.inc(published)
            log.info("dead letters published", count=published)
        return published

    def _answer(self, database: psycopg.Connection[Any]) -> int:
        return info_relay.relay(database, self._settings.events_topic, self._producers)

    def _open(self) -> Letters:
        if self._letters is None:
            self._connection = self._connection or client(self._settings.pulsar_url)
            self._letters = Letters(self._connection, self._settings.dead_letter_topic)
        return self._letters

    def _drop(self) -> None:
        letters, self._letters = self._letters, None
        if letters is not None:
            letters.close()


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def main() -> int:
    settings = Settings()
    logs.configure("tracking-worker", settings.replica)
    stopping = Stop()
    stopping.listen(STOP_S)

    commands = patiently(
        lambda: Commands(settings.pulsar_url, settings.topic, settings.subscription_name, settings.replica), stopping
    )
    if commands is None:
        return 0
    figures = registry("tracking-worker")
    metrics = Metrics("tracking_worker", figures)
    store = Counter(settings.conninfo, settings.replica)
    ahead = Ahead(commands, decoded)
    loop = Loop(ahead, Handler(store, metrics), (psycopg.Error,), (Refuses,), stopping)
    relaying = Relay(settings, stopping, metrics)
    metrics.connected("broker", commands.is_connected)
    metrics.connected("database", lambda: relaying.database_answers)
    relaying.start()
    endpoint = serve(
        settings.host,
        settings.port or PORT,
        lambda: trouble(commands.is_connected, loop, relaying, WITHOUT_RELAY),
        figures,
    )
    log.info("started", topic=settings.topic, subscription=settings.subscription_name)
    with ahead:
        loop.run()
    commands.close()
    relaying.join(3.0)
    store.close()
    endpoint.shutdown()
    log.info("stopped")
    return 0
