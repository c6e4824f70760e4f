"""Reads what was counted. Every query is bounded by an index or by the number of days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import psycopg
from sqlalchemy import Engine, create_engine, tuple_
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session, col, select

from services.tracking.adapters.database import CONNECT, connect
from services.tracking.adapters.tables import DailyStatusRow, InteractionRow

DatabaseError = (DBAPIError, PoolTimeout, psycopg.Error)
"""What every method here raises when the database does not answer."""

# A database that hangs must not hold the threads that answer.
OPTIONS = f"{CONNECT['options']} -c statement_timeout=10000"

Position = tuple[datetime, UUID]
"""Where a page ended: the last interaction's time and id."""


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
