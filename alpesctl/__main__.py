"""The console script, and `python -m alpesctl`."""

from __future__ import annotations

import gc


def main() -> None:
    # Imports make much that stays: to look for garbage among it is a tenth of a short call's time.
    gc.set_threshold(50_000, 20, 20)
    from alpesctl.cli import main as run

    run()


if __name__ == "__main__":
    main()
