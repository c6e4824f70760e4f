"""Serves the API: `python -m services.tracking.serve`. Its wiring is in `server`."""

from collections.abc import Callable

from services.process.entry import begin, end


def load() -> Callable[[], int]:
    """The heavy imports, once signals are answered."""
    from services.tracking.server import main

    return main


if __name__ == "__main__":
    end(begin(load))
