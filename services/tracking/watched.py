"""What the service tells of the events that it takes: counters for Prometheus, a line for each that it did not take.

Must not decide anything: errors pass through.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from services.tracking.accepting import Stores
from services.tracking.adapters.encoding import Command
from services.tracking.domain.errors import InDoubt, KeyReused, NothingAttempted

# Who scrapes more often than this reads what was read before.
FRESH_S = 1.0

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

    async def store(self, command: Command) -> None:
        await self._outbox.store(command)
        self._stored.inc()


def _tell(what: str, command: Command, error: Exception) -> None:
    log.warning(what, interaction_id=command.event.id, error=str(error) or type(error).__name__)


class Depths:
    """Gauges of what waits in the database, read when somebody asks; not a number where it does not answer."""

    def __init__(
        self,
        registry: CollectorRegistry,
        connected: Callable[[], bool],
        read: Callable[[], Awaitable[tuple[float, float]]],
        away: tuple[type[Exception], ...],
    ) -> None:
        """`read` tells how many events wait in the outbox and how many dead letters aren't published; it raises one
        of `away` while the database does not answer."""

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"tracking_{name}", text, registry=registry)

        gauge("broker_connected", "1 while the broker is connected.").set_function(lambda: float(connected()))
        self._database = gauge("database_connected", "1 while the database answers.")
        self._outbox = gauge("outbox_events", "Events in the outbox, which wait for the broker.")
        self._letters = gauge("dead_letters_pending", "Dead letters that are not published yet.")
        self._read = read
        self._away = away
        self._until = 0.0

    async def refresh(self) -> None:
        """Raises nothing."""
        if time.monotonic() < self._until:
            return
        depths = (float("nan"), float("nan"))
        try:
            depths = await self._read()
            self._database.set(1)
        except self._away:
            self._database.set(0)
        self._outbox.set(depths[0])
        self._letters.set(depths[1])
        self._until = time.monotonic() + FRESH_S
