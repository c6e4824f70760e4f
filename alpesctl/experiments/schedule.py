"""When events are due: pure arithmetic on an open schedule, and whether a generator kept to it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

LATE = 0.5  # seconds after its due time: an event sent later was sent late
LATE_SHARE = 0.01  # of the events; more, and the load was not what the scenario claims


@dataclass(frozen=True)
class Schedule:
    """`count` events from `start` (seconds), `rate` a second; rate 0: all are due at the start."""

    start: float
    rate: float
    count: int

    def due(self, index: int) -> float:
        """When event `index` (from 0) is due."""
        return self.start + index / self.rate if self.rate else self.start

    def due_by(self, now: float) -> int:
        """How many events are due at `now`."""
        if now < self.start:
            return 0
        if not self.rate:
            return self.count
        return min(self.count, math.floor((now - self.start) * self.rate) + 1)


@dataclass(frozen=True)
class Punctuality:
    """How a generator kept its schedule. Times in seconds; `span` is from the first to the last sent."""

    events: int
    late: int
    worst: float
    span: float

    @property
    def kept(self) -> bool:
        return self.late <= self.events * LATE_SHARE


def punctuality(due: Iterable[float], sent: Iterable[float]) -> Punctuality:
    """An event that was never sent (sent 0) is late; `worst` counts only those that were."""
    events = late = 0
    worst = 0.0
    first = math.inf
    last = -math.inf
    for wanted, real in zip(due, sent, strict=True):
        events += 1
        if not real:
            late += 1
            continue
        delay = real - wanted
        late += delay > LATE
        worst = max(worst, delay)
        first = min(first, real)
        last = max(last, real)
    return Punctuality(events, late, worst, max(0.0, last - first) if last > first else 0.0)
