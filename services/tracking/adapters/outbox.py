"""The outbox: stores commands in PostgreSQL while the broker is away, within its bound.

Writes in batches, from the event loop, over one connection: what comes while one batch is being committed goes
with the next. So one commit serves many events, and no event waits for more than two of them. Must never say
that a command is stored before its commit.
"""

from __future__ import annotations

import asyncio
import functools
import json
import select
import time
import zlib
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
import structlog

from services.errors import InDoubt, KeyReused, NothingAttempted
from services.storage.database import connect_async
from services.tracking.adapters.encoding import Command
from services.tracking.domain.interaction import fingerprint

BATCH = 500
# What a connection may take; and after a statement that got no answer, how long nothing is tried.
PAUSE_S = 1.5
# What a statement may take: the whole of an answer's time. Whoever has less waits no longer than that; those that wait
# behind the statement may have more.
STATEMENT_S = 4.0
# After a connection failed, how long it is not tried again.
RETRY_S = 0.2
# An insert may meet a row that its snapshot doesn't show, or that is being relayed: it looks again.
LOOKS = 3
SLOTS = 16

log = structlog.get_logger()

# Rows are locked by id, in the same order by every replica, then this replica's slot. Nothing waits for the relay:
# a row that it holds is there.
STORE = """
WITH incoming AS (
    SELECT * FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(
        id uuid, fingerprint text, partition_key text, properties jsonb, body text)
), room AS MATERIALIZED (
    SELECT greatest(0, %(most)s - coalesce(sum(rows), 0))::bigint AS free FROM outbox_size
), stored AS (
    INSERT INTO outbox (id, fingerprint, partition_key, properties, body)
    SELECT id, fingerprint, partition_key, properties, convert_to(body, 'UTF8')
    FROM incoming ORDER BY id LIMIT (SELECT free FROM room)
    ON CONFLICT DO NOTHING
    RETURNING id
), sized AS (
    INSERT INTO outbox_size AS size (slot, rows) SELECT %(slot)s, count(*) FROM stored HAVING count(*) > 0
    ON CONFLICT (slot) DO UPDATE SET rows = size.rows + excluded.rows
)
SELECT i.id::text, stored.id IS NOT NULL, outbox.fingerprint, room.free
FROM incoming i CROSS JOIN room LEFT JOIN stored USING (id) LEFT JOIN outbox USING (id)
"""


def slot(replica: str) -> int:
    """The row of outbox_size that a replica moves: few, whatever the number of replicas that ever were."""
    return zlib.crc32(replica.encode()) % SLOTS


@dataclass(slots=True, eq=False)
class Entry:
    """A command on its way, for whoever waits for it. `sent`: it may be in the outbox, whatever is heard of it."""

    command: Command
    says: str
    done: asyncio.Future[Exception | None]
    sent: bool = False

    def end(self, error: Exception | None = None) -> None:
        if not self.done.done():
            self.done.set_result(error)


class Away(Exception):
    """The database takes no commands; `certain` is whether it has certainly not taken this one."""

    def __init__(self, why: str, *, certain: bool) -> None:
        super().__init__(why)
        self.certain = certain


class Outbox:
    """Stores from one event loop. `most` bounds the rows of all replicas, give or take a batch a replica."""

    def __init__(self, conninfo: str, replica: str, most: int) -> None:
        self._conninfo = conninfo
        self._slot = slot(replica)
        self._most = most
        self._waiting: deque[Entry] = deque()
        self._writer: asyncio.Task[None] | None = None
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._retry_at = 0.0
        self._why = ""
        self._left: set[asyncio.Task[list[Any]]] = set()

    async def store(self, command: Command, within: float) -> None:
        """Returns once the command is committed, here or by an earlier call.

        Raises NothingAttempted, InDoubt, or KeyReused; all within that many seconds.
        """
        entry = Entry(command, fingerprint(command.event), asyncio.get_running_loop().create_future())
        self._waiting.append(entry)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        try:
            async with asyncio.timeout(within):
                error = await entry.done
        except TimeoutError:
            why = f"the database gave no answer within {within:.1f} s"
            raise InDoubt(why) if entry.sent else NothingAttempted(why) from None
        if error is not None:
            raise error

    async def _write(self) -> None:
        while self._waiting:
            count = min(BATCH, len(self._waiting))
            batch = [entry for entry in (self._waiting.popleft() for _ in range(count)) if not entry.done.done()]
            try:
                await self._store(batch)
            except Exception as error:
                # The task's boundary: nobody must wait for a writer that is gone.
                log.exception("not stored")
                for entry in batch:
                    entry.end(InDoubt(f"unexpected: {type(error).__name__}"))

    async def _store(self, batch: Sequence[Entry]) -> None:
        for look in range(LOOKS):
            try:
                connection = await self._connected()
                batch = [entry for entry in batch if not entry.done.done()]
                rows = await self._insert(connection, batch) if batch else []
            except Away as away:
                if not away.certain and look + 1 < LOOKS:
                    continue  # on a new connection: what was stored the first time is found
                for entry in batch:
                    entry.end(NothingAttempted(str(away)) if away.certain and look == 0 else InDoubt(str(away)))
                return
            batch = settle(batch, rows)
            if not batch:
                return
        for entry in batch:
            entry.end(InDoubt("another call with this id is under way"))

    async def _connected(self) -> psycopg.AsyncConnection[Any]:
        connection, self._connection = self._connection, None
        if connection is not None and not connection.closed:
            if not _speaks(connection):
                self._connection = connection
                return connection
            await connection.close()
        if time.monotonic() < self._retry_at:
            raise Away(self._why, certain=True)
        try:
            async with asyncio.timeout(PAUSE_S):
                self._connection = await connect_async(self._conninfo, "alpes-outbox")
        except (psycopg.Error, OSError) as error:
            self._why = f"the database is away: {_line(error)}"
            self._retry_at = time.monotonic() + RETRY_S
            log.warning("the outbox takes nothing", error=_line(error))
            raise Away(self._why, certain=True) from error
        return self._connection

    async def _insert(self, connection: psycopg.AsyncConnection[Any], batch: Sequence[Entry]) -> list[Any]:
        """Send the batch; return the statement's rows. What a frozen database has is left with it."""
        for entry in batch:
            entry.sent = True
        sending = asyncio.create_task(self._execute(connection, batch))
        await asyncio.wait({sending}, timeout=STATEMENT_S)
        if not sending.done():
            self._connection = None
            self._left.add(sending)
            sending.add_done_callback(functools.partial(self._leave, connection))
            # What comes meanwhile is better refused than in doubt.
            self._retry_at, self._why = time.monotonic() + PAUSE_S, "the database gives no answer"
            raise Away(self._why, certain=False)
        try:
            return sending.result()
        except psycopg.Error as error:
            log.warning("not stored", error=_line(error))
            # An ERROR ends the statement and nothing else; what ends the connection may come after the commit.
            certain = error.diag.severity_nonlocalized == "ERROR"
            raise Away(f"the database refuses: {_line(error)}", certain=certain) from error

    async def _execute(self, connection: psycopg.AsyncConnection[Any], batch: Sequence[Entry]) -> list[Any]:
        rows = [
            {
                "id": event_id,
                "fingerprint": entry.says,
                "partition_key": entry.command.key,
                "properties": entry.command.properties,
                "body": entry.command.body.decode(),
            }
            for event_id, entry in _first_of_each(batch).items()
        ]
        values = {"rows": json.dumps(rows), "most": self._most, "slot": self._slot}
        return await (await connection.execute(STORE, values, prepare=True)).fetchall()

    def _leave(self, connection: psycopg.AsyncConnection[Any], late: asyncio.Task[list[Any]]) -> None:
        self._left.discard(late)
        if not late.cancelled():
            log.info("an answer came too late", error=str(late.exception() or "none"))
        connection.pgconn.finish()

    async def close(self) -> None:
        """Call it once requests are finished."""
        if self._connection is not None:
            await self._connection.close()


def settle(batch: Sequence[Entry], rows: Iterable[tuple[str, bool, str | None, int]]) -> list[Entry]:
    """End the entries that the statement's rows (id, stored, fingerprint found, room left) tell about; return those
    that must look again: another transaction had a row with their id that this one could not see."""
    first, again = _first_of_each(batch), []
    outcomes = {
        event_id: first[event_id].says if stored else found if found is not None else free < len(first)
        for event_id, stored, found, free in rows
    }
    for entry in batch:
        match outcomes[entry.command.event.id]:
            case str(says):
                entry.end(None if says == entry.says else KeyReused("this id is that of another event"))
            case True:
                entry.end(NothingAttempted("the outbox is full"))
            case _:
                again.append(entry)
    return again


def _first_of_each(batch: Iterable[Entry]) -> dict[str, Entry]:
    """By id; of several entries with one id, the first is sent."""
    found: dict[str, Entry] = {}
    for entry in batch:
        found.setdefault(entry.command.event.id, entry)
    return found


def _speaks(connection: psycopg.AsyncConnection[Any]) -> bool:
    """Whether the server said something unasked: that it ends the connection, or that it has."""
    poll = select.poll()
    poll.register(connection.pgconn.socket, select.POLLIN)
    return bool(poll.poll(0))


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
