"""The producer that a load over Pulsar sends with: a fresh one takes over from one that was cut off.

Pulsar's own client reconnects by itself, but its waits double up to a minute: after half a minute's outage the load
would measure its own absence, not the stack's. What the old producer still holds stays with it, and ends by its
receipt or its timeout. Must never send an event twice.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

PATIENCE = 3.0  # seconds without a connection before a fresh producer is made
RETRY = 1.0  # seconds between two attempts


class Made(NamedTuple):
    """A producer and the client that it belongs to."""

    client: Any
    producer: Any


class Producers:
    """`make` opens a client with its producer, or raises; `reachable` is whether the broker takes connections."""

    def __init__(self, make: Callable[[], Made], reachable: Callable[[], bool]) -> None:
        self._make = make
        self._reachable = reachable
        self._all = [make()]
        self._next_try: float | None = None
        self._attempt: threading.Thread | None = None

    @property
    def current(self) -> Any:
        """Send with this one."""
        return self._all[-1].producer

    def tend(self, now: float) -> None:
        """Call it often, with a monotonic clock's seconds. Never blocks: what takes time is done in a thread."""
        if self.current.is_connected():
            self._next_try = None
        elif self._next_try is None:
            self._next_try = now + PATIENCE
        elif now >= self._next_try and not (self._attempt and self._attempt.is_alive()):
            self._next_try = now + RETRY
            self._attempt = threading.Thread(target=self._replace, name="fresh producer", daemon=True)
            self._attempt.start()

    def _replace(self) -> None:
        if not self._reachable():
            return
        try:
            fresh = self._make()
        except Exception:  # noqa: BLE001 - the binding raises many kinds; each means: not yet
            return
        self._all.append(fresh)

    def close(self) -> None:
        """Raises nothing: a broker that is gone leaves nothing to close."""
        if self._attempt is not None:
            self._attempt.join(timeout=10.0)
        for made in self._all:
            try:
                made.client.close()
            except Exception:  # noqa: BLE001 - as above
                continue


def accepts_connections(url: str) -> bool:
    """Whether a broker's URL, such as pulsar://127.0.0.1:6650, takes a connection within a second."""
    address = urlsplit(url)
    try:
        with socket.create_connection((address.hostname or "", address.port or 6650), timeout=1.0):
            return True
    except OSError:
        return False
