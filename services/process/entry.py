"""How processes begin and end. Standard library only: it runs before the heavy imports.

Answers signals before those begin: a stop during the start is a clean one, too.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from typing import Any


def begin(load: Callable[[], Callable[[], int]]) -> int:
    """Import by `load`, run what it gives, and return the exit code. A signal before that ends with 0."""

    def leave(*_: Any) -> None:
        os._exit(0)  # nothing was begun, nothing is to be finished

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)
    return load()()


def end(code: int) -> None:
    """End the process, threads or not: one that reads from a frozen database can't be joined, and what a
    worker's threads hold is redelivered or still pending."""
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)
