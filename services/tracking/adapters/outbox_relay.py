"""Publishes what is in the outbox once the broker is there, and deletes what it has a receipt for.

At least once each: what was published and not deleted is published again under the same id, and absorbed. Must
never delete a row without the broker's receipt.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol

import psycopg
import structlog

from services.errors import InDoubt, NothingAttempted
from services.storage.database import connect_async
from services.tracking.adapters.outbox import slot

BATCH = 200
PERIOD_S = 0.5
# After a stop, how long the turn under way may take: longer than the broker's receipt.
LAST_TURN_S = 4.0

log = structlog.get_logger()

# Locked while they are published, so that two replicas don't publish the same ones. A replica that freezes with
# rows in hand loses them by idle_in_transaction_session_timeout.
WAITING = """
SELECT position, partition_key, properties, body FROM outbox
ORDER BY position LIMIT %s FOR UPDATE SKIP LOCKED
"""
GONE = """
WITH gone AS (DELETE FROM outbox WHERE position = ANY(%s) RETURNING position)
INSERT INTO outbox_size AS size (slot, rows) SELECT %s, -count(*) FROM gone
ON CONFLICT (slot) DO UPDATE SET rows = size.rows + excluded.rows
"""


class Probes(Protocol):
    """A publisher that is asked whether it is worth trying."""

    def is_connected(self) -> bool: ...
    def is_doubted(self) -> bool: ...
    async def publish(self, body: bytes, key: str, properties: Mapping[str, str], *, probe: bool) -> None: ...


class OutboxRelay:
    """One a replica; any number of them share the work."""

    def __init__(self, conninfo: str, replica: str, publisher: Probes) -> None:
        self._conninfo = conninfo
        self._slot = slot(replica)
        self._publisher = publisher
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> OutboxRelay:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Ends with the turn under way, or without it: what it holds is published again by another."""
        self._stopping.set()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=LAST_TURN_S)

    async def _run(self) -> None:
        while not self._stopping.is_set():
            if await self.turn() == 0:
                try:
                    async with asyncio.timeout(PERIOD_S):
                        await self._stopping.wait()
                except TimeoutError:
                    continue
        if self._connection is not None:
            await self._connection.close()

    async def turn(self) -> int:
        """Publish what waits, up to BATCH rows, or one to see whether the broker is back; return how many."""
        if not self._publisher.is_connected():
            return 0
        try:
            return await self._relay(1 if self._publisher.is_doubted() else BATCH)
        except (psycopg.Error, OSError) as error:
            log.warning("the outbox waits for the database", error=(str(error).splitlines() or [""])[0])
        except Exception:
            # The task's boundary: without it no row is published any more, and nobody hears of it.
            log.exception("the outbox waits")
        return 0

    async def _relay(self, most: int) -> int:
        if self._connection is None or self._connection.closed:
            self._connection = await connect_async(self._conninfo, "alpes-outbox-relay")
        async with self._connection.transaction():
            rows = await (await self._connection.execute(WAITING, (most,), prepare=True)).fetchall()
            if not rows:
                return 0
            receipts = await asyncio.gather(*(self._publish(*row) for row in rows))
            done = [row[0] for row, receipt in zip(rows, receipts, strict=True) if receipt]
            if done:
                await self._connection.execute(GONE, (done, self._slot), prepare=True)
        log.info("outbox relayed", published=len(done), waits=len(rows) - len(done))
        return len(done)

    async def _publish(self, _position: int, key: str, properties: Mapping[str, str], body: bytes) -> bool:
        try:
            await self._publisher.publish(body, key, properties, probe=True)
        except (NothingAttempted, InDoubt):
            return False
        return True
