"""What both generators share: the clock, the stretch of the ledger that is sent, and running at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Protocol

from alpesctl.experiments.ledger import Ledger
from alpesctl.experiments.schedule import Schedule

TICK = 0.001  # seconds between two looks at the schedule


class Clock:
    """Unix seconds that can't jump: the wall clock's first reading, carried on by the monotonic one."""

    def __init__(self) -> None:
        self._offset = _offset()

    def now(self) -> float:
        return time.monotonic() + self._offset

    def stepped(self) -> float:
        """Seconds by which the wall clock was set since; commits are told by it, due times by this one."""
        return _offset() - self._offset


def _offset() -> float:
    """The wall clock less the monotonic one; of a few readings the one that was interrupted least."""
    readings = []
    for _ in range(5):
        before = time.monotonic()
        wall = time.time()
        after = time.monotonic()
        readings.append((after - before, wall - (before + after) / 2))
    return min(readings)[1]


@dataclass
class Stretch:
    """Events `first` .. `first + schedule.count - 1` of the ledger, on a schedule in Unix seconds."""

    ledger: Ledger
    first: int
    schedule: Schedule
    clock: Clock
    stop: threading.Event = field(default_factory=threading.Event)


class Generator(Protocol):
    def run(self, stretch: Stretch) -> None:
        """Send the stretch's events when they are due, then wait for the last answers."""
        ...


def run_together(generators: Sequence[Generator], stretches: Sequence[Stretch]) -> None:
    """Run each generator on its stretch, at once; an error of one, or Ctrl-C, stops them all."""
    if len(generators) == 1:
        generators[0].run(stretches[0])
        return
    with ThreadPoolExecutor(len(generators), thread_name_prefix="load") as pool:
        try:
            running = [
                pool.submit(generator.run, stretch) for generator, stretch in zip(generators, stretches, strict=True)
            ]
            for finished in wait(running, return_when=FIRST_EXCEPTION).done:
                finished.result()
        finally:
            for stretch in stretches:
                stretch.stop.set()
