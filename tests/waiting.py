"""Waiting for a state in tests: never a sleep in place of a condition."""

from __future__ import annotations

import time
from collections.abc import Callable, Sized
from typing import TypeVar

T = TypeVar("T")


def eventually(probe: Callable[[], T], *, within: float = 30.0, what: str = "") -> T:
    """The first truthy answer of `probe`; fails with its last answer once `within` seconds have passed."""
    return _until(bool, probe, within, what)


def until_none(probe: Callable[[], Sized], *, within: float = 30.0, what: str = "") -> None:
    """Until `probe` finds nothing any more; fails with what it found last once `within` seconds have passed."""
    _until(lambda found: not found, probe, within, what)


def _until(enough: Callable[[T], bool], probe: Callable[[], T], within: float, what: str) -> T:
    deadline = time.monotonic() + within
    while True:
        answer = probe()
        if enough(answer):
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within:g} s: {what or probe}; last answer: {answer!r}")
        time.sleep(0.05)
