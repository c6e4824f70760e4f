"""Waiting for a state in tests: never a sleep in place of a condition."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(probe: Callable[[], T], *, within: float = 30.0, what: str = "") -> T:
    """The first truthy answer of `probe`; fails with its last answer once `within` seconds have passed."""
    deadline = time.monotonic() + within
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within:g} s: {what or probe}; last answer: {answer!r}")
        time.sleep(0.05)
