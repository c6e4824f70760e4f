"""Gauges of what waits in a database, read when somebody asks; not a number where it does not answer."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from prometheus_client import CollectorRegistry, Gauge

# Who scrapes more often than this reads what was read before.
FRESH_S = 1.0


class Depths:
    """One gauge a figure, and one that is 1 while the database answers."""

    def __init__(
        self,
        registry: CollectorRegistry,
        database: str,
        gauges: Mapping[str, str],
        read: Callable[[], Awaitable[Sequence[float]]],
        away: tuple[type[Exception], ...],
    ) -> None:
        """`gauges` are names with their texts, in the order in which `read` gives their figures; `database` is the name
        of the gauge of its connection. `read` raises one of `away` while the database does not answer."""
        self._database = Gauge(database, "1 while the database answers.", registry=registry)
        self._gauges = [Gauge(name, text, registry=registry) for name, text in gauges.items()]
        self._read = read
        self._away = away
        self._until = 0.0

    async def refresh(self) -> None:
        """Raises nothing."""
        if time.monotonic() < self._until:
            return
        figures: Sequence[float] = [float("nan")] * len(self._gauges)
        try:
            figures = await self._read()
            self._database.set(1)
        except self._away:
            self._database.set(0)
        for gauge, figure in zip(self._gauges, figures, strict=True):
            gauge.set(figure)
        self._until = time.monotonic() + FRESH_S
