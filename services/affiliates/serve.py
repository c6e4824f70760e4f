"""Serves the API: `python -m services.affiliates.serve`. Its wiring is in `server`."""

from collections.abc import Callable

from services.process.entry import begin, end


def load() -> Callable[[], int]:
    """The heavy imports, once signals are answered."""
    from services.affiliates.server import main

    return main


if __name__ == "__main__":
    end(begin(load))
