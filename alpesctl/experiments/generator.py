"""What both generators share: the clock, and the stretch of the ledger that is sent."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from alpesctl.experiments.ledger import Ledger
from alpesctl.experiments.schedule import Schedule

TICK = 0.001  # seconds between two looks at the schedule


class Clock:
    """Unix seconds that can't jump: the wall clock's first reading, carried on by the monotonic one."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        return time.monotonic() + self._offset


@dataclass
class Stretch:
    """Events `first` .. `first + schedule.count - 1` of the ledger, on a schedule in Unix seconds."""

    ledger: Ledger
    first: int
    schedule: Schedule
    clock: Clock
    stop: threading.Event = field(default_factory=threading.Event)
