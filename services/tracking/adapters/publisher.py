"""Publishes commands from an event loop: an awaited send returns with the broker's receipt.

Tells apart what was never handed to the broker's client (NothingAttempted) from what may have arrived
(InDoubt). While the broker gives no receipts, only probes are sent: nobody else waits for the timeout.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import pulsar
import structlog

from services.errors import InDoubt, NothingAttempted
from services.messaging.broker import SEND_TIMEOUT_MS
from services.messaging.link import BrokerAway, Link, answers

BATCH_DELAY_MS = 1
PENDING_MESSAGES = 10_000
CHECK_PERIOD_S = 0.5
# The client answers each send within its timeout; should it ever not, nobody waits for ever.
RECEIPT_S = SEND_TIMEOUT_MS / 1000 + 0.5
# After a send without a receipt, how long until a caller's event is the probe, if no other was one.
PROBE_S = 3.0

log = structlog.get_logger()


class Linked(Protocol):
    """What we need of a Link to a producer."""

    handle: Any

    def check(self) -> None: ...
    def close(self) -> None: ...


class Publisher:
    """Publishes to one topic, from one event loop, over a link that `make` gives once the broker answers."""

    def __init__(self, make: Callable[[], Linked]) -> None:
        self._make = make
        self._link: Linked | None = None
        self._why = "not connected to the broker"
        self._probe_at: float | None = None  # set while the broker gives no receipts
        self._done: deque[tuple[asyncio.Future[Any], Any]] = deque()
        self._waking = False
        self._closing = threading.Event()

    def is_connected(self) -> bool:
        return self._link is not None and bool(self._link.handle.is_connected())

    def is_doubted(self) -> bool:
        """Whether the broker gave no receipt when it was last asked for one."""
        return self._probe_at is not None

    def trouble(self) -> str | None:
        """Why nothing is published now, None if it is."""
        if not self.is_connected():
            return "not connected"
        return "gives no receipts" if self.is_doubted() else None

    async def publish(self, body: bytes, key: str, properties: Mapping[str, str], *, probe: bool = False) -> None:
        """Returns with the broker's receipt. Raises NothingAttempted or InDoubt.

        While the broker is doubted, only a probe is sent; should nobody send any, a caller's event is one.
        """
        link = self._link
        if link is None:
            raise NothingAttempted(self._why)
        if self._probe_at is not None and not probe:
            now = time.monotonic()
            if now < self._probe_at:
                raise NothingAttempted("the broker gives no receipts")
            self._probe_at = now + PROBE_S
        producer = link.handle  # one and the same throughout: the link may be made anew meanwhile
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
        # Not asyncio.timeout: it costs more than all else here.
        overdue = loop.call_later(RECEIPT_S, _give_up, receipt)
        try:
            result = await receipt
        finally:
            overdue.cancel()
        if result == pulsar.Result.Ok:
            self._probe_at = None
            return
        if result in (pulsar.Result.ProducerQueueIsFull, pulsar.Result.MemoryBufferIsFull):
            raise NothingAttempted(result.name)
        self._probe_at = time.monotonic() + PROBE_S
        raise InDoubt(result.name if result is not None else f"no answer within {RECEIPT_S:g} s")

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
        if self._link is not None:
            self._link.close()

    def keep(self) -> threading.Event:
        """Make the link, and keep it alive, from a thread of its own; what is returned is set after the first try."""
        tried = threading.Event()

        def run() -> None:
            while True:
                try:
                    self._check()
                except Exception:
                    # The thread's boundary: without it no link is made anew any more.
                    log.exception("the link was not checked")
                tried.set()
                if self._closing.wait(CHECK_PERIOD_S):
                    return

        threading.Thread(target=run, name="link", daemon=True).start()
        return tried

    def _check(self) -> None:
        if self._link is not None:
            self._link.check()
            return
        try:
            self._link = self._make()
        except BrokerAway as error:
            if str(error) != self._why:
                self._why = str(error)
                log.warning("waiting for the broker", error=self._why)
        else:
            log.info("connected")


def _give_up(receipt: asyncio.Future[Any]) -> None:
    if not receipt.done():
        receipt.set_result(None)


def make_publisher(url: str, topic: str) -> Publisher:
    """A publisher that outlives outages, its link not made yet."""

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

    def make() -> Link:
        # The client itself would go on trying for seconds.
        if not answers(url):
            raise BrokerAway("the broker accepts no connections")
        return Link(url, create)

    return Publisher(make)
