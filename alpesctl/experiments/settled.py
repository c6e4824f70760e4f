"""Waits until nothing is under way: each number read is 0, twice in a row. Bounded, with the reason."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from alpesctl.errors import AlpesError


@dataclass(frozen=True)
class Settled:
    """`seconds` that it took; `reason` is empty once settled."""

    seconds: float
    reason: str = ""


def wait_settled(
    read: Callable[[], Mapping[str, int]],
    timeout: float,
    *,
    poll: float = 0.5,
    report: Callable[[Mapping[str, int]], None] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.monotonic,
) -> Settled:
    """`read` gives what is still under way, by name. Times in seconds."""
    begun, clean, reason = now(), 0, ""
    while True:
        try:
            left = {name: number for name, number in read().items() if number}
            reason = ", ".join(f"{number:,} {name}" for name, number in left.items())
            report(left)
        except AlpesError as error:  # a part may still be on its way back from a fault
            reason = f"{error.what} ({error.why})"
        clean = 0 if reason else clean + 1
        waited = now() - begun
        if clean == 2:
            return Settled(waited)
        if waited > timeout:
            return Settled(waited, f"not settled after {waited:.0f} s: {reason or 'only once'}")
        sleep(poll)
