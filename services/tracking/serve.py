"""Serves the API: `python -m services.tracking.serve`.

Answers signals before the heavy imports begin: a stop during the start is a clean one, too.
"""

import contextlib
import os
import signal
import sys
from typing import Any


def main() -> int:
    def leave(*_: Any) -> None:
        os._exit(0)  # nothing was begun, nothing is to be finished

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)
    from services.tracking.server import main as run

    return run()


def end(code: int) -> None:
    """End the process, threads or not: one that reads from a frozen database can't be joined."""
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    end(main())
