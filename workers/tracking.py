"""Runs the tracking worker: `python -m workers.tracking`. Its wiring is in `tracking_worker`."""

from collections.abc import Callable

from services.process.entry import begin, end


def load() -> Callable[[], int]:
    """The heavy imports, once signals are answered."""
    from workers.tracking_worker import main

    return main


if __name__ == "__main__":
    end(begin(load))
