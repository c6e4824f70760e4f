"""Publishes commands from an event loop: an awaited send returns with the broker's receipt.

Tells apart what was never handed to the broker's client (NothingAttempted) from what may have arrived
(InDoubt).
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import threading
from collections import deque
from collections.abc import Mapping
from typing import Any, Protocol

import pulsar
import structlog

from services.tracking.adapters.broker import SEND_TIMEOUT_MS
from services.tracking.adapters.link import Link

BATCH_DELAY_MS = 1
PENDING_MESSAGES = 10_000
CHECK_PERIOD_S = 0.5
# The client answers each send within its timeout; should it ever not, nobody waits for ever.
RECEIPT_S = SEND_TIMEOUT_MS / 1000 + 1

log = structlog.get_logger()


class Linked(Protocol):
    """What we need of a Link to a producer."""

    handle: Any

    def check(self) -> None: ...
    def close(self) -> None: ...


class NothingAttempted(Exception):
    """The message was not sent, and won't be."""


class InDoubt(Exception):
    """The message was sent, but no receipt came: it may be in the topic."""


class Publisher:
    """Publishes to one topic, from one event loop."""

    def __init__(self, link: Linked) -> None:
        self._link = link
        self._done: deque[tuple[asyncio.Future[Any], Any]] = deque()
        self._waking = False
        self._closing = threading.Event()

    def is_connected(self) -> bool:
        return bool(self._link.handle.is_connected())

    async def publish(self, body: bytes, key: str, properties: Mapping[str, str]) -> None:
        """Returns with the broker's receipt. Raises NothingAttempted or InDoubt."""
        producer = self._link.handle  # one and the same throughout: the link may be made anew meanwhile
        if not producer.is_connected():
            raise NothingAttempted("not connected to the broker")
        loop = asyncio.get_running_loop()
        receipt = loop.create_future()
        try:
            producer.send_async(
                body,
                functools.partial(self._received, loop, receipt),
                partition_key=key,
                properties=dict(properties),
            )
        except pulsar.PulsarException as error:
            raise NothingAttempted(str(error)) from error
        try:
            async with asyncio.timeout(RECEIPT_S):
                result = await receipt
        except TimeoutError:
            raise InDoubt(f"no answer within {RECEIPT_S:g} s") from None
        if result == pulsar.Result.Ok:
            return
        if result in (pulsar.Result.ProducerQueueIsFull, pulsar.Result.MemoryBufferIsFull):
            raise NothingAttempted(result.name)
        raise InDoubt(result.name)

    def _received(
        self, loop: asyncio.AbstractEventLoop, receipt: asyncio.Future[Any], result: Any, _message_id: Any
    ) -> None:
        # On the client's own thread. A batch's receipts come together: one wake-up serves them all.
        self._done.append((receipt, result))
        if not self._waking:
            self._waking = True
            # Once the loop has ended nobody waits; an exception here would end the process.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        self._waking = False
        while self._done:
            receipt, result = self._done.popleft()
            if not receipt.done():
                receipt.set_result(result)

    def close(self) -> None:
        """Waits for no receipts: sends still under way end as in doubt. Call it once requests are finished."""
        self._closing.set()
        self._link.close()

    def keep(self) -> None:
        """Keep the link alive from a thread of its own."""

        def run() -> None:
            while not self._closing.wait(CHECK_PERIOD_S):
                try:
                    self._link.check()
                except Exception:
                    # The thread's boundary: without it no link is made anew any more.
                    log.exception("the link was not checked")

        threading.Thread(target=run, name="link", daemon=True).start()


def connect(url: str, topic: str) -> Publisher:
    """A publisher that outlives outages. Blocks while connecting; raises BrokerAway if that fails."""

    def create(connection: pulsar.Client) -> Any:
        return connection.create_producer(
            topic,
            send_timeout_millis=SEND_TIMEOUT_MS,
            max_pending_messages=PENDING_MESSAGES,
            batching_enabled=True,
            # Batches of the default kind go where their first key goes.
            batching_type=pulsar.BatchingType.KeyBased,
            batching_max_publish_delay_ms=BATCH_DELAY_MS,
            batching_max_messages=1000,
        )

    publisher = Publisher(Link(url, create))
    publisher.keep()
    return publisher
