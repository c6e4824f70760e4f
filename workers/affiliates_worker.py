"""Wires the affiliates worker, which carries out commands.affiliates and takes the tracking service's answers on
events.tracking; its entry is `workers.affiliates`.

SIGTERM and SIGINT: finish and commit the batch in hand, acknowledge it, close, return 0.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

import psycopg
import structlog

from services.affiliates.adapters.relay import OutboxRelay
from services.affiliates.adapters.store import DatabaseStore
from services.affiliates.handlers import Handled, Outcome, Store, Topics, handle
from services.affiliates.messages import decode
from services.affiliates.settings import Settings
from services.errors import Refuses
from services.messaging.broker import Commands
from services.messaging.messages import Message, published
from services.messaging.producers import Producers
from services.process import logs
from services.process.metrics import registry
from services.process.stop import Stop
from workers.endpoint import serve
from workers.health import trouble
from workers.loop import STOP_S, Loop
from workers.metrics import Measured, Metrics
from workers.subscribing import patiently

PORT = 9020
RETRY_S = 1.0
# A turn takes half a second, or as long as the broker takes for its receipts.
FRESH_S = 5.0
# A batch is one transaction, of up to five statements a message.
BATCH_MESSAGES = 200

# What is wrong where the relay has ended.
WITHOUT_RELAY = "nothing is published from the outbox"

log = structlog.get_logger()


class Handler:
    """Decodes a batch, has it carried out, tells of it."""

    def __init__(self, store: Store, topics: Topics, events_topic: str, metrics: Metrics) -> None:
        self._store = store
        self._topics = topics
        self._events_topic = events_topic
        self._metrics = metrics

    def __call__(self, messages: Sequence[Message]) -> list[Handled]:
        with self._metrics.seconds.time(), self._metrics.failed.count_exceptions():
            batch = [decode(message, self._events_topic) for message in messages]
            handled = handle(self._store, batch, self._topics)
        outcomes = Counter(one.outcome for one in handled)
        redelivered = sum(1 for message in messages if message.redelivery_count() > 0)
        lag = (datetime.now(UTC) - published(messages[0])).total_seconds()
        done = outcomes[Outcome.DONE] + outcomes[Outcome.IGNORED]
        self._metrics.batch(Measured(len(messages), done, outcomes[Outcome.REFUSED], redelivered, lag, None))
        for one in handled:
            tell(one)
        return handled


def tell(handled: Handled) -> None:
    """One line a message, by its ids and never by what it holds."""
    incoming = handled.incoming
    line = log.warning if handled.outcome is Outcome.REFUSED else log.info
    line(
        f"message {handled.outcome.value}",
        name=incoming.name[:100],
        id=incoming.id,
        correlation_id=incoming.correlation_id,
        reason=handled.reason,
    )


class Relaying(threading.Thread):
    """Publishes what is in the outbox while the worker runs."""

    def __init__(self, relay: OutboxRelay, stopping: Stop) -> None:
        super().__init__(name="relay", daemon=True)
        self._answered = float("-inf")
        self._relay = relay
        self._stopping = stopping

    def run(self) -> None:
        while not self._stopping.is_set():
            self._turn()
        self._relay.close()

    @property
    def database_answers(self) -> bool:
        """Whether a turn ended well of late: one that reads from a frozen database does not end."""
        return time.monotonic() - self._answered < FRESH_S

    def _turn(self) -> None:
        try:
            if self._relay.turn() == 0:
                self._relay.wait()
            self._answered = time.monotonic()
        except psycopg.Error as error:
            self._answered = float("-inf")
            log.warning("the outbox waits for the database", error=(str(error).splitlines() or [""])[0])
        except Exception:
            # The thread's boundary: without it nothing is published any more, and nobody hears of it.
            log.exception("the outbox waits")
        else:
            return
        self._relay.drop()
        self._stopping.wait(RETRY_S)


def main() -> int:
    settings = Settings()
    logs.configure("affiliates-worker", settings.replica)
    stopping = Stop()
    stopping.listen(STOP_S)

    topics = [settings.commands, settings.tracking_events]
    subscription = settings.subscription_name_affiliates
    commands = patiently(
        lambda: Commands(settings.pulsar_url, topics, subscription, settings.replica, BATCH_MESSAGES), stopping
    )
    if commands is None:
        return 0
    figures = registry("affiliates-worker")
    metrics = Metrics("affiliates_worker", figures)
    store = DatabaseStore(settings.conninfo)
    handler = Handler(store, Topics(settings.events, settings.tracking_commands), settings.tracking_events, metrics)
    loop = Loop(commands, handler, (psycopg.Error,), (Refuses,), stopping)
    relaying = Relaying(OutboxRelay(settings.conninfo, Producers(settings.pulsar_url)), stopping)
    metrics.connected("broker", commands.is_connected)
    metrics.connected("database", lambda: relaying.database_answers)
    relaying.start()
    endpoint = serve(
        settings.host,
        settings.port or PORT,
        lambda: trouble(commands.is_connected, loop, relaying, WITHOUT_RELAY),
        figures,
    )
    log.info("started", topics=topics, subscription=subscription)
    loop.run()
    commands.close()
    relaying.join(3.0)
    store.close()
    endpoint.shutdown()
    log.info("stopped")
    return 0
