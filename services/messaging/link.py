"""Keeps a producer or a consumer alive through outages of the broker.

Pulsar's own client reconnects by itself, but its waits double up to a minute: after half a minute's outage
it may stay away for another half. So what has been cut off for a while is made anew once the broker answers.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pulsar
import structlog

PATIENCE_S = 3.0
RETRY_S = 1.0
PORT = 6650

log = structlog.get_logger()


class BrokerAway(Exception):
    """The broker does not answer, or not in time."""


def client(url: str) -> pulsar.Client:
    """A client that logs warnings and errors only. Raises nothing: connections come with what uses them."""
    return pulsar.Client(
        url,
        operation_timeout_seconds=5,
        connection_timeout_ms=2000,
        logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Warn),
    )


class Link:
    """`handle` is what `make` returns for a client; it changes when the link is made anew."""

    def __init__(self, url: str, make: Callable[[Any], Any]) -> None:
        """Raises BrokerAway while the broker does not answer."""
        self._url = url
        self._make = make
        self._client = client(url)
        try:
            self.handle = make(self._client)
        except pulsar.PulsarException as error:
            self._client.shutdown()
            raise BrokerAway(str(error)) from error
        self._next_try: float | None = None

    def check(self) -> None:
        """Call this often, from one thread. Blocks for seconds only when it makes the link anew."""
        if self.handle.is_connected():
            self._next_try = None
            return
        now = time.monotonic()
        if self._next_try is None:
            self._next_try = now + PATIENCE_S
        if now < self._next_try:
            return
        self._next_try = now + RETRY_S
        if not answers(self._url):
            return
        try:
            fresh = Link(self._url, self._make)
        except BrokerAway as error:
            log.warning("the broker accepts connections, but not us", error=str(error))
            return
        if self.handle.is_connected():
            # The old one came back meanwhile, and may have sends under way.
            self._next_try = None
            _attempt(fresh._client.shutdown)
            return
        handle, old = self.handle, self._client
        self._client, self.handle = fresh._client, fresh.handle
        # Closing the handle ends what it still held: sends fail, as in doubt; messages are handed out again.
        # Shutting its client down alone would leave sends without any answer.
        _attempt(handle.close)
        _attempt(old.shutdown)
        log.info("connected anew")

    def close(self) -> None:
        """Close the handle and its client. Sends without a receipt fail, as in doubt; acknowledgements are
        flushed. Raises nothing: a broker that is away must not turn a stop into a crash."""
        _attempt(self.handle.close)
        _attempt(self._client.close)


def _attempt(close: Callable[[], object]) -> None:
    try:
        close()
    except pulsar.PulsarException as error:
        log.warning("not closed in order", error=str(error) or type(error).__name__)


def answers(url: str) -> bool:
    """Whether the URL's first broker accepts connections."""
    first = urlsplit(url.split(",")[0])
    try:
        with socket.create_connection((first.hostname or "", first.port or PORT), timeout=1.0):
            return True
    except OSError:
        return False
