"""Whether this process was told to stop, by SIGTERM or SIGINT.

A handler interrupts the main thread anywhere, even while that holds the lock of a log or an Event: so ours
only sets an attribute, and everything else is done by a thread that looks at it.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from types import FrameType

import structlog

LOOK_S = 0.05

log = structlog.get_logger()


class Stop:
    """Like an Event, for a signal handler: `set` takes no lock, `wait` looks every LOOK_S."""

    def __init__(self) -> None:
        self._number: int | None = None
        self._set = False

    def is_set(self) -> bool:
        return self._set

    def set(self) -> None:
        self._set = True

    def wait(self, timeout: float) -> bool:
        """Whether it was set by then."""
        until = time.monotonic() + timeout
        while not self._set:
            left = until - time.monotonic()
            if left <= 0:
                break
            time.sleep(min(left, LOOK_S))
        return self._set

    def listen(self, limit_s: float) -> None:
        """Be set by SIGTERM and SIGINT. A stop that takes longer than `limit_s` gives up, with 0."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._handle)
        threading.Thread(target=self._attend, args=(limit_s,), name="stop", daemon=True).start()

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        self._number = number
        self._set = True

    def _attend(self, limit_s: float) -> None:
        while not self.wait(3600.0):
            pass
        # Apart from this thread: a log whose reader is stuck must not hold up the end.
        end = threading.Timer(limit_s + 0.5, os._exit, (0,))
        end.daemon = True
        end.start()
        number = self._number
        log.info("stopping", signal=signal.Signals(number).name if number is not None else None)
        time.sleep(limit_s)
        log.warning("gave up stopping in order", seconds=limit_s)
