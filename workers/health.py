"""What is wrong with a worker, for its health endpoint."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from workers.loop import STUCK_S, Loop


def trouble(connected: Callable[[], bool], loop: Loop, relaying: threading.Thread, without_it: str) -> str | None:
    """What is wrong, None for nothing. `connected` is whether the broker is; `without_it` what no relay means."""
    if not connected():
        return "no connection to the broker"
    if loop.refusal is not None:
        return loop.refusal
    if time.monotonic() - loop.beat > STUCK_S:
        return "the loop is stuck"
    return None if relaying.is_alive() else without_it
