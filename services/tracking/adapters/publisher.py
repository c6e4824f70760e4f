"""Publishes commands from an event loop: an awaited send returns with the broker's receipt.

Tells apart what was never handed to the broker's client (NothingAttempted) from what may have arrived
(InDoubt).
"""

from __future__ import annotations

import asyncio
import functools
from collections import deque
from collections.abc import Mapping
from typing import Any

import pulsar

from services.tracking.adapters.broker import SEND_TIMEOUT_MS, BrokerAway

BATCH_DELAY_MS = 1
PENDING_MESSAGES = 10_000


class NothingAttempted(Exception):
    """The message was not sent, and won't be."""


class InDoubt(Exception):
    """The message was sent, but no receipt came: it may be in the topic."""


class Publisher:
    """A producer of one topic. Made outside of the event loop, since connecting blocks."""

    def __init__(self, connection: pulsar.Client, topic: str) -> None:
        """Raises BrokerAway while the broker does not answer."""
        try:
            self._producer = connection.create_producer(
                topic,
                send_timeout_millis=SEND_TIMEOUT_MS,
                max_pending_messages=PENDING_MESSAGES,
                batching_enabled=True,
                # Batches of the default kind go where their first key goes.
                batching_type=pulsar.BatchingType.KeyBased,
                batching_max_publish_delay_ms=BATCH_DELAY_MS,
                batching_max_messages=1000,
            )
        except pulsar.PulsarException as error:
            raise BrokerAway(str(error)) from error
        self._done: deque[tuple[asyncio.Future[Any], Any]] = deque()
        self._waking = False

    def is_connected(self) -> bool:
        return bool(self._producer.is_connected())

    async def publish(self, body: bytes, key: str, properties: Mapping[str, str]) -> None:
        """Returns with the broker's receipt. Raises NothingAttempted or InDoubt."""
        if not self._producer.is_connected():
            raise NothingAttempted("not connected to the broker")
        loop = asyncio.get_running_loop()
        receipt = loop.create_future()
        try:
            self._producer.send_async(
                body,
                functools.partial(self._received, loop, receipt),
                partition_key=key,
                properties=dict(properties),
            )
        except pulsar.PulsarException as error:
            raise NothingAttempted(str(error)) from error
        result = await receipt
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
            loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        self._waking = False
        while self._done:
            receipt, result = self._done.popleft()
            if not receipt.done():
                receipt.set_result(result)

    def close(self) -> None:
        """Waits for receipts that are due, SEND_TIMEOUT_MS at most."""
        self._producer.close()
