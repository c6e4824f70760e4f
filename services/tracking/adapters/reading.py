"""Reads what was counted. Every query is bounded by an index or by the number of days."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from typing import TypeVar, TypeVarTuple
from uuid import UUID

import psycopg
from sqlalchemy import Engine, create_engine, tuple_
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session, col, select

from services.tracking.adapters.database import CONNECT, connect
from services.tracking.adapters.tables import DailyStatusRow, InteractionRow

# Less than nginx waits for an answer.
READ_S = 3.0
THREADS = 8

Answer = TypeVar("Answer")
Asked = TypeVarTuple("Asked")


class Overdue(Exception):
    """The database neither answered within READ_S nor hung up."""


DatabaseError = (DBAPIError, PoolTimeout, psycopg.Error, Overdue)
"""What a read raises when the database does not answer."""

# A query that nobody waits for any more must not hold its thread.
OPTIONS = f"{CONNECT['options']} -c statement_timeout={READ_S * 1000:.0f}"

Position = tuple[datetime, UUID]
"""Where a page ended: the last interaction's time and id."""


class Bounded:
    """Runs reads in threads of its own and waits READ_S for each.

    A frozen database keeps its connections open and says nothing, so what reads from it can't be interrupted:
    it is left behind, THREADS of them at most, until the database goes on or the process ends.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, "read")

    async def __call__(self, query: Callable[[*Asked], Answer], *asked: *Asked) -> Answer:
        """What `query` returns. Raises Overdue, and whatever `query` raises."""
        # Not wait_for over the thread's future alone: its own TimeoutErrors must stay what they are.
        done = asyncio.get_running_loop().run_in_executor(self._threads, query, *asked)
        await asyncio.wait({done}, timeout=READ_S)
        if not done.done():
            done.cancel()
            raise Overdue(f"no answer within {READ_S:g} s")
        return done.result()


class Reading:
    """Queries on a small pool; dead connections are noticed before they are used."""

    def __init__(self, sqlalchemy_url: str, conninfo: str) -> None:
        self._conninfo = conninfo
        self._engine: Engine = create_engine(
            sqlalchemy_url,
            pool_size=2,
            max_overflow=3,
            pool_timeout=3,
            pool_pre_ping=True,
            connect_args={
                **CONNECT,
                "options": OPTIONS,
                "application_name": "alpes-tracking",
                "prepare_threshold": None,
            },
        )

    def ping(self) -> None:
        """Raises within two seconds if the database does not answer: a new connection's wait is bounded."""
        with connect(self._conninfo, "alpes-ready", connect_timeout=2) as connection:
            connection.execute("SELECT 1")

    def one(self, event_id: UUID) -> InteractionRow | None:
        with Session(self._engine) as session:
            return session.get(InteractionRow, event_id)

    def newest(self, limit: int, after: Position | None) -> Sequence[InteractionRow]:
        """Newest first by their own time, from behind a position."""
        time, event_id = col(InteractionRow.timestamp), col(InteractionRow.id)
        query = select(InteractionRow).order_by(time.desc(), event_id.desc()).limit(limit)
        if after is not None:
            query = query.where(tuple_(time, event_id) < after)
        with Session(self._engine) as session:
            return session.exec(query).all()

    def daily(self, first: date | None, last: date | None) -> Sequence[DailyStatusRow]:
        """Day descending, then status."""
        day, status = col(DailyStatusRow.day), col(DailyStatusRow.status)
        query = select(DailyStatusRow).order_by(day.desc(), status)
        if first is not None:
            query = query.where(day >= first)
        if last is not None:
            query = query.where(day <= last)
        with Session(self._engine) as session:
            return session.exec(query).all()

    def close(self) -> None:
        self._engine.dispose()
