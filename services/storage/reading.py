"""Reads that nobody waits for without an end: from a small pool, in threads of their own, each within READ_S."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TypeVar, TypeVarTuple
from uuid import UUID

import psycopg
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from services.storage.database import CONNECT

# Less than nginx waits for an answer.
READ_S = 3.0
THREADS = 8

Position = tuple[datetime, UUID]
"""Where a page ended: the time and the id of its last row."""

Answer = TypeVar("Answer")
Asked = TypeVarTuple("Asked")


class Overdue(Exception):
    """The database neither answered within READ_S nor hung up."""


DatabaseError = (DBAPIError, PoolTimeout, psycopg.Error, Overdue)
"""What a read raises when the database does not answer."""

# A query that nobody waits for any more must not hold its thread.
OPTIONS = f"{CONNECT['options']} -c statement_timeout={READ_S * 1000:.0f}"


def engine(sqlalchemy_url: str, name: str) -> Engine:
    """A small pool whose dead connections are noticed before they are used; `name` is what pg_stat_activity shows."""
    return create_engine(
        sqlalchemy_url,
        pool_size=2,
        max_overflow=3,
        pool_timeout=3,
        pool_pre_ping=True,
        connect_args={**CONNECT, "options": OPTIONS, "application_name": name, "prepare_threshold": None},
    )


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
