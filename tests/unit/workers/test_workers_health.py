"""A worker's health names what is wrong, the first thing first."""

from __future__ import annotations

import threading
from typing import Any

from workers.health import trouble
from workers.loop import STUCK_S, Loop


def test_health_names_what_is_wrong() -> None:
    consumer: Any = None
    loop, ended = Loop(consumer, lambda _: None, ()), threading.Event()
    relaying = threading.Thread(target=ended.wait, daemon=True)
    assert trouble(lambda: True, loop, relaying, "nothing is published") == "nothing is published"
    relaying.start()
    assert trouble(lambda: True, loop, relaying, "") is None
    loop.beat -= STUCK_S + 1
    assert trouble(lambda: True, loop, relaying, "") == "the loop is stuck"
    loop.refusal = "the database refuses: 42P01"
    assert trouble(lambda: True, loop, relaying, "") == "the database refuses: 42P01"
    assert trouble(lambda: False, loop, relaying, "") == "no connection to the broker"
    ended.set()
