"""What the service tells of the events that it takes: counters for Prometheus, a line for each that it did not take.

Must not decide anything: errors pass through.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from services.errors import InDoubt, KeyReused, NothingAttempted
from services.tracking.accepting import Stores
from services.tracking.adapters.encoding import Command

# Read from the database when somebody asks.
DATABASE = "tracking_database_connected"
DEPTHS = {
    "tracking_outbox_events": "Events in the outbox, which wait for the broker.",
    "tracking_dead_letters_pending": "Dead letters that are not published yet.",
}

log = structlog.get_logger()


class Accepts(Protocol):
    async def accept(self, command: Command, *, named: bool) -> None: ...


class WatchedAccepting:
    """Counts events by how accepting them ended."""

    def __init__(self, accepting: Accepts, registry: CollectorRegistry) -> None:
        self._accepting = accepting
        events = Counter(
            "tracking_events_total", "Events, by how accepting them ended.", ["outcome"], registry=registry
        )
        outcomes = ("accepted", "refused", "in_doubt", "key_reused")
        self._accepted, self._refused, self._in_doubt, self._reused = (events.labels(name) for name in outcomes)

    async def accept(self, command: Command, *, named: bool) -> None:
        try:
            await self._accepting.accept(command, named=named)
        except NothingAttempted as error:
            self._refused.inc()
            _tell("event refused", command, error)
            raise
        except InDoubt as error:
            self._in_doubt.inc()
            _tell("event in doubt", command, error)
            raise
        except KeyReused as error:
            self._reused.inc()
            _tell("event refused", command, error)
            raise
        self._accepted.inc()


class WatchedOutbox:
    """Counts what the outbox took."""

    def __init__(self, outbox: Stores, registry: CollectorRegistry) -> None:
        self._outbox = outbox
        self._stored = Counter("tracking_outbox_stored_events_total", "Events that the outbox took.", registry=registry)

    async def store(self, command: Command, within: float) -> None:
        await self._outbox.store(command, within)
        self._stored.inc()


def _tell(what: str, command: Command, error: Exception) -> None:
    log.warning(what, interaction_id=command.event.id, error=str(error) or type(error).__name__)


def connected_gauge(registry: CollectorRegistry, connected: Callable[[], bool]) -> None:
    """Tell at each scrape whether the broker is connected."""
    gauge = Gauge("tracking_broker_connected", "1 while the broker is connected.", registry=registry)
    gauge.set_function(lambda: float(connected()))
