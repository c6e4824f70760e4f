"""Runs the affiliates worker: `python -m workers.affiliates`. Its wiring is in `affiliates_worker`."""

from collections.abc import Callable

from services.process.entry import begin, end


def load() -> Callable[[], int]:
    """The heavy imports, once signals are answered."""
    from workers.affiliates_worker import main

    return main


if __name__ == "__main__":
    end(begin(load))
