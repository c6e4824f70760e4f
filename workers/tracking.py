"""Runs the tracking worker: `python -m workers.tracking`.

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
    from workers.tracking_worker import main as run

    return run()


def end(code: int) -> None:
    """End the process, whatever its threads do: what they hold is redelivered or still pending."""
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    end(main())
